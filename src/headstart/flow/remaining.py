"""What is still to come in a run with a budget, in seconds, and what of it is left out where that is too much."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.controls.panel import predicted_seconds
from headstart.evaluation.unknown import MOST_REFERENCE
from headstart.flow.preparation import Prepared
from headstart.flow.thresholds import tunes
from headstart.settings import FitSettings
from headstart.strategies.budget import Budget
from headstart.strategies.ground import Ground
from headstart.strategies.names import AUTO, get
from headstart.strategies.plan import too_short_for_any
from headstart.strategies.pricing import Following

#: Seconds of intervals, report and hand-over: in any run, for each class, and for each test row; measured from 2 to 600
#: classes and from 100 to 3,000 test rows. They do not grow with the base.
_ANY, _CLASS, _ROW = 0.8, 0.002, 0.0003
#: Of the time that is left, what the controls' answers to the held-out rows may take beside the judged ones, and what
#: the judged ones may take: beyond that they are left out, and cut short.
_COMPARED, _JUDGED = 0.25, 0.4
_CLOSING = 0.4  # seconds of ending the program, which the clock of a run does not see
_HEADS = 0.4  # of the time that is left, what the probe's heads may take where something may follow them


@dataclass(frozen=True)
class Remaining:
    """Seconds set aside.

    Attributes:
        evidence: for intervals, report and hand-over.
        judged: for the controls that the test rows are answered by.
        compared: for their answers to the held-out rows; 0: left out.
        cut: what is left out or cut short, in words.
    """

    evidence: float = 0.0
    judged: float = 0.0
    compared: float = 0.0
    cut: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """All of them."""
        return self.evidence + self.judged + self.compared


def evidence_seconds(classes: int, test: int, budget: Budget) -> float:
    """Of intervals, report and hand-over, on a machine as busy as it has been in this run so far."""
    return budget.slower * (_CLOSING + _ANY + _CLASS * classes + _ROW * test)


def following(prepared: Prepared) -> Following:
    """What a trained model is asked about after the ladder."""
    return Following(len(prepared.sealed), min(MOST_REFERENCE, len(prepared.train) + len(prepared.valid)))


def head_seconds(ground: Ground, settings: FitSettings, budget: Budget, evidence: float) -> float | None:
    """What the probe's heads on all parts may take of the time that is left; None: no limit.

    The head on all rows comes after them, and takes as long as one part's and a half.
    """
    left, parts = budget.left(), len(ground.holding.parts)
    if left is None:
        return None
    probe = settings.strategy != AUTO and get(settings.strategy).name == "probe"
    alone = probe or bool(too_short_for_any(ground, left - evidence))
    share = (1 - _JUDGED if alone else _HEADS) * parts / (parts + 1.5)
    return share * max(0.0, left - evidence)


def remaining(ground: Ground, prepared: Prepared, settings: FitSettings, budget: Budget, evidence: float) -> Remaining:
    """What is set aside once the probe is made, by how long fitting the controls takes on these rows."""
    left = budget.left()
    if left is None:
        return Remaining()
    working, task = prepared.working(), ground.task
    inputs = working.control_inputs()
    fit = predicted_seconds(working.table.modality, inputs, working.y, task.outputs, task.name, ground.seed)
    compares = settings.strategy == AUTO or tunes(task, settings.judging)
    parts = sum(len(train) for train, _ in ground.holding.parts) / len(ground.rows) if compares else 0.0
    return set_aside(left, evidence, fit, parts)


def set_aside(left: float, evidence: float, fit: float, parts: float) -> Remaining:
    """How ``left`` seconds are shared with what follows the ladder.

    Args:
        evidence: seconds that nothing can shorten.
        fit: seconds of fitting the controls on all working rows.
        parts: fits besides, for their answers to the held-out rows, each counted by its share of the rows.
    """
    free, cut = max(0.0, left - evidence), []
    compared = fit * parts
    if compared > _COMPARED * free:
        compared = 0.0
        if parts:
            cut.append(
                f"no baselines on held-out rows, which would take about {fit * parts:.0f} s, so none can be "
                "selected in "
                "place of the transfer model"
            )
    return Remaining(evidence, min(fit, _JUDGED * free), compared, tuple(cut))
