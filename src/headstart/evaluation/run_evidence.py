"""What a run has to show for itself, in plain numbers, for `headstart.evaluation.findings`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.diagnosis import Finding
from headstart.evaluation.metrics import Metric, get
from headstart.evaluation.wording import metric_name


@dataclass(frozen=True)
class RunEvidence:
    """What is known of a run; all but the first four may be left out, and what is left out supports no finding.

    Attributes:
        task: "classification", "multilabel" or "regression".
        metric: that the run was judged by.
        test: the score on all test rows.
        gains: paired gain of the chosen model over each control, by its name, on the test rows that did not leak.
        labels: in the order of the outputs; () for regression.
        over_majority: paired gain of each other control over the control "majority", by its name, on the same rows.
        auroc: of the chosen model on the test rows: whether it ranks, whatever it decides.
        valid: the score on held-out rows, on which the model was chosen.
        rows: working rows, those that the model was made from.
        rows_a_class: [k] working rows of each class or label.
        confusion: [k, k] test rows, truth × answer; classification only.
        leaked: test rows with a duplicate or near duplicate among the working rows.
        foreknown: those of them that are such because an earlier run trained the base on them; no audit of the data
            shows it.
        audit: the command that takes duplicates out of the data.
        clean: the score on the other test rows; None where none leaked, or all.
        leaked_valid: rows of a given validation part with a duplicate or near duplicate among the training rows.
        valid_rows: rows of that part; 0 where none was given.
        repeated: test rows with a duplicate or near duplicate among the test rows before them.
        giveaways: sentences of the audit: what gives the label away besides the content, such as the size of a file.
        calibration: calibration error of the chosen model on the test rows.
        confidence_gap: its mean confidence less its accuracy there, see `headstart.evaluation.calibration`.
        base: its name; "" where no base is used.
        adapted: whether weights of the base were moved.
        distance: of the data from what the base was trained on, 0 (like it) to 1; None or nan: cannot be told.
        more_rows: gain, on held-out rows, of a head on all training rows over one on half of them.
        forgetting: share of the base's answers or neighbours that changed; None or nan: not measured.
        max_forgetting: the limit the user set; None: none.
        opened_before: how often earlier runs opened the same test rows.
        training: what `diagnosis.diagnose` says of the training curves.
    """

    task: str
    metric: str
    test: Interval
    gains: Mapping[str, Interval]
    labels: tuple[str, ...] = ()
    over_majority: Mapping[str, Interval] = field(default_factory=dict)
    auroc: Interval | None = None
    valid: Interval | None = None
    rows: int = 0
    rows_a_class: np.ndarray | None = None
    confusion: np.ndarray | None = None
    leaked: int = 0
    foreknown: int = 0
    audit: str = "headstart audit --apply"
    clean: Interval | None = None
    leaked_valid: int = 0
    valid_rows: int = 0
    repeated: int = 0
    giveaways: tuple[str, ...] = ()
    calibration: Interval | None = None
    confidence_gap: Interval | None = None
    base: str = ""
    adapted: bool = False
    distance: float | None = None
    more_rows: Interval | None = None
    forgetting: float | None = None
    max_forgetting: float | None = None
    opened_before: int = 0
    training: tuple[Finding, ...] = ()

    @property
    def chosen(self) -> Metric:
        """The metric; `SettingError` if there is none of that name."""
        return get(self.metric)

    @property
    def name(self) -> str:
        """The metric as sentences call it."""
        return metric_name(self.metric)

    def scaled(self, size: float) -> float:
        """``size`` in the metric's unit: as it is on unit scale, else that share of the score."""
        return size if self.chosen.unit_scale else size * abs(self.test.value)


def bounded(interval: Interval | None) -> bool:
    """Whether there is an interval with bounds."""
    return interval is not None and not math.isnan(interval.low) and not math.isnan(interval.high)
