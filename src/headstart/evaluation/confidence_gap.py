"""Whether a model is surer than it is right."""

from __future__ import annotations

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.confidence import confidences
from headstart.evaluation.units import Units

_FEWEST = 6  # rows: fewer may all lie on one side of the truth, 2 · 0.5⁵ = 0.06


def confidence_gap(y: np.ndarray, p: np.ndarray, *, units: np.ndarray | None = None, level: float = 0.95) -> Interval:
    """Mean probability of the answers ``p`` [n, k] less the share that is right: above 0 is over-confident.

    Unlike a calibration error it has a sign, and it is not biased upward on few rows. ``y`` is [n] class numbers.
    The interval is Student's for the mean of the n differences, with two pseudo-rows added that are answered with the
    mean confidence, one right and one wrong (Bonett & Price 2012), so that answers that are all right do not count as
    certain; rows of one unit (``units`` [n] codes) are summed first. nan without rows, or where a probability is not
    finite; no bounds under six rows or units.

    Raises:
        SettingError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    n = len(y)
    if n == 0 or not np.isfinite(p).all():
        return Interval(np.nan, np.nan, np.nan, level, n)
    sure, right = confidences(y, p)
    value = float((sure - right).mean())
    together = Units.of(units, n)
    if together.count < _FEWEST:
        return Interval(value, np.nan, np.nan, level, n, together.count)
    padded = np.concatenate([sure - right, sure.mean() - np.array([0.0, 1.0])])
    spread = float(padded.std(ddof=1)) * np.sqrt(together.design_effect(sure - right - value))
    half = together.student(level) * spread / np.sqrt(n + 2)
    centre = float(padded.mean())
    return Interval(value, min(value, centre - half), max(value, centre + half), level, n, together.count)
