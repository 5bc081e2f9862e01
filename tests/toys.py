"""Small labelled data for whole runs; the words are those that the tiny text base knows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.conftest import _TINTS, _toy_image

WORDS = {
    "pets": ["cat", "dog", "sat", "ran", "mat", "log"],
    "post": ["my", "card", "parcel", "late", "lost", "new", "old"],
}
PATTERNS = tuple(_TINTS)


def picture(label: str, seed: int) -> Image.Image:
    """One picture of ``label``, no two seeds alike."""
    return _toy_image(label, np.random.default_rng(seed))


def pictures(per_class: int, labels: Sequence[str] = PATTERNS) -> tuple[list[Image.Image], list[str]]:
    """Pictures and their labels, the classes in turn."""
    names = list(labels) * per_class
    return [picture(name, seed) for seed, name in enumerate(names)], names


def image_folder(folder: Path, per_class: int, first: int = 0) -> Path:
    """A subfolder a class; ``first`` is where the seeds start, so that parts can differ."""
    for number, label in enumerate(PATTERNS):
        (folder / label).mkdir(parents=True)
        for i in range(per_class):
            picture(label, first + 1000 * number + i).save(folder / label / f"{i:03}.png")
    return folder


def sentence(label: str, seed: int) -> str:
    """Six words of ``label`` and a number that makes the text one of its kind."""
    return " ".join([*np.random.default_rng(seed).choice(WORDS[label], 6), f"no{seed}"])


def sentences(per_class: int, labels: Sequence[str] = ("pets", "post")) -> tuple[list[str], list[str]]:
    """Texts and their labels, the classes in turn."""
    names = list(labels) * per_class
    return [sentence(name, seed) for seed, name in enumerate(names)], names


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Path:
    """A CSV (or TSV) file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def text_table(path: Path, per_class: int) -> Path:
    """A CSV with the columns ``text,label``."""
    return table(path, ["text", "label"], zip(*sentences(per_class), strict=True))
