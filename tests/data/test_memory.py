"""Data in memory, opened as the like rows in a file are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.data.memory import Memory, columns_in, in_memory
from headstart.data.source import open_source, open_sources
from headstart.errors import ColumnError, LabelError, SourceError, UserError
from headstart.settings import SourceSettings
from headstart.training.features import content_keys
from tests.toys import pictures, sentences, text_table

TEXTS, LABELS = sentences(5)


def stack(count: int = 6) -> np.ndarray:
    """[count, 24, 20, 3] uint8."""
    return np.stack([np.asarray(one.resize((20, 24))) for one in pictures(count)[0][:count]])


class PolarsFrame:
    """A DataFrame of polars as far as it is read: that library is not needed to test that its tables are."""

    def __init__(self, columns):
        self.columns, self._columns = list(columns), columns

    def get_column(self, name):
        return PolarsSeries(self._columns[name])


class PolarsSeries(list):
    def to_list(self):
        return list(self)


PolarsFrame.__module__, PolarsFrame.__name__ = "polars.dataframe.frame", "DataFrame"


def opened(data, **settings):
    return open_source(in_memory(data), SourceSettings(**settings))


def columns():
    return {"text": TEXTS, "label": LABELS}


def dataset():
    import datasets

    return datasets.Dataset.from_dict(columns())


FORMS = {
    "pandas": (lambda: pd.DataFrame(columns(), index=range(10)[::-1]), "DataFrame"),
    "polars": (lambda: PolarsFrame(columns()), "DataFrame"),
    "dict": (columns, "dict"),
    "datasets": (dataset, "Dataset"),
    "pair of lists": (lambda: (TEXTS, LABELS), "rows"),
    "pair of arrays": (lambda: (np.array(TEXTS), np.array(LABELS)), "rows"),
    "pair of series": (lambda: (pd.Series(TEXTS), pd.Series(LABELS)), "rows"),
    "pair of frames": (lambda: (pd.DataFrame({"t": TEXTS}), pd.DataFrame({"l": LABELS})), "rows"),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_in_memory_are_those_of_a_file(form, tmp_path):
    make, name = FORMS[form]
    table, filed = opened(make()).table, open_source(text_table(tmp_path / "mail.csv", 5)).table
    assert table.inputs.tolist() == filed.inputs.tolist()
    assert table.targets.tolist() == filed.targets.tolist()
    assert (table.task, table.modality) == (filed.task, filed.modality)
    assert table.ids.tolist() == [f"{name}[{row}]" for row in range(10)]
    np.testing.assert_array_equal(content_keys(table.inputs, "text")[0], content_keys(filed.inputs, "text")[0])


def test_what_it_is_is_said_with_its_rows():
    assert str(in_memory(pd.DataFrame(columns()))) == "from memory: DataFrame of 10 rows"
    assert str(in_memory((TEXTS[:1], LABELS[:1]))) == "from memory: pair of list and list of 1 row"
    assert in_memory("photos/") == "photos/"
    assert isinstance(in_memory([*TEXTS]), Memory)


def test_columns_are_named_or_inferred_as_in_a_table():
    frame = pd.DataFrame({"a": TEXTS, "b": LABELS, "who": list("xxyyzzxxyy"), "part": ["train"] * 8 + ["test"] * 2})
    found = opened(frame, input="a", target=("b",), group="who", slices=("who",), split="part")
    assert (found.table.split == "test").sum() == 2
    assert found.table.groups.tolist() == list("xxyyzzxxyy")
    with pytest.raises(ColumnError, match=r"DataFrame: no column 'c'"):
        opened(frame, input="c")


@pytest.mark.parametrize("dtype", [np.int64, np.float32, "Int64", "category", bool])
def test_targets_of_every_dtype(dtype):
    y = pd.Series([0, 1] * 5).astype(dtype)
    found = opened(pd.DataFrame({"text": TEXTS, "label": y})).table
    assert found.task == "classification"
    assert set(found.targets) == ({"True", "False"} if dtype is bool else {"0", "1"})


def test_tasks_of_pairs():
    assert opened((TEXTS, np.linspace(0, 1, 10))).table.task == "regression"
    hot = np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2, 0, 1, 2, 0]]
    assert opened((TEXTS, hot)).table.targets.tolist()[:3] == [("0",), ("1",), ("2",)]
    named = opened((TEXTS, pd.DataFrame(hot, columns=["red", "green", "blue"]))).table
    assert (named.task, named.targets.tolist()[:2]) == ("multilabel", [("red",), ("green",)])
    assert opened((TEXTS, [["a", "b"], ["a"]] * 5)).table.targets.tolist()[0] == ("a", "b")


def test_pictures_in_every_form():
    y, pile = ["a", "b"] * 3, stack()
    for inputs in (pile, list(pile), [Image.fromarray(one) for one in pile], pile[..., 0], pile[..., :1] / 255):
        table = opened((inputs, y)).table
        assert (table.modality, table.task, len(table)) == ("image", "classification", 6)
        assert np.shares_memory(table.inputs[0], inputs) or not isinstance(inputs, np.ndarray)
    table = opened(pd.DataFrame({"picture": list(pile), "label": y})).table
    assert (table.modality, table.targets.tolist()) == ("image", y)


def test_paths_of_pictures_start_in_the_current_folder(tmp_path, monkeypatch):
    Image.fromarray(stack()[0]).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    found = opened((["a.png", "gone.png", tmp_path / "a.png"], ["x", "y", "x"]))
    assert found.table.inputs.tolist() == [str(tmp_path / "a.png")] * 2
    assert [(row.id, row.reason) for row in found.rejected] == [("rows[1]", "no such file: gone.png")]


def test_empty_rows_are_set_aside_by_their_place():
    found = opened(([*TEXTS[:9], None], LABELS))
    assert [(row.id, row.reason) for row in found.rejected] == [("rows[9]", "empty text")]
    with pytest.raises(LabelError, match=r"rows: 1 of 10 rows have no label in column 'y' \(rows\[3\]\)"):
        opened((TEXTS, [*LABELS[:3], None, *LABELS[4:]]))


def test_parts_come_as_a_dict_or_from_other_kinds_of_source(tmp_path):
    table = opened({"train": columns(), "validation": pd.DataFrame(columns()), "test": dataset()}).table
    assert [int((table.split == part).sum()) for part in ("train", "valid", "test")] == [10, 10, 10]
    assert len(set(table.ids)) == 30
    filed = text_table(tmp_path / "later.csv", 5)
    for main, test in (((TEXTS, LABELS), filed), (filed, (TEXTS, LABELS)), (dataset(), (TEXTS, LABELS))):
        both = open_sources(in_memory(main), test=in_memory(test))
        assert (both.table.split == "test").sum() == 10
        assert len(set(both.table.ids)) == 20
    numbers = open_sources(in_memory((TEXTS, np.linspace(0, 1, 10))), test=in_memory((TEXTS, list(range(10))))).table
    assert (numbers.task, numbers.targets[-1]) == ("regression", 9.0)


def test_columns_in_a_table_and_in_nothing_else():
    assert columns_in(columns()).columns == columns()
    assert columns_in(TEXTS) is None


PILE = stack()
WRONG = {
    "lengths": ((TEXTS, LABELS[:3]), r"X has 10 inputs and y has 3 targets"),
    "one of a pair": ((TEXTS,), r"a tuple of 1 came; a pair \(X, y\) has two"),
    "numbers": ((np.zeros((10, 4)), LABELS), r"an array of shape \[10, 4\]; give pictures \[n, height, width\]"),
    "a number": (([1.5] * 10, LABELS), r"X\[0\] is the number 1.5"),
    "channels first": ((PILE.transpose(0, 3, 1, 2), LABELS[:6]), r"\[6, 3, 24, 20\].*X\.transpose\(0, 2, 3, 1\)"),
    "one picture": ((PILE[0], LABELS), r"one picture \[height, width, channels\]; give a list"),
    "one PIL image": ((pictures(1)[0][0], ["a"]), "X is one picture.*put it into a list"),
    "one text": (("hello", ["a"]), "X is 'hello'.*put it into a list"),
    "flat pictures": (([np.zeros(9)] * 10, LABELS), r"arrays of shape \[9\]"),
    "a mixture": (([*TEXTS[:9], pictures(1)[0][0]], LABELS), "X mixes 1 pictures with 9 texts"),
    "several columns": ((pd.DataFrame(columns()), LABELS), "X is a DataFrame of 2 columns.*input= and target="),
    "deep targets": ((TEXTS, np.zeros((10, 2, 2))), r"y is an array of shape \[10, 2, 2\]"),
    "one target": ((TEXTS, "pets"), "y is 'pets'; give a list"),
    "ragged": ({"text": TEXTS, "label": LABELS[:4]}, r"different lengths \('text' 10, 'label' 4\)"),
    "twice": (pd.DataFrame([["a", "b"]], columns=["t", "t"]), "duplicate column names 't'"),
    "no rows": (pd.DataFrame({"text": [], "label": []}), "it has no rows"),
    "a number alone": (3, "an? int came where data are expected; give a path, a pandas"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case):
    data, said = WRONG[case]
    with pytest.raises((SourceError, ColumnError), match=said) as caught:
        open_sources(in_memory(data))
    assert "\n" not in str(caught.value)


def test_inputs_alone_have_no_labels_and_pairs_no_columns():
    with pytest.raises(LabelError, match=r"list of 10 inputs without targets: no labels found.*give a pair \(X, y\)"):
        open_sources(in_memory(TEXTS))
    assert len(opened(TEXTS, target=()).table) == 10
    for settings in ({"group": "who"}, {"input": "text"}, {"split": "part"}, {"slices": ("who",)}):
        with pytest.raises(ColumnError, match=r"it has no columns of that name; drop \w+=, or give a DataFrame"):
            opened((TEXTS, LABELS), **settings)


def test_tables_that_are_not_there_yet_are_refused():
    lazy = type("LazyFrame", (), {"__module__": "polars.lazyframe.frame"})()
    with pytest.raises(SourceError, match=r"LazyFrame came.*lazy_frame\.collect\(\)"):
        in_memory(lazy)
    with pytest.raises(UserError):
        in_memory(object())
