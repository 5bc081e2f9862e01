"""Opening a source, whatever it is, as a table of examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.archive import extract, foreign_names, is_archive
from headstart.data.conll import TAG_TYPES, is_tagged_file, read_tagged_file, tagged_files
from headstart.data.folder import Listing, files_in, list_folder, open_file, open_file_folder
from headstart.data.formats import read_sheet
from headstart.data.hf_folder import is_saved_dataset, open_saved_dataset
from headstart.data.infer import check_settings
from headstart.data.joining import join, unique_ids
from headstart.data.memory import Memory, Source, source_name
from headstart.data.naming import (
    SUPPORTED,
    TABLE_TYPES,
    counted,
    extension,
    modality_of,
    one_name_a_part,
    part_of,
    some,
)
from headstart.data.sheet import Choice, Reading
from headstart.data.table import PARTS, Fact, Opened, Table, remarks
from headstart.data.tabular import open_sheets, open_tables
from headstart.errors import ColumnError, LabelError, SettingError, SourceError, SplitError, UserError, nearest
from headstart.files import as_path
from headstart.modalities import get
from headstart.settings import SourceSettings
from headstart.unicode import composed, writable

_DEFAULTS = SourceSettings()


def open_source(
    path: Source, settings: SourceSettings = _DEFAULTS, *, part: str = "", like: Choice | None = None
) -> Opened:
    """The examples at ``path`` with what was inferred about them and what was set aside.

    Args:
        path: a folder of images, an image, a table (CSV, TSV, JSON, JSON lines, Parquet), a folder of part tables
            (train.csv, test.csv), files with a word and its tags a line (CoNLL), a zip or tar of any of these, what
            ``datasets.save_to_disk`` wrote, or data in memory (see `headstart.data.memory.in_memory`).
        settings: what the user named; every None is inferred. ``target=()`` asks for no target at all.
        part: if given, every row belongs to this part whatever the source says.
        like: how an earlier source was read; see `Choice.firm`.

    Raises:
        SourceError, ColumnError, LabelError, SplitError, SettingError: what is wrong and what to do.
    """
    return read_source(path, settings, part=part, like=like).opened


def read_source(
    path: Source, settings: SourceSettings = _DEFAULTS, *, part: str = "", like: Choice | None = None
) -> Reading:
    """As `open_source`, with the tables as they were read."""
    return _read(path, settings, part, like)


def open_given(source: Source, valid: Source | None, test: Source | None, settings: SourceSettings) -> Opened:
    """As `open_sources`, which asks for labels, where more than one source is given, else as `open_source`."""
    if valid is None and test is None:
        return open_source(source, settings)
    return open_sources(source, valid=valid, test=test, settings=settings)


def open_sources(
    train: Source,
    *,
    valid: Source | None = None,
    test: Source | None = None,
    settings: SourceSettings = _DEFAULTS,
) -> Opened:
    """Up to three sources as one table; ``valid`` and ``test`` are read as ``train`` was.

    Rows of ``train`` keep the parts that it gives itself and are else "". An id that an earlier source has
    too is prefixed by its own source's name.

    Raises:
        SplitError: ``train`` brings the part that another source is given for.
        LabelError: a source has no labels.
        Otherwise as `open_source`.
    """
    main = _read(train, settings, "")
    table, facts, rejected = main.opened.table, main.opened.facts, main.opened.rejected
    if table.targets is None:
        how = "name the target column with --target"
        if isinstance(train, Memory):
            how = "give a pair (X, y)" if train.own else "name the target column with target="
        raise LabelError(f"{train}: no labels found{_why_none(facts)}; {how}.")
    for part, path in (("valid", valid), ("test", test)):
        if path is None:
            continue
        if (main.opened.table.split == part).any():
            raise SplitError(f"{train} already has a {part} split of its own; drop --{part} or remove that split.")
        # A table is read by the first one's choice; where that had no columns, only these two can be imposed.
        imposed = settings if main.choice else replace(settings, task=table.task, modality=table.modality)
        if part == "test":  # its rows are not learnt from
            imposed = replace(imposed, weight=None)
        extra = _read(path, imposed, part, main.choice).opened
        _check_alike(path, extra.table, table)
        facts += tuple(replace(fact, what=f"{part} {fact.what}") for fact in remarks(extra.facts))
        ids = unique_ids(extra.table.ids, table.ids, part if isinstance(path, Memory) else source_name(path))
        table = join([table, replace(extra.table, ids=ids)])
        facts += (
            Fact(
                f"{part} source",
                writable(str(path)),
                f"{counted(len(ids), 'row')}, all of them the {part} split",
            ),
        )
        rejected += extra.rejected
    return Opened(table, facts, rejected, main.opened.columns)


def _why_none(facts: tuple[Fact, ...]) -> str:
    return next((f" ({fact.reason})" for fact in facts if fact.value == "none" and "target" in fact.what), "")


def _check_alike(path: Source, extra: Table, main: Table) -> None:
    if extra.modality != main.modality:
        held, expected = get(extra.modality).plural, get(main.modality).plural
        raise SourceError(f"{path}: holds {held}, but the training source {expected}.")
    if extra.targets is not None and extra.task != main.task:
        raise LabelError(f"{path}: holds targets for {extra.task}, but the training source for {main.task}.")
    if extra.targets is None:
        raise LabelError(f"{path}: no labels found; the validation and test sets need labels as the training set does.")


def _read(path: Source, settings: SourceSettings, part: str, like: Choice | None = None) -> Reading:
    check_settings(settings)
    if part not in ("", *PARTS):
        raise SettingError(f"part {part!r} is unknown; it is one of {', '.join(PARTS)}.")
    if part:
        settings = replace(settings, split=None)
    if isinstance(path, Memory):
        reading = path.open(_composed(settings), like)
        return Reading(_forced(reading.opened, part), reading.choice) if part else reading
    try:
        place = as_path(path).expanduser()
    except SettingError as error:
        raise SourceError(str(error)) from error
    reading = _dispatch(place, _composed(settings), like)
    return replace(reading, opened=_forced(reading.opened, part)) if part else reading


def _composed(settings: SourceSettings) -> SourceSettings:
    """The settings with names of columns in the Unicode form that the columns of every table are given."""
    given = {name: getattr(settings, name) for name in ("input", "group", "split", "weight")}
    names: dict[str, Any] = {name: None if value is None else composed(value) for name, value in given.items()}
    return replace(
        settings,
        target=None if settings.target is None else tuple(map(composed, settings.target)),
        slices=tuple(map(composed, settings.slices)),
        **names,
    )


def _forced(opened: Opened, part: str) -> Opened:
    given = Counter(opened.table.split.tolist())
    others = [f"{name} {given[name]}" for name in PARTS if given[name] and name != part]
    facts = opened.facts
    if others:
        facts += (
            Fact(
                "split",
                f"all {part}",
                f"asked for; the source's own splits ({', '.join(others)}) are not used",
            ),
        )
    table = replace(opened.table, split=np.full(len(opened.table), part, dtype="U5"))
    return replace(opened, table=table, facts=facts)


def _dispatch(path: Path, settings: SourceSettings, like: Choice | None) -> Reading:
    if path.is_dir():
        return _folder(path, settings, like)
    if not path.exists():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise SourceError(f"{path}: no such file or folder.{nearest(path.name, siblings)}")
    kind = extension(path.name)
    if is_archive(path.name):
        return _archive(path, settings, like)
    if is_tagged_file(path):
        return _tagged([("", path)], settings, like)
    if kind in TABLE_TYPES:
        return open_tables({"": path}, settings, like)
    if kind == ".spacy":
        raise SourceError(
            f"{path.name}: a binary file of spaCy's; write its texts as JSON lines "
            '{"text": …, "entities": [[start, end, label]]}, with DocBin().from_disk(path).get_docs(nlp.vocab).'
        )
    if modality_of(path.name):
        return Reading(open_file(path, settings))
    raise SourceError(f"{path.name}: files of type {kind or 'no extension'} are not supported; supported: {SUPPORTED}.")


def _tagged(files: list[tuple[str, Path]], settings: SourceSettings, like: Choice | None) -> Reading:
    """Files with one word a line."""
    named = (*(settings.target or ()), *(like.targets if like else ()))
    return open_sheets([(part, read_tagged_file(path, named)) for part, path in files], settings, like)


def _archive(path: Path, settings: SourceSettings, like: Choice | None) -> Reading:
    inside = extract(path)
    try:
        reading = _inside(inside, settings, like)
    except UserError as error:
        # The user knows the archive, not where in the cache it was extracted to, and cannot name a folder in it.
        told = str(error).replace(str(inside), path.name)
        again = type(error)(told.partition(f" Did you mean {path.name}")[0])
        again.__dict__.update(error.__dict__)
        raise again from error
    foreign = foreign_names(path)
    if not foreign:
        return reading
    reason = f"nothing in {path.name} says how they are encoded: {some(foreign, 2)}; if they look wrong, pack it anew"
    fact = Fact("names", f"{len(foreign)} read as code page 437", reason)
    return replace(reading, opened=replace(reading.opened, facts=(*reading.opened.facts, fact)))


def _inside(folder: Path, settings: SourceSettings, like: Choice | None) -> Reading:
    """What was extracted; where a table beside the only folder cannot serve (metadata), the classes in that one."""
    try:
        return _folder(folder, settings, like)
    except ColumnError as error:
        listing = list_folder(folder)
        if len(listing.folders) != 1 or settings.input or settings.target:
            raise
        below = folder / listing.folders[0]
        if not _has_classes(below, list_folder(below)):
            raise
        reading = _folder(below, settings, like)
        aside = Fact("not read", some(listing.files), str(error).rpartition(";")[0])
        return replace(reading, opened=replace(reading.opened, facts=(*reading.opened.facts, aside)))


def _folder(path: Path, settings: SourceSettings, like: Choice | None) -> Reading:
    if is_saved_dataset(path):
        return open_saved_dataset(path, settings, like)
    listing = list_folder(path)
    tables = _tables(path, listing)
    if not tables and not files_in(path) and not _has_classes(path, listing):
        files, left = tagged_files(path, listing.files)
        if files:
            return _beside(_tagged(files, settings, like), left, "files beside those of the splits")
    parts = one_name_a_part([(n, part_of(n.split(".")[0])) for n in tables if part_of(n.split(".")[0])], str(path))
    if not parts and (not tables or _has_classes(path, listing) or _asks_for_files(path, tables, settings, like)):
        # With an earlier table, --input and --target speak of its columns.
        firm = like is not None and like.firm
        return Reading(open_file_folder(path, replace(settings, input=None, target=None) if firm else settings))
    if not parts and len(tables) > 1:
        raise SourceError(
            f"{path}: holds several tables ({some(tables)}); give one, or name them train, valid and test."
        )
    chosen = {part: path / name for part, name in parts.items()} or {"": path / tables[0]}
    reading = open_tables(chosen, settings, like)
    of_words = {name for name in listing.files if extension(name) in TAG_TYPES}
    others = sorted({*tables, *of_words} - {p.name for p in chosen.values()})
    return _beside(reading, others, "tables beside those of the splits")


def _beside(reading: Reading, others: list[str], what: str) -> Reading:
    """The ``reading`` with what is said of files that are not read."""
    if not others:
        return reading
    aside = Fact("not read", some(others), what)
    return replace(reading, opened=replace(reading.opened, facts=(*reading.opened.facts, aside)))


def _tables(path: Path, listing: Listing) -> list[str]:
    """The tables in a folder: of JSON, which is also what notes beside files are kept in, only where there is no
    other, or it is named as a split."""
    tables = [name for name in listing.files if extension(name) in TABLE_TYPES]
    of_words = {name for name in tables if extension(name) == ".tsv" and is_tagged_file(path / name)}
    tables = [name for name in tables if name not in of_words]
    plain = [name for name in tables if extension(name) != ".json" or part_of(name.split(".")[0])]
    return plain or ([] if listing.folders or files_in(path) else tables)


def _asks_for_files(path: Path, tables: list[str], settings: SourceSettings, like: Choice | None) -> bool:
    """Whether inputs alone are wanted of a folder with files: a table beside them is an answer or a note, unless it
    has the input column of the table that the model was made from."""
    in_tables = settings.modality is not None and not get(settings.modality).files
    if settings.target != () or settings.input is not None or in_tables or not files_in(path):
        return False
    if like is None:
        return True
    return not any(like.input in read_sheet(path / name, [like.input]).columns for name in tables)


def _has_classes(path: Path, listing: Listing) -> bool:
    """Whether there are several folders of files, or part folders: then a table beside them is no data."""
    if any(part_of(name) and list_folder(path / name).folders for name in listing.folders):
        return True
    holding = (any(modality_of(f) for f in list_folder(path / name).files) for name in listing.folders)
    return sum(holding) > 1
