"""Calibration, unknown inputs, slices, damage and data findings in the report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.records import AuditRecord, CalibrationRecord, DamageRecord, FindingRecord, ShiftRecord
from headstart.report import sentences
from headstart.report.build import build
from headstart.report.findings import findings
from headstart.report.reliability import calibration
from headstart.report.robustness import robustness
from headstart.report.unknown import unknown
from tests.report import judged, ladders, made_up
from tests.report.judged import NAN
from tests.report.test_build import Reader, read
from tests.report.test_build import page as made
from tests.report.test_search import dots

RESULT, EVIDENCE = made_up.climbed()


def page(**changes: object) -> Reader:
    """The page of the climbed run; with changes, of one that has little else."""
    if not changes:
        return made(made_up.climbed)
    bare = replace(RESULT, shift=None, training=[], diagnosis=[], ladder=ladders.probe_only())
    return read(build(replace(bare, **changes), EVIDENCE))  # type: ignore[arg-type]


def folded(reader: Reader) -> list[str]:
    return [a["id"] for tag, a in reader.elements if tag == "details"]


def test_folded_sections_stand_in_the_order_that_a_reader_needs() -> None:
    assert folded(page()) == [
        *("findings", "classes", "metrics", "calibration", "slices", "unknown", "shift"),
        *("training", "search", "data", "provenance", "repeat"),
    ]


def test_what_was_not_judged_has_no_section() -> None:
    reader = page(**judged.nothing(), forgetting=None)
    assert folded(reader) == ["metrics", "data", "provenance", "repeat"]


def test_every_metric_has_its_interval_and_an_undefined_one_its_reason() -> None:
    text = page().text
    assert "Accuracy 0.938 [0.862, 0.973]" in text
    assert "Log loss ↓ 0.181 [0.101, 0.284]" in text
    assert "AUROC is undefined on these rows: every test example is of one class." in text
    assert text.index("All metrics") < text.index("Accuracy 0.938 [0.862") < text.index("Log loss ↓")


def test_reliability_diagram_has_a_dot_a_bin() -> None:
    shown = calibration(RESULT)
    assert shown is not None
    assert shown.chart is not None
    reader = read(str(shown.chart))
    assert len(dots(reader, "accent")) == 8
    assert "confidence 0.550: 0.519 right, interval [0.359, 0.619]" in reader.text
    assert "Calibration error 0.031 [0.012, 0.067] at temperature 1.31" in page().text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "The target is met."),
        ({"coverage": 0.88, "low": 0.8, "high": 0.95}, "below the target, within chance"),
        ({"coverage": 0.7, "low": 0.6, "high": 0.8}, "The target is missed"),
        ({"low": NAN, "high": NAN}, "too few to check the target"),
    ],
)
def test_conformal_sets_say_whether_their_target_was_met(changes: dict[str, float], said: str) -> None:
    record = judged.calibration()
    assert record.conformal is not None
    shown = calibration(replace(RESULT, calibration=replace(record, conformal=replace(record.conformal, **changes))))
    assert shown is not None
    assert said in shown.sentences[1]
    assert re.search(r"coverage \S+.% .*, mean size \d\.\d\d, target 90\.0", shown.sentences[1])


def test_abstention_says_how_much_is_answered_or_why_nothing_is() -> None:
    text = page().text
    assert "87.5 % of the test rows, 2.9 % of these wrong [0.8 %, 9.9 %]." in text
    record = judged.calibration()
    assert record.abstain is not None
    never = replace(record, abstain=replace(record.abstain, threshold=1.5, error=NAN), conformal=None)
    text = page(calibration=never).text
    assert "nothing is answered" in text
    assert "too few held-out rows for conformal sets" in text
    assert "Abstention" not in page(calibration=replace(record, abstain=None)).text


def test_calibration_without_bins_and_with_nothing_known_stands() -> None:
    blank = CalibrationRecord(NAN, NAN, NAN, NAN, NAN, [], None, None)
    reader = page(calibration=blank)
    assert reader.faults == []
    assert "Calibration error –." in reader.text
    assert not re.search(r"\b(nan|None)\b", reader.text)


def test_slices_are_marked_where_found_and_said_to_be_worse_only_where_shown() -> None:
    text = page().text
    assert "brightness 0.05–0.31 found 26 0.769 [0.520, 0.910]" in text
    assert "camera: phone 22 0.864 [0.580, 0.966]" in text
    assert "camera: scan 3 1.000" in text
    assert re.search(r"Worse than all test rows together \(0\.\d+\): brightness 0\.05–0\.31\.", text)
    assert "with intervals corrected for that" in text
    fine = replace(RESULT, slices=judged.slices()[1:2])
    assert sentences.slices(fine).startswith("1 slice compared. None is shown to be worse")
    errors = made_up.numbers()[0]
    assert "together (8.100): length 1–34 characters." in sentences.slices(errors)  # of an error, higher is worse


def test_unknown_inputs_are_judged_against_plain_confidence() -> None:
    said = unknown(RESULT)
    assert "OOD detection AUROC 0.972 [0.955, 0.983]" in said[0].replace("\u00a0", " ")
    assert said[1].endswith("is at least +0.014: a significant gain.")
    assert "6.2" in said[2]
    even = unknown(replace(RESULT, ood=judged.ood(gain_low=-0.01)))
    assert even[1].endswith("no significant difference.")
    worse = unknown(replace(RESULT, ood=judged.ood(auroc=0.670, softmax_auroc=0.689)))
    assert worse[1].endswith("has AUROC 0.689, which is higher: rely on the confidence to find unknown inputs here.")
    none = unknown(replace(RESULT, ood=judged.ood(auroc=NAN, judged_on="", softmax_auroc=NAN, n=0)))
    assert none[0].startswith("There was nothing unknown to evaluate OOD detection on.")
    assert not any("Plain confidence" in one for one in none)
    assert unknown(replace(RESULT, ood=None)) == []


def test_corruption_has_a_chart_a_kind_and_says_how_far_the_estimates_are_off() -> None:
    shown = robustness(RESULT)
    assert shown is not None
    assert [kind for kind, _ in shown.charts] == list(judged.KINDS)
    marks = [(x, y) for x, y in dots(read(str(shown.charts[0][1])), "accent") if x > 0]  # the shade lies at 0
    assert len(marks) == 6 + 5  # uncorrupted and five strengths; five calibration errors
    text = " ".join(shown.sentences).replace("\u00a0", " ")
    assert "worst under rotation of strength 5 (of 5): 0.451 [0.361, 0.511]" in text
    assert "is 0.020 off on average" in text
    assert "the held-out score 0.948 as a guess is 0.163 off" in text


def test_corruption_of_an_error_is_worst_where_it_is_greatest_and_may_lack_numbers() -> None:
    record = ShiftRecord(
        [DamageRecord("typos", 1, 8.0, 7.0, 9.0, NAN, NAN, 50), DamageRecord("case", 2, 9.5, NAN, NAN, NAN, NAN, 50)],
        clean=NAN,
        valid=NAN,
    )
    result = replace(made_up.numbers()[0], shift=record)
    shown = robustness(result)
    assert shown is not None
    assert shown.sentences == ["It is worst under case of strength 2 (of 5): 9.500."]
    assert "nan" not in "".join(chart for _, chart in shown.charts)
    assert robustness(replace(result, shift=ShiftRecord([], 0.9, 0.9))) is None


def test_findings_come_worst_first_with_their_evidence() -> None:
    text = page().text
    places = [
        text.index(f"✗ error {kind}") if kind == "Leak" else text.index(kind) for kind in ("Leak", "Label", "Size")
    ]
    assert places == sorted(places)
    assert "2 test pictures are near duplicates" in text
    assert "similarity 0.993, 0.981" in text
    assert "4 sets of near duplicates, 9 rows in all" in text
    assert "would have shown 0.962" in text
    assert "too high by +0.041 [+0.012, +0.070]" in text


def test_many_findings_of_a_kind_are_one_table_and_text_of_the_data_is_escaped() -> None:
    evil = "<script>`<b>`"
    one = FindingRecord("near-1", "near-duplicate", "warning", evil, evil, [evil], {evil: [evil], "text": "x" * 900})
    record = AuditRecord([replace(one, id=f"near-{i}") for i in range(100)], 100, None, 1, 2)
    shown = findings(replace(RESULT, audit=record))
    assert shown is not None
    assert [len(kind.table.lines) for kind in shown.kinds] == [100]
    assert shown.sentences[0].startswith("1 set of near duplicates, 2 rows")
    assert max(len(cell) for line in shown.kinds[0].table.lines for cell in line.cells) <= 400
    html = build(replace(RESULT, audit=record, shift=None, training=[]), EVIDENCE)
    assert "<script" not in html
    assert "<b>`" not in html
    assert read(html).faults == []
    assert findings(replace(RESULT, audit=AuditRecord([], 0, None, 0, 0))) is None


def test_text_of_slices_and_kinds_of_damage_is_escaped() -> None:
    evil = "<script>"
    slices = [replace(one, value=evil, column=evil) for one in judged.slices()]
    shift = replace(judged.shift(), damage=[replace(one, kind=evil) for one in judged.shift().damage[:5]])
    html = build(
        replace(RESULT, slices=slices, training=[], shift=shift, ood=judged.ood(method=evil, judged_on=evil)), EVIDENCE
    )
    assert "<script" not in html
    assert read(html).faults == []
