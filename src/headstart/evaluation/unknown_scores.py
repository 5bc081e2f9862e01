"""How strange an input looks: known scores from probabilities and from features, higher stranger."""

from __future__ import annotations

import numpy as np

GAMMA, TOP = 0.1, 100  # GEN's power and the most probable classes it looks at, both as in its paper
NEIGHBOUR = 3  # k of k-NN; see docs/log.md
_BLOCK = 1_024  # rows whose similarities are held at once
_SAME = 1 - 1e-5  # cosine from which two rows are the same input


def max_softmax(p: np.ndarray) -> np.ndarray:
    """Minus the greatest of the probabilities ``p`` [n, k]: [n] (Hendrycks & Gimpel 2017)."""
    found: np.ndarray = -p.max(axis=1).astype(float)
    return found


def gen(p: np.ndarray, gamma: float = GAMMA, top: int = TOP) -> np.ndarray:
    """Generalised entropy of ``p`` [n, k]: sum of p^γ (1 − p)^γ over the ``top`` most probable classes, [n].

    Source: Liu, Lochman & Zach (2023), "GEN: pushing the limits of softmax-based out-of-distribution
    detection". For two classes it orders inputs as `max_softmax` does.
    """
    p = np.asarray(p, dtype=float)
    if p.shape[1] > top:
        p = np.partition(p, p.shape[1] - top, axis=1)[:, -top:]
    p = np.clip(p, 0.0, 1.0)
    found: np.ndarray = (p**gamma * (1 - p) ** gamma).sum(axis=1)
    return found


def joint_energy(p: np.ndarray) -> np.ndarray:
    """For labels with a probability each, ``p`` [n, k]: sum of log(1 − p), [n].

    Source: Wang et al. (2021), "Can multi-label classification networks know what they don't know?": minus the
    sum of log(1 + exp(logit)), which is the same.
    """
    p = np.asarray(p, dtype=float)
    found: np.ndarray = np.log1p(-np.clip(p, 0.0, 1 - 1e-12)).sum(axis=1)
    return found


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
