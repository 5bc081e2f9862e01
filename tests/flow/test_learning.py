"""What is said of training that was tried and not taken."""

from __future__ import annotations

from headstart.evaluation.diagnosis import Finding
from headstart.flow.fit.training_curves import _of


def test_a_strategy_that_was_not_taken_is_named() -> None:
    found = _of(Finding("over-fitting", "Over-fitting: accuracy 1.000 on training rows.", "Label more."), "partial")
    assert found.sentence == "Over-fitting: in partial, which was not accepted, accuracy 1.000 on training rows."
    assert (found.name, found.suggestion) == ("over-fitting", "Label more.")
