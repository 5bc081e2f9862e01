"""Scores of any scale made comparable: how rare they are among held-out known inputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


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
    found: np.ndarray = -np.log1p(-share) + top
    return found


def share_below(held: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of ``held`` below each of ``values`` [n], by `surprise`: 0 to 1."""
    found: np.ndarray = -np.expm1(-surprise(held, values))
    return found


def together(held: Mapping[str, np.ndarray], scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean over ``scores`` (name -> [n]) of their surprise among ``held``: [n].

    Fisher's way of combining shares (1932). A mean of the shares themselves cannot heed a score that is far
    beyond all known inputs while another is in their middle, as probabilities of unknown inputs often are.
    """
    found: np.ndarray = np.mean([surprise(held[name], values) for name, values in scores.items()], axis=0)
    return found


def _width(end: float, middle: float) -> float:
    """Distance over which a tail falls to 1 / e."""
    return float(abs(end - middle) or abs(end) or 1.0)
