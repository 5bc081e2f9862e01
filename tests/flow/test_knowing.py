"""Which score tells unknown inputs, where plain confidence does it better."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.evaluation.unknown import Known, fit_known
from headstart.evaluation.unknown_made import Made
from headstart.flow.unknown import better_known
from headstart.records import OodRecord


def given(shift: float, plain: float, n: int = 300) -> Made:
    """Scores of known and unknown inputs that lie so far apart: of all together, and of plain confidence."""
    rng = np.random.default_rng(0)
    both = [(rng.normal(size=n), rng.normal(size=n) + apart) for apart in (shift, plain)]
    return Made(both[0][0], both[0][1], both[1][0], both[1][1], ((0,),))


def chosen(made: Made) -> tuple[Known, OodRecord]:
    rng = np.random.default_rng(1)
    x, p = rng.normal(size=(100, 4)).astype(np.float32), rng.dirichlet(np.ones(3), 100)
    known = fit_known(x, np.arange(100) % 3, p, x + 1)
    record = OodRecord(0.67, 0.6, 0.7, known.method, "classes left out", 0.69, -0.1, 0.95, 0.05, len(made.unknown))
    calibrated: Any = SimpleNamespace(held=p)
    judged: Any = SimpleNamespace(probabilities=p, vectors=x)
    return better_known(known, record, made, calibrated, judged)


def test_plain_confidence_is_used_where_it_is_shown_to_be_better() -> None:
    known, record = chosen(given(0.3, 1.5))
    assert known.method == record.method == "greatest probability"
    assert record.auroc > 0.8
    assert "is used, as GEN + k-NN + relative Mahalanobis together was worse" in record.beside


@pytest.mark.parametrize(("shift", "plain"), [(1.5, 0.3), (1.0, 1.02)])
def test_a_difference_that_may_be_chance_changes_nothing(shift: float, plain: float) -> None:
    known, record = chosen(given(shift, plain))
    assert known.method == "GEN + k-NN + relative Mahalanobis"
    assert record.auroc == 0.67
