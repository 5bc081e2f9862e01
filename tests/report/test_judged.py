"""Calibration, unknown inputs, slices, damage and data findings in the report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.records import AuditRecord, CalibrationRecord, DamageRecord, FindingRecord, ShiftRecord
from headstart.report import sentences
from headstart.report.build import build
from headstart.report.damage import damage
from headstart.report.findings import findings
from headstart.report.reliability import calibration
from headstart.report.unknown import unknown
from tests.report import judged, ladders, made_up
from tests.report.judged import NAN
from tests.report.test_build import Reader, read
from tests.report.test_build import page as made
from tests.report.test_ladder import dots

RESULT, EVIDENCE = made_up.climbed()


def page(**changes: object) -> Reader:
    """The page of the climbed run; with changes, of one that has little else."""
    if not changes:
        return made(made_up.climbed)
    bare = replace(RESULT, shift=None, training=[], ladder=ladders.probe_only())
    return read(build(replace(bare, **changes), EVIDENCE))  # type: ignore[arg-type]


def sections(reader: Reader) -> list[str]:
    return [a["id"] for tag, a in reader.elements if tag == "section"]


def test_sections_stand_in_the_order_that_a_reader_needs() -> None:
    assert sections(page()) == [
        *("score", "gain", "diagnosis", "candidates", "ladder", "metrics", "confusion", "classes", "calibration"),
        *("training", "examples", "slices", "unknown", "shift", "findings", "data", "provenance", "repeat"),
    ]


def test_what_was_not_judged_has_no_section_and_no_link() -> None:
    reader = page(**judged.nothing())
    gone = {"classes", "calibration", "slices", "unknown", "shift"}
    assert not gone & set(sections(reader))
    assert not {f"#{name}" for name in gone} & {a.get("href") for _, a in reader.elements}
    assert "Nothing was found that makes a score wrong." in reader.text


def test_every_metric_has_its_interval_and_an_undefined_one_its_reason() -> None:
    text = page().text
    assert "Accuracy 0.938 0.862 to 0.973 higher" in text
    assert "Log loss 0.181 0.101 to 0.284 lower" in text
    assert "Area under the ROC curve is undefined on these examples: every test example is of one class." in text
    assert text.index("Metrics on the test part") < text.index("Accuracy 0.938 0.862") < text.index("Log loss 0.181")


def test_reliability_diagram_has_a_dot_a_bin_and_the_same_as_numbers() -> None:
    shown = calibration(RESULT)
    assert shown is not None
    assert shown.chart is not None
    reader = read(str(shown.chart))
    assert len(dots(reader, "accent")) == 8
    assert "confidence 0.550: 0.519 right, interval 0.359 to 0.619" in reader.text
    text = page().text
    assert "calibration error is 0.031 (0.012 to 0.067)" in text
    assert "temperature of 1.31, which makes it less sure of its answers; without it the calibration error" in text
    assert "0.550 0.519 0.359 to 0.619 10" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "The promise is kept on the test part."),
        ({"coverage": 0.88, "low": 0.8, "high": 0.95}, "below the promise, by no more than chance may do"),
        ({"coverage": 0.7, "low": 0.6, "high": 0.8}, "it does not hold on the test part"),
        ({"low": NAN, "high": NAN}, "too few to check the promise"),
    ],
)
def test_sets_say_whether_their_promise_was_kept(changes: dict[str, float], said: str) -> None:
    record = judged.calibration()
    assert record.conformal is not None
    shown = calibration(replace(RESULT, calibration=replace(record, conformal=replace(record.conformal, **changes))))
    assert shown is not None
    assert said in shown.sets


def test_abstaining_says_how_much_is_answered_or_why_nothing_is() -> None:
    text = page().text
    assert (
        "It answers 87.5 % of the test examples; 2.9 % of these answers are wrong (95 % interval 0.8 % to 9.9 %)"
        in text
    )
    record = judged.calibration()
    assert record.abstain is not None
    never = replace(record, abstain=replace(record.abstain, threshold=1.5, error=NAN), conformal=None)
    text = page(calibration=never).text
    assert "always says “I don't know”" in text
    assert "too few held-out examples to promise anything" in text
    assert "“I don't know”" not in page(calibration=replace(record, abstain=None)).text


def test_calibration_without_bins_and_with_nothing_known_stands() -> None:
    blank = CalibrationRecord(NAN, NAN, NAN, NAN, NAN, [], None, None)
    reader = page(calibration=blank)
    assert reader.faults == []
    assert "calibration error is –" in reader.text
    assert not re.search(r"\b(nan|None)\b", reader.text)


def test_slices_are_marked_where_found_and_said_to_be_worse_only_where_shown() -> None:
    text = page().text
    assert "brightness 0.05–0.31 found 26 0.769 0.520 to 0.910" in text
    assert "camera: phone 22 0.864 0.580 to 0.966" in text
    assert "camera: scan 3 1.000 –" in text
    assert "Shown to be worse than all test examples together (0.938): brightness 0.05–0.31." in text
    assert "every interval is widened" in text
    fine = replace(RESULT, slices=judged.slices()[1:2])
    assert sentences.slices(fine).startswith("One slice was looked at. None is shown to be worse")
    errors = made_up.numbers()[0]
    assert "(8.100): length 1–34 characters." in sentences.slices(errors)  # of an error, higher is worse


def test_unknown_inputs_are_judged_against_the_plain_way() -> None:
    said = dict(unknown(RESULT))
    assert "AUROC 0.972 (0.955 to 0.983)" in said["Told apart"]
    assert said["Plain way"].endswith("is +0.014: the score is better.")
    assert "6.2" in said["Called unknown"]
    even = dict(unknown(replace(RESULT, ood=judged.ood(gain_low=-0.01))))
    assert even["Plain way"].endswith("not shown to be better.")
    none = dict(unknown(replace(RESULT, ood=judged.ood(auroc=NAN, judged_on="", softmax_auroc=NAN, n=0))))
    assert "nothing unknown to judge it on" in none["Judged on"]
    assert not {"Told apart", "Plain way"} & set(none)
    assert unknown(replace(RESULT, ood=None)) == []


def test_damage_has_a_chart_a_kind_and_says_how_far_the_estimates_are_off() -> None:
    shown = damage(RESULT)
    assert shown is not None
    assert [kind for kind, _ in shown.charts] == list(judged.KINDS)
    marks = [(x, y) for x, y in dots(read(str(shown.charts[0][1])), "accent") if x > 0]  # the shade lies at 0
    assert len(marks) == 6 + 5  # undamaged and five strengths; five calibration errors
    text = " ".join(shown.sentences)
    assert "worst under rotation of strength 5: 0.451 (0.361 to 0.511)" in text
    assert "0.020 off on average over the 30 damages" in text
    assert "as on held-out examples, 0.948, is 0.163 off" in text
    assert len(shown.table.lines) == 30


def test_damage_of_an_error_is_worst_where_it_is_greatest_and_may_lack_numbers() -> None:
    record = ShiftRecord(
        [DamageRecord("typos", 1, 8.0, 7.0, 9.0, NAN, NAN, 50), DamageRecord("case", 2, 9.5, NAN, NAN, NAN, NAN, 50)],
        clean=NAN,
        valid=NAN,
    )
    result = replace(made_up.numbers()[0], shift=record)
    shown = damage(result)
    assert shown is not None
    assert shown.sentences == ["It is worst under case of strength 2: 9.500 (–)."]
    assert "nan" not in "".join(chart for _, chart in shown.charts)
    assert damage(replace(result, shift=ShiftRecord([], 0.9, 0.9))) is None


def test_findings_come_worst_first_with_their_evidence() -> None:
    text = page().text
    leak, label, size = (
        text.index(f"{kind}-{end}") for kind, end in (("leak", "3f2a91"), ("label", "9b2c11"), ("size", "0"))
    )
    assert leak < label < size
    assert "✗ error 2 test pictures are near duplicates" in text
    assert "val/bees/7.jpg and 3 more" in text
    assert "Similarity0.993, 0.981" in text
    assert "There are 4 sets of near duplicates, of 9 examples in all." in text
    assert "would have claimed 0.962" in text
    assert "+0.041 (95 % interval +0.012 to +0.070); chance alone is an unlikely cause" in text


def test_many_findings_are_folded_and_text_of_the_data_is_escaped() -> None:
    evil = "<script>`<b>`"
    one = FindingRecord("near-1", "near-duplicate", "warning", evil, evil, [evil], {evil: [evil], "text": "x" * 900})
    record = AuditRecord([replace(one, id=f"near-{i}") for i in range(40)], 40, None, 1, 2)
    shown = findings(replace(RESULT, audit=record))
    assert shown is not None
    assert (len(shown.shown), len(shown.folded)) == (12, 28)
    assert shown.clusters.startswith("There is 1 set of near duplicates, of 2")
    assert max(len(value) for _, value in shown.shown[0].evidence) <= 300
    html = build(replace(RESULT, audit=record, shift=None, training=[]), EVIDENCE)
    assert "<script" not in html
    assert "<b>`" not in html
    assert read(html).faults == []


def test_text_of_slices_and_kinds_of_damage_is_escaped() -> None:
    evil = "<script>"
    slices = [replace(one, value=evil, column=evil) for one in judged.slices()]
    shift = replace(judged.shift(), damage=[replace(one, kind=evil) for one in judged.shift().damage[:5]])
    html = build(
        replace(RESULT, slices=slices, training=[], shift=shift, ood=judged.ood(method=evil, judged_on=evil)), EVIDENCE
    )
    assert "<script" not in html
    assert read(html).faults == []
