"""An audit from source to page: rows read, features once, everything looked for, findings written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from headstart.audit.applying import (
    Left,
    applicable,
    check_applicable,
    cleaned_csv,
    cleaned_settings,
    findings_csv,
    left_csv,
    left_out,
)
from headstart.audit.audit import Audit, Rows, audit, in_order
from headstart.audit.finding import Finding
from headstart.audit.overlap import overlap_by_hash, overlap_by_sample, read_hashes
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.data.memory import Memory, Source
from headstart.data.source import open_given, open_source
from headstart.data.table import Opened, Rejected, Table
from headstart.errors import OutputError, SourceError
from headstart.files import shown_path, write_atomically
from headstart.flow.clock import Clock
from headstart.flow.command import audit_command, fit_command
from headstart.modalities import get
from headstart.progress import Progress
from headstart.report.audit_page import PAGE_CARDS, AuditPage, PageTopic, build
from headstart.settings import FitSettings, SourceSettings
from headstart.training.features import extract
from headstart.training.reading import read_as

_FILES = {"audit.html", "audit.json", "findings.csv", "cleaned.csv", "left_out.csv"}


def audit_source(
    source: Source,
    *,
    settings: SourceSettings | None = None,
    valid: Source | None = None,
    test: Source | None = None,
    base: str | None = None,
    out: str | Path | None = None,
    apply: bool = False,
    pretraining_sample: str | Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Look through ``source`` before anything is learnt from it.

    Given test parts are read too: for what is wrong with the data, never to choose a model. Where ``out`` is given,
    audit.html, findings.csv and audit.json are written there, and with ``apply`` cleaned.csv (the rows to keep) and
    left_out.csv (the others and why); nothing that was there before is deleted.

    Raises:
        UserError: anything about the input, the settings or the output that the user can mend.
    """
    progress, clock = progress or Progress(), Clock()
    folder = None if out is None else Path(out).absolute()
    _check(source, folder, apply, overwrite)
    hashes = None if pretraining_sample is None else read_hashes(_existing(pretraining_sample))
    settings = settings or SourceSettings()
    with clock.step("open"), progress.stage("reading the data"):
        opened = open_given(source, valid, test, settings)
        if apply:
            check_applicable(opened.table)
    known = read_as(open_base(base, opened.table.modality), opened.table)
    opened = replace(opened, facts=opened.facts + known.facts)
    with clock.step("features"), progress.stage("features"):
        rows = _rows(opened, known, progress)
    with clock.step("looking"), progress.stage("looking for duplicates, leaks and label mistakes"):
        found = audit(rows, str(source), opened.facts, seed)
    if pretraining_sample is not None:
        with clock.step("pre-training sample"), progress.stage("pretraining sample"):
            overlap = _overlap(rows, known, Path(pretraining_sample), hashes, progress)
        found = replace(found, findings=in_order([*found.findings, *overlap]))
    left = left_out(rows.table, found.findings) if apply else None
    asked = _Asked(source, settings, valid, test, base, seed, folder)
    next_step = _next_step(asked, rows.table, found, left)
    counted = None if left is None else len(left)
    found = replace(found, left_out=counted, seconds=dict(clock.seconds), next_step=next_step)
    if folder is not None:
        _write(folder, found, rows.table, left)
    return found


@dataclass(frozen=True)
class _Asked:
    """What an audit was asked to look through."""

    source: Source
    settings: SourceSettings
    valid: Source | None
    test: Source | None
    base: str | None
    seed: int
    folder: Path | None


def _next_step(asked: _Asked, table: Table, found: Audit, left: list[Left] | None) -> str:
    """The command to go on with: a fit on what was cleaned, the cleaning where it would leave rows out, or a fit."""
    if table.targets is None:
        return ""
    given = (asked.source, asked.valid, asked.test)
    if left is not None and asked.folder is not None:
        cleaned = shown_path(asked.folder / "cleaned.csv")
        return fit_command(cleaned, cleaned_settings(table), asked.base, seed=asked.seed)
    in_memory = any(isinstance(one, Memory) for one in given)
    if asked.folder is not None and not in_memory and applicable(table) and left_out(table, found.findings):
        fit = FitSettings(source=asked.settings, base=asked.base)
        return audit_command(asked.source, fit, valid=asked.valid, test=asked.test, again=shown_path(asked.folder))
    return fit_command(asked.source, asked.settings, asked.base, valid=asked.valid, test=asked.test, seed=asked.seed)


def _check(source: Source, folder: Path | None, apply: bool, overwrite: bool) -> None:
    """Everything about the output that can be wrong, before any work."""
    if folder is None:
        if apply:
            raise OutputError("--apply writes cleaned.csv, so it needs a folder to write to; pass --out FOLDER.")
        return
    here = None if isinstance(source, Memory) else Path(source).expanduser().absolute()
    if here is not None and (here == folder or folder in here.parents):
        raise OutputError(f"{source} lies in {folder}, where the audit would be written; choose another --out.")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or not {entry.name for entry in folder.iterdir()} <= _FILES:
        raise OutputError(f"{folder} holds other things than an audit, so it is left alone; choose another --out.")
    if not overwrite:
        raise OutputError(f"{folder} holds an earlier audit; pass --overwrite to replace it, or another --out.")


def _existing(path: str | Path) -> Path:
    if not Path(path).exists():
        raise SourceError(f"--pretraining-sample {path}: no such file or folder.")
    return Path(path)


def _rows(opened: Opened, base: Base, progress: Progress) -> Rows:
    """The readable rows with their features; the others as set aside."""
    table = opened.table
    features = extract(base, table.inputs, classical=True, progress=progress)
    rejected = opened.rejected + tuple(
        Rejected(str(table.ids[row]), reason) for row, reason in sorted(features.rejected.items())
    )
    kept = features.kept
    if not kept.any():
        first = rejected[0]
        raise SourceError(f"none of the {len(table)} rows is usable; the first is {first.id} ({first.reason}).")
    classical = None if features.classical is None else features.classical[kept]
    return Rows(table.take(kept), features.keys[kept], features.vectors[kept], classical, rejected)


def _overlap(
    rows: Rows, base: Base, sample: Path, hashes: frozenset[str] | None, progress: Progress
) -> Sequence[Finding]:
    if hashes is not None:
        return overlap_by_hash(rows.table, rows.keys, hashes, sample.name)
    opened = open_source(sample, SourceSettings(target=()) if sample.is_file() else SourceSettings())
    if opened.table.modality != rows.table.modality:
        raise SourceError(
            f"--pretraining-sample {sample}: holds {get(opened.table.modality).plural}, but the data "
            f"{get(rows.table.modality).plural}."
        )
    features = extract(base, opened.table.inputs, classical=True, progress=progress)
    kept, shapes = features.kept, get(rows.table.modality).shapes
    inputs, keys, vectors = opened.table.inputs[kept], features.keys[kept], features.vectors[kept]
    own, others = shapes(rows.classical), shapes(features.classical)
    small = None if own is None or others is None else (own, others[kept])
    return overlap_by_sample(rows.table, rows.keys, rows.vectors, inputs, keys, vectors, sample.name, small)


def _write(folder: Path, found: Audit, table: Table, left: list[Left] | None) -> None:
    """All files; those of an earlier audit there are replaced."""
    if left is not None:
        write_atomically(folder / "cleaned.csv", cleaned_csv(table, left, folder))
        write_atomically(folder / "left_out.csv", left_csv(table, left))
    write_atomically(folder / "findings.csv", findings_csv(found.findings))
    write_atomically(folder / "audit.html", build(_page(found, table)))
    write_atomically(folder / "audit.json", json.dumps(found.to_dict(), indent=2, ensure_ascii=False))


def _page(found: Audit, table: Table) -> AuditPage:
    told = [
        PageTopic(
            topic.kind,
            topic.title,
            topic.severity,
            topic.sentence,
            topic.suggestion,
            [f.record() for f in topic.findings],
        )
        for topic in found.topics
    ]
    size = "" if found.size is None else found.size.sentence
    return AuditPage(
        source=found.source,
        headline=found.headline,
        inputs=get(found.modality).plural,
        task=found.task,
        rows=found.rows,
        parts=found.parts,
        facts=[asdict(fact) for fact in found.facts],
        topics=told,
        naive="" if found.naive is None else found.naive.sentence,
        size=size,
        not_looked_at=found.not_looked_at,
        read_test=found.read_test,
        left_out=found.left_out,
        thumbnails=_thumbnails(found, table),
        seconds=found.seconds,
    )


def _thumbnails(found: Audit, table: Table) -> dict[str, bytes]:
    """Small pictures of the rows that the page shows."""
    shown = (finding for topic in found.topics for finding in topic.findings[:PAGE_CARDS])
    wanted = {item["id"] for finding in shown for item in finding.evidence.get("examples", ())}
    rows = np.flatnonzero(np.isin(table.ids, sorted(wanted)))
    show = get(table.modality).show
    pictures = {str(table.ids[row]): show(table.inputs[row]).picture for row in rows}
    return {name: picture for name, picture in pictures.items() if picture is not None}
