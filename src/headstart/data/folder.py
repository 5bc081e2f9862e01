"""Folders of images: one subfolder a class, perhaps inside part folders; or images without labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headstart.data.naming import (
    AUDIO_LATER,
    AUDIO_TYPES,
    IMAGE_TYPES,
    SUPPORTED,
    extension,
    is_hidden,
    one_name_a_part,
    part_of,
    some,
)
from headstart.data.table import Fact, Opened, Rejected, Table, objects
from headstart.errors import ColumnError, SettingError, SourceError
from headstart.settings import SourceSettings


@dataclass(frozen=True)
class Listing:
    """What lies directly in a folder, each list sorted by name; hidden entries are left out."""

    folders: list[str]
    files: list[str]
    odd: list[str]  # broken links, pipes, devices


def list_folder(path: Path) -> Listing:
    """The entries of a folder, told apart without opening or measuring any of them."""
    listing = Listing([], [], [])
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                kind = listing.files if entry.is_file() else listing.folders if entry.is_dir() else listing.odd
                kind.append(entry.name)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    for names in (listing.folders, listing.files, listing.odd):
        names.sort()
    return listing


@dataclass
class _Rows:
    """The rows found so far; a row's label is None where it lies in no class folder."""

    root: Path
    ids: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def add(self, prefix: str, listing: Listing, label: str | None, part: str) -> None:
        images = [name for name in listing.files if extension(name) in IMAGE_TYPES]
        self.ids += [prefix + name for name in images]
        self.labels += [label] * len(images)
        self.parts += [part] * len(images)
        if len(images) < len(listing.files):
            others = (name for name in listing.files if extension(name) not in IMAGE_TYPES)
            self.reject(prefix, others, "not an image file, by its extension")
        self.reject(prefix, listing.odd, "no such file: a broken link, or not a plain file")

    def reject(self, prefix: str, names: Iterable[str], reason: str) -> None:
        self.rejected += [Rejected(prefix + name, reason) for name in names]

    def read_level(self, prefix: str, part: str) -> None:
        """Read a folder whose subfolders, if any, are the classes."""
        level = list_folder(self.root / prefix)
        self.add(prefix, level, None, part)
        for name in level.folders:
            inside = list_folder(self.root / prefix / name)
            before = len(self.ids)
            self.add(f"{prefix}{name}/", inside, name, part)
            self.reject(f"{prefix}{name}/", inside.folders, "a folder inside a class folder is not read")
            if len(self.ids) == before:
                self.empty.append(f"{prefix}{name}")

    def drop_unlabelled(self) -> None:
        """Where there are classes, an image in none of them is set aside."""
        if not any(self.labels):
            return
        loose = [i for i, label in enumerate(self.labels) if label is None]
        self.reject("", [self.ids[i] for i in loose], "in no class folder")
        kept = [i for i, label in enumerate(self.labels) if label is not None]
        self.ids = [self.ids[i] for i in kept]
        self.labels = [self.labels[i] for i in kept]
        self.parts = [self.parts[i] for i in kept]


def open_image_folder(root: Path, settings: SourceSettings) -> Opened:
    """The images under ``root`` as a table; none of them is opened.

    Args:
        root: ``class/file``, ``part/class/file``, ``part/file`` or plain files (then without targets).
        settings: only ``task`` and ``modality`` can apply.

    Raises:
        SourceError: no image is found, or the folder cannot be read.
        SplitError: two folders stand for the same part.
        ColumnError, SettingError: the settings name columns, or another task or modality.
    """
    check_no_columns(str(root), settings)
    rows = _Rows(root)
    top = list_folder(root)
    parts = _part_folders(root, top)
    if parts:
        for part, name in parts.items():
            rows.read_level(f"{name}/", part)
        rows.reject("", (f for f in top.folders if f not in parts.values()), "beside the part folders: not read")
        rows.reject("", top.files, "beside the part folders: not read")
    else:
        rows.read_level("", "")
    if not rows.ids:
        raise SourceError(_no_images(root, top, rows))
    rows.drop_unlabelled()
    return Opened(_table(rows), _facts(rows, parts), tuple(rows.rejected))


def open_image_file(path: Path, settings: SourceSettings) -> Opened:
    """A single image file as a table of one row without a target."""
    check_no_columns(str(path), settings)
    rows = _Rows(path.parent, [path.name], [None], [""])
    return Opened(_table(rows), (Fact("modality", "image", f"{path.name} is an image file"),))


def check_no_columns(where: str, settings: SourceSettings) -> None:
    """Raise if settings ask of image files what only a table can give."""
    asked = {"input": settings.input, "target": settings.target, "group": settings.group}
    asked |= {"slice": settings.slices or None, "split": settings.split}
    named = [f"--{name}" for name, value in asked.items() if value]
    if named:
        raise ColumnError(f"{where}: image files have no columns; drop {', '.join(named)}, or give a table of paths.")
    if settings.modality not in (None, "image"):
        raise SettingError(f"{where}: these are image files; modality {settings.modality!r} needs a table.")
    if settings.task not in (None, "classification"):
        raise SettingError(f"{where}: a folder gives one class a file; task {settings.task!r} needs a table of them.")


def _part_folders(root: Path, top: Listing) -> dict[str, str]:
    """{part: folder}; {} where folders called "train" or "test" can only be classes among others."""
    named = [(name, part_of(name)) for name in top.folders if part_of(name)]
    alone = len(named) == len(top.folders)
    if not named or (not alone and not any(list_folder(root / name).folders for name, _ in named)):
        return {}
    return one_name_a_part(named, str(root))


def _no_images(root: Path, top: Listing, rows: _Rows) -> str:
    if not (top.folders or top.files or top.odd):
        return f"{root}: the folder is empty; supported: {SUPPORTED}."
    files = [r.id for r in rows.rejected]
    if any(extension(name) in AUDIO_TYPES for name in files):
        return f"{root}: the folder holds audio files; {AUDIO_LATER}."
    hint = f" Did you mean {root / top.folders[0]}?" if len(top.folders) == 1 and not part_of(top.folders[0]) else ""
    found = sorted({extension(name) for name in files} - {""})
    but = f" (but {some(found)} files)" if found else ""
    return f"{root}: no image found{but}; supported: {SUPPORTED}.{hint}"


def _table(rows: _Rows) -> Table:
    base = os.path.abspath(rows.root)
    labelled = any(rows.labels)
    return Table(
        ids=np.array(rows.ids, dtype=str),
        inputs=objects(os.path.join(base, name) for name in rows.ids),
        targets=objects(rows.labels) if labelled else None,
        split=np.array(rows.parts, dtype=str),
        modality="image",
        task="classification" if labelled else "",
    )


def _facts(rows: _Rows, parts: dict[str, str]) -> tuple[Fact, ...]:
    facts = [Fact("modality", "image", f"{len(rows.ids)} image files")]
    if any(rows.labels):
        names = sorted({str(label) for label in rows.labels})
        facts.append(Fact("task", "classification", f"the subfolders are the {len(names)} classes: {some(names)}"))
    else:
        facts.append(Fact("target", "none", "the images lie in no class folders"))
    if parts:
        counts = Counter(rows.parts)
        found = ", ".join(f"{part} {counts[part]}" for part in parts)
        facts.append(Fact("split", found, f"given by the folders {', '.join(parts.values())}"))
    if rows.empty:
        facts.append(Fact("empty folders", some(rows.empty), "no image in them: not taken for classes"))
    return tuple(facts)
