"""What held-out rows say of the probabilities: the temperature, sets of labels, and when not to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.delivery.caution import Caution
from headstart.errors import SettingError
from headstart.evaluation.abstain import Abstain, fit_abstain
from headstart.evaluation.calibration import EXPECTED, logits, temperature
from headstart.evaluation.conformal import Conformal, fit_conformal, fit_residuals
from headstart.evaluation.thresholds import Rule, Thresholds, crossfitted, decided, fit_thresholds
from headstart.evaluation.unknown import Known
from headstart.flow.search import Climbed
from headstart.flow.thresholds import Positive
from headstart.ragged import flat, shaped
from headstart.settings import FitSettings, JudgingSettings
from headstart.strategies.finishing import Final
from headstart.tasks import Task, get, posed

MOST_FOLDS = 50  # more cost much and tell little


@dataclass(frozen=True)
class Calibrated:
    """The final model with probabilities that can be taken at their word.

    Attributes:
        final: its head divided by ``temperature``.
        temperature: 1 for regression.
        held: [h, outputs] probabilities (regression: values) of the held-out rows, after the temperature.
        conformal, abstain, thresholds: see `Caution`.
        decided: [h, outputs] ``held`` as thresholds decide it that other held-out rows chose.
        positive: of two classes, the one that is looked for.
    """

    final: Final
    temperature: float
    held: Any
    conformal: Conformal | None
    abstain: Abstain | None
    thresholds: Thresholds | None
    decided: Any
    positive: Positive | None = None

    def caution(self, known: Known | None = None) -> Caution:
        """What goes with the model's answers."""
        return Caution(known, self.conformal, self.abstain, self.thresholds)


def check_judging(settings: FitSettings) -> None:
    """Refuse values that are not allowed, before any work.

    Raises:
        SettingError: what came, and what is allowed.
    """
    risk, level, folds = settings.judging.risk, settings.judging.level, settings.folds
    if risk is not None and not 0 < risk < 1:
        raise SettingError(f"risk is {risk:g}; it is a share of wrong answers between 0 and 1, such as 0.05.")
    if not 0 < level < 1:
        raise SettingError(f"level is {level:g}; it is a probability between 0 and 1, such as 0.9.")
    if folds is not None and not 2 <= folds <= MOST_FOLDS:
        raise SettingError(f"folds is {folds}; it is a whole number from 2 to {MOST_FOLDS}, such as 5.")


def check_risk(task: str, risk: float | None) -> None:
    """Refuse a risk that the task has no use for, once the data are open.

    Raises:
        SettingError: a risk was asked for in a regression.
    """
    if risk is not None and not get(task).graded:
        raise SettingError(f"--risk is a share of wrong answers; a {task} has none, so leave it out.")


def calibrate(
    climbed: Climbed, settings: JudgingSettings, rule: Rule | None = None, positive: Positive | None = None
) -> Calibrated:
    """Temperature, sets and thresholds from the held-out answers of the candidate that ``climbed.final`` came from.

    Args:
        rule: what thresholds are set by; None: there are none.
        positive: of two classes, the one that is looked for.
    """
    ground, final = climbed.ground, climbed.final
    held, y, task = held_answers(climbed), ground.held_y, ground.task
    if task.each:
        return _of_items(climbed, held, y)
    if not task.graded:
        kept = promises(held, y, task, settings, ground.held_units)
        return Calibrated(final, 1.0, held, *kept, None, held)
    scores = logits(held, multilabel=task.several)
    told = temperature(scores, y, EXPECTED)
    mended = task.probabilities(scores / told)
    scaled = replace(final, head=final.head.scaled(told))
    units, seed, limits = ground.held_units, ground.seed, None
    crossed = crossfitted(rule, mended, y, units=units, seed=seed)
    if rule is not None:
        limits = fit_thresholds(rule, mended, y, units=units, seed=seed, crossed=crossed)
    kept = promises(mended, y, task, settings, units, limits)
    return Calibrated(scaled, told, mended, *kept, limits, crossed, positive)


def _of_items(climbed: Climbed, held: Any, y: Any) -> Calibrated:
    """The temperature of the probabilities of items; neither sets nor a threshold to answer are of single items."""
    final, kind = climbed.final, posed(climbed.ground.task.name)
    scores = logits(flat(held), multilabel=kind.several)
    told = temperature(scores, flat(y), EXPECTED)
    mended = shaped(kind.probabilities(scores / told).astype(flat(held).dtype), held)
    return Calibrated(replace(final, head=final.head.scaled(told)), told, mended, None, None, None, mended)


def promises(
    held: np.ndarray,
    y: np.ndarray,
    task: Task,
    settings: JudgingSettings,
    units: np.ndarray,
    limits: Thresholds | None = None,
) -> tuple[Conformal | None, Abstain | None]:
    """Sets, or intervals, and the threshold to answer, from answers ``held`` [h, outputs] on held-out rows."""
    if task.graded:
        given = decided(held, limits)
        abstain = None if settings.risk is None else fit_abstain(held, y, settings.risk, units=units, given=given)
        return fit_conformal(held, y, settings.level, units=units), abstain
    if not task.values:
        return None, None
    return fit_residuals(held, y, settings.level, units=units), None


def held_answers(climbed: Climbed) -> Any:
    """[h, outputs]: held-out answers of the best candidate, as far as it was drawn back towards the base.

    Of the probe where its training came to nothing.
    """
    best, final = climbed.climb.best, climbed.final
    if final.held is not None:
        return final.held
    return climbed.climb.probe.held if best.runs and not final.adapted else best.held
