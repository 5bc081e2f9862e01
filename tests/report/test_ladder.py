"""The ladder and the training runs in the report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.records import LadderRecord, Result
from headstart.report import curves, sentences, words
from headstart.report.build import build
from headstart.report.climb import ladder as shown_ladder
from headstart.report.curves import Curve, Step
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
    """The addresses of the sections."""
    return {a["id"] for tag, a in reader.elements if tag == "section"}


def dots(reader: Reader, colour: str) -> list[tuple[float, float]]:
    """Places of the dots filled with a colour of the style sheet."""
    found = [a for tag, a in reader.elements if tag == "use" and f"fill: var(--{colour})" in a.get("style", "")]
    return [(float(a["x"]), float(a["y"])) for a in found]


def test_rungs_are_shown_in_order_with_gain_bounds_times_and_reason() -> None:
    text = page().text
    rows = [
        "1 probe start 0.905 – – – 40 s 3.1 s the cheapest",
        "2 head2toe taken 0.921 +0.016 +0.002 to +0.031 probe 40 s 4.0 s the gain is above 0 for sure",
        "3 partial taken 0.948 +0.027 +0.006 to +0.047 head2toe 40 s 48 s",
        "4 lora not taken 0.951 +0.003 −0.011 to +0.017 partial 40 s 2 min 40 s the gain over partial may be chance",
        "5 full not tried – – – – 15 min 0 s – predicted to take 15 min",
    ]
    place = text.index("Candidates and their validation scores")
    for row in rows:
        place = text.index(row, place)
    assert place < text.index("Test metrics")


def test_plan_and_its_grounds_are_told() -> None:
    text = page().text
    for said in (
        "Plan: probe, then head2toe",
        "10 min 0 s",
        "5 min 10 s for the whole plan",
        "127 (of the median class)",
    ):
        assert said in text
    assert "0.220 from what the base was trained on" in text
    assert "5 folds" in text
    for name in ("probe", "head2toe", "partial", "lora", "full"):
        assert words.strategy(name) in text


def test_chart_has_a_dot_a_tried_rung_and_its_scale_follows_the_scores() -> None:
    result, _ = made_up.climbed()
    shown = shown_ladder(result)
    assert shown is not None
    assert shown.chart is not None
    reader = read(str(shown.chart))
    taken, others = dots(reader, "accent"), dots(reader, "paper")
    assert (len(taken), len(others)) == (3, 1)
    assert [x for x, _ in taken] == sorted(x for x, _ in taken)
    assert [y for _, y in taken] == sorted((y for _, y in taken), reverse=True)  # down is less
    assert others[0][1] < taken[-1][1]
    assert "4 lora: 0.951 after 215.1 seconds, interval 0.937 to 0.965, not taken" in reader.text
    assert "logarithmic" in reader.text


def test_of_an_error_the_line_lies_on_the_side_of_the_gain() -> None:
    rungs = [ladders.start(8.1), ladders.rung("full", 7.0, gain=1.1, low=0.4, high=1.8)]
    result = replace(made_up.climbed()[0], metric="mae", ladder=ladders.ladder(rungs))
    shown = shown_ladder(result)
    assert shown is not None
    assert "interval 6.300 to 7.700" in str(shown.chart)  # 8.1 less the bounds, 0.4 and 1.8


@pytest.mark.parametrize(
    "record",
    [
        ladders.probe_only(),
        ladders.ladder([ladders.start(), ladders.not_tried("full", "no time")]),
        ladders.ladder([ladders.start(NAN), ladders.rung("full", NAN, gain=NAN, low=NAN, high=NAN, seconds=NAN)]),
    ],
)
def test_no_chart_where_there_is_nothing_to_compare(record: LadderRecord) -> None:
    reader = page(ladder=record)
    assert "ladder" in headings(reader)
    assert "Score over time" not in reader.text
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
    assert "2 full taken – – – probe – – –" in reader.text
    assert "3 full taken – – – probe – – –" in reader.text
    assert "It could not be measured" in reader.text
    assert not any("nan" in v for _, a in reader.elements for k, v in a.items() if k in ("d", "x", "y"))


def test_twelve_rungs_and_one_point_do_not_break_it() -> None:
    rungs = [ladders.start(), *(ladders.rung(f"own{i}", 0.9 + i / 200, "not taken") for i in range(11))]
    reader = page(ladder=ladders.ladder(rungs), training=[ladders.training(points=1)])
    assert (reader.faults, reader.open) == ([], [])
    shown = shown_ladder(replace(made_up.climbed()[0], ladder=ladders.ladder(rungs)))
    assert shown is not None
    assert len(dots(read(str(shown.chart)), "paper")) == 11
    assert "12 own10 not taken" in reader.text
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
        "412.3 examples/s",
        "stopped early",
        "once: training diverged",
        "validation loss: 1.100 at epoch 0, 0.643 at epoch 8, between 0.569 and 1.100",
        "4.1 % of what the base knew has changed",
        "within the limit of 5 %",
        "Handed over is 70 % of the way",
    ):
        assert said in text, said
    assert text.index("Over-fitting: The model learnt its rows by heart") < text.index("Plateau:")
    assert "code" in [tag for tag, _ in reader.elements]
    assert "`" not in text
    assert text.index("partial handed over The upper stages") < text.index("lora: 4.5 epochs, stopped early")


def test_sections_without_content_are_left_out() -> None:
    plain = page(training=[], forgetting=None, diagnosis=[])
    assert not {"training", "diagnosis"} & headings(plain)
    bare = page(ladder=replace(ladders.probe_only(), rungs=[]))
    assert "ladder" not in headings(bare)
    assert {"ladder", "training", "diagnosis"} <= headings(page())


def test_forgetting_above_its_limit_and_without_one() -> None:
    assert "above the limit of 2 %" in sentences.forgetting(ladders.forgotten(limit=0.02)).replace("\u00a0", " ")
    free = sentences.forgetting(ladders.forgotten(limit=NAN, kept=1.0))
    assert free.endswith("no limit was given.")


def test_control_that_is_handed_over_is_named_wherever_it_matters() -> None:
    text = made(made_up.control_kept).text
    head = text[: text.index("Score against the controls")]
    assert "Handed over: the control classical features. It borrows nothing" in head
    assert "classical features control, handed over 0.975" in text
    assert "efficientnet-lite0, partial borrowed, not handed over 0.938" in text
    assert "not one of them but the control classical features" in text
    assert "classical features control, handed over borrows nothing – 1.8 s" in text
    assert "What lies in this folder is the control classical features, not a borrowed model." in text
    assert "headstart predict hymenoptera NEW" in text
    assert "about the borrowed model, efficientnet-lite0, partial" in text


def test_scratch_is_explained_where_it_is_a_control() -> None:
    assert "scratch: the same network from random weights." in page().text
    result = replace(made_up.control_kept()[0])
    handed = replace(result, chosen=replace(result.chosen, strategy="scratch"))
    assert sentences.handed_over(handed).startswith("the control scratch (the same network from random weights).")


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


@pytest.mark.parametrize(
    ("seconds", "log"), [([3.0, 7.0], False), ([3.0, 400.0], True), ([0.0, 400.0], False), ([0.02, 9e4], True)]
)
def test_seconds_are_logarithmic_where_that_keeps_rungs_apart(seconds: list[float], log: bool) -> None:
    found = [Step(str(i), "a", at, 0.5 + i / 10, NAN, NAN, True) for i, at in enumerate(seconds)]
    reader = read(str(curves.steps(found, name="n", title="t", up="score")))
    assert ("logarithmic" in reader.text) is log
    (x0, y0), (x1, y1) = dots(reader, "accent")
    assert 0 < x0 < x1 <= 360
    assert 0 < y1 < y0 < 236


def test_steps_without_scores_are_no_chart() -> None:
    assert curves.steps([Step("1", "a", 1.0, NAN, NAN, NAN, True)], name="n", title="t", up="s") is None


def test_result_as_json_has_nulls_for_what_is_not_known() -> None:
    result: Result = replace(made_up.climbed()[0])
    record = result.to_dict()
    assert record["ladder"]["rungs"][0]["gain"] is None
    assert record["training"][1]["curve"][0]["train_loss"] is None
    assert record["schema"] == 3
    assert record["slices"][-1]["low"] is None
