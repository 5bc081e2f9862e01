"""The card says what the result says, in the same words."""

from __future__ import annotations

from dataclasses import replace

from headstart.report.card import card
from tests.report import made_up


def test_the_card_has_the_verdict_the_scores_and_the_origin() -> None:
    result, _ = made_up.images()
    page = card(result)
    assert page.startswith(f"# {result.name}\n")
    assert result.verdict.sentence in page
    for control in result.controls:
        assert f"baseline {control.name}: " in page
    for finding in result.diagnosis:
        assert finding.sentence in page
    assert result.base["weights"] in page
    assert "## How to use it" in page


def test_what_was_not_measured_is_left_out() -> None:
    result = replace(made_up.images()[0], calibration=None, ood=None, shift=None, diagnosis=[], slices=[])
    page = card(result)
    assert "calibration error" not in page
    assert "OOD detection" not in page
    assert "corruption robustness" not in page


def test_labels_that_mark_entities_are_told_by_their_types() -> None:
    result = made_up.images()[0]
    labels = ["O", "B-city", "I-city", "B-person", "I-person"]
    page = card(replace(result, task="tag", data=replace(result.data, labels=labels)))
    assert "- tagging of " in page
    assert "- 2 entity types: city, person" in page
