"""How much of what a base knew is left after its weights moved; the forgetting error is 1 − agreement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_CELLS = 1 << 20  # similarities held at once: 4 MiB, and twice as much for the indices of their order


def neighbour_agreement(before: np.ndarray, after: np.ndarray, k: int = 10) -> float:
    """The share of each input's ``k`` nearest neighbours that are still among its nearest, averaged.

    Args:
        before: [n, d] features of n inputs by the base; inputs the base was trained on, or any others.
        after: [n, d'] features of the same inputs by the adapted base.
        k: neighbours compared, by cosine, the input itself left out; reduced to (n − 1) // 2 on few inputs.

    Returns:
        1 where nothing was forgotten. Features that have nothing to do with one another share k / (n − 1) of
        their neighbours by chance: 0.01 for the default of 10 on 1,000 inputs, and at most 1/2. (With k = n − 1
        every input would be everybody's neighbour and the agreement always 1, hence the reduction.) nan for
        fewer than 3 inputs, or where a feature is not finite. Scaling or rotating all features changes nothing.

    Memory: 4 n d bytes for each set, and about 40 MiB. Time: O(n² d), for 5,000 inputs of 1,280 features
    a second or two.
    """
    before, after = np.asarray(before), np.asarray(after)
    _same_inputs(before, after)
    if k < 1:
        raise ValueError(f"k is {k}; at least one neighbour must be compared.")
    n = len(before)
    k = min(k, (n - 1) // 2)
    if k < 1 or not (np.isfinite(before).all() and np.isfinite(after).all()):
        return float("nan")
    kept = 0
    for one, other in zip(_neighbours(before, k), _neighbours(after, k), strict=True):
        kept += int((one[:, :, None] == other[:, None, :]).sum())  # [rows, k, k]; an index is in a row once
    return kept / (n * k)


def head_agreement(before_scores: np.ndarray, after_scores: np.ndarray) -> float:
    """The share of inputs on which the base's own head gives the same answer before and after.

    Args:
        before_scores: [n, classes] of the base's original classifier on the base's features.
        after_scores: the same classifier on the adapted base's features.

    Returns:
        1 where every answer stayed. By chance Σ pᶜ qᶜ, with pᶜ and qᶜ the shares of class c among the answers
        before and after: small for answers spread over many classes, near 1 where nearly all inputs get one
        answer. nan without inputs, or where a score is not finite.
    """
    before_scores, after_scores = np.asarray(before_scores), np.asarray(after_scores)
    _same_inputs(before_scores, after_scores)
    if before_scores.shape != after_scores.shape or before_scores.shape[1] < 2:
        raise ValueError(
            f"scores have shapes {before_scores.shape} and {after_scores.shape}; both must be [n, classes] with "
            f"the same two or more classes."
        )
    if not len(before_scores) or not (np.isfinite(before_scores).all() and np.isfinite(after_scores).all()):
        return float("nan")
    return float(np.mean(before_scores.argmax(axis=1) == after_scores.argmax(axis=1)))


def _same_inputs(before: np.ndarray, after: np.ndarray) -> None:
    if before.ndim != 2 or after.ndim != 2 or len(before) != len(after):
        raise ValueError(f"shapes are {before.shape} and {after.shape}; both must be two-dimensional with the same n.")


def _neighbours(x: np.ndarray, k: int) -> Iterator[np.ndarray]:
    """Indices [rows, k] of the nearest neighbours of some rows after others, until all of ``x`` [n, d] are done."""
    unit = np.array(x, np.float32)
    unit /= np.maximum(np.abs(unit).max(axis=1, keepdims=True, initial=0), np.float32(1e-30))  # squares stay finite
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), np.float32(1e-30))  # all zeros stay like nobody
    n = len(unit)
    step = max(1, _CELLS // n)
    for start in range(0, n, step):
        near = unit[start : start + step] @ unit.T  # [rows, n]
        rows = np.arange(len(near))
        near[rows, start + rows] = -np.inf
        yield np.argpartition(near, n - k, axis=1)[:, n - k :]
