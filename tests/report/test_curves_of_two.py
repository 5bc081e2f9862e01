"""The ROC and the precision-recall curve of a class that is looked for."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.per_class import curves
from headstart.records import MetricRecord, TwoClassRecord
from headstart.report.plots import precision_recall, roc


def test_curves_are_small_name_their_areas_and_mark_the_threshold() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.3
    found, other = curves(truth, truth + rng.normal(size=3000))
    one = MetricRecord(0.8, 0.75, 0.85)
    two = TwoClassRecord("<b>", "", 0.4, "", 9, one, one, one, one, one, one, found.tolist(), other.tolist())
    for drawn in (roc(two), precision_recall(two)):
        assert len(drawn) < 12_000
        assert "0.800" in drawn
        assert "0.850" in drawn
        assert "<b>" not in drawn
    assert "the threshold in use gives 0.200 and 0.800" in roc(two)
