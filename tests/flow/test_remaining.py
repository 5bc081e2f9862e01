"""What a budget sets aside for controls and evidence, as a function of predicted seconds."""

from __future__ import annotations

import pytest

from headstart.flow.remaining import set_aside


def test_all_is_kept_where_it_is_little() -> None:
    aside = set_aside(left=60.0, evidence=3.0, fit=2.0, parts=2.0)
    assert (aside.evidence, aside.judged, aside.compared, aside.cut) == (3.0, 2.0, 4.0, ())
    assert aside.total == 9.0


def test_controls_on_held_out_rows_are_left_out_first_and_that_is_said() -> None:
    aside = set_aside(left=12.0, evidence=3.0, fit=2.0, parts=2.0)
    assert (aside.judged, aside.compared) == (2.0, 0.0)
    assert aside.cut == (
        "no baselines on held-out rows, which would take about 4 s, so none can be selected in place of the "
        "transfer model",
    )


@pytest.mark.parametrize("left", [-5.0, 0.0, 4.0, 10.0, 100.0])
def test_judged_controls_never_take_more_than_their_share_of_what_evidence_leaves(left: float) -> None:
    aside = set_aside(left, evidence=3.0, fit=1000.0, parts=0.0)
    assert aside.judged == 0.4 * max(0.0, left - 3.0)
    assert aside.cut == ()  # nothing was to be compared
