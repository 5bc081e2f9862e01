"""What a model cannot do, and why: no signal, a base that does not fit, classes it misses, doubtful confidence."""

from __future__ import annotations

import math

import numpy as np

from headstart.evaluation.diagnosis import Finding, forgot, skill_of
from headstart.evaluation.doubts import ONE_CLASS
from headstart.evaluation.proportions import wilson
from headstart.evaluation.run_evidence import RunEvidence, bounded
from headstart.evaluation.verdict import MAJORITY, MARGIN, SCRATCH
from headstart.evaluation.wording import count, gained, number, score

#: Rows of the median class under which few data are named without a learning curve: a class is then known by a
#: handful of rows, and which ones were drawn moves the score by several points.
_FEW = 10
#: The same for regression, where all rows count.
_FEW_VALUES = 50
#: What doubling the training rows must bring to be worth the labelling: with very many rows any gain can be shown.
_RISING = 0.02
#: Skill, 0 guessing to 1 faultless, from which more data have little left to add.
_SATURATED = 0.95
#: Test rows of a class from which none recognised bounds its recall under one half (Wilson, 95 %: 0.49).
_SUPPORT = 4
#: Confidence off by more than this is worth a warning: nine right in ten where the probability says 0.95 or more.
_OFF = 0.05


def find(e: RunEvidence) -> list[Finding]:
    """The findings on the model."""
    cause = _one_answer(e) or _wrong_base(e)
    found = (
        _one_answer(e),
        _wrong_base(e),
        None if cause else _no_signal(e),
        _negative_transfer(e),
        _never_predicted(e) or _weak_class(e),
        _forgetting(e),
        _too_few(e),
        _confidence(e),
    )
    return [one for one in found if one]


def _no_signal(e: RunEvidence) -> Finding | None:
    """The model is not shown to beat the most common answer; "no signal" where a gain by the margin is ruled out.

    That is not claimed where the model ranks better than chance (it may see more than its decisions show, as where one
    class is rare) or a control is shown to see something; and not at all beside "one answer" or "wrong base", which
    say why.
    """
    gain = e.gains.get(MAJORITY)
    if gain is None or not bounded(gain) or gain.low > 0:
        return None
    judged = e.test if e.clean is None else e.clean  # as the gains are
    same = f"{e.name} {score(judged)} is not shown to beat always giving the most common answer, gain {gained(gain)}"
    if _ranks(e):
        sentence = f"The answers say little: {same}, though their order is better than chance, AUROC {_auroc(e)}."
        other = "balanced_accuracy" if e.task == "classification" else "f1_macro"
        return Finding("no better than majority", sentence, f"Evaluate by `--metric {other}` or `--metric auroc`.")
    if any(one.low > 0 for one in e.over_majority.values()) or gain.high > e.scaled(MARGIN):
        step = "Label more test rows, or more training rows; until then do not rely on the model."
        return Finding("no better than majority", f"It is not shown that anything was learned: {same}.", step)
    others = [name for name in e.gains if name != MAJORITY]
    controls = f"; nor is {' or '.join(others)} better than that" if others else ""
    return Finding(
        "no signal",
        f"No signal was found: {same}{controls}.",
        "Check that every label belongs to its row (`headstart audit`) and can be seen in the input; then try "
        "another `--base`, or label more rows.",
    )


def _ranks(e: RunEvidence) -> bool:
    return e.auroc is not None and e.auroc.low > 0.5


def _auroc(e: RunEvidence) -> str:
    return score(e.auroc) if e.auroc is not None else ""


def _one_answer(e: RunEvidence) -> Finding | None:
    if e.confusion is None or (e.confusion.sum(axis=1) > 0).sum() < 2:
        return None
    given = e.confusion.sum(axis=0)
    if (given > 0).sum() != 1:
        return None
    label, most = e.labels[int(given.argmax())], e.confusion.sum(axis=1).max() / given.sum()
    sentence = f"The model gave one answer, {label!r}, to all {int(given.sum()):,} test rows, whatever the input."
    step = "Try another `--base`: this one does not separate these classes."
    if e.metric == "accuracy" and most >= ONE_CLASS:
        step = "Choose and evaluate by `--metric balanced_accuracy`, where every class counts the same."
    return Finding("one answer", sentence, step)


def _negative_transfer(e: RunEvidence) -> Finding | None:
    gain = e.gains.get(SCRATCH)
    if gain is None or not gain.high < 0:
        return None
    sentence = (
        f"Negative transfer: the same network from random weights does better than from those of {_base(e)}; gain of "
        f"pretraining {gained(gain)}."
    )
    return Finding(
        "negative transfer", sentence, "Use `--strategy scratch`, or a base more similar to these data (`--base`)."
    )


def _wrong_base(e: RunEvidence) -> Finding | None:
    """A control that looks at the same inputs and borrows nothing is better: the base misses what it uses."""
    beaten = {n: g for n, g in e.gains.items() if n not in (MAJORITY, SCRATCH) and g.high < 0}
    if not beaten:
        return None
    name = min(beaten, key=lambda control: beaten[control].value)
    far = ""
    if e.distance is not None and math.isfinite(e.distance):
        far = f"; the data are at distance {e.distance:.2f} from its pretraining data (0: similar, 1: different)"
    sentence = (
        f"Wrong base: the baseline {name} does better than {_base(e)}; gain of transfer learning "
        f"{gained(beaten[name])}{far}."
    )
    more = "" if e.adapted else ", or train more of this one with `--strategy full`"
    return Finding(
        "wrong base", sentence, f"Try another `--base`{more}; until then the baseline {name} is the better model."
    )


def _never_predicted(e: RunEvidence) -> Finding | None:
    if e.confusion is None:
        return None
    given, support = e.confusion.sum(axis=0), e.confusion.sum(axis=1)
    missed = np.flatnonzero((given == 0) & (support >= _SUPPORT))
    if not len(missed) or (given > 0).sum() == 1:  # one answer is a finding of its own
        return None
    worst = int(missed[support[missed].argmax()])
    more = f", and so are {len(missed) - 1:,} more classes" if len(missed) > 2 else ""
    more = ", and so is one more class" if len(missed) == 2 else more
    sentence = (
        f"{e.labels[worst]!r} is never predicted, though {int(support[worst]):,} test rows are of it{_learnt(e, worst)}"
        f"{more}."
    )
    return Finding("class never predicted", sentence, _for_class(e, worst))


def _weak_class(e: RunEvidence) -> Finding | None:
    """The class of the lowest recall, where that is shown to lie under half of the mean recall.

    Its Wilson bound is corrected for having looked at all classes (Bonferroni).
    """
    if e.confusion is None:
        return None
    support, hits = e.confusion.sum(axis=1), np.diag(e.confusion)
    tested = np.flatnonzero(support)
    if len(tested) < 2 or (e.confusion.sum(axis=0) > 0).sum() == 1:
        return None
    recall = hits[tested] / support[tested]
    level = 1 - 0.05 / len(tested)
    bounds = [wilson(float(r), int(n), level) for r, n in zip(recall, support[tested], strict=True)]
    weak = [i for i, (_, high) in enumerate(bounds) if high < recall.mean() / 2]
    if not weak:
        return None
    i = min(weak, key=lambda one: bounds[one][1])
    worst = int(tested[i])
    sentence = (
        f"{e.labels[worst]!r} is weak: of its {int(support[worst]):,} test rows {int(hits[worst]):,} are right, "
        f"recall {number(float(recall[i]))} (at most {number(bounds[i][1])}), where the classes' mean is "
        f"{number(float(recall.mean()))}{_learnt(e, worst)}."
    )
    return Finding("weak class", sentence, _for_class(e, worst))


def _learnt(e: RunEvidence, which: int) -> str:
    if e.rows_a_class is None:
        return ""
    return f"; it has {count(int(e.rows_a_class[which]), 'training row')}"


def _for_class(e: RunEvidence, which: int) -> str:
    taken = e.confusion[which].copy() if e.confusion is not None else np.zeros(1)
    taken[which] = 0
    for_what = (
        f"; it is mostly predicted as {e.labels[int(taken.argmax())]!r}, so compare their labels" if taken.any() else ""
    )
    few = e.rows_a_class is None or e.rows_a_class[which] < np.median(e.rows_a_class)
    step = f"Label more rows of {e.labels[which]!r}" if few else f"Look at the rows of {e.labels[which]!r}"
    return f"{step}{for_what}."


def _forgetting(e: RunEvidence) -> Finding | None:
    return forgot(e.forgetting, e.max_forgetting)


def _too_few(e: RunEvidence) -> Finding | None:
    """More rows are shown to help, or there are but a handful a class and that more would help is not ruled out."""
    able, few, gain = skill_of(e.metric, len(e.labels), e.test.value), _few(e), e.more_rows
    if able is not None and able >= _SATURATED:
        return None
    if gain is not None and gain.low > 0 and gain.value >= e.scaled(_RISING):
        brought = f"all training rows instead of half of them brought {e.name} {gained(gain)}"
        sentence = f"Too few data: {brought}{f'; {few}' if few else ''}."
        return Finding("too few data", sentence, "Label more rows: the score is still rising with them.")
    if not few or (gain is not None and gain.high < e.scaled(_RISING)):
        return None
    enough = f"{_FEW} or more a class" if e.labels else f"{_FEW_VALUES} or more"
    sentence = f"Too few data: {few}, so that other rows would give another score."
    return Finding("too few data", sentence, f"Label more rows, {enough}.")


def _few(e: RunEvidence) -> str:
    if e.rows_a_class is not None and len(e.rows_a_class):
        median = int(np.median(e.rows_a_class))
        return f"the median class has {count(median, 'training row')}" if median < _FEW else ""
    few = e.task == "regression" and 0 < e.rows < _FEW_VALUES
    return f"there are {count(e.rows, 'training row')}" if few else ""


def _confidence(e: RunEvidence) -> Finding | None:
    """The signed gap, shown to be above `_OFF`; the calibration error has no sign and is biased on few rows."""
    gap = e.confidence_gap
    if gap is None or not bounded(gap):
        return None
    ece = f", calibration error {score(e.calibration)}" if e.calibration is not None and bounded(e.calibration) else ""
    if gap.low > _OFF:
        sentence = f"Over-confidence: probabilities are on average {number(gap.value)} higher than the accuracy"
        return Finding("over-confidence", f"{sentence}, shown to be at least {number(gap.low)}{ece}.", _CALIBRATE)
    if gap.high < -_OFF:
        sentence = f"Under-confidence: probabilities are on average {number(-gap.value)} lower than the accuracy"
        return Finding("under-confidence", f"{sentence}, shown to be at least {number(-gap.high)}{ece}.", _CALIBRATE)
    return None


_CALIBRATE = (
    "Do not rely on the probabilities for rows like these; more held-out rows of their kind would set the "
    "temperature better."
)


def _base(e: RunEvidence) -> str:
    return f"base {e.base!r}" if e.base else "the transfer model"
