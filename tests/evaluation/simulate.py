"""Made-up truth and probabilities for the tests of the evaluation room."""

import numpy as np


def answers(rng: np.random.Generator, y: np.ndarray, k: int, recall: np.ndarray | float) -> np.ndarray:
    """Probabilities [n, k] that are certain, and right in a ``recall`` share of each class's rows."""
    share = np.broadcast_to(recall, (k,))[y]
    predicted = np.where(rng.random(len(y)) < share, y, (y + rng.integers(1, k, len(y))) % k)
    return np.eye(k)[predicted]


def soft(rng: np.random.Generator, y: np.ndarray, k: int, strength: float = 2.0) -> np.ndarray:
    """Probabilities [n, k] of a fair model: softmax of noise, raised at the truth."""
    scores = rng.normal(size=(len(y), k)) + strength * np.eye(k)[y]
    p = np.exp(scores)
    return p / p.sum(axis=1, keepdims=True)
