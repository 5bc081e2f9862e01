"""Tables of texts or of image paths as Tables: CSV, TSV, JSON lines, Parquet."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.coding import code_targets
from headstart.data.formats import read_sheet
from headstart.data.infer import choose, file_name
from headstart.data.joining import join
from headstart.data.naming import extension, modality_of, part_of, some
from headstart.data.sheet import Choice, Reading, Sheet, Unreadable, as_number, as_text, is_empty
from headstart.data.table import PARTS, Columns, Fact, Opened, Rejected, Table, objects
from headstart.data.tagged import Tagger, as_input, documents, is_tagging, is_words, lists_words, words_of
from headstart.errors import ColumnError, SourceError
from headstart.modalities import Modality, get
from headstart.modalities.text.words import Words
from headstart.settings import SourceSettings
from headstart.unicode import writable


def open_tables(paths: dict[str, Path], settings: SourceSettings, like: Choice | None = None) -> Reading:
    """Table files as one table.

    Args:
        paths: part -> file; part "" for a table that is no given part.
        settings: which columns serve as what, where the user said so.
        like: an earlier source's choice, imposed on this one.

    Raises:
        SourceError, ColumnError, LabelError, SplitError: what is wrong with which file.
    """
    named = [*(settings.target or ()), *([settings.input] if settings.input else [])]
    named += (like.input, *like.targets) if like else ()
    return open_sheets([(part, read_sheet(path, named)) for part, path in paths.items()], settings, like)


def open_sheets(sheets: Sequence[tuple[str, Sheet]], settings: SourceSettings, like: Choice | None = None) -> Reading:
    """(part, sheet) pairs as one table; columns and task are inferred on the first, train if there."""
    sheets = sorted(sheets, key=lambda pair: PARTS.index(pair[0]) if pair[0] else -1)
    openeds: list[Opened] = []
    choice = like if like and like.firm else None
    tagger, (together, group_facts) = Tagger(), _documents(sheets, settings)
    for part, sheet in sheets:
        picked, facts = choose(sheet, settings, choice or like)
        opened = _open_sheet(sheet, picked, settings, part, tagger)
        if together:
            opened = replace(opened, table=replace(opened.table, groups=_of_documents(sheet, opened.table.ids)))
        # What was inferred on the first sheet holds for all; only a remark on the data is said again.
        said = facts if choice is None else []
        openeds.append(Opened(opened.table, (*sheet.facts, *said, *opened.facts), opened.rejected))
        choice = choice or picked
    table = join([opened.table for opened in openeds])
    all_facts = tuple(dict.fromkeys(fact for opened in openeds for fact in opened.facts))
    if choice is not None and choice.targets and is_tagging(choice.task):
        table, found = tagger.finish(
            table, where=some(sheet.name for _, sheet in sheets), strict=settings.strict, firm=like is not None
        )
        all_facts += found
    all_facts += group_facts
    if len(sheets) > 1 or sheets[0][0]:
        all_facts += (_part_fact(sheets, table),)
    rejected = tuple(r for opened in openeds for r in opened.rejected)
    columns = Columns(choice.input, choice.targets) if choice else None
    return Reading(Opened(table, all_facts, rejected, columns), choice, tuple(sheet for _, sheet in sheets))


def _part_fact(sheets: Sequence[tuple[str, Sheet]], table: Table) -> Fact:
    counts = Counter(table.split.tolist())
    if not any(part for part, _ in sheets):
        names = some(sheet.name for _, sheet in sheets)
        return Fact("files", str(len(sheets)), f"read as one, as none is named train, valid or test: {names}")
    return Fact(
        "split",
        ", ".join(f"{part} {counts[part]}" for part, _ in sheets),
        f"given by {', '.join(sheet.name for _, sheet in sheets)}",
    )


def _open_sheet(sheet: Sheet, choice: Choice, settings: SourceSettings, part: str, tagger: Tagger) -> Opened:
    own, tagging = get(choice.modality), bool(choice.targets) and is_tagging(choice.task)
    read = partial(_file_input, own) if own.files else _word_input if lists_words(choice) else _text_input
    inputs: list[Any] = []
    tags: list[Any] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    for row, value in enumerate(sheet.columns[choice.input]):
        if tagging:
            usable, told, reason = tagger.row(sheet, row, choice)
            tags += [] if reason else [told]
        else:
            usable, reason = read(value, sheet.folder)
        if reason:
            rejected.append(Rejected(sheet.row_id(row), reason))
        else:
            rows.append(row)
            inputs.append(usable)
    if not rows:
        raise SourceError(
            f"{sheet.name}: none of its {len(sheet)} rows is usable by column {choice.input!r}; "
            f"{rejected[0].id}: {rejected[0].reason}."
        )
    targets, facts = (None, ()) if tagging or not choice.targets else code_targets(sheet, choice, rows)
    targets = objects(tags) if tagging else targets
    table = Table(
        ids=np.array([sheet.row_id(row) for row in rows], dtype=str),
        inputs=objects(inputs),
        targets=targets,
        split=_split(sheet, choice, rows, part),
        modality=choice.modality,
        task=choice.task if choice.targets else "",
        groups=None if settings.group is None else _groups(sheet, settings.group, rows),
        slices={name: _strings(sheet.columns[name], rows) for name in settings.slices},
        weights=None if settings.weight is None else _weights(sheet, settings.weight, rows),
    )
    return Opened(table, facts, tuple(rejected))


def _documents(sheets: Sequence[tuple[str, Sheet]], settings: SourceSettings) -> tuple[bool, tuple[Fact, ...]]:
    """Whether rows are kept together by the documents that files mark, and what is said of it."""
    return (False, ()) if settings.group is not None else documents([sheet for _, sheet in sheets])


def _of_documents(sheet: Sheet, ids: np.ndarray) -> np.ndarray:
    """[n] str: the document of each row; one without any is its own."""
    values = sheet.columns.get(sheet.group)
    if values is None:
        return ids
    known = {sheet.row_id(row): str(value) for row, value in enumerate(values)}
    return np.array([known[row] for row in ids.tolist()], dtype=str)


def _word_input(value: Any, folder: Path) -> tuple[str, str]:
    """A text, or one of the words that a cell lists."""
    listed = isinstance(value, str) and not isinstance(value, Words) and value.strip()[:1] == "[" and words_of(value)
    return as_input(value) if listed or is_words(value) else _text_input(value, folder)


def _text_input(value: Any, folder: Path) -> tuple[str, str]:
    if isinstance(value, Unreadable) or is_words(value):
        return as_input(value)
    # A text may be the word "null" or "nan"; only None, NaN and blanks are nothing.
    empty = not value.strip() if isinstance(value, str) else is_empty(value)
    if empty:
        return "", "empty text"
    return (value, "") if isinstance(value, str) else (as_text(value), "")


def _file_input(modality: Modality, value: Any, folder: Path) -> tuple[Any, str]:
    found = modality.cell(value)
    if found is not None:
        return (found, "") if not isinstance(found, bytes) or found else ("", f"empty {modality.noun}")
    name, noun = file_name(value), modality.noun
    if not name:
        empty = is_empty(value) or value == b"" or (isinstance(value, dict) and value.get("bytes") == b"")
        return "", f"no {noun}: the cell is empty" if empty else f"no {noun}: neither a path nor an {modality.name}"
    path = os.path.abspath(os.path.join(folder, name))
    if not os.path.isfile(path):
        return "", f"no such file: {name}"
    if extension(name) and modality_of(name) != modality.name:
        return "", f"not an {modality.name} file, by its extension: {name}"
    return path, ""


def _split(sheet: Sheet, choice: Choice, rows: list[int], part: str) -> np.ndarray:
    if part or choice.split is None:
        return np.full(len(rows), part, dtype="U5")
    return np.array([part_of(sheet.columns[choice.split][row]) for row in rows], dtype="U5")


def _weights(sheet: Sheet, name: str, rows: list[int]) -> np.ndarray:
    """[len(rows)] float64 of the column ``name``."""
    found = [as_number(sheet.columns[name][row]) for row in rows]
    wrong = [row for row, weight in zip(rows, found, strict=True) if weight is None or not 0 <= weight < np.inf]
    if wrong:
        raise ColumnError(
            f"{sheet.name}: {len(wrong)} of {len(rows)} rows have no weight in column {name!r} "
            f"({some(map(sheet.row_id, wrong))}), such as {sheet.columns[name][wrong[0]]!r}; a weight is a number from "
            "0 on."
        )
    weights = np.array(found, np.float64)
    if not weights.any():
        raise ColumnError(f"{sheet.name}: every weight in column {name!r} is 0, so that no row would count.")
    return weights


def _strings(values: list[Any], rows: list[int]) -> np.ndarray:
    return np.array([writable(as_text(values[row])) for row in rows], dtype=str)


def _groups(sheet: Sheet, name: str, rows: list[int]) -> np.ndarray:
    values = sheet.columns[name]
    empty = [row for row in rows if is_empty(values[row])]
    if empty:
        raise ColumnError(
            f"{sheet.name}: {len(empty)} of {len(rows)} rows have no group in column {name!r} "
            f"({some(map(sheet.row_id, empty))}); fill them in, or give each of them a group of its own."
        )
    return _strings(values, rows)
