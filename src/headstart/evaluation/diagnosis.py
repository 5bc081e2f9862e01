"""What training curves say: each finding is one sentence with its evidence, and one thing to try.

A finding is claimed only where all its evidence is there; a score or curve that is missing supports none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import metric_name, number


@dataclass(frozen=True)
class CurvePoint:
    """One look at a training run."""

    step: int  # optimiser steps done
    epoch: float  # passes over the training rows done
    train_loss: float  # mean since the look before
    valid_loss: float  # on held-out rows
    valid_score: float  # of the metric on them
    rate: float  # learning rate at this step


@dataclass(frozen=True)
class Symptoms:
    """What a training run shows.

    Attributes:
        curve: the looks, in order.
        train_score: of the weights kept, on training rows; None or nan: not measured.
        valid_score: of the same weights on held-out rows.
        higher_is_better: of the metric.
        metric: its name.
        forgetting: share of the base's answers or neighbours that changed; None or nan: not measured.
        rollbacks: times that training diverged and went on from before.
        n_train: training rows.
        classes: classes or labels; 0 or 1 for regression.
        stopped_early: for want of a better held-out score.
        out_of_budget: whether the time given ended training.
        max_forgetting: the limit the user set; None: none.
        fewer: the option that trains fewer weights of this base.
    """

    curve: tuple[CurvePoint, ...]
    train_score: float | None
    valid_score: float
    higher_is_better: bool
    metric: str
    forgetting: float | None
    rollbacks: int
    n_train: int
    classes: int
    stopped_early: bool
    out_of_budget: bool = False
    max_forgetting: float | None = None
    fewer: str = "--strategy lora"


@dataclass(frozen=True)
class Finding:
    """One thing that the symptoms show.

    Attributes:
        name: of training, "instability", "forgetting", "over-fitting", "under-fitting", "plateau" or "healthy"; of
            the whole run, one of those in `headstart.evaluation.findings`.
        sentence: the finding and the numbers it rests on.
        suggestion: what to try.
    """

    name: str
    sentence: str
    suggestion: str


@dataclass(frozen=True)
class _Thresholds:
    """Where a symptom begins. *Skill* is the share of the way from guessing (0) to faultless (1)."""

    gap: float = 0.1  # skill, train above valid: less is within what a few hundred held-out rows can tell
    error_gap: float = 0.25  # the same for errors without a scale: valid above train, as a share of train
    rise: float = 0.1  # of the valid loss above its lowest, at two looks in a row: beyond the wobble of small batches
    low: float = 0.7  # train skill: a network that fits its rows gets above it unless labels are mostly noise
    fall: float = 0.05  # of a loss over the last quarter of the looks: under it more of the same changes little
    still: float = 0.005  # of skill or score gained over the last half: under it nobody would see the difference
    still_loss: float = 0.01  # of the valid loss over the last half, the same
    saturated: float = 0.98  # valid skill: what cannot rise much is no plateau
    jump: float = 0.3  # of the valid loss from look to look, half undone later: over-fitting does not come back down
    jump_floor: float = 0.05  # of the first valid loss: jumps of a loss near 0 are large shares of nothing
    jumps: int = 2  # one may be a chance batch
    looks: int = 3  # fewer have no course
    looks_plateau: int = 6  # three a half
    few: int = 100  # rows a class: below, more rows usually help more than anything done to the ones there are


_T = _Thresholds()


def diagnose(s: Symptoms) -> list[Finding]:
    """The findings, worst first, at least one ("healthy" where nothing stands out).

    Instability comes first, as it makes the other numbers chance; then what cannot be had back by more training.
    A plateau is only named where neither over- nor under-fitting explains it.
    """
    found = [f for f in (_instability(s), _forgetting(s)) if f]
    fit = _over_fitting(s) or _under_fitting(s) or _plateau(s)
    return [*found, *([fit] if fit else [])] or [_healthy(s)]


def _instability(s: Symptoms) -> Finding | None:
    suggestion = f"Use a strategy that trains fewer weights, such as `{s.fewer}`."
    if s.rollbacks:
        times = "once" if s.rollbacks == 1 else f"{s.rollbacks} times"
        sentence = f"Training was unstable: it diverged {times} and went on from before at a lower learning rate."
        return Finding("instability", sentence, suggestion)
    lost = [p for p in s.curve if p.step > 0 and not math.isfinite(p.train_loss)]
    if lost:
        sentence = (
            f"Training was unstable: the training loss was not a number at {len(lost)} of {len(s.curve)} evaluations."
        )
        return Finding("instability", sentence, suggestion)
    _, valid, _ = _losses(s)
    jumps = [i for i in range(1, len(valid) - 1) if _comes_back(valid, i)]
    if len(jumps) < _T.jumps:
        return None
    worst = max(jumps, key=lambda i: valid[i] - valid[i - 1])
    sentence = (
        f"Training was unstable: the validation loss jumped {len(jumps)} times in {len(valid)} evaluations "
        "and came back, "
        f"at the worst from {number(valid[worst - 1])} to {number(valid[worst])}."
    )
    return Finding("instability", sentence, suggestion)


def _comes_back(valid: np.ndarray, i: int) -> bool:
    """Whether the loss jumps up at look ``i`` and later loses at least half of the jump."""
    before, here = valid[i - 1], valid[i]
    high = here > (1 + _T.jump) * before and here - before > _T.jump_floor * valid[0]
    return bool(high and valid[i + 1 :].min() < (before + here) / 2)


def _forgetting(s: Symptoms) -> Finding | None:
    return forgot(s.forgetting, s.max_forgetting)


def forgot(error: float | None, limit: float | None) -> Finding | None:
    """The finding "forgetting" where ``error`` is above the user's ``limit``; without one nothing is to be kept."""
    if error is None or limit is None or not error > limit:
        return None
    sentence = f"Forgetting: {error * 100:.0f} % of what was compared with the base changed, "
    sentence += f"and the limit is {limit * 100:.0f} %."
    suggestion = "Give inputs of the kind it was pretrained on with `--retain PATH`; training then rehearses them."
    return Finding("forgetting", sentence, suggestion)


def _over_fitting(s: Symptoms) -> Finding | None:
    train, valid, epochs = _losses(s)
    if len(valid) < _T.looks or not _train_is_well_above(s):
        return None
    low = int(valid.argmin())
    rises = low < len(valid) - 2 and valid[-2:].min() > (1 + _T.rise) * valid[low]
    if not (rises and train[-1] < train[low]):
        return None
    sentence = (
        f"Over-fitting: {_both_scores(s)}, and from epoch {epochs[low]:.3g} on the validation loss rose from "
        f"{number(valid[low])} to {number(valid[-1])} while the training loss fell from {number(train[low])} to "
        f"{number(train[-1])}."
    )
    per_class = s.n_train // max(1, s.classes)
    rows = f"{per_class:,} rows a class" if s.classes > 1 else f"{s.n_train:,} rows"
    if per_class < _T.few:
        return Finding(
            "over-fitting", sentence, f"Label more data: {rows} are few; until then try `--augment corruption`."
        )
    return Finding("over-fitting", sentence, f"Try `--augment corruption`, or train fewer weights with `{s.fewer}`.")


def _under_fitting(s: Symptoms) -> Finding | None:
    train, valid, epochs = _losses(s)
    if s.train_score is not None and _is_low(s):
        falls = _fall(train)
        only = f"Under-fitting: the training {_name(s)} is only {number(s.train_score)}"
        if s.out_of_budget:
            return _short_of_time(f"{only}, and the budget ended training{_at(epochs)}.")
        if falls > _T.fall:
            sentence = (
                f"{only}, and the training loss was still falling, by {falls * 100:.0f} % over the last evaluations."
            )
            step = "Train more of the base with `--strategy full`, or try another `--base`."
            return Finding("under-fitting", sentence, step)
    falls = _fall(valid)
    if s.out_of_budget and falls > _T.fall:
        still = f"the validation loss was still falling, by {falls * 100:.0f} % over the last evaluations"
        return _short_of_time(f"Under-fitting: the budget ended training{_at(epochs)} while {still}.")
    return None


def _short_of_time(sentence: str) -> Finding:
    return Finding("under-fitting", sentence, "Give training more time with `--budget`.")


def _plateau(s: Symptoms) -> Finding | None:
    _, valid, epochs = _losses(s)
    sign = 1 if s.higher_is_better else -1
    scores = sign * np.array([p.valid_score for p in _points(s)])
    low, skill = _is_low(s), _skill(s, s.valid_score)
    waited = s.stopped_early and not low  # early stopping always ends in looks without improvement
    if len(valid) < _T.looks_plateau or waited or not np.isfinite(scores).all() or (skill or 0) >= _T.saturated:
        return None
    half = len(valid) // 2
    best, later = scores[:half].max(), scores[half:].max()
    scale = 1.0 if s.metric in METRICS and METRICS[s.metric].unit_scale else abs(best)
    if later - best > _T.still * scale or valid[half:].min() < (1 - _T.still_loss) * valid[:half].min():
        return None
    sentence = (
        f"Training reached a plateau: the validation {_name(s)} was {number(sign * best)} by epoch "
        f"{epochs[half - 1]:.3g} and no better by epoch {epochs[-1]:.3g}, nor was the validation loss."
    )
    if low:
        return Finding("plateau", sentence, "Train more of the base with `--strategy full`, or try another `--base`.")
    return Finding(
        "plateau", sentence, "Label more data, or try another `--base`; a smaller `--budget` gives the same."
    )


def _healthy(s: Symptoms) -> Finding:
    suggestion = "No action needed in training; more data or another `--base` may still raise the score."
    looks = len(_points(s))
    if looks < _T.looks:
        few = f"{looks} evaluation{'s' * (looks != 1)} of the training run cannot show a trend"
        sentence = f"Nothing stands out, but {few}: {_both_scores(s)}."
    else:
        sentence = f"Nothing stands out in {looks} evaluations of the training run: {_both_scores(s)}."
    return Finding("healthy", sentence, suggestion)


# --- Reading the symptoms -------------------------------------------------------------------------


def _points(s: Symptoms) -> list[CurvePoint]:
    """The looks with both losses; one before the first step has no train loss."""
    return [p for p in s.curve if math.isfinite(p.train_loss) and math.isfinite(p.valid_loss)]


def _losses(s: Symptoms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train losses, valid losses and epochs, [looks] each."""
    rows = [(p.train_loss, p.valid_loss, p.epoch) for p in _points(s)]
    train, valid, epochs = np.array(rows, dtype=float).reshape(-1, 3).T
    return train, valid, epochs


def _fall(loss: np.ndarray) -> float:
    """The share by which ``loss`` [looks] fell over the last quarter of the looks; 0 if it ended on a rise."""
    if len(loss) < _T.looks or loss[-1] > loss[-2]:
        return 0.0
    before = loss[-1 - max(1, len(loss) // 4)]
    return float(1 - loss[-1] / before) if before > 0 else 0.0


def _guess(metric: str, classes: int) -> float | None:
    """The score of guessing evenly, about; None for metrics whose scale is the data's.

    For F1 and average precision, whose guess depends on how rare labels are, one that is rather too low.
    """
    k = max(2, classes)
    if metric in ("accuracy", "balanced_accuracy", "f1_macro"):
        return 1 / k
    table = {"auroc": 0.5, "top5": min(1.0, 5 / k), "log_loss": math.log(k), "brier": 0.25 if k == 2 else 1 - 1 / k}
    zero = ("mcc", "f1_micro", "average_precision", "subset_accuracy", "r2", "spearman")
    return 0.0 if metric in zero else table.get(metric)


def skill_of(metric: str, classes: int, score: float | None) -> float | None:
    """``score`` on the scale of guessing evenly (0) to faultless (1); None where that is not known."""
    guess = _guess(metric, classes)
    if score is None or guess is None or not math.isfinite(score):
        return None
    best = 1.0 if METRICS[metric].higher_is_better else 0.0
    return None if guess == best else (score - guess) / (best - guess)


def _skill(s: Symptoms, score: float | None) -> float | None:
    return skill_of(s.metric, s.classes, score)


def _is_low(s: Symptoms) -> bool:
    skill = _skill(s, s.train_score)
    return skill is not None and skill < _T.low


def _train_is_well_above(s: Symptoms) -> bool:
    train, valid = _skill(s, s.train_score), _skill(s, s.valid_score)
    if train is not None and valid is not None:
        return train - valid >= _T.gap
    if s.train_score is None or s.higher_is_better:
        return False
    return s.valid_score > (1 + _T.error_gap) * s.train_score >= 0


def _both_scores(s: Symptoms) -> str:
    valid = f"{number(s.valid_score)} on held-out rows"
    if s.train_score is None or math.isnan(s.train_score):
        return f"{_name(s)} {valid}"
    return f"{_name(s)} {number(s.train_score)} on training rows and {valid}"


def _name(s: Symptoms) -> str:
    return metric_name(s.metric)


def _at(epochs: np.ndarray) -> str:
    return f" at epoch {epochs[-1]:.3g}" if len(epochs) else ""
