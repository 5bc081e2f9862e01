"""From which probability on a label is given: the rule a run sets thresholds by, for model and baselines alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.errors import LabelError, SettingError, nearest
from headstart.evaluation.thresholds import Rule, rule_of
from headstart.settings import JudgingSettings
from headstart.tasks import Task, get


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Names of classes that are looked for, and of those that they are looked for among; lower case.
_POSITIVE = _words(
    """
    1 y yes true t positive pos present spam fraud fraudulent toxic abnormal anomaly anomalous defect defective bad
    sick disease diseased malignant cancer churn churned default fail failed failure damaged broken hit hot
    """
)
_NEGATIVE = _words(
    """
    0 -1 n no false f negative neg absent ham legit legitimate genuine benign normal healthy ok good pass passed
    none nothing background other rest clean intact
    """
) | {"control"}


@dataclass(frozen=True)
class Positive:
    """Of two classes, the one that precision, recall, curves and a threshold are for.

    Attributes:
        output: its column.
        label: its name.
        reason: why this one, in words.
    """

    output: int
    label: str
    reason: str


def positive_of(task: Task, y: np.ndarray, asked: str | None = None) -> Positive | None:
    """The positive class of two; None where there are not two classes.

    What was ``asked`` for, else the one whose name says so, else the rarer one among ``y`` [n], else the second.

    Raises:
        SettingError: one was asked for, and the task has not two classes.
        LabelError: what was asked for is none of them.
    """
    if not task.exclusive or task.outputs != 2:
        if asked is not None:
            has = f"{task.outputs} classes" if task.exclusive else f"a {task.name} target"
            raise SettingError(f"--positive {asked!r} is for two classes, and these data have {has}; leave it out.")
        return None
    if asked is not None:
        if asked not in task.labels:
            raise LabelError(
                f"--positive {asked!r} is no class; it is {task.labels[0]!r} or {task.labels[1]!r}."
                f"{nearest(asked, task.labels)}"
            )
        return Positive(task.labels.index(asked), asked, "asked for with --positive")
    output, reason = _inferred(task.labels, np.bincount(np.asarray(y, np.int64), minlength=2))
    return Positive(output, task.labels[output], reason)


def _inferred(labels: tuple[str, ...], counts: np.ndarray) -> tuple[int, str]:
    names = [label.strip().lower() for label in labels]
    for output, other in ((1, 0), (0, 1)):
        named = names[output] in _POSITIVE and names[other] not in _POSITIVE
        among = names[other] in _NEGATIVE and names[output] not in _NEGATIVE
        against = names[other] in (f"{word}{sep}{names[output]}" for word in ("no", "not", "non") for sep in " _-")
        if named or among or against:
            return output, f"by the names of the classes, {labels[output]!r} and {labels[other]!r}"
    if counts[0] != counts[1]:
        output = int(counts.argmin())
        return output, f"it is the rarer class, {counts[output]:,} of {counts.sum():,} training rows"
    return 1, "the second of two classes of equal size; --positive names the other"


def check_threshold(task: str, outputs: int | None, settings: JudgingSettings) -> None:
    """Refuse a threshold that the task has no use for, as soon as the task is known.

    Args:
        outputs: classes or labels; None: not known yet.

    Raises:
        SettingError: what came, and what is allowed.
    """
    asked = settings.threshold
    if asked is None:
        return
    kind = get(task)
    rule_of(asked, positive=None if kind.several else 0)
    if not kind.graded:
        raise SettingError(f"--threshold is for labels, and a {task} has none; leave it out.")
    if kind.exclusive and outputs not in (None, 2):
        raise SettingError(
            f"--threshold is for two classes or for several labels a row, and these data have {outputs} classes, of "
            "which the most probable is given; leave it out."
        )


def rule_for(task: Task, settings: JudgingSettings, metric: str, positive: Positive | None) -> Rule | None:
    """What thresholds are set by; None: 0.5, and of classes the most probable.

    Several labels have theirs tuned for F1 unless a threshold was asked for, or the run is judged by a metric that
    0.5 is best for (the share of rows with exactly the right labels).
    """
    if task.several:
        mean = "macro" if metric == "f1_macro" else "micro"
        if settings.threshold is not None:
            return rule_of(settings.threshold, positive=None, mean=mean)
        return None if metric == "subset_accuracy" else Rule("best-f1", mean=mean)
    if settings.threshold is None or positive is None:
        return None
    return rule_of(settings.threshold, positive=positive.output)


def tunes(task: Task, settings: JudgingSettings) -> bool:
    """Whether held-out rows may set thresholds, so that those of the baselines are needed too."""
    asked = settings.threshold
    return task.several if asked is None else task.graded and not asked.strip()[:1].isdigit()
