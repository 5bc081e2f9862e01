"""Classes with a spread of one's choice."""

import numpy as np


def blobs(n=120, d=12, k=4, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    centres = np.random.default_rng(99).normal(size=(k, d)) * spread
    return (centres[y] + rng.normal(size=(n, d))).astype(np.float32), y


def turned(x, seed=3):
    """``x`` under a random rotation."""
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(x.shape[1],) * 2))[0]
    return (x @ axes).astype(np.float32)
