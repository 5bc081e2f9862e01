"""Folders of files of one modality: one subfolder a class, perhaps inside part folders; or files without labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headstart.data.labelling import label_facts, own_label
from headstart.data.naming import (
    ARCHIVE_TYPES,
    NOTE_TYPES,
    SUPPORTED,
    extension,
    is_hidden,
    modality_of,
    one_name_a_part,
    part_of,
    some,
)
from headstart.data.table import Fact, Opened, Rejected, Table, objects
from headstart.errors import ColumnError, SettingError, SourceError
from headstart.modalities import file_types, get
from headstart.settings import SourceSettings
from headstart.tasks import get as get_task
from headstart.unicode import writable

#: What is in a folder that headstart wrote: a run, an audit.
_OUTPUTS = ({"result.json", "report.html", "answers.parquet"}, {"audit.json", "audit.html"})


@dataclass(frozen=True)
class Listing:
    """What lies directly in a folder, each list sorted by name."""

    folders: list[str]
    files: list[str]
    odd: list[str]  # broken links, pipes, devices
    hidden: list[str]  # entries that begin with a dot, or that a system made

    @property
    def is_output(self) -> bool:
        """Whether headstart wrote the folder."""
        return any(names <= {*self.files} for names in _OUTPUTS)


def _is_vectors(name: str, beside: list[str]) -> bool:
    """Whether ``name`` is an array that `headstart embed` wrote, with the table of its rows ``beside`` it."""
    stem, kind = os.path.splitext(name)
    return kind == ".npy" and f"{stem}.rows.csv" in beside


def list_folder(path: Path) -> Listing:
    """The entries of a folder, told apart without opening or measuring any of them."""
    listing = Listing([], [], [], [])
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    listing.hidden.append(entry.name)
                    continue
                kind = listing.files if entry.is_file() else listing.folders if entry.is_dir() else listing.odd
                kind.append(entry.name)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    for names in (listing.folders, listing.files, listing.odd, listing.hidden):
        names.sort()
    return listing


def files_in(path: Path) -> Counter[str]:
    """Modality -> its files in a folder, however deep, that `open_file_folder` would read."""
    found: Counter[str] = Counter()
    for _, inside, files in os.walk(path):
        listing = Listing(inside, files, [], [])
        if listing.is_output:
            inside.clear()
            continue
        inside[:] = [name for name in inside if not is_hidden(name)]
        kept = (name for name in files if not is_hidden(name) and not _is_vectors(name, files))
        found.update(modality for name in kept if (modality := modality_of(name)))
    return found


@dataclass
class _Rows:
    """The rows found so far; a row's label is None where it lies in no class folder."""

    root: Path
    modality: str
    names: list[str] = field(default_factory=list)  # below the root, as the file system has them
    labels: list[str | None] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)  # names of class folders, once a part
    deep: dict[str, int] = field(default_factory=dict)  # folder inside a class folder -> its images
    hidden: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    beside: Counter[str] = field(default_factory=Counter)  # extension -> files that are no rows

    def add(self, prefix: str, listing: Listing, label: str | None, part: str) -> None:
        vectors = {name for name in listing.files if _is_vectors(name, listing.files)}
        self.outputs += [writable(prefix + name) for name in sorted(vectors)]
        own = [name for name in listing.files if modality_of(name) == self.modality and name not in vectors]
        self.names += [prefix + name for name in own]
        self.labels += [label] * len(own)
        self.parts += [part] * len(own)
        self.hidden += [prefix + name for name in listing.hidden]
        if len(own) + len(vectors) < len(listing.files):
            self._add_others(prefix, set(own), [f for f in listing.files if modality_of(f) != self.modality])
        self.reject(prefix, listing.odd, "no such file: a broken link, or not a plain file")

    def _add_others(self, prefix: str, own: set[str], others: Iterable[str]) -> None:
        """Notes, and files named after a row's that lies there too, are none; the rest would have been rows."""
        stems = {os.path.splitext(name)[0] for name in own} | own
        for name in others:
            if extension(name) in NOTE_TYPES or os.path.splitext(name)[0] in stems:
                self.beside[extension(name) or "without extension"] += 1
            else:
                self.reject(prefix, [name], f"not an {self.modality} file, by its extension")

    def reject(self, prefix: str, names: Iterable[str], reason: str) -> None:
        self.rejected += [Rejected(writable(prefix + name), reason) for name in names]

    def read_level(self, prefix: str, part: str) -> None:
        """Read a folder whose subfolders, if any, are the classes."""
        level = list_folder(self.root / prefix)
        self.add(prefix, level, None, part)
        for name in level.folders:
            before = len(self.names), len(self.outputs)
            self.read_all(f"{prefix}{name}/", own_label(name), part)
            if len(self.names) > before[0]:
                self.classes.append(name)
            elif len(self.outputs) == before[1]:
                self.empty.append(writable(f"{prefix}{name}"))

    def read_all(self, prefix: str, label: str | None, part: str = "", above: tuple[str, ...] = ()) -> None:
        """Read a folder and all folders in it; the files of those inside are counted apart."""
        inside, real = list_folder(self.root / prefix), os.path.realpath(self.root / prefix)
        if real in above:
            self.reject("", [prefix], "a link to a folder above it: not read")
            return
        if inside.is_output:
            self.outputs.append(writable(prefix))
            return
        before = len(self.names)
        self.add(prefix, inside, label, part)
        if above and len(self.names) > before:
            self.deep[writable(prefix.rstrip("/"))] = len(self.names) - before
        for name in inside.folders:
            self.read_all(f"{prefix}{name}/", label, part, (*above, real))

    def drop_unlabelled(self) -> None:
        """Where there are classes, a file in none of them is set aside."""
        if not any(self.labels):
            return
        loose = [i for i, label in enumerate(self.labels) if label is None]
        self.reject("", [self.names[i] for i in loose], "in no class folder")
        kept = [i for i, label in enumerate(self.labels) if label is not None]
        self.names = [self.names[i] for i in kept]
        self.labels = [self.labels[i] for i in kept]
        self.parts = [self.parts[i] for i in kept]


def open_file_folder(root: Path, settings: SourceSettings) -> Opened:
    """The files of a modality under ``root`` as a table; none of them is opened.

    Where there are files of several modalities, and none is asked for, the one with most of them is taken, and the
    others' are set aside.

    Args:
        root: ``class/file``, ``part/class/file``, ``part/file`` or plain files (then without targets). Files in
            folders inside a class folder are of that class.
        settings: only ``task`` and ``modality`` can apply; ``target=()`` reads every file, wherever it lies.

    Raises:
        SourceError: no file is found, all lie in folders inside the class folders, or the folder cannot be read.
        SplitError: two folders stand for the same part.
        ColumnError, SettingError: the settings name columns, or another task or modality.
    """
    check_no_columns(str(root), settings)
    there = files_in(root)
    asked = settings.modality if settings.modality in there else None
    rows = _Rows(root, asked or next((name for name, _ in there.most_common(1)), "image"))
    if settings.modality not in (None, rows.modality):
        raise SettingError(f"{root}: these are {rows.modality} files; modality {settings.modality!r} needs a table.")
    top = list_folder(root)
    parts = _part_folders(root, top)
    if settings.target == ():
        rows.read_all("", None)
    elif parts:
        for part, name in parts.items():
            rows.read_level(f"{name}/", part)
        rows.reject(
            "", (f for f in top.folders if f not in parts.values()), "beside the folders of the splits: not read"
        )
        rows.add("", Listing([], [], top.odd, top.hidden), None, "")
        rows.reject(
            "", (f for f in top.files if extension(f) not in NOTE_TYPES), "beside the folders of the splits: not read"
        )
        rows.beside.update(extension(f) for f in top.files if extension(f) in NOTE_TYPES)
    else:
        rows.read_level("", "")
    if not rows.names:
        raise SourceError(_nothing(root, top, rows))
    rows.drop_unlabelled()
    _check_depth(root, top, rows)
    return Opened(_table(rows), _facts(rows, parts), tuple(rows.rejected))


def _check_depth(root: Path, top: Listing, rows: _Rows) -> None:
    """`SourceError` where no class folder holds a file itself: the folders inside could be the classes as well."""
    if any(rows.labels) and sum(rows.deep.values()) == len(rows.names):
        folders = some(f"{folder} {count}" for folder, count in rows.deep.items())
        raise SourceError(
            f"{root}: no {rows.modality} found in its folders themselves, only in folders inside them ({folders}), so "
            f"it is unclear which are the classes; put the {get(rows.modality).plural} of each class into one folder."
            f"{_hint(root, top)}"
        )


def _hint(root: Path, top: Listing) -> str:
    """The only folder inside, where that may have been meant."""
    return f" Did you mean {root / top.folders[0]}?" if len(top.folders) == 1 and not part_of(top.folders[0]) else ""


def open_file(path: Path, settings: SourceSettings) -> Opened:
    """A single file of a modality as a table of one row without a target."""
    check_no_columns(str(path), settings)
    modality = modality_of(path.name)
    if settings.modality not in (None, modality):
        raise SettingError(f"{path}: this is an {modality} file; modality {settings.modality!r} needs a table.")
    rows = _Rows(path.parent, modality, [path.name], [None], [""])
    return Opened(_table(rows), (Fact("modality", modality, f"{path.name} is an {modality} file"),))


def check_no_columns(where: str, settings: SourceSettings) -> None:
    """Raise if settings ask of files what only a table can give."""
    asked = {"input": settings.input, "target": settings.target, "group": settings.group}
    asked |= {"slice": settings.slices, "split": settings.split, "weight": settings.weight}
    named = [f"--{name}" for name, value in asked.items() if value not in (None, ())]
    if named:
        raise ColumnError(f"{where}: files have no columns; drop {', '.join(named)}, or give a table of paths.")
    if settings.task is not None and not get_task(settings.task).exclusive:
        raise SettingError(f"{where}: a folder gives one class a file; task {settings.task!r} needs a table of them.")


def _part_folders(root: Path, top: Listing) -> dict[str, str]:
    """{part: folder}; {} where folders called "train" or "test" can only be classes among others."""
    named = [(name, part_of(name)) for name in top.folders if part_of(name)]
    alone = len(named) == len(top.folders)
    if not named or (not alone and not any(list_folder(root / name).folders for name, _ in named)):
        return {}
    return one_name_a_part(named, str(root))


def _nothing(root: Path, top: Listing, rows: _Rows) -> str:
    if not (top.folders or top.files or top.odd):
        return f"{root}: the folder is empty{_said_hidden(rows)}; supported: {SUPPORTED}."
    found = {extension(r.id) for r in rows.rejected} | {*rows.beside}
    archives = [name for name in top.files if name.lower().endswith(ARCHIVE_TYPES)]
    if archives:
        how = "give an archive by its own name, or extract it first"
        return f"{root}: no {_known()} file found, but {some(archives)}; {how}."
    names = sorted(name for name in found if name.startswith("."))
    but = f" (but {some(names)} files)" if names else ""
    return f"{root}: no {_known()} file found{but}{_said_hidden(rows)}; supported: {SUPPORTED}.{_hint(root, top)}"


def _known() -> str:
    """The modalities that files can be of, as in "image or audio"."""
    return " or ".join(sorted({*file_types().values()}, reverse=True))


def _said_hidden(rows: _Rows) -> str:
    passed = _passed_over(rows)
    return f", save those in {some(f'{name} ({count})' for name, count in passed.items())}" if passed else ""


def _passed_over(rows: _Rows) -> dict[str, int]:
    """Hidden entry -> the files in it; those that macOS writes beside others (._1.png) are none."""
    counts = {}
    for name in rows.hidden:
        path = os.path.join(rows.root, name)
        files = [[os.path.basename(name)]] if os.path.isfile(path) else (found for _, _, found in os.walk(path))
        count = sum(
            modality_of(f) == rows.modality and not f.startswith("._") for some_files in files for f in some_files
        )
        if count:
            counts[writable(name)] = count
    return counts


def _table(rows: _Rows) -> Table:
    base = os.path.abspath(rows.root)
    labelled = any(rows.labels)
    ids = [writable(name) for name in rows.names]
    if len(set(ids)) < len(ids):  # a name with escapes, and one that is written so
        twice = next(name for name, count in Counter(ids).items() if count > 1)
        raise SourceError(f"{writable(base)}: two files would be called {twice}; rename one of them.")
    return Table(
        ids=np.array(ids, dtype=str),
        inputs=objects(os.path.join(base, name) for name in rows.names),
        targets=objects(rows.labels) if labelled else None,
        split=np.array(rows.parts, dtype=str),
        modality=rows.modality,
        task="classification" if labelled else "",
    )


def _facts(rows: _Rows, parts: dict[str, str]) -> tuple[Fact, ...]:
    facts = [Fact("modality", rows.modality, f"{len(rows.names)} {rows.modality} files")]
    if any(rows.labels):
        names = sorted({str(label) for label in rows.labels})
        facts.append(Fact("task", "classification", f"the subfolders are the {len(names)} classes: {some(names)}"))
        facts += label_facts("folders", rows.classes)
    else:
        facts.append(Fact("target", "none", f"the {get(rows.modality).plural} lie in no class folders"))
    if parts:
        counts = Counter(rows.parts)
        found = ", ".join(f"{part} {counts[part]}" for part in parts)
        facts.append(Fact("split", found, f"given by the folders {', '.join(parts.values())}"))
    return (*facts, *_folder_facts(rows))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _folder_facts(rows: _Rows) -> list[Fact]:
    """What lies in the folders besides files of classes, each with its count."""
    facts, noun = [], get(rows.modality).noun
    if rows.deep and any(rows.labels):
        inside = some(f"{name} {count}" for name, count in rows.deep.items())
        inputs, folders = _counted(sum(rows.deep.values()), noun), _counted(len(rows.deep), "folder")
        value = f"{inputs} in {folders} inside class folders"
        facts.append(Fact("nested folders", value, f"read as of the class above them: {inside}"))
    if passed := _passed_over(rows):
        shown = some(f"{name} {count}" for name, count in passed.items())
        reason = f"in what begins with a dot or a system made: {shown}; rename a folder to have it read as a class"
        facts.append(Fact("not read", _counted(sum(passed.values()), f"hidden {noun}"), reason))
    if rows.beside:
        shown = some(f"{count} {kind}" for kind, count in rows.beside.most_common())
        facts.append(
            Fact(
                "not read",
                _counted(sum(rows.beside.values()), "other file"),
                f"beside the {get(rows.modality).plural}: {shown}",
            )
        )
    if rows.outputs:
        facts.append(Fact("not read", some(rows.outputs), "what headstart wrote there is no data"))
    if rows.empty:
        facts.append(Fact("empty folders", some(rows.empty), f"no {noun} in them: not taken for classes"))
    return facts
