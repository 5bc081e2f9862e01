"""The data sets that tasks are drawn from, each with a test part that never changes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.data import read_csv, real
from benchmarks.examples import Example, Pool, capped
from benchmarks.spectrogram import spectrogram

SIDE = 224  # pixels of drawn pictures
HELD_OUT_SPEAKERS = ("theo", "yweweler")
_DIGITS_TEST = 497  # leaves 1,300 to train on
_CELL_TRAIN, _CELL_TEST = 150, 50  # crops a class
_CELL_LEAST = 16  # pixels; a few boxes have no area


def hymenoptera() -> Pool:
    """Photos of ants and bees; one GIF in the training folder is left out."""
    source = real("hymenoptera")
    train, test = (
        [
            Example(f"{folder}/{path.parent.name}/{path.name}", path.parent.name, path)
            for path in sorted(source.glob(f"{folder}/*/*.jp*g"))
        ]
        for folder in ("train", "val")
    )
    return Pool("image", tuple(train), tuple(test), "its val/ folder")


def banking77() -> Pool:
    """Customer queries, 77 intents."""
    source = real("banking77")
    train, test = (
        [Example(f"{part}/{i:05}", row["category"], row["text"]) for i, row in enumerate(read_csv(source / part))]
        for part in ("train.csv", "test.csv")
    )
    return _texts(train, test, "its test.csv")


def clinc150() -> Pool:
    """Requests to an assistant, 150 intents; rows out of scope and the given validation part are left out."""
    rows = read_csv(real("clinc150") / "utterances.csv")
    train, test = (
        [Example(f"{i:05}", row["intent"], row["text"]) for i, row in enumerate(rows) if row["split"] == part]
        for part in ("train", "test")
    )
    return _texts(train, test, "its test split, in-scope rows")


def _texts(train: list[Example], test: list[Example], test_is: str) -> Pool:
    """A pool of texts without the training rows whose text is in the test part too."""
    tested = {_plain(example) for example in test}
    kept = [example for example in train if _plain(example) not in tested]
    return Pool("text", tuple(kept), tuple(test), test_is)


def _plain(example: Example) -> str:
    return " ".join(str(example.content).casefold().split())


def fsdd() -> Pool:
    """Spoken digits as spectrograms; training speakers are groups, and two other speakers are the test part."""
    source = real("fsdd")
    spoken = [
        Example(row["path"], row["digit"], partial(spectrogram, source / row["path"], SIDE), row["speaker"])
        for row in read_csv(source / "labels.csv")
    ]
    train = [example for example in spoken if example.group not in HELD_OUT_SPEAKERS]
    test = [example for example in spoken if example.group in HELD_OUT_SPEAKERS]
    return Pool("image", tuple(train), tuple(test), f"two speakers held out, {' and '.join(HELD_OUT_SPEAKERS)}")


def digits() -> Pool:
    """scikit-learn's handwritten digits of 8 x 8 pixels, enlarged."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    written = [
        Example(f"{i:05}", str(label), partial(_enlarged, pixels))
        for i, (pixels, label) in enumerate(zip(loaded.images, loaded.target, strict=True))
    ]
    test = capped(written, _DIGITS_TEST, seed=0)
    held_out = {example.key for example in test}
    train = [example for example in written if example.key not in held_out]
    return Pool("image", tuple(train), tuple(test), f"{_DIGITS_TEST} drawn once; the same writers on both sides")


def _enlarged(pixels: np.ndarray) -> Image.Image:
    """Pixels [8, 8] of 0 to 16, as a grey picture."""
    small = Image.fromarray((pixels * 255 / 16).astype(np.uint8))
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def bccd() -> Pool:
    """Blood cells cut out of photos by their boxes: at most one a class and photo, so that none overlap."""
    source = real("bccd")
    train, test = (
        _even([cell for name in _names(source, part) for cell in _cells(source, name)], per_class)
        for part, per_class in (("trainval", _CELL_TRAIN), ("test", _CELL_TEST))
    )
    return Pool("image", tuple(train), tuple(test), f"at most {_CELL_TEST} a class, from the photos of its test list")


def _even(cells: list[Example], per_class: int) -> list[Example]:
    """At most ``per_class`` of every class."""
    labels = sorted({cell.label for cell in cells})
    return [cell for label in labels for cell in capped([c for c in cells if c.label == label], per_class, seed=0)]


def _names(source: Path, part: str) -> list[str]:
    """The photos of one of the given lists."""
    return (source / "ImageSets" / "Main" / f"{part}.txt").read_text(encoding="utf-8").split()


def _cells(source: Path, name: str) -> list[Example]:
    """The first box of each class in one photo."""
    found: dict[str, Example] = {}
    for cell in ElementTree.parse(source / "Annotations" / f"{name}.xml").iter("object"):
        label = cell.findtext("name", "")
        left, top, right, bottom = (int(cell.findtext(f"bndbox/{side}", "0")) for side in _BOX)
        if label not in found and min(right - left, bottom - top) >= _CELL_LEAST:
            draw = partial(_cut, source / "JPEGImages" / f"{name}.jpg", (left, top, right, bottom))
            found[label] = Example(f"{name}-{label}", label, draw)
    return list(found.values())


_BOX = ("xmin", "ymin", "xmax", "ymax")


def _cut(path: Path, box: tuple[int, int, int, int]) -> Image.Image:
    with Image.open(path) as photo:
        return photo.convert("RGB").crop(box)


#: Pools by name.
POOLS: dict[str, Callable[[], Pool]] = {
    pool.__name__: pool for pool in (hymenoptera, banking77, clinc150, fsdd, digits, bccd)
}
