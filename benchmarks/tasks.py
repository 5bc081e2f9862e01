"""The tasks that strategies are compared on: cuts of real data sets, written as a user would have them.

Training rows are drawn with a seed; the test part is the same for every seed and every cut of a data set.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.examples import Example, Pool, capped, few
from benchmarks.pools import POOLS


@dataclass(frozen=True)
class Limits:
    """How large a task may get.

    Attributes:
        test: most test rows, drawn once, evenly over the classes.
        pictures: most training rows where they are pictures, which cost most to train on.
        classes: only the first so many; None: all.
    """

    test: int = 1_000
    pictures: int = 1_500
    classes: int | None = None


LIMITS, QUICK = Limits(), Limits(test=40, pictures=40, classes=4)


@dataclass(frozen=True)
class Task:
    """A data set, whole or cut to ``per_class`` training rows of every class."""

    data: str
    per_class: int | None = None

    @property
    def name(self) -> str:
        """``banking77`` or ``banking77-5``."""
        return self.data if self.per_class is None else f"{self.data}-{self.per_class}"


TASKS = tuple(
    Task(data, per_class)
    for data, cuts in {
        "hymenoptera": (None, 20, 10, 5),
        "banking77": (None, 20, 5),
        "clinc150": (None, 20, 5),  # whole: 100 a class, less texts that the test part has too
        "fsdd": (None, 100, 20, 5),
        "digits": (None, 100, 20, 5),
        "bccd": (None, 100, 20, 10, 5),
    }.items()
    for per_class in cuts
)
QUICK_TASKS = ("hymenoptera-5", "banking77-5")


@dataclass(frozen=True)
class Parts:
    """The rows of a task.

    Attributes:
        train: what is trained on.
        test: what is judged by.
        whole: training rows before any limit.
    """

    modality: str
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    whole: int


@dataclass(frozen=True)
class Built:
    """A task on disk: ``headstart fit source *arguments`` runs it."""

    source: Path
    arguments: tuple[str, ...]
    modality: str
    train_rows: int
    test_rows: int
    whole: int  # training rows before any limit


@cache
def _pool(data: str) -> Pool:
    return POOLS[data]()


def test_is(data: str) -> str:
    """What the test part of a data set is, in words."""
    return _pool(data).test_is


def parts(task: Task, seed: int = 0, limits: Limits = LIMITS) -> Parts:
    """The training rows drawn with ``seed``, and the test part, which does not depend on it.

    Raises:
        Unavailable: the data set is not here.
    """
    pool = _pool(task.data)
    labels = sorted({example.label for example in pool.train})[: limits.classes]
    known = [example for example in pool.train if example.label in labels]
    test = capped([example for example in pool.test if example.label in labels], limits.test, seed=0)
    drawn = known if task.per_class is None else few(known, task.per_class, seed)
    train = capped(drawn, limits.pictures, seed) if pool.modality == "image" else drawn
    return Parts(pool.modality, tuple(train), tuple(test), len(drawn))


def build(task: Task, folder: Path, seed: int = 0, limits: Limits = LIMITS) -> Built:
    """Write a task into ``folder``, which must not be there yet.

    Texts become CSV files, pictures class folders, and pictures in groups CSV files beside a folder.

    Raises:
        Unavailable: the data set is not here.
    """
    rows = parts(task, seed, limits)
    folder.mkdir(parents=True)
    grouped = any(example.group for example in rows.train)
    if rows.modality == "text":
        train, test = (_write_texts(folder / f"{name}.csv", part) for name, part in _named(rows))
        arguments = ["--input", "text", "--target", "label"]
    elif grouped:
        train, test = (_write_listed(folder, name, part) for name, part in _named(rows))
        arguments = ["--input", "path", "--target", "label", "--group", "group", "--task", "classification"]
    else:
        train, test = (_write_folders(folder / name, part) for name, part in _named(rows))
        arguments = []
    return Built(
        train,
        ("--test", str(test), *arguments),
        rows.modality,
        len(rows.train),
        len(rows.test),
        rows.whole,
    )


def _named(rows: Parts) -> tuple[tuple[str, tuple[Example, ...]], ...]:
    return ("train", rows.train), ("test", rows.test)


def _write_texts(path: Path, examples: Sequence[Example]) -> Path:
    return _write_csv(path, ("text", "label"), [(str(example.content), example.label) for example in examples])


def _write_listed(folder: Path, name: str, examples: Sequence[Example]) -> Path:
    """Pictures in one folder, and a CSV file that says label and group."""
    (folder / name).mkdir()
    files = [_write_picture(folder / name, f"{i:05}", example) for i, example in enumerate(examples)]
    rows = [
        (str(file.relative_to(folder)), example.label, example.group)
        for file, example in zip(files, examples, strict=True)
    ]
    return _write_csv(folder / f"{name}.csv", ("path", "label", "group"), rows)


def _write_folders(folder: Path, examples: Sequence[Example]) -> Path:
    """A folder a class."""
    for i, example in enumerate(examples):
        (folder / example.label).mkdir(parents=True, exist_ok=True)
        _write_picture(folder / example.label, f"{i:05}", example)
    return folder


def _write_picture(folder: Path, stem: str, example: Example) -> Path:
    """A copy of the file as it is, or what is drawn, as PNG."""
    if isinstance(example.content, Path):
        return Path(shutil.copy(example.content, folder / f"{stem}{example.content.suffix}"))
    if isinstance(example.content, str):
        raise TypeError(f"{example.key!r} is a text, not a picture")
    path = folder / f"{stem}.png"
    example.content().save(path, compress_level=1)
    return path


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
