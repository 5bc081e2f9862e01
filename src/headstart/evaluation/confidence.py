"""What probabilities claim, row by row, and rows of like claims together."""

from __future__ import annotations

import numpy as np

from headstart.errors import SettingError


def confidences(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was claimed, and whether it was so (0/1): [n] of the most probable class, or [n · k] of every label."""
    y, p = np.asarray(y), np.asarray(p)
    if y.ndim == 1:
        return p.max(axis=1, initial=-np.inf).astype(float), (np.argmax(p, axis=1) == y).astype(float)
    return p.reshape(-1).astype(float), (y > 0.5).reshape(-1).astype(float)


def equal_mass(confidence: np.ndarray, bins: int) -> np.ndarray:
    """The bin [n] of each row, numbered from the least confident; equal confidences share one."""
    if bins < 1:
        raise SettingError(f"bins is {bins}; it must be at least 1, e.g. 15.")
    n = len(confidence)
    edges = np.unique(np.sort(confidence)[np.arange(bins) * n // bins])
    return np.asarray(np.searchsorted(edges, confidence, side="right") - 1)
