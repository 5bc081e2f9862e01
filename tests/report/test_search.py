"""The strategy search and the training runs in the report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.records import LadderRecord, Result
from headstart.report import curves, sentences, words
from headstart.report.build import build
from headstart.report.curves import Curve
from headstart.report.search import search as shown_search
from tests.report import judged, ladders, made_up
from tests.report.ladders import NAN
from tests.report.test_build import Reader, read
from tests.report.test_build import page as made


def page(**changes: object) -> Reader:
    """The climbed run's page; with other fields of the result, without what else it was judged on."""
    if not changes:
        return made(made_up.climbed)
    result, evidence = made_up.climbed()
    result = replace(result, **judged.nothing())
    return read(build(replace(result, **changes), evidence))  # type: ignore[arg-type]


def headings(reader: Reader) -> set[str]:
    """The addresses of the folded sections."""
    return {a["id"] for tag, a in reader.elements if tag == "details"}


def dots(reader: Reader, colour: str) -> list[tuple[float, float]]:
    """Places of the dots filled with a colour of the style sheet."""
    found = [a for tag, a in reader.elements if tag == "use" and f"fill: var(--{colour})" in a.get("style", "")]
    return [(float(a["x"]), float(a["y"])) for a in found]


def test_steps_are_shown_in_order_with_gain_times_decision_and_reason() -> None:
    text = page().text
    rows = [
        "probe first step 0.905 –",
        "head2toe accepted 0.921 +0.016 [+0.002, +0.031]",
        "partial accepted 0.948 +0.027 [+0.006, +0.047]",
        "lora not accepted 0.951 +0.003 [−0.011, +0.017]",
        "full not tried – –",
    ]
    place = text.index("Strategy search")
    for row in rows:
        place = text.index(row, place)
    assert "the gain over partial may be chance" in text
    assert "predicted to take 15 min" in text[place:]


def test_the_search_and_its_grounds_are_told() -> None:
    text = page().text
    for said in ("10 min 0 s", "127", "0.220 (0: similar, 1: different", "5 folds"):
        assert said in text
    for name in ("probe", "head2toe", "partial", "lora", "full"):
        assert words.strategy(name) in text
    assert "linear regression" in words.strategy("probe", "regression")


@pytest.mark.parametrize("record", [ladders.probe_only(), replace(ladders.probe_only(), rungs=[])])
def test_one_strategy_is_no_search(record: LadderRecord) -> None:
    reader = page(ladder=record)
    assert "search" not in headings(reader)
    assert "Strategy search" not in reader.text
    assert shown_search(replace(made_up.climbed()[0], ladder=record)) is None


@pytest.mark.parametrize(
    "record",
    [
        ladders.ladder([ladders.start(), ladders.not_tried("full", "no time")]),
        ladders.ladder([ladders.start(NAN), ladders.rung("full", NAN, gain=NAN, low=NAN, high=NAN, seconds=NAN)]),
    ],
)
def test_a_search_with_nothing_to_compare_stands(record: LadderRecord) -> None:
    reader = page(ladder=record)
    assert "search" in headings(reader)
    assert reader.faults == []
    assert not re.search(r"\b(nan|None|inf)\b", reader.text)


def test_missing_numbers_of_a_ladder_and_a_training_are_dashes() -> None:
    unknown = ladders.rung("full", NAN, gain=NAN, low=NAN, high=NAN, seconds=NAN, predicted_seconds=NAN, reason="")
    as_json = replace(unknown, valid_score=None, gain=None, low=None, high=None, seconds=None, predicted_seconds=None)  # type: ignore[arg-type]
    blank = replace(ladders.training(), examples_per_second=NAN, epochs=NAN, weights=0, prefix="", augmentation="")
    reader = page(
        ladder=ladders.ladder([ladders.start(), unknown, as_json]),
        training=[blank],
        forgetting=ladders.forgotten(error=NAN, limit=NAN, kept=NAN),
    )
    assert not re.search(r"\b(nan|None|inf)\b", reader.text)
    assert reader.text.count("full accepted – – – – –") == 2
    assert "It could not be measured" in reader.text
    assert not any("nan" in v for _, a in reader.elements for k, v in a.items() if k in ("d", "x", "y"))


def test_twelve_steps_and_one_point_do_not_break_it() -> None:
    rungs = [ladders.start(), *(ladders.rung(f"own{i}", 0.9 + i / 200, "not taken") for i in range(11))]
    reader = page(ladder=ladders.ladder(rungs), training=[ladders.training(points=1)])
    assert (reader.faults, reader.open) == ([], [])
    assert "own10 not accepted" in reader.text
    without = page(training=[ladders.training(points=0)])
    assert without.faults == []
    assert not any(a.get("id", "").startswith(("loss-", "curve-")) for _, a in without.elements)


def test_training_tells_its_facts_curves_forgetting_and_findings() -> None:
    reader = page()
    text = reader.text
    for said in (
        "1,130,000 of 3,373,000 (33.5 %)",
        "every stage up to block 5",
        "RandAugment 2 of magnitude 5",
        "640 steps; 4.5 epochs kept",
        "412.3 rows/s",
        "stopped early",
        "once: training diverged",
        "validation loss: 1.100 at epoch 0, 0.643 at epoch 8, between 0.569 and 1.100",
        "4.1 % of the base's answers have changed",
        "within the limit of 5 %",
        "are 70 % of the way",
    ):
        assert said in text, said
    assert text.index("Over-fitting: The model learnt its rows by heart") < text.index("Plateau:")
    assert "code" in [tag for tag, _ in reader.elements]
    assert "`" not in text
    assert text.index("partial: 4.5 epochs, stopped early selected") < text.index("lora: 4.5 epochs, stopped early")


def test_sections_without_content_are_left_out() -> None:
    plain = page(training=[], forgetting=None, diagnosis=[])
    assert "training" not in headings(plain)
    assert {"search", "training"} <= headings(page())


def test_findings_beyond_three_are_folded() -> None:
    many = [replace(ladders.findings()[0], name=f"finding {i}") for i in range(5)] + [
        replace(ladders.findings()[0], name="healthy")
    ]
    reader = page(diagnosis=many)
    assert [f"Finding {i}:" in reader.text[: reader.text.index("against baselines")] for i in range(5)] == [
        True
    ] * 3 + [False] * 2
    assert "Finding 4:" in reader.text
    assert "diagnosis" in headings(reader)
    assert "Healthy" not in reader.text


def test_forgetting_above_its_limit_and_without_one() -> None:
    assert "above the limit of 2 %" in sentences.forgetting(ladders.forgotten(limit=0.02)).replace("\u00a0", " ")
    free = sentences.forgetting(ladders.forgotten(limit=NAN, kept=1.0))
    assert free.endswith("no limit was given.")


def test_a_baseline_that_is_selected_is_named_wherever_it_matters() -> None:
    text = made(made_up.control_kept).text
    head = text[: text.index("against baselines")]
    assert "Selected model: the baseline classical features, which did better than efficientnet-lite0, partial" in head
    assert "classical features selected baseline 0.975" in text
    assert "efficientnet-lite0, partial transfer 0.938" in text
    assert "Nothing of the base is in the selected model." in text
    assert "headstart predict" in text
    whose = "Of the transfer model efficientnet-lite0, partial, which was not selected."
    metrics, rest = text.index("All metrics"), text.index("Calibration and conformal sets")
    assert metrics < text.index(whose) < rest
    assert text.count(whose) == 2  # of the metrics and of OOD detection; all else is of the selected model


def test_a_narrow_page_breaks_before_an_interval_and_nowhere_in_a_number() -> None:
    told = str(sentences.parted("0.938\u00a0[0.862,\u00a00.973]"))
    assert told == '0.938 <span class="whole">[0.862,\u00a00.973]</span>'
    assert [str(sentences.parted(text)) for text in ("12", "[1,\u00a02]", "a < b")] == ["12", "[1,\u00a02]", "a &lt; b"]


def test_scratch_is_explained_where_it_is_a_baseline() -> None:
    assert "scratch: the same network from random weights" in page().text
    result = replace(made_up.control_kept()[0])
    chosen = replace(result, chosen=replace(result.chosen, strategy="scratch"))
    assert sentences.selected(chosen).startswith("the baseline scratch (the same network from random weights),")


def test_text_of_ladder_and_training_is_escaped() -> None:
    evil = "<script>`<b>`"
    result, evidence = made_up.climbed()
    finding = replace(ladders.findings()[0], name=evil, sentence=evil, suggestion=evil)
    rung = ladders.rung(evil, 0.9, reason=evil, against=evil)
    result = replace(
        result,
        ladder=replace(ladders.ladder([ladders.start(), rung]), plan=evil, distance_how=evil, held_out=evil),
        training=[replace(ladders.training(evil), prefix=evil, augmentation=evil, stopped=evil)],
        forgetting=replace(ladders.forgotten(), how=evil),
        diagnosis=[finding],
        shift=None,
    )
    html = build(result, evidence)
    assert "<script" not in html
    assert "<b>`" not in html
    assert read(html).faults == []


@pytest.mark.parametrize("name", ["probe", "head2toe", "partial", "progressive", "full", "lora", "norm", "scratch"])
def test_every_strategy_is_one_sentence(name: str) -> None:
    said = words.strategy(name)
    assert said.endswith(".")
    assert ". " not in said


def test_unknown_names_have_no_words() -> None:
    assert (words.strategy("own"), words.control("own")) == ("", "")


def drawn(points: list[tuple[float, float]], mark: float = NAN) -> str:
    made = curves.curves([Curve("loss", points, "strong")], name="n", title="t", up="loss", across="epoch", mark=mark)
    return str(made)


def test_curve_leaves_gaps_and_marks_what_was_kept_within_it() -> None:
    gap = [(0.0, 1.0), (1.0, NAN), (2.0, 0.5), (3.0, 0.4)]
    line = re.search(r'<path d="([^"]*)"[^>]*stroke: var\(--accent\)', drawn(gap))
    assert line is not None
    assert len(re.findall("L", line[1])) == 1  # no line leads over the gap
    assert drawn(gap).count("<use") == 3
    marked = "stroke-dasharray"
    assert drawn(gap, mark=2.0).count(marked) == drawn(gap, mark=9.0).count(marked) + 1
    assert drawn([(NAN, 1.0)]) == "None"


def test_long_curve_is_thinned() -> None:
    long = drawn([(i / 10, 1 / (i + 1)) for i in range(5000)])
    line = re.search(r'<path d="([^"]*)"[^>]*stroke: var\(--accent\)', long)
    assert line is not None
    assert 10 <= len(re.findall("[ML]", line[1])) <= 200
    assert "<use" not in long


def test_result_as_json_has_nulls_for_what_is_not_known() -> None:
    result: Result = replace(made_up.climbed()[0])
    record = result.to_dict()
    assert record["search"]["steps"][0]["gain"] is None
    assert record["training"][1]["curve"][0]["train_loss"] is None
    assert record["schema"] == 4
    assert record["slices"][-1]["low"] is None
