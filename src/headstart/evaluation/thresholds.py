"""From which probability on a label is given: chosen on held-out rows, judged on rows that did not choose it.

For F1 and calibrated probabilities one threshold serves all labels (half of the F1 that is reached; Lipton, Elkan &
Naryanaswamy 2014, "Optimal thresholding of classifiers to maximize F1 measure"). Where probabilities of single labels
are off, a threshold of their own is better, but a label of few positive rows cannot tell it: its threshold is drawn
towards the common one. Which of the two rules is used, or 0.5, is decided by cross-fitting: thresholds set on four
fifths of the held-out rows decide the other fifth.

Metrics that count decisions take 0.5, or the greatest probability. `Thresholds.decided` moves probabilities so that
these come to the same decisions as the thresholds do; the order of rows stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.errors import BundleError, SettingError
from headstart.evaluation.metrics import METRICS

#: How a threshold may be asked for, to be shown where something else came.
FORMS = "best-f1, precision=0.9, recall=0.95, or a probability such as 0.3"

_FOLDS = 5
_PSEUDO = 20.0  # positive rows of a label at which its own threshold counts as much as the common one
_ROUNDS = 30  # of Dinkelbach's method, which ends after a handful
_EDGES = (0.01, 0.99)  # thresholds beyond say that the label is given always or never, which few rows do not show
_HALF = 0.5


@dataclass(frozen=True)
class Rule:
    """What thresholds are to bring about.

    Attributes:
        kind: "best-f1", "precision", "recall" or "fixed"; of several labels "best-f1" or "fixed".
        target: the precision or recall wanted, or the threshold itself; not looked at for "best-f1".
        positive: the class that the threshold is for; None: all labels.
        mean: of several labels: "micro" or "macro" F1 is to be best.
    """

    kind: str
    target: float = _HALF
    positive: int | None = None
    mean: str = "micro"

    @property
    def tuned(self) -> bool:
        """Whether held-out rows choose."""
        return self.kind != "fixed"


@dataclass(frozen=True)
class Thresholds:
    """The probability from which on each output is given.

    Attributes:
        values: one an output; of two classes they sum to one.
        positive: of two classes, the one that is given from its threshold on; None: of several labels.
        rule: how they were chosen, in words.
        n: held-out rows that chose them; 0 where none did.
        before, after: F1 (of several labels: its mean by the rule) on held-out rows at 0.5 and with thresholds that
            these rows did not choose; nan where none did.
    """

    values: tuple[float, ...]
    positive: int | None
    rule: str
    n: int = 0
    before: float = float("nan")
    after: float = float("nan")

    def given(self, p: np.ndarray) -> np.ndarray:
        """[n, k] bool: which outputs are given to rows of ``p`` [n, k]; of two classes exactly one."""
        p = np.asarray(p)
        if self.positive is None:
            return np.asarray(p.astype(float) >= np.array(self.values))
        yes = p[:, self.positive].astype(float) >= self.values[self.positive]
        return np.stack([yes, ~yes] if self.positive == 0 else [~yes, yes], axis=1)

    def decided(self, p: np.ndarray) -> np.ndarray:
        """``p`` [n, k] moved so that 0.5, or the greatest, decides as the thresholds do: odds over those of these."""
        p, given = np.asarray(p), self.given(p)
        t, wide = np.array(self.values), p.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            own, other = wide * (1 - t), (1 - wide) * t
            moved = np.where(own + other > 0, own / (own + other), wide).astype(p.dtype)
        half = p.dtype.type(_HALF)
        above, below = np.nextafter(half, p.dtype.type(1)), np.nextafter(half, p.dtype.type(0))
        moved = np.where(given, np.maximum(moved, above), np.minimum(moved, below))
        if self.positive is not None:
            moved[:, 1 - self.positive] = 1 - moved[:, self.positive]
        return np.asarray(np.where(np.isfinite(p), moved, p))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan becomes None."""
        before, after = (None if v != v else v for v in (self.before, self.after))
        return {
            "values": list(self.values),
            "positive": self.positive,
            "rule": self.rule,
            "n": self.n,
            "before": before,
            "after": after,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Thresholds:
        """What `to_dict` wrote; `BundleError` if ``record`` is something else."""
        try:
            values, positive = tuple(float(v) for v in record["values"]), record["positive"]
            before, after = (float("nan") if record[k] is None else float(record[k]) for k in ("before", "after"))
            found = cls(values, None if positive is None else int(positive), str(record["rule"]), int(record["n"]))
            if not values or not all(0 <= v <= 1 for v in values) or not (found.positive is None or len(values) == 2):
                raise ValueError(f"thresholds {values}")
            return replace(found, before=before, after=after)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"the record of the thresholds is broken ({error!r}); save the bundle anew.") from error


def decided(p: Any, thresholds: Thresholds | None, metric: str | None = None) -> Any:
    """``p`` as ``thresholds`` decide it; as it is without any, and for a ``metric`` that counts no decisions."""
    if thresholds is None or (metric is not None and not METRICS[metric].decides):
        return p
    return thresholds.decided(p)


def rule_of(asked: str, *, positive: int | None, mean: str = "micro") -> Rule:
    """The rule that ``asked`` names: see `FORMS`.

    Raises:
        SettingError: it names none, or one that is for two classes only.
    """
    text = asked.strip().lower()
    name, sign, number = text.partition("=")
    if text == "best-f1":
        return Rule("best-f1", positive=positive, mean=mean)
    try:
        value = float(number if sign else text)
    except ValueError:
        value = float("nan")
    if sign and name in ("precision", "recall") and 0 < value <= 1:
        if positive is None:
            raise SettingError(f"threshold {asked!r} is for two classes; of several labels it is best-f1 or a number.")
        return Rule(name, value, positive)
    if not sign and 0 < value < 1:
        return Rule("fixed", value, positive, mean)
    raise SettingError(f"threshold {asked!r} is none; it is {FORMS}.")


def fit_thresholds(
    rule: Rule,
    p: np.ndarray,
    y: np.ndarray,
    *,
    units: np.ndarray | None = None,
    seed: int = 0,
    crossed: np.ndarray | None = None,
) -> Thresholds:
    """The thresholds by ``rule`` for probabilities ``p`` [h, k] of rows that their model did not learn from.

    Args:
        y: [h] class numbers, or [h, k] of 0/1.
        units: [h] codes: rows of one unit are never on both sides of a cross-fit.
        seed: of the folds.
        crossed: [h, k] what `crossfitted` gives of the same; None: it is made here where it is needed.

    Raises:
        SettingError: no rows, or values that are not finite.
    """
    p, y = np.asarray(p), np.asarray(y)
    if not len(p) or len(p) != len(y) or not np.isfinite(p).all():
        raise SettingError(f"thresholds were asked of {len(p)} predictions for {len(y)} rows; give finite ones.")
    if rule.positive is not None:
        return _two_classes(rule, p, y, units, seed)
    if not rule.tuned:
        return Thresholds((rule.target,) * p.shape[1], None, f"{rule.target:g} for every label, as asked for")
    before = _f1(p >= _HALF, y > _HALF, rule.mean)
    if crossed is None:
        crossed = crossfitted(rule, p, y, units=units, seed=seed)  # the rule, too, is chosen by other rows
    after = _f1(crossed >= _HALF, y > _HALF, rule.mean)
    return replace(_several_labels(rule, p, y, units, seed), before=before, after=after)


def crossfitted(
    rule: Rule | None, p: np.ndarray, y: np.ndarray, *, units: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """``p`` [h, k] as `Thresholds.decided` gives it, each row by thresholds that other rows chose.

    Without a ``rule`` it is ``p`` itself. Arguments as for `fit_thresholds`.
    """
    p, y = np.asarray(p), np.asarray(y)
    if rule is None:
        return p
    if not rule.tuned:
        return fit_thresholds(rule, p, y).decided(p)
    parts, fit = _parts(len(p), units, seed), _several_labels if rule.positive is None else _two_classes
    if len(parts) < 2:
        return fit(rule, p, y, units, seed).decided(p)
    out = np.empty_like(p)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(p)), part)
        own = None if units is None else np.asarray(units)[rest]
        out[part] = fit(rule, p[rest], y[rest], own, seed).decided(p[part])
    return out


# --- several labels ---

_Setting = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (p, y) -> thresholds [k]


def _several_labels(rule: Rule, p: np.ndarray, y: np.ndarray, units: np.ndarray | None, seed: int) -> Thresholds:
    """By the rule whose cross-fitted F1 is best, the plainest of equals; how good it is, is not judged."""
    parts = _parts(len(p), units, seed)
    found, name = _best_setting(rule, p, y, parts)
    how = f"{name}: best {rule.mean} F1 on held-out rows, the rule chosen by cross-fitting in {len(parts)} folds"
    return Thresholds(tuple(float(v) for v in found(p, y)), None, how, len(p))


def _best_setting(rule: Rule, p: np.ndarray, y: np.ndarray, parts: list[np.ndarray]) -> tuple[_Setting, str]:
    """The setting whose cross-fitted F1 is best, and its name."""

    def half(p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.full(p.shape[1], _HALF)

    def common(p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.full(p.shape[1], _common(p, y, rule.mean))

    def own(p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _each(p, y, rule.mean)

    rules: list[tuple[_Setting, str]] = [
        (half, "0.5 for every label"),
        (common, "one threshold for all labels"),
        (own, "a threshold a label, drawn towards a common one where a label is rare"),
    ]
    if len(parts) < 2:
        return rules[0]
    scores = [_f1(_crossed(setting, p, y, parts), y > _HALF, rule.mean) for setting, _ in rules]
    return rules[int(np.argmax(np.nan_to_num(scores, nan=-1.0)))]


def _crossed(setting: _Setting, p: np.ndarray, y: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """[h, k] bool: the decisions, each part's by thresholds of the others."""
    out = np.zeros(p.shape, dtype=bool)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(p)), part) if len(parts) > 1 else part
        out[part] = p[part] >= setting(p[rest], y[rest])
    return out


def _common(p: np.ndarray, y: np.ndarray, mean: str) -> float:
    """The one threshold of best F1."""
    if mean == "macro":
        grid = np.unique(np.quantile(p, np.linspace(0, 1, 201)).clip(*_EDGES))
        scores = [_f1(p >= t, y > _HALF, mean) for t in grid]
        return float(grid[int(np.nanargmax(scores))]) if np.isfinite(scores).any() else _HALF
    return _best_f1(p.reshape(-1), (y > _HALF).reshape(-1))


def _each(p: np.ndarray, y: np.ndarray, mean: str) -> np.ndarray:
    """[k] thresholds, each label's drawn towards the common one in log odds."""
    truth, common = y > _HALF, _common(p, y, mean)
    if mean == "macro":
        own = np.array([_best_f1(p[:, j], truth[:, j]) if truth[:, j].any() else common for j in range(p.shape[1])])
    else:
        own = _best_micro(p, truth, common)
    count = truth.sum(axis=0)
    weight = count / (count + _PSEUDO)
    odds = [np.log(t / (1 - t)) for t in (np.clip(own, *_EDGES), np.clip(common, *_EDGES))]
    found: np.ndarray = 1 / (1 + np.exp(-(weight * odds[0] + (1 - weight) * odds[1])))
    return found


def _best_micro(p: np.ndarray, truth: np.ndarray, common: float) -> np.ndarray:
    """[k] thresholds of best micro F1: for that F each label has 2 · hits − F · given at its greatest (Dinkelbach)."""
    f, found = _f1(p >= common, truth, "micro"), np.full(p.shape[1], common)
    curves = [_steps(p[:, j], truth[:, j]) for j in range(p.shape[1])]
    for _ in range(_ROUNDS):
        f = 0.0 if np.isnan(f) else f
        best = [int(np.argmax(2 * hits - f * given)) for _, hits, given in curves]
        found = np.array([cuts[i] for i, (cuts, _, _) in zip(best, curves, strict=True)])
        better = _f1(p >= found, truth, "micro")
        if not better > f + 1e-12:
            break
        f = better
    return found


def _f1(given: np.ndarray, truth: np.ndarray, mean: str) -> float:
    """F1 of decisions [n, k], over all cells or the mean of the labels that occur; nan where nothing does."""
    both, either = (given & truth).sum(axis=0), given.sum(axis=0) + truth.sum(axis=0)
    if mean == "micro":
        both, either = both.sum(keepdims=True), either.sum(keepdims=True)
    some = either > 0
    return float((2 * both[some] / either[some]).mean()) if some.any() else float("nan")


# --- one label, or the positive of two classes ---


def _steps(score: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds from none given to all, and at each the hits and the rows given, [m] each.

    A threshold lies halfway between the scores that it parts, so that new rows are no nearer to one side.
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order].astype(float)
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    given = np.concatenate([[0], last + 1])
    hits = np.concatenate([[0], np.cumsum(truth[order])[last]])
    edges = np.concatenate([[1.0 if ordered[0] <= 1 else ordered[0]], ordered[last], [0.0]])
    return (edges[:-1] + edges[1:]) / 2, hits, given


def _best_f1(score: np.ndarray, truth: np.ndarray) -> float:
    cuts, hits, given = _steps(score, truth)
    if not truth.any():
        return _HALF
    return float(np.clip(cuts[int(np.argmax(2 * hits / (given + truth.sum())))], *_EDGES))


def _two_classes(rule: Rule, p: np.ndarray, y: np.ndarray, units: np.ndarray | None, seed: int) -> Thresholds:
    positive = rule.positive or 0
    score, truth = p[:, positive].astype(float), y == positive

    def threshold(rows: np.ndarray) -> tuple[float, str]:
        return _chosen(rule, score[rows], truth[rows])

    value, how = threshold(np.arange(len(p)))
    values = (value, 1 - value) if positive == 0 else (1 - value, value)
    if not rule.tuned:
        return Thresholds(values, positive, how)
    parts, given = _parts(len(p), units, seed), np.zeros(len(p), dtype=bool)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(p)), part) if len(parts) > 1 else part
        given[part] = score[part] >= threshold(rest)[0]
    before, after = (_f1(some[:, None], truth[:, None], "micro") for some in (score >= _HALF, given))
    return Thresholds(values, positive, how, len(p), before, after)


def _chosen(rule: Rule, score: np.ndarray, truth: np.ndarray) -> tuple[float, str]:
    """The threshold and how it came about."""
    if rule.kind == "fixed":
        return rule.target, f"{rule.target:g}, as asked for"
    if not truth.any():
        return _HALF, "0.5: no held-out row is of the positive class"
    if rule.kind == "best-f1":
        return _best_f1(score, truth), "best F1 on held-out rows"
    cuts, hits, given = (part[1:] for part in _steps(score, truth))
    recall, precision = hits / truth.sum(), hits / given
    reached = (precision if rule.kind == "precision" else recall) >= rule.target - 1e-12
    other = recall if rule.kind == "precision" else precision
    if not reached.any():
        best = int(np.argmax(precision))
        said = (
            f"precision {rule.target:g} is not reached on held-out rows; the greatest, {precision[best]:.3f}, is used"
        )
        return float(cuts[best]), said
    best = int(np.argmax(np.where(reached, other, -1.0)))
    beside = "recall" if rule.kind == "precision" else "precision"
    return float(cuts[best]), f"greatest {beside} at a {rule.kind} of at least {rule.target:g} on held-out rows"


def _parts(n: int, units: np.ndarray | None, seed: int) -> list[np.ndarray]:
    """The rows in up to `_FOLDS` parts of like size; a unit's are in one. One part where there is but one unit."""
    code = np.arange(n) if units is None else np.unique(np.asarray(units), return_inverse=True)[1]
    rows = np.bincount(code)
    order = np.random.default_rng(seed).permutation(len(rows))
    order = order[np.argsort(-rows[order], kind="stable")]
    size, part_of = np.zeros(min(_FOLDS, len(rows))), np.zeros(len(rows), dtype=int)
    for unit in order:  # the largest first, each into the smallest part
        part_of[unit] = int(size.argmin())
        size[part_of[unit]] += rows[unit]
    return [np.flatnonzero(part_of[code] == part) for part in range(len(size))]
