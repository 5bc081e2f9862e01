"""What is inferred from the columns, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.data.infer import choose
from headstart.data.sheet import Choice, Sheet
from headstart.data.source import open_source
from headstart.data.table import Fact
from headstart.errors import ColumnError, LabelError, SettingError, SeveralTargets, SplitError
from headstart.settings import SourceSettings
from tests.data.making import fact, write

TEXTS = [f"this is sentence number {i}" for i in range(60)]


def chosen(settings: SourceSettings | None = None, **columns: list[Any]) -> tuple[Choice, list[Fact]]:
    return choose(Sheet("t.csv", columns, Path()), settings or SourceSettings())


@pytest.mark.parametrize("name", ["label", "Labels", "target", "class", "category", "intent", "y", "sentiment"])
def test_target_by_its_name(name: str) -> None:
    choice, facts = chosen(text=TEXTS, other=["a", "b"] * 30, **{name: ["c", "d"] * 30})
    assert choice.targets == (name,)
    assert fact(facts, "target column").reason.startswith("named like a target")


@pytest.mark.parametrize("name", ["text", "Sentence", "utterance", "query", "review", "message", "document"])
def test_input_by_its_name(name: str) -> None:
    choice, facts = chosen(label=["c", "d"] * 30, remark=[t * 3 for t in TEXTS], **{name: TEXTS})
    assert choice.input == name
    assert fact(facts, "input column").value == name


def test_other_columns_that_could_serve_are_said() -> None:
    _, facts = chosen(text=TEXTS, title=TEXTS, label=["a", "b"] * 30, tag=["c", "d"] * 30)
    assert "tag could serve too" in fact(facts, "target column").reason
    assert "title could serve too" in fact(facts, "input column").reason


def test_fall_back_on_long_text_and_few_values() -> None:
    choice, facts = chosen(v1=["ham", "spam"] * 30, v2=TEXTS)
    assert (choice.input, choice.targets) == ("v2", ("v1",))
    assert "longest texts" in fact(facts, "input column").reason
    assert "2 distinct values in 60 rows" in fact(facts, "target column").reason


def test_ambiguous_inputs_and_targets_are_refused() -> None:
    with pytest.raises(ColumnError, match=r"several columns could serve as the input: one, two; pass --input"):
        chosen(one=TEXTS, two=TEXTS[::-1], label=["a", "b"] * 30)
    with pytest.raises(ColumnError, match=r"as the target: colour, size; pass --target"):
        chosen(text=TEXTS, colour=["r", "g"] * 30, size=["s", "m", "l"] * 20)
    with pytest.raises(ColumnError, match=r"as the input: photo, text; pass --input|as the input: image, text"):
        chosen(image=[f"{i}.png" for i in range(60)], text=TEXTS, label=["a", "b"] * 30)
    with pytest.raises(ColumnError, match="no column could serve as the input"):
        chosen(id=list(range(60)), label=["a", "b"] * 30)


def test_an_unlabelled_table() -> None:
    choice, facts = chosen(id=[str(i) for i in range(60)], text=TEXTS)
    assert choice.targets == ()
    assert fact(facts, "target column").value == "none"
    choice, _ = chosen(SourceSettings(target=()), text=TEXTS, label=["a", "b"] * 30)
    assert (choice.targets, choice.task) == ((), "")


def test_image_paths_by_their_values() -> None:
    choice, facts = chosen(photo=[f"x/{i}.JPG" for i in range(60)], kind=["a", "b"] * 30)
    assert (choice.input, choice.modality, choice.targets) == ("photo", "image", ("kind",))
    assert "names of image" in fact(facts, "input column").reason


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([i + 0.5 for i in range(60)], "regression"),
        ([0.5, 1.0] * 30, "regression"),
        (list(range(60)), "regression"),
        ([str(i) for i in range(60)], "regression"),
        (["1.25", "2"] * 30, "regression"),
        ([3, 7] * 30, "classification"),
        (["3", "7"] * 30, "classification"),
        (list(range(30)) * 2, "classification" if 2 * 30 <= 60 else "regression"),
        ([*range(30)] * 5 + [77], "regression"),  # ages, say: as classes some would have one example
        ([*range(20)] * 5 + [3], "classification"),
        ([True, False] * 30, "classification"),
        (["a", "b"] * 30, "classification"),
        ([["a"], ["a", "b"]] * 30, "multilabel"),
        (["a;b", "b;c", "a;c"] * 20, "multilabel"),
        (["a|b", "a", "b"] * 20, "multilabel"),
        (["red, big", "red, small", "blue, big", "blue, small"] * 15, "multilabel"),
        (["Paris, France", "Lyon, France", "Rome, Italy"] * 20, "classification"),
        (["1_0", "2_0"] * 30, "classification"),
    ],
)
def test_task(values: list[Any], task: str) -> None:
    choice, facts = chosen(text=TEXTS, label=values)
    assert choice.task == task
    assert "'label'" in fact(facts, "task").reason


@pytest.mark.parametrize(
    ("name", "values", "task"),
    [
        ("price", [*range(100_000, 350_000, 10_000)] * 4, "regression"),  # every value recurs
        ("price", [*range(100_000, 280_000, 10_000)] * 5, "regression"),  # few values, far apart
        ("y", [*range(100_000, 350_000, 10_000)] * 4, "regression"),
        ("age", [*range(18, 85)] * 3, "regression"),
        ("score", [*range(101)] * 3, "regression"),
        ("temperature", [*range(-40, 41)] * 3, "regression"),
        ("year built", [*range(1990, 2020)] * 4, "regression"),
        ("stars", [1, 2, 3, 4, 5] * 12, "classification"),
        ("rating", [*range(1, 11)] * 6, "classification"),
        ("month", [*range(1, 13)] * 5, "classification"),
        ("label", [*range(77)] * 3, "classification"),
        ("intent", [*range(1, 31)] * 4, "classification"),
        ("y", [*range(101)] * 3, "classification"),  # counted from 0, as codes are
        ("zip code", [10_115 + 17 * i for i in range(30)] * 4, "classification"),
        ("category_id", [10_115 + 17 * i for i in range(30)] * 4, "classification"),
    ],
)
def test_whole_numbers(name: str, values: list[int], task: str) -> None:
    columns = {"text": [f"the cat sat on mat no {i}" for i in range(len(values))], name: values}
    choice, facts = chosen(SourceSettings(target=(name,)), **columns)
    assert choice.task == task
    other = "regression" if task == "classification" else "classification"
    assert f"(--task {other} " in fact(facts, "task").reason


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([f"${i},000" for i in range(100, 160)], r"numbers with a unit, such as '\$100,000'.*--task regression"),
        ([f"{i} EUR" for i in range(60)], r"numbers with a unit, such as '0 EUR'.*--task classification"),
        ([f"{i}%" for i in range(60)], "numbers with a unit, such as '0%'"),
        ([*map(str, range(50)), *["n/a"] * 10], "numbers, and 'n/a' in 10 of 60 rows; remove these rows"),
    ],
)
def test_numbers_that_something_keeps_from_being_numbers(values: list[str], says: str) -> None:
    with pytest.raises(ColumnError, match=says):
        chosen(text=TEXTS, label=values)
    assert chosen(SourceSettings(task="classification"), text=TEXTS, label=values)[0].task == "classification"


def test_labels_that_hold_numbers_stay_labels() -> None:
    for values in (["4 km", "9 km"] * 30, [f"T-{i % 30}" for i in range(60)], [f"v{i % 30}" for i in range(60)]):
        assert chosen(text=TEXTS, label=values)[0].task == "classification"


def test_columns_of_an_earlier_table_are_found_by_name() -> None:
    like = Choice("said", ("mood",), "text", firm=False)
    columns = {"ticket": [f"T {i}" for i in range(60)], "said": ["yes", "no"] * 30, "mood": ["a", "b"] * 30}
    sheet = Sheet("t.csv", columns, Path())
    choice, facts = choose(sheet, SourceSettings(), like)
    assert (choice.input, choice.targets, choice.firm) == ("said", ("mood",), True)
    assert fact(facts, "input column").reason == "what the model was trained on"
    other = Sheet("t.csv", {"text": TEXTS, "label": ["a", "b"] * 30}, Path())
    assert choose(other, SourceSettings(), like)[0].input == "text"
    assert choose(sheet, SourceSettings(input="ticket"), like)[0].input == "ticket"


def test_several_columns_of_zero_and_one(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,rude,loud", "a b,1,0", "c d,0,0", "e f,1,1")
    for settings in (SourceSettings(), SourceSettings(target=("rude", "loud"))):
        table = open_source(path, settings).table
        assert table.task == "multilabel"
        assert table.targets is not None
        assert table.targets.tolist() == [("rude",), (), ("rude", "loud")]
    write(path, "text,rude,loud", *["a b,1,0"] * 20, "c d,2,0")
    with pytest.raises(ColumnError, match=r"0 or 1 each, but 'rude' holds '2' in row t.csv:22"):
        open_source(path, SourceSettings(target=("rude", "loud")))
    with pytest.raises(SeveralTargets, match="takes one target column"):
        open_source(path, SourceSettings(target=("rude", "loud"), task="regression"))


def targets_of(path: Path, settings: SourceSettings | None = None) -> list[Any]:
    table = open_source(path, settings or SourceSettings()).table
    assert table.targets is not None
    return table.targets.tolist()


def test_targets_are_coded_by_task(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label", "a,3", "b,3.0", "c,4")
    assert targets_of(path) == ["3", "3", "4"]
    assert targets_of(path, SourceSettings(task="regression")) == [3.0, 3.0, 4.0]
    path = write(tmp_path / "t.csv", "text,label", "a,x;y", "b,y;z;y", "c,x;z", "d, x ")
    assert targets_of(path) == [("x", "y"), ("y", "z"), ("x", "z"), ("x",)]
    assert targets_of(path, SourceSettings(task="classification")) == ["x;y", "y;z;y", "x;z", "x"]
    path = write(tmp_path / "t.jsonl", '{"text": "a", "label": ["x"]}', '{"text": "b", "label": []}')
    assert targets_of(path) == [("x",), ()]


def test_spaces_around_labels_are_taken_off_and_said(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text,label", "a, x", "b,x", "c,y"))
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == ["x", "x", "y"]
    assert "1 labels" in fact(opened.facts, "labels").reason


def test_regression_targets_must_be_finite_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label", "a,1.5", "b,much", "c,inf")
    with pytest.raises(LabelError, match=r"2 of 3 rows hold no finite number .*\(t.csv:3, t.csv:4\)"):
        open_source(path, SourceSettings(task="regression"))


def test_split_column(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label,split", "a,x,train", "b,y,VAL", "c,x,test")
    opened = open_source(path)
    assert opened.table.split.tolist() == ["train", "valid", "test"]
    assert fact(opened.facts, "split column").value == "split"


def test_split_column_of_other_values(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label,split", "a,x,train", "b,y,oos_train", "c,x,test")
    opened = open_source(path)
    assert set(opened.table.split) == {""}
    said = fact(opened.facts, "split column")
    assert said.value == "none"
    assert "'oos_train'" in said.reason
    with pytest.raises(SplitError, match="'oos_train'"):
        open_source(path, SourceSettings(split="split"))
    with pytest.raises(SplitError, match="name no split"):
        open_source(path, SourceSettings(split="label"))


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        (
            SourceSettings(target=("lable",)),
            ColumnError,
            r"no column 'lable' .*text, label.*Did you mean 'label'",
        ),
        (SourceSettings(input="txt"), ColumnError, r"no column 'txt' \(asked for by --input\).*'text'"),
        (SourceSettings(group="x"), ColumnError, "asked for by --group"),
        (SourceSettings(slices=("x",)), ColumnError, "asked for by --slice"),
        (SourceSettings(split="x"), ColumnError, "asked for by --split"),
        (SourceSettings(input="text", target=("text",)), ColumnError, "both the input and the target"),
        (SourceSettings(target=("label", "label")), ColumnError, "named twice"),
        (SourceSettings(task="clasification"), SettingError, "Did you mean 'classification'"),
        (SourceSettings(modality="video"), SettingError, "one of audio, image, text"),
    ],
)
def test_overrides_are_checked(tmp_path: Path, settings: SourceSettings, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        open_source(write(tmp_path / "t.csv", "text,label", "a,x", "b,y"), settings)


def test_overrides_are_honoured(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label,title,kind", "a,x,A,k", "b,y,B,l")
    table = open_source(path, SourceSettings(input="title", target=("kind",))).table
    assert table.targets is not None
    assert (table.inputs.tolist(), table.targets.tolist()) == (["A", "B"], ["k", "l"])
    path = write(tmp_path / "p.csv", "path,label", "a.png,x", "b.png,y")
    assert open_source(path, SourceSettings(modality="text", input="path")).table.inputs[0] == "a.png"


def test_several_columns_of_classes_are_fitted_one_by_one(tmp_path):
    from tests.toys import table

    rows = [(f"a text no {i}", "red" if i % 2 else "blue", i / 3) for i in range(8)]
    path = table(tmp_path / "things.csv", ["text", "color", "my size"], rows)
    with pytest.raises(SeveralTargets, match="one model a column: --target color and then --target 'my size'") as told:
        open_source(path, SourceSettings(target=("color", "my size")))
    assert (told.value.columns, told.value.input) == (("color", "my size"), "text")
    with pytest.raises(SeveralTargets, match="takes one target column, but 2 are named; fit one model a column"):
        open_source(path, SourceSettings(target=("color", "my size"), task="regression"))
