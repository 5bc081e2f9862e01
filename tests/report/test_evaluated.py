"""The page of an evaluation: the parts of a run's report, about new rows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.records import MetricRecord, Result
from headstart.report.evaluated import EvaluatedPage, build
from headstart.report.evidence import Evidence
from tests.report import judged, made_up
from tests.report.judged import NAN
from tests.report.test_build import Make, Reader, read, sections
from tests.report.test_judged import folded


def evaluated(made: tuple[Result, Evidence], **changes: object) -> tuple[EvaluatedPage, Evidence]:
    """The numbers of a made-up run, as if they were of new rows."""
    result, evidence = made
    examples = tuple(replace(one, split="new") for one in evidence.examples if one.split == "test")
    wrong = {"new": evidence.wrong["test"]} if evidence.wrong else {}
    own = {name: getattr(result, name) for name in ("classes", "slices", "calibration", "ood", "shift")}
    page = EvaluatedPage(
        run="runs/bees",
        source="later",
        modality=result.data.modality,
        task=result.task,
        metric=result.metric,
        test=result.test,
        own=MetricRecord(0.911, 0.83, 0.96),
        unseen=None,
        outcome="worse",
        headline="Accuracy is worse than on the run's test set.",
        difference="−0.100 [−0.200, −0.010]",
        next_step="Look through the mistakes.",
        two_classes=result.two_classes,
        intervals=result.intervals,
        **own,
    )
    return replace(page, **changes), replace(evidence, examples=examples, wrong=wrong, rows="new")  # type: ignore[arg-type]


def shown(make: Make, **changes: object) -> Reader:
    return read(build(*evaluated(make(), **changes)))


MAKERS = [made_up.images, made_up.texts, made_up.numbers, made_up.tags, made_up.climbed]


@pytest.mark.parametrize("make", MAKERS)
def test_it_is_a_whole_page_about_new_rows_alone(make: Make) -> None:
    reader = shown(make)
    assert (reader.faults, reader.open) == ([], [])
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert not {tag for tag, _ in reader.elements} & {"script", "link", "iframe"}
    text = reader.text.replace("The run's test set", "").replace("than on the run's test set", "")
    text = text.replace("from the run's test set", "")
    assert not re.search(r"\b([Tt]est (rows|set)|[Bb]aselines?|nan|None)\b", text)
    assert text.index("Next:") < text.index("on the new rows")
    assert "The run's test set 0.911 [0.830, 0.960]" in reader.text


def test_it_has_the_sections_of_a_report() -> None:
    reader = shown(made_up.climbed)
    assert sections(reader) == ["score", "confusion", "mistakes"]
    assert folded(reader) == ["classes", "metrics", "calibration", "slices", "unknown", "shift"]
    assert "New rows: 5 mistakes in 80 rows" in reader.text
    assert "New rows by true class (down) and predicted class (across)" in reader.text
    assert sum(tag == "img" for tag, _ in reader.elements) >= 1
    assert "87.5 % of the new rows" in reader.text


def test_what_there_is_nothing_of_has_no_section() -> None:
    page, _ = evaluated(made_up.climbed(), **{k: v for k, v in judged.nothing().items() if k != "audit"})
    reader = read(build(replace(page, own=MetricRecord(NAN, NAN, NAN), difference=""), Evidence(rows="new")))
    assert sections(reader) == ["score"]
    assert folded(reader) == ["metrics"]
    assert "test set" not in reader.text.replace("than on the run's test set", "")


def test_what_to_mind_and_rows_but_training_rows_are_said() -> None:
    reader = shown(made_up.images, unseen=MetricRecord(0.5, 0.4, 0.6), remarks=["3 rows cannot be read."])
    assert "New rows but training rows 0.500 [0.400, 0.600]" in reader.text
    assert [a["class"] for tag, a in reader.elements if a.get("class") == "warning"] == ["warning"]


def test_text_of_the_data_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    page, evidence = evaluated(made_up.images(), run=evil, source=evil, headline=evil, remarks=[evil])
    html = build(page, replace(evidence, labels=(evil, "b")))
    assert "<script" not in html
    assert read(html).faults == []
