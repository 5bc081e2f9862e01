"""What benchmarks run on: real data sets where they are, small subsets of them, and generated pictures."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.benchmark import Options, Unavailable

_ROOT = Path(__file__).resolve().parents[1]
_QUICK_PHOTOS, _QUICK_CLASSES, _QUICK_TEXTS = 12, 5, 24  # photos a class and part; classes and texts a class


def real(name: str) -> Path:
    """The folder of the real data set ``name``.

    Raises:
        Unavailable: it is not there.
    """
    home = Path(os.environ.get("HEADSTART_DATA") or _ROOT.parent / "shared" / "data")
    if not (home / name).is_dir():
        raise Unavailable(f"real data {name!r} is not in {home}; set HEADSTART_DATA to the folder that holds it")
    return home / name


def hymenoptera(options: Options) -> Path:
    """Photos of ants and bees, ``train/`` and ``val/``; a few of each class where quick."""
    source = real("hymenoptera")
    if not options.quick:
        return source
    folder = options.scratch / "hymenoptera"
    for label in sorted(source.glob("*/*/")):
        to = folder / label.relative_to(source)
        to.mkdir(parents=True, exist_ok=True)
        for photo in sorted(label.glob("*.jpg"))[:_QUICK_PHOTOS]:
            shutil.copy(photo, to)
    return folder


def banking77(options: Options) -> Path:
    """Customer queries, ``train.csv`` and ``test.csv`` (text, category); a few classes where quick."""
    source = real("banking77")
    if not options.quick:
        return source
    folder = options.scratch / "banking77"
    folder.mkdir(exist_ok=True)
    for part in ("train.csv", "test.csv"):
        rows = read_csv(source / part)
        labels = sorted({row["category"] for row in rows})[:_QUICK_CLASSES]
        kept = [row for label in labels for row in [r for r in rows if r["category"] == label][:_QUICK_TEXTS]]
        with (folder / part).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["text", "category"])
            writer.writeheader()
            writer.writerows(kept)
    return folder


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pictures(folder: Path, count: int, seed: int = 0) -> Path:
    """``count`` different JPEGs of 256 x 256 pixels in 4 class folders; colour and coarseness tell the class."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        label = i % 4
        to = folder / f"class{label}"
        to.mkdir(parents=True, exist_ok=True)
        tint = np.full(3, 90.0) + 40.0 * np.eye(4, 3)[label]
        coarse = rng.normal(0, 40, (8 << label % 2, 8 << label % 2, 3)) + tint  # [8 or 16, 8 or 16, 3]
        small = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
        small.resize((256, 256), Image.Resampling.BICUBIC).save(to / f"{i:06}.jpg", quality=85)
    return folder
