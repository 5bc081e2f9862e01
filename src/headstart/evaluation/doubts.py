"""Reasons to doubt a test score: leaks, rows that are not fresh, too few of them, or others than those chosen on."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.diagnosis import Finding
from headstart.evaluation.proportions import normal_quantile
from headstart.evaluation.run_evidence import RunEvidence, bounded
from headstart.evaluation.wording import count, gained, number, score

#: Half-width of the test interval from which the score is not worth a decision: 0.1 is the difference between 0.8 and
#: 0.9, and what about 96 rows give at the worst (1.96 · 0.5 / √96).
_WIDE = 0.1
#: The same for errors without a scale, as a share of the error: accuracy 0.8 ± 0.1 is an error of 0.2 ± 50 %.
_FEWER = 0.9  # groups a row below which they, and not the rows, are what more is wanted of
_WIDE_SHARE = 0.5
#: Share of the rows from which leaked ones are worth a word: fewer hardly move the score, and gains leave them out.
_LEAKED = 0.002
#: Share of rows that differ below which repeats make an interval that counts all rows 5 % too narrow, √(1 / 0.9).
_DIFFER = 0.9
#: Level of the comparison with the validation score: every run makes it, and at 95 % one healthy run in 20 would be
#: told that its test rows are others.
_LEVEL = 0.99
#: Held-out rows under which nothing is compared: the model was chosen on them, and a handful can be met by luck.
_HELD = 30
#: A test score above the validation score has an innocent cause: held-out rows are answered by models of fewer rows, at
#: least two thirds of them. As errors fall no faster than with 1 / n, that explains a third of the validation error.
_MORE_ROWS = 1 / 3
#: Share of the rows of one class from which accuracy is mostly its recall.
ONE_CLASS = 0.8
#: Openings before this one from which a search is supposed; a run is often repeated once or twice as it was.
_SEARCH = 3
#: What re-use may flatter by before it is worth saying: at 200 rows what the best of six equal models would.
_FLATTERY = 0.02


def find(e: RunEvidence) -> list[Finding]:
    """The findings on the test part."""
    found = (_giveaway(e), _leak(e), _one_class(e), _repeated(e), _unlike(e), _tiny(e), _imbalance(e), _reused(e))
    return [one for one in found if one]


def difference(a: Interval, b: Interval, level: float) -> Interval:
    """a − b of two independent scores, from their own bounds (MOVER, Zou & Donner 2008, doi:10.1002/sim.3095).

    Bounds for another ``level`` than theirs are stretched by the ratio of the normal quantiles.
    """
    a, b = (_stretched(one, level) for one in (a, b))
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, low, high, level, min(a.n, b.n))


def _stretched(one: Interval, level: float) -> Interval:
    factor = normal_quantile(level) / normal_quantile(one.level)
    low, high = (one.value + factor * (bound - one.value) for bound in (one.low, one.high))
    return replace(one, low=low, high=high, level=level)


def _giveaway(e: RunEvidence) -> Finding | None:
    if not e.giveaways:
        return None
    return Finding(
        "giveaway",
        f"Something besides the content predicts the label (possible leakage): {' '.join(e.giveaways)}",
        "Find out whether it will be there in use; where not, make it the same for all classes and judge again.",
    )


def _leak(e: RunEvidence) -> Finding | None:
    """Claimed as a fact for any leaked row; that the score is too high only as far as clean rows show it."""
    if e.leaked and e.leaked >= _LEAKED * e.test.n:
        sentence = f"Leak: {e.leaked:,} of {e.test.n:,} test rows have a duplicate among the training rows{_clean(e)}."
        return Finding("leak", sentence, _without_leak(e))
    if e.leaked_valid and e.leaked_valid >= _LEAKED * e.valid_rows:
        sentence = (
            f"Leak: {e.leaked_valid:,} of {e.valid_rows:,} validation rows have a duplicate among the training rows, "
            f"so a model that memorises may have been selected; the test score stands."
        )
        return Finding("leak", sentence, f"Take them out of the validation set (`{e.audit}`).")
    return None


def _without_leak(e: RunEvidence) -> str:
    """What rids the test set of leaked rows: no audit of the data finds those that only an earlier run learnt from."""
    fresh = "Give test rows with `--test` that were no training rows of the earlier run"
    if e.foreknown >= e.leaked:
        return f"{fresh}, or take the base that it began from."
    step = f"Take them out of the test set (`{e.audit}`), or keep what belongs together with `--group`."
    return f"{step} {fresh}." if e.foreknown else step


def _clean(e: RunEvidence) -> str:
    if e.leaked >= e.test.n:
        return ", all of them, so that the score says nothing about new inputs"
    if e.clean is None or math.isnan(e.clean.value):
        most = e.leaked / e.test.n
        return f", which may raise {e.name} by up to {number(most)}" if e.chosen.mean else ""
    return f"; {e.name} is {number(e.test.value)} with them and {score(e.clean)} on the other {e.clean.n:,}"


def _one_class(e: RunEvidence) -> Finding | None:
    if e.confusion is None or not (support := e.confusion.sum(axis=1)).any() or (support > 0).sum() > 1:
        return None
    label = e.labels[int(support.argmax())]
    sentence = (
        f"All {int(support.sum()):,} test rows are {label!r}: they cannot show whether classes are distinguished."
    )
    return Finding("one class tested", sentence, "Add test rows of the other classes.")


def _repeated(e: RunEvidence) -> Finding | None:
    fresh = e.test.n - e.repeated
    if not e.repeated or fresh > _DIFFER * e.test.n:
        return None
    sentence = (
        f"{count(e.repeated, 'test row repeats', 'test rows repeat')} other test rows: the score rests on {fresh:,} "
        f"rows that differ, not on {e.test.n:,}; its interval allows for that."
    )
    return Finding("repeated rows", sentence, f"Keep one of each in the test set (`{e.audit}`).")


def _unlike(e: RunEvidence) -> Finding | None:
    if e.valid is None or not bounded(e.valid) or not bounded(e.test) or e.valid.n < _HELD:
        return None
    fall = difference(e.valid, e.test, _LEVEL)
    sign = e.chosen.sign
    worse = fall.low > 0 if sign > 0 else fall.high < 0
    rise = -fall.high if sign > 0 else fall.low  # the least by which the test score is better
    if not worse and not rise > _MORE_ROWS * abs((1.0 if sign > 0 else 0.0) - e.valid.value):
        return None
    than = "worse" if worse else "better"
    sentence = (
        f"Test and validation disagree: {e.name} {score(e.test)} on {e.test.n:,} test rows is {than} than "
        f"{score(e.valid)} on {e.valid.n:,} held-out rows, by more than chance explains; difference {gained(fall)}."
    )
    step = (
        "Compare the two splits with `headstart audit`: rows of another source, or duplicates within "
        "one split, do this."
    )
    return Finding("test unlike valid", sentence, step)


def _tiny(e: RunEvidence) -> Finding | None:
    n, grouped = e.test.units, e.test.units < _FEWER * e.test.n  # not where a few rows are near duplicates
    if math.isnan(e.test.value):
        return None
    on = count(n, "group") + f" of {e.test.n:,} rows" if grouped else count(e.test.n, "row")
    if not bounded(e.test):
        sentence = f"The test set is small: {on} give {e.name} {number(e.test.value)} no interval."
        more = "Label test rows of more groups, 20 or more." if grouped else "Label more test rows, 100 or more."
        return Finding("tiny test set", sentence, more)
    half = (e.test.high - e.test.low) / 2
    wide = _WIDE if e.chosen.unit_scale else _WIDE_SHARE * abs(e.test.value)
    if half <= wide:
        return None
    # The width falls with 1 / √n; the pseudo-rows of small samples make this an order of magnitude.
    needed = math.ceil(n * (2 * half / wide) ** 2)
    figure = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    needed = math.ceil(needed / figure) * figure
    sentence = (
        f"The test set is small: {e.name} {number(e.test.value)} on {on} may be anything from {number(e.test.low)} to "
        f"{number(e.test.high)}."
    )
    wanted = f"±{number(wide / 2)}"
    more = (
        f"Label test rows of more groups: about {needed:,} groups"
        if grouped
        else f"Label more test rows: about {needed:,}"
    )
    return Finding("tiny test set", sentence, f"{more} would give {wanted}.")


def _imbalance(e: RunEvidence) -> Finding | None:
    if e.confusion is None or e.metric != "accuracy":
        return None
    support = e.confusion.sum(axis=1)
    largest = int(support.argmax())
    share = support[largest] / max(1, support.sum())
    if not ONE_CLASS <= share < 1:
        return None
    sentence = (
        f"Imbalance: {share * 100:.0f} % of the test rows are {e.labels[largest]!r}, so always giving this answer has "
        f"accuracy {number(float(share))}, and accuracy says little about the other classes."
    )
    return Finding(
        "imbalance", sentence, "Evaluate by `--metric balanced_accuracy`, where every class counts the same."
    )


def _reused(e: RunEvidence) -> Finding | None:
    """By how much the best of so many equal models would flatter itself: a normal order statistic (Blom 1958)."""
    if e.opened_before < _SEARCH or not bounded(e.test):
        return None
    looks = e.opened_before + 1
    error = (e.test.high - e.test.low) / 2 / normal_quantile(e.test.level)
    flattery = NormalDist().inv_cdf((looks - 0.375) / (looks + 0.25)) * error
    if flattery < e.scaled(_FLATTERY):
        return None
    sentence = (
        f"The same test set was evaluated {e.opened_before:,} times before by earlier runs; if settings were chosen by "
        f"those scores, this one may be too optimistic by about {number(flattery)}."
    )
    return Finding("test set reused", sentence, "Choose by the validation score; evaluate the last choice on new rows.")
