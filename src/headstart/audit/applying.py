"""A cleaned table: the rows worth keeping, and beside it the rows left out with the reason. No file is deleted."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.audit.finding import Finding
from headstart.data.table import Table
from headstart.errors import SettingError
from headstart.modalities import get
from headstart.modalities.text.words import as_words
from headstart.settings import SourceSettings
from headstart.tasks import get as get_task
from headstart.unicode import is_valid, writable

_LISTED_BY = ";"  # what a table of several labels a cell is first tried with
_KEPT_FIRST = ("test", "valid", "train", "")  # of copies in several parts, the one that others are compared by stays


@dataclass(frozen=True)
class Left:
    """A row left out: its number, the finding that says so, and the reason."""

    row: int
    finding: str
    reason: str


def left_out(table: Table, findings: Sequence[Finding]) -> list[Left]:
    """Which rows of ``table`` a cleaned table leaves out, each once, in their order.

    Copies but for one (that in test, else valid, else the first), copies in training of what is tested on, copies
    whose labels contradict each other, and inputs that show nothing. Doubted labels, outliers and near duplicates
    inside one part stay: only a look can tell.
    """
    row_of = {str(name): row for row, name in enumerate(table.ids)}
    found: dict[int, Left] = {}
    for finding in findings:
        rows = [row_of[name] for name in finding.rows if name in row_of]
        for row in _dropped(table, finding, rows):
            found.setdefault(row, Left(row, finding.id, _reason(finding)))
    return [found[row] for row in sorted(found)]


def _dropped(table: Table, finding: Finding, rows: list[int]) -> list[int]:
    if finding.kind == "constant":
        return rows
    if finding.kind == "label" and finding.evidence.get("because") == "copies" and finding.severity == "error":
        return rows
    if finding.kind == "duplicate":
        return rows[1:]
    if finding.kind == "leak":
        ranks = [_KEPT_FIRST.index(str(table.split[row])) for row in rows]
        return [row for row, rank in zip(rows, ranks, strict=True) if rank > min(ranks)]
    return []


def _reason(finding: Finding) -> str:
    return {
        "constant": "shows nothing",
        "label": "copies with contradicting labels",
        "duplicate": "copy of a row that is kept",
        "leak": "copy of a row in another split",
    }[finding.kind]


def applicable(table: Table) -> bool:
    """Whether a cleaned table can be written of ``table``."""
    try:
        check_applicable(table)
    except SettingError:
        return False
    return True


def cleaned_settings(table: Table) -> SourceSettings:
    """How the cleaned table of ``table`` is to be read."""
    columns = [name for name in _columns(table, Path()) if name not in table.slices]
    first, own = columns[0], {"split", "group"}
    return SourceSettings(
        input=first,
        target=tuple(name for name in columns[1:] if name not in own) or None,
        group="group" if table.groups is not None else None,
        split="split" if (table.split != "").any() else None,
        task=table.task or None,
        slices=tuple(table.slices),
    )


def check_applicable(table: Table) -> None:
    """`SettingError` if rows of ``table`` cannot be written to a table of text."""
    if get(table.modality).files and not all(isinstance(value, str) for value in table.inputs):
        raise SettingError(
            "--apply writes a table of paths, but these inputs lie inside the source itself; extract them to files, "
            "or remove the rows that findings.csv names."
        )
    odd = next((value for value in table.inputs if isinstance(value, str) and not is_valid(value)), None)
    if odd is not None:
        raise SettingError(
            f"--apply writes a table in UTF-8, which {writable(odd)} cannot be named in; rename the file."
        )


def cleaned_csv(table: Table, left: Iterable[Left], folder: Path) -> str:
    """The rows of ``table`` that are kept, as CSV; paths are relative to ``folder``, where it is to lie.

    Columns: path or text, label (several labels a row: parted by ";", or a 0/1 column each where a row has none; of a
    label a word: tokens and tags, as lists),
    split where parts are given, group where there are groups, and the slices.
    """
    kept = np.ones(len(table), dtype=bool)
    kept[[one.row for one in left]] = False
    columns = _columns(table, folder)
    rows = ([column[row] for column in columns.values()] for row in np.flatnonzero(kept).tolist())
    return _csv([tuple(columns), *rows])


def _columns(table: Table, folder: Path) -> dict[str, list[Any]]:
    if get(table.modality).files:
        columns: dict[str, list[Any]] = {"path": [os.path.relpath(path, folder) for path in table.inputs]}
    else:
        columns = {"text": table.inputs.tolist()}
    if table.targets is not None and get_task(table.task).each:
        columns = _words(table)
    elif table.targets is not None:
        columns |= _tags(table) if get_task(table.task).several else {"label": table.targets.tolist()}
    if (table.split != "").any():
        columns["split"] = np.where(table.split == "", "train", table.split).tolist()
    if table.groups is not None:
        columns["group"] = table.groups.tolist()
    return columns | {name: values.tolist() for name, values in table.slices.items() if name not in columns}


def _words(table: Table) -> dict[str, list[Any]]:
    """Words and their tags, each row's as a list in JSON."""
    targets: Iterable[Any] = [] if table.targets is None else table.targets
    rows = {"tokens": [as_words(text).tokens for text in table.inputs], "tags": [list(one) for one in targets]}
    return {name: [json.dumps(one, ensure_ascii=False) for one in lists] for name, lists in rows.items()}


def _tags(table: Table) -> dict[str, list[Any]]:
    """Sets of labels as one column of lists, or a column of 0 and 1 a label where a list could not be read again."""
    sets = [] if table.targets is None else table.targets.tolist()
    names = sorted({label for row in sets for label in row})
    if all(sets) and not any(_LISTED_BY in name for name in names):
        return {"label": [_LISTED_BY.join(row) for row in sets]}
    taken = {"path", "text", "split", "group", *table.slices}.intersection(names)
    if taken:
        raise SettingError(
            f"--apply: label {min(taken)!r} is also the name of a column; rename the label or the slice."
        )
    return {name: [int(name in row) for row in sets] for name in names}


def left_csv(table: Table, left: Iterable[Left]) -> str:
    """The rows left out as CSV: id, reason, finding."""
    return _csv([("row", "reason", "finding"), *((table.ids[one.row], one.reason, one.finding) for one in left)])


def findings_csv(findings: Sequence[Finding]) -> str:
    """One line a finding and row: id, kind, severity, row, given and suggested label, sentence, suggestion."""
    lines: list[Sequence[Any]] = [
        ("finding", "kind", "severity", "row", "given", "suggested", "sentence", "suggestion")
    ]
    for one in findings:
        given, suggested = "; ".join(one.evidence.get("given", ())), one.evidence.get("suggested", "")
        for row in one.rows or ("",):
            lines.append((one.id, one.kind, one.severity, row, given, suggested, one.sentence, one.suggestion))
    return _csv(lines)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
