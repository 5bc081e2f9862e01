"""How strange an input looks: from probabilities and from features, higher stranger; and how well that tells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.proportions import normal_quantile, wilson
from headstart.evaluation.rank_metrics import Ranks

GAMMA, TOP = 0.1, 100  # GEN's power and the most probable classes it looks at, both as in its paper
NEIGHBOUR = 3  # k of k-NN; see docs/log.md
_BLOCK = 1_024  # rows whose similarities are held at once
_SAME = 1 - 1e-5  # cosine from which two rows are the same input


def max_softmax(p: np.ndarray) -> np.ndarray:
    """Minus the greatest of the probabilities ``p`` [n, k]: [n] (Hendrycks & Gimpel 2017)."""
    return np.asarray(-p.max(axis=1).astype(float))


def gen(p: np.ndarray, gamma: float = GAMMA, top: int = TOP) -> np.ndarray:
    """Generalised entropy of ``p`` [n, k]: sum of p^γ (1 − p)^γ over the ``top`` most probable classes, [n].

    Source: Liu, Lochman & Zach (2023), "GEN: pushing the limits of softmax-based out-of-distribution
    detection". For two classes it orders inputs as `max_softmax` does.
    """
    p = np.asarray(p, dtype=float)
    if p.shape[1] > top:
        p = np.partition(p, p.shape[1] - top, axis=1)[:, -top:]
    p = np.clip(p, 0.0, 1.0)
    return np.asarray((p**gamma * (1 - p) ** gamma).sum(axis=1))


def joint_energy(p: np.ndarray) -> np.ndarray:
    """For labels with a probability each, ``p`` [n, k]: sum of log(1 − p), [n].

    Source: Wang et al. (2021), "Can multi-label classification networks know what they don't know?": minus the
    sum of log(1 + exp(logit)), which is the same.
    """
    p = np.asarray(p, dtype=float)
    return np.asarray(np.log1p(-np.clip(p, 0.0, 1 - 1e-12)).sum(axis=1))


def knn(x: np.ndarray, reference: np.ndarray, k: int = NEIGHBOUR, skip: np.ndarray | None = None) -> np.ndarray:
    """Cosine distance of ``x`` [n, d] to its ``k``-th nearest row of ``reference`` [m, d]: [n].

    Source: Sun et al. (2022), "Out-of-distribution detection with deep nearest neighbors". Fewer than ``k``
    rows: the farthest of them. Where ``skip`` [n] is true the input is one of those behind the reference, and
    its own copies there do not count.
    """
    near = unit(reference)
    out = np.empty(len(x))
    k = min(k, len(near))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        similar = unit(x[rows]) @ near.T  # [block, m]
        if skip is not None:
            similar[skip[rows, None] & (similar > _SAME)] = -1.0
        out[rows] = 1 - np.partition(similar, len(near) - k, axis=1)[:, -k]
    return out


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of ``x`` [n, d] at length one, float32; rows of zeros stay."""
    x = np.asarray(x, dtype=np.float32)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(lengths > 0, lengths, 1)


# --- scores of any scale made comparable: how rare they are among held-out known inputs ---


def surprise(held: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Minus the log of the share of ``held`` (ascending) that is not below each of ``values`` [n].

    Straight lines between the middles of the steps of the shares; beyond both ends the last half row's share
    falls off exponentially, as slowly as the end is from the middle, so that inputs stranger than any held-out one
    still differ.
    """
    held, values = np.asarray(held, dtype=float), np.asarray(values, dtype=float)
    points, counts = np.unique(held, return_counts=True)
    below = (np.cumsum(counts) - counts / 2) / len(held)  # [points] of equal values half count
    middle = points[min(int(np.searchsorted(below, 0.5)), len(points) - 1)]
    top = np.maximum(values - points[-1], 0) / _width(points[-1], middle)
    bottom = np.maximum(points[0] - values, 0) / _width(points[0], middle)
    share = np.interp(values, points, below) * np.exp(-bottom)
    return np.asarray(-np.log1p(-share) + top)


def share_below(held: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of ``held`` below each of ``values`` [n], by `surprise`: 0 to 1."""
    return np.asarray(-np.expm1(-surprise(held, values)))


def together(held: Mapping[str, np.ndarray], scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean over ``scores`` (name -> [n]) of their surprise among ``held``: [n].

    Fisher's way of combining shares (1932). A mean of the shares themselves cannot heed a score that is far
    beyond all known inputs while another is in their middle, as probabilities of unknown inputs often are.
    """
    return np.asarray(np.mean([surprise(held[name], values) for name, values in scores.items()], axis=0))


def _width(end: float, middle: float) -> float:
    """Distance over which a tail falls to 1 / e."""
    return float(abs(end - middle) or abs(end) or 1.0)


# --- how well unknown inputs are told from known ones ---


def judge_unknown(known: np.ndarray, unknown: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """AUROC of scores of ``known`` [a] against ``unknown`` [b] inputs (higher: stranger), and its interval.

    The share of pairs in which the unknown input scores higher, ties half. Its variance is DeLong's (1988);
    the interval is Wilson's with the number of rows at which a proportion would have that variance, as it
    stays below 1 and does not shrink to nothing where all pairs are in order.

    Raises:
        SettingError: no scores of one kind, or scores that are not finite.
    """
    auroc, of_known, of_unknown = _placements(known, unknown)
    variance = _variance(of_known) + _variance(of_unknown)
    fewest, all_rows = min(len(of_known), len(of_unknown)), len(of_known) + len(of_unknown)
    rows = auroc * (1 - auroc) / variance if variance > 0 else fewest
    return auroc, *wilson(auroc, float(np.clip(rows, 1, all_rows)), level)


def judge_gain(
    known: np.ndarray,
    unknown: np.ndarray,
    known_plain: np.ndarray,
    unknown_plain: np.ndarray,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """By how much one score's AUROC is above a plain one's on the same inputs, and the interval of that.

    Source: DeLong, DeLong & Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver
    operating characteristic curves".

    Raises:
        SettingError: as `judge_unknown`, or the two scores are not of the same inputs.
    """
    if np.shape(known) != np.shape(known_plain) or np.shape(unknown) != np.shape(unknown_plain):
        raise SettingError("two scores of different inputs cannot be compared; give both for the same inputs.")
    auroc, of_known, of_unknown = _placements(known, unknown)
    plain, plain_known, plain_unknown = _placements(known_plain, unknown_plain)
    variance = _variance(of_known - plain_known) + _variance(of_unknown - plain_unknown)
    half = normal_quantile(level) * float(np.sqrt(variance))
    gain = auroc - plain
    return gain, gain - half, gain + half


def _placements(known: np.ndarray, unknown: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """AUROC; for each known input the share of unknown ones above it [a]; for each unknown that below [b]."""
    known, unknown = np.asarray(known, dtype=float), np.asarray(unknown, dtype=float)
    for name, values in (("known", known), ("unknown", unknown)):
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            what = "scores that are not finite" if values.size else "no scores"
            raise SettingError(f"the {name} inputs have {what}; both kinds need one finite score for each input.")
    ranks, is_known = Ranks(np.concatenate([known, unknown])), np.arange(len(known) + len(unknown)) < len(known)
    under = [ranks.below(one, equals=0.5) / one.sum() for one in (is_known * 1.0, ~is_known * 1.0)]
    return float(under[0][~is_known].mean()), 1 - under[1][is_known], under[0][~is_known]


def _variance(placements: np.ndarray) -> float:
    """Of their mean."""
    return float(placements.var(ddof=1) / len(placements)) if len(placements) > 1 else 0.0
