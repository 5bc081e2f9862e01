"""Labelled data on which a solved head makes mistakes, for whole runs on the tiny bases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests import toys


def texts(path: Path, count: int, *, sure: float = 0.65, seed: int = 0) -> Path:
    """A CSV ``text,label``; each word is of the text's own class with probability ``sure``."""
    rng = np.random.default_rng(seed)
    names = list(toys.WORDS)
    rows = []
    for i in range(count):
        own = i % 2
        picks = [names[own] if rng.random() < sure else names[1 - own] for _ in range(7)]
        rows.append([" ".join([*(rng.choice(toys.WORDS[pick]) for pick in picks), f"no{i}"]), names[own]])
    return toys.table(path, ["text", "label"], rows)


def pictures(folder: Path, count: int, *, seed: int = 0) -> Path:
    """Class subfolders of noise of 32 x 32, a little brighter in one than in the other."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        label, level = (("dusk", 110), ("noon", 135))[i % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        pixels = rng.normal(level + rng.normal(0, 20), 40, (32, 32, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{i:04}.png", compress_level=1)
    return folder
