"""Beliefs about the same bases put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.ranking.prior import Belief


def pooled(evidence: Sequence[Belief]) -> Belief:
    """Estimates that rest on the same rows as one, by covariance intersection with equal weights.

        1/v = Σ_k 1/(K v_k),  mean = v · Σ_k mean_k/(K v_k)

    Julier & Uhlmann 1997 ("A non-divergent estimation algorithm in the presence of unknown correlations"): the variance
    is not understated whatever the correlation of their errors, where plain inverse variance would halve it for two
    that err together. A base that one estimate says nothing of (nan) has the others'. Their levels must compare: see
    `levelled`.
    """
    means = np.array([one.mean for one in evidence], dtype=float)
    precision = np.array([_precision(one) for one in evidence])
    precision[~np.isfinite(means)] = 0.0
    told = np.maximum((precision > 0).sum(axis=0), 1)
    total = precision.sum(axis=0)
    weighted = (precision * np.where(np.isfinite(means), means, 0.0)).sum(axis=0)
    return Belief(_divided(weighted, total, 0.0), _divided(told.astype(float), total, np.inf))


def levelled(belief: Belief, like: Belief) -> Belief:
    """``belief`` moved as a whole to the mean level of ``like`` over the bases that both say something of.

    Two scores of one task differ in level, as nearest neighbours and a solved head do. Pooled as they are, with weights
    that differ from base to base, the difference of levels would count as one between bases.
    """
    apart = like.mean - belief.mean
    both = np.isfinite(apart)
    return Belief(belief.mean + (apart[both].mean() if both.any() else 0.0), belief.variance)


def combine(prior: Belief, evidence: Belief) -> Belief:
    """Prior and evidence by inverse variance.

    The prior m_b, v_b is of scores centred over bases; the evidence y_b, s_b² of scores as they are. With an unknown
    level L of the task, y_b = L + d_b + error, the level's weighted least squares estimate is

        L = Σ_b w_b (y_b - m_b) / Σ_b w_b,  w_b = 1 / (v_b + s_b²)

    and of each base, above or below it,

        1/v = 1/v_b + 1/s_b²,  d_b = v · (m_b/v_b + (y_b - L)/s_b²)

    The result is L + d_b with variance v: what is left of the level's uncertainty is common to all bases. Where
    nothing is known of a base, it has infinite variance.
    """
    one, other = _precision(prior), _precision(evidence)
    both = one + other
    weights = _divided(np.ones_like(both), prior.variance + evidence.variance, 0.0)
    weights[other == 0] = 0.0
    if not weights.any():  # no prior at all: every base's evidence is its own
        weights = other.copy()
    distance = evidence.mean - prior.mean
    level = float((weights * distance).sum() / weights.sum()) if weights.any() else 0.0
    pulled = one * prior.mean + other * (evidence.mean - level)
    return Belief(level + _divided(pulled, both, 0.0), _divided(np.ones_like(both), both, np.inf))


def _precision(belief: Belief) -> np.ndarray:
    """[bases] 1 / variance; 0 where that is infinite or no number."""
    variance = np.asarray(belief.variance, dtype=float)
    return _divided(np.ones_like(variance), np.where(np.isnan(variance), np.inf, np.maximum(variance, 1e-12)), 0.0)


def _divided(over: np.ndarray, under: np.ndarray, otherwise: float) -> np.ndarray:
    """``over / under``, and ``otherwise`` where that is not defined."""
    usable = np.isfinite(under) & (under > 0)
    return np.divide(over, under, out=np.full(np.shape(under), otherwise), where=usable)
