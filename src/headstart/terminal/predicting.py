"""From what a user hands to ``headstart predict`` to a table of answers."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.archive import is_archive
from headstart.data.formats import STDIN, decoded
from headstart.data.naming import TABLE_TYPES, extension, some
from headstart.data.source import open_source
from headstart.data.table import Fact, Rejected, remarks
from headstart.delivery.model import Model, Predictions
from headstart.errors import SettingError, SourceError
from headstart.files import write_atomically
from headstart.progress import Progress
from headstart.settings import SourceSettings
from headstart.terminal.writing import check_out
from headstart.unicode import writable

_NOUN = {"text": "text", "image": "path"}


@dataclass(frozen=True)
class Asked:
    """Inputs to label, with the names to show them by, and what could not be opened."""

    names: list[str]
    inputs: list[Any]
    rejected: list[Rejected]
    facts: list[Fact] = field(default_factory=list)  # what was passed over in folders and tables


def predict_to(
    run: Path,
    inputs: Sequence[str],
    *,
    column: str | None = None,
    probabilities: bool = False,
    out: Path | None = None,
    overwrite: bool = False,
    json_lines: bool = False,
    trust_remote_code: bool = False,
    progress: Progress,
) -> None:
    """Label ``inputs`` and write the table to ``out`` or stdout; unreadable inputs are listed on stderr.

    Raises:
        BundleError, SourceError: the model or an input cannot be opened, or no input is readable.
        OutputError: ``out`` exists, or cannot be written.
    """
    check_out(out, overwrite)
    model = Model.load(run, trust_remote_code=trust_remote_code)
    asked = gather(inputs, model.bundle.modality, column)
    if not asked.inputs and not asked.rejected:
        raise SourceError(f"nothing to label in {some(inputs)}: no line, file or row.")
    for fact in asked.facts:
        progress.say(f"{fact.what}: {fact.value} ({fact.reason})")
    said = model.predictions(asked.inputs, progress)
    rejected = asked.rejected + [Rejected(asked.names[row], reason) for row, reason in sorted(said.rejected.items())]
    for row in rejected:
        progress.say(f"not readable: {row.id} ({row.reason})")
    if said.reading is not None and said.reading.long:
        progress.say(said.reading.sentence)
    if len(said.rejected) == len(asked.inputs):
        first = f"; the first: {rejected[0].id} ({rejected[0].reason})" if rejected else ""
        raise SourceError(f"none of {len(rejected)} inputs is readable{first}.")
    rows = table(asked.names, said, model, probabilities)
    text = _json_lines(rows) if json_lines or (out is not None and out.suffix == ".jsonl") else _csv(rows)
    if out is None:
        sys.stdout.write(text)
    else:
        write_atomically(out, text)
        progress.say(f"{len(asked.inputs) - len(said.rejected):,} answers in {out}")


def gather(inputs: Sequence[str], modality: str, column: str | None) -> Asked:
    """Open every input: a path, "-" for lines of stdin, or (for text models) the text itself.

    Raises:
        SourceError: a path that does not exist for an image model; a source of another modality.
    """
    asked = Asked([], [], [])
    settings = SourceSettings(input=column, target=(), modality=modality)
    for given in inputs:
        if given == "-":
            _add_lines(asked, _lines_of_stdin(modality), modality)
        elif modality == "text" and not _is_path(given):
            _add_texts(asked, [given], modality)
        else:
            _add_source(asked, given, settings)
    return asked


def _lines_of_stdin(modality: str) -> list[str]:
    """The lines of stdin, whatever they end with; of a path the bytes are kept, a text must be UTF-8.

    Raises:
        SourceError: it is no text, or not in UTF-8.
    """
    raw = getattr(sys.stdin, "buffer", None)
    data = b"" if raw is None else raw.read()
    if b"\0" in data:
        raise SourceError(f"{STDIN} holds null bytes, so it is no text in UTF-8; give lines of text, or a file's name.")
    if raw is None:
        text = "".join(sys.stdin or ())
    else:
        text = os.fsdecode(data).removeprefix("\ufeff") if modality == "image" else decoded(STDIN, data)
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


def _add_lines(asked: Asked, lines: list[str], modality: str) -> None:
    """The lines as texts or paths; blank ones are listed, as long as there are others."""
    filled = [line for line in lines if line.strip()]
    _add_texts(asked, filled, modality)
    blank = [number for number, line in enumerate(lines, start=1) if not line.strip()] if filled else []
    asked.rejected.extend(Rejected(f"line {number} of {STDIN}", f"empty {_NOUN[modality]}") for number in blank)


def _is_path(given: str) -> bool:
    """Whether ``given`` is there, or is named like a data file; anything else, also nothing, is a text of its own."""
    named = extension(given) in TABLE_TYPES or is_archive(given)
    try:
        return (bool(given.strip()) and Path(given).exists()) or (named and not given.split()[1:])
    except (OSError, ValueError):  # a text too long for a path, or with a null character
        return False


def _add_texts(asked: Asked, lines: list[str], modality: str) -> None:
    asked.names.extend(lines)
    asked.inputs.extend(lines if modality == "text" else [str(Path(line)) for line in lines])


def _add_source(asked: Asked, given: str, settings: SourceSettings) -> None:
    try:
        opened = open_source(given, settings)
    except SettingError as error:  # the modality is the only setting that an input can be at odds with
        raise SourceError(f"{given} holds images, but this model takes {settings.modality}s.") from error
    table = opened.table
    whole = len(table) == 1 and Path(given).is_file() and table.modality == "image"
    asked.names.extend([given] if whole else [_name(given, str(i)) for i in table.ids])
    asked.inputs.extend(table.inputs)
    asked.facts.extend(remarks(opened.facts))
    asked.rejected.extend(replace(row, id=_name(given, row.id)) for row in opened.rejected)


def _name(given: str, row: str) -> str:
    """A row's id as the user would write it: below the folder given, or the table's own ROW."""
    return str(Path(given) / row) if Path(given).is_dir() else row


def table(names: list[str], said: Predictions, model: Model, probabilities: bool) -> Iterator[dict[str, Any]]:
    """One record an input, made as it is asked for: input, prediction, confidence, and a column a label on request."""
    task = model.bundle.task
    for row, name in enumerate(names):
        if row in said.rejected:
            continue
        answer, p = said.answers[row], said.probabilities[row]
        record: dict[str, Any] = {
            "input": writable(name),
            "prediction": list(answer) if isinstance(answer, tuple) else answer,
        }
        if task.name == "classification":
            record["confidence"] = round(float(p.max()), 4)
        if np.isfinite(said.unknown[row]):
            record["unknown"] = round(float(said.unknown[row]), 4)
        if model.bundle.caution.abstain is not None:
            record["answered"] = bool(said.answered[row])
        if probabilities and task.labels:
            record.update({f"p({label})": round(float(v), 4) for label, v in zip(task.labels, p, strict=True)})
        yield {key: value.item() if isinstance(value, np.generic) else value for key, value in record.items()}


def _json_lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(rows: Iterator[dict[str, Any]]) -> str:
    buffer, first = io.StringIO(), next(rows)
    writer = csv.DictWriter(buffer, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    for row in chain([first], rows):
        writer.writerow({k: ";".join(v) if isinstance(v, list) else v for k, v in row.items()})
    return buffer.getvalue()
