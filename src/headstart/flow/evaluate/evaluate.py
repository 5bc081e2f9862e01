"""A finished run on new labelled data: the score and all that goes with it, beside the run's own test."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.bases.learnt import learnt_keys
from headstart.data import strata
from headstart.data.memory import Source
from headstart.data.source import open_source
from headstart.data.table import Table
from headstart.delivery.answers import TEST, Answers
from headstart.delivery.model import Model, Predictions
from headstart.delivery.openings import opened as count_opening
from headstart.delivery.openings import openings
from headstart.errors import LabelError, OutputError, SourceError
from headstart.evaluation.bootstrap import score_interval
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.per_class import confusion
from headstart.evaluation.thresholds import decided
from headstart.files import write_atomically
from headstart.flow.corruption import damaged
from headstart.flow.evaluate.page import Evaluation
from headstart.flow.evidence import evidence_of
from headstart.flow.measures import measure, slices_of
from headstart.flow.mistakes import ANSWERS, MISTAKES, Answered, Examples, answers_table, as_csv, mistakes
from headstart.flow.remarks import tell_remarks
from headstart.flow.thresholds import Positive, positive_of
from headstart.flow.unknown import unknown_record
from headstart.progress import Progress
from headstart.records import GainRecord, MetricRecord, OodRecord, TestRecord
from headstart.report.evaluated import EvaluatedPage
from headstart.report.evaluated import build as build_page
from headstart.settings import SourceSettings
from headstart.training.features import content_keys

#: What a folder of an evaluation has, the record last.
RECORD, PAGE = "evaluation.json", "report.html"
_FEWEST = 2  # rows that a score needs
_FILES = {RECORD, PAGE, MISTAKES, ANSWERS}


def evaluate_run(
    run: Path,
    source: Source,
    settings: SourceSettings,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    ood: str | None = None,
    damage: bool = False,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Score the model of ``run`` on the labelled rows of ``source``; see `Model` for ``trust_remote_code``.

    Args:
        out: where results are written: a folder for all of them, or a file whose name ends in .json for the record
            alone; None: nowhere. What is there already is replaced only with ``overwrite``.

    Raises:
        OutputError: ``out`` is there already, or cannot be written.
        BundleError: ``run`` is not a finished run.
        SourceError, LabelError: the source cannot be read, has no labels, or labels that the model does not know.
    """
    progress = progress or Progress()
    _check_out(out, overwrite)
    answers, model = Answers.load(run), Model.load(run, trust_remote_code=trust_remote_code)
    task, metric = model.bundle.task, answers.metric
    with progress.stage("predictions"):
        rows, y, said, rejected = _answered(source, settings, model, progress)
    keys = content_keys(rows.inputs, rows.modality)[0].astype(str)
    own, learnt = answers.part_of(TEST), np.isin(keys, learnt_keys(run))
    tested = int(np.isin(keys, own.keys).sum())
    units = strata.units(rows.groups, keys, len(rows))
    p, limits = said.probabilities, model.bundle.caution.thresholds
    with progress.stage("scores and intervals"):
        score = _score(metric, y, decided(p, limits, metric), seed, units)
        before = _score(metric, own.truth, own.decided(metric), seed, own.unit)
        heat = float(model.bundle.about.get("temperature", 1.0))
        measured = measure(task, y, p, model.bundle.caution, heat, seed, units, _positive(model, y))
        slices, columns = slices_of(metric, task, rows, None, y, p, seed, units, limits)
    answered = Answered(rows, y, p, limits, None, columns)
    record = Evaluation(
        run=str(run),
        source=str(source),
        task=task.name,
        metric=metric,
        score=score,
        n=len(rows),
        rejected=rejected,
        test=before,
        change=_change(metric, score, before),
        tested=tested,
        learnt=int(learnt.sum()),
        unseen=_unseen(metric, y, decided(p, limits, metric), learnt, seed, units),
        opened=count_opening(run, f"evaluate {source}") if tested else len(openings(run)),
        metrics=measured.metrics,
        undefined=measured.undefined,
        classes=measured.classes,
        slices=slices,
        calibration=measured.calibration,
        ood=_ood(model, ood, said, progress) if ood is not None else None,
        shift=damaged(model, rows.inputs, y, p, answers, seed=seed, progress=progress) if damage else None,
        reading=said.reading,
        labels=list(task.labels),
        confusion=confusion(y, decided(p, limits)).matrix.tolist() if task.exclusive else None,
        two_classes=measured.two_classes,
        intervals=measured.intervals,
        mistakes=len(mistakes(task, answered)),
    )
    if out is not None:
        _write(out, record, model, run, answered, len(np.unique(units)), progress)
    return record


def _positive(model: Model, y: np.ndarray) -> Positive | None:
    """The class that the run looked for; of a run that does not say, as for a new one."""
    label = model.bundle.about.get("positive")
    found = positive_of(model.bundle.task, y, label if label in model.labels else None)
    return found if label is None or found is None else replace(found, reason="as in the run")


def _check_out(out: Path | None, overwrite: bool) -> None:
    """Everything about the output that can be wrong, before any work."""
    if out is None or not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if out.is_file() and out.suffix != ".json":
        raise OutputError(f"{out} is a file; name a folder, or a file that ends in .json for the record alone.")
    if out.is_dir() and not {entry.name for entry in out.iterdir()} <= _FILES:
        raise OutputError(f"{out} holds other things than an evaluation, so it is left alone; choose another --out.")
    if not overwrite:
        raise OutputError(f"{out} exists; pass --overwrite to replace it, or another --out.")


def _write(
    out: Path, record: Evaluation, model: Model, run: Path, answered: Answered, independent: int, progress: Progress
) -> None:
    """The record, and beside it in a folder the page, the answer to every row and the mistakes."""
    text = json.dumps(record.to_dict(), indent=2, ensure_ascii=False) + "\n"
    if out.suffix == ".json":
        write_atomically(out, text)
        return
    task, reference, table = model.bundle.task, model.reference, answered.table
    examples = None if reference is None else Examples.load(run, reference.vectors)
    with progress.stage("nearest training rows"):
        vectors = None if examples is None else model.embed(table.inputs)
    bounds = model.bundle.caution.bounds(answered.p[:, 0]) if task.values else None
    write_atomically(
        out / PAGE, build_page(_page(record, table.modality, independent), evidence_of(task, {"new": answered}))
    )
    write_atomically(out / MISTAKES, as_csv(mistakes(task, replace(answered, vectors=vectors), examples)))
    write_atomically(out / ANSWERS, as_csv(answers_table(task, answered, bounds)))
    write_atomically(out / RECORD, text)


def _page(record: Evaluation, modality: str, independent: int) -> EvaluatedPage:
    """What the page says; ``independent``: units among the rows."""
    score = record.score
    scores = TestRecord(
        score.value, score.low, score.high, record.n, record.metrics, record.undefined, 0, 0, independent
    )
    return EvaluatedPage(
        run=record.run,
        source=record.source,
        modality=modality,
        task=record.task,
        metric=record.metric,
        test=scores,
        own=record.test,
        unseen=record.unseen,
        outcome=record.outcome,
        headline=record.headline,
        difference=record.difference,
        next_step=record.next_step,
        remarks=record.remarks,
        classes=record.classes,
        slices=record.slices,
        calibration=record.calibration,
        ood=record.ood,
        shift=record.shift,
        two_classes=record.two_classes,
        intervals=record.intervals,
    )


def _answered(
    source: Source, settings: SourceSettings, model: Model, progress: Progress
) -> tuple[Table, np.ndarray, Predictions, int]:
    """The readable rows, their targets, the model's answers to them, and how many could not be read."""
    bundle = model.bundle
    settings = replace(settings, modality=bundle.modality, task=bundle.task.name)
    opened = open_source(source, settings, like=bundle.like)
    tell_remarks(opened, str(source), progress)
    table = opened.table
    if table.targets is None:
        raise LabelError(f"{source}: no labels found, and a score needs them; headstart shift does without.")
    said = model.predictions(table.inputs, progress)
    kept = np.ones(len(table), dtype=bool)
    kept[list(said.rejected)] = False
    if kept.sum() < _FEWEST:
        raise SourceError(f"{source}: {int(kept.sum())} of its {len(table)} rows can be read; a score needs {_FEWEST}.")
    rows = table.take(kept)
    return rows, bundle.task.encode(table.targets[kept]), said.take(kept), len(said.rejected) + len(opened.rejected)


def _unseen(
    metric: str, y: np.ndarray, p: np.ndarray, learnt: np.ndarray, seed: int, units: np.ndarray
) -> MetricRecord | None:
    """The score on the rows that were not learnt from, where some were and some were not."""
    new = ~learnt
    return _score(metric, y[new], p[new], seed, units[new]) if 0 < learnt.sum() < len(learnt) else None


def _score(metric: str, y: np.ndarray, p: np.ndarray, seed: int, units: np.ndarray) -> MetricRecord:
    found = score_interval(metric, y, p, units=units, seed=seed)
    return MetricRecord(found.value, found.low, found.high)


def _change(metric: str, new: MetricRecord, old: MetricRecord) -> GainRecord:
    """The difference of two scores on different rows, by the square-and-add rule (Zou & Donner 2008)."""
    a, b = (new, old) if METRICS[metric].higher_is_better else (old, new)
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return GainRecord(value, low, high, "the run's own test")


def _ood(model: Model, path: str, said: Predictions, progress: Progress) -> OodRecord | None:
    """How well the inputs at ``path``, which the model should not know, are told from those just answered."""
    found = open_source(path, SourceSettings(target=(), modality=model.bundle.modality))
    tell_remarks(found, "--ood", progress)
    inputs = found.table.inputs
    other = model.predictions(inputs, progress)
    readable = np.isfinite(other.unknown)
    if model.bundle.caution.known is None or not readable.any():
        return None
    return unknown_record(model.bundle.caution.known, said, other.take(readable), path)
