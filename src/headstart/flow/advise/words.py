"""The answer of `advise` and what may go wrong, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from headstart.data.naming import some
from headstart.evaluation.extrapolation_words import said, words_of
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.proportions import wilson
from headstart.evaluation.wording import count
from headstart.flow.advise.advice import BaseFacts, ClassFacts, ControlFacts, DataFacts, Option
from headstart.modalities import get
from headstart.report.figures import duration
from headstart.tasks import get as get_task
from headstart.training.distance.measures import unlike

_UNEVEN = 10  # largest to smallest class from which accuracy mostly tells about the largest
_FEW = 10  # rows of a class under which neither learning nor judging it is sure
_WIDE = 0.05  # half-width of the interval of a test score from which many a real difference cannot be told
_SHOWN = 3  # classes named
_LITTLE = 0.02  # of a score whose best is 1, under which there is little left to gain


def what_to_do(options: Sequence[Option], base: BaseFacts, control: ControlFacts) -> str:
    """Freeze or train, in a sentence or two."""
    probe = next(one for one in options if one.strategy == "probe")
    worth = [one for one in options if one.worth and one.strategy != "probe"]
    names = " and ".join(f"{one.strategy}{_in_time(one)}" for one in worth)
    are = "is" if len(worth) == 1 else "are"
    if control.better:
        also = f"{names} {are} worth trying, and so is" if worth else "try"
        return (
            f"Transfer learning has to beat that: {also} another base (`headstart rank`). If nothing does, use "
            f"{control.name}; `headstart fit` selects it then."
        )
    start = f"Start with the probe: a linear classifier fitted on frozen features of {base.name}{_in_time(probe)}."
    if not worth:
        left = [one.why for one in options if one.strategy != "probe"]
        return f"{start} Leave it at that: {left[-1]}." if left else start
    return f"{start} Then {names} {are} worth trying; keep what a comparison shows to be better."


def beside_control(control: ControlFacts, metric: str) -> str:
    """Whether transfer learning helps, by the probe and the best baseline."""
    comes = f"The best baseline, {control.name}, reaches {said(metric, control.score)} on the same rows"
    if control.better:
        return f"{comes}, which is better."
    if control.low > 0:
        return f"{comes}: transfer learning improves {words_of(metric)}."
    return f"{comes}: no significant difference."


def _in_time(option: Option) -> str:
    return f" (about {duration(option.seconds)})" if math.isfinite(option.seconds) else ""


def little_left(metric: str, score: float) -> bool:
    """Whether the score is so near the best there is that nothing more could gain much."""
    return METRICS[metric].worst is not None and 1 - score < _LITTLE


def not_foretold(metric: str, low: float, refused: str) -> str:
    """What is said of more data where their worth is not foretold; ``low`` is the score's lower bound."""
    if little_left(metric, low):
        return f"More data, or anything else, can gain little: {100 * (1 - low):.1f} points at most."
    return f"The gain from more data is not predicted: {refused}."


def on_classes(classes: Sequence[ClassFacts], per_class: bool) -> str:
    """Which classes gain most from labels, as far as it can be told; "" where nothing is known of classes."""
    if not classes or not per_class:
        return ""
    more = [one.name for one in classes if one.gains_more]
    if not more:
        return "No class is shown to gain more from labels than the others: label them evenly."
    return (
        f"Labels pay most in {some(map(repr, more), _SHOWN)}: more rows have helped most there, and mistakes are left."
    )


def cautions(
    data: DataFacts, base: BaseFacts, classes: Sequence[ClassFacts], metric: str, score: float, independent: int
) -> list[str]:
    """What can go wrong for these data, the gravest first."""
    told = [
        *data.leaks,
        *_sizes(data, metric, score),
        *_far(base, metric, score),
        *_behind(classes),
        *_copies(data, independent),
    ]
    if data.set_aside:
        told.append(f"{count(data.set_aside, 'row')} cannot be used; `headstart fit` leaves out and lists such rows")
    return told


def _sizes(data: DataFacts, metric: str, score: float) -> list[str]:
    told = []
    if data.classes and data.smallest < _FEW:
        told.append(
            f"the smallest class has {data.smallest} training rows, too few to learn or to evaluate it reliably; "
            "label more of it, or merge it with another"
        )
    if data.classes and data.largest >= _UNEVEN * max(1, data.smallest):
        told.append(
            f"the largest class has {data.largest / max(1, data.smallest):.0f} times the rows of the smallest: plain "
            "accuracy would mostly reflect the largest; evaluate by balanced accuracy or macro F1"
        )
    if metric in ("accuracy", "balanced_accuracy") and data.test:
        low, high = wilson(score, data.test, 0.95)
        if (high - low) / 2 > _WIDE:
            told.append(
                f"the test set of {data.test:,} rows will measure a score near {said(metric, score)} only to about "
                f"±{50 * (high - low):.0f} points (95 %): small differences will not show"
            )
    return told


def _far(base: BaseFacts, metric: str, score: float) -> list[str]:
    if not base.warning:
        return []
    if little_left(metric, score):
        return [f"{unlike(base.measures)}, yet its frozen features do here; inputs of another kind may fare worse"]
    said_so = base.warning[0].lower() + base.warning[1:].rstrip(".")
    return [f"{said_so}; another base may fit better: `headstart rank` compares them"]


def _behind(classes: Sequence[ClassFacts]) -> list[str]:
    behind = sorted((one for one in classes if one.behind), key=lambda one: one.recall)
    if not behind:
        return []
    names = some([f"{one.name!r} ({said('accuracy', one.recall)} recall)" for one in behind], _SHOWN)
    return [
        f"recall is shown to be lower than for the rest in: {names}; look for label mistakes there with "
        "`headstart audit`"
    ]


def _copies(data: DataFacts, independent: int) -> list[str]:
    told = []
    if data.near:
        told.append(
            f"{data.near:,} of {data.rows:,} rows have a near duplicate; they stay on one side of every split, and add "
            "less than new rows would"
        )
    if 2 * independent < data.learn:
        told.append(f"the training rows form {independent:,} independent groups: that is what counts as their number")
    return told


def headline(data: DataFacts, base: BaseFacts, metric: str, score: str) -> str:
    """What there is, and how good the cheapest model is."""
    task = get_task(data.task)
    of = f" of {data.classes} {task.plural}" if data.classes else ""
    spread = f", {data.median:,} training rows a {task.noun}" if data.classes else ""
    held = f"reaches a held-out {words_of(metric)} of about {score}"
    return f"{data.rows:,} {get(data.modality).plural}{of}{spread}: {base.name}, frozen, {held}."
