"""A finished run on new labelled data: the score and all that goes with it, beside the run's own test."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
from headstart.errors import LabelError, SourceError
from headstart.evaluation.bootstrap import score_interval
from headstart.evaluation.metrics import METRICS
from headstart.flow.damaging import damaged
from headstart.flow.knowing import unknown_record
from headstart.flow.measuring import measure, slices_of
from headstart.flow.remarking import tell_remarks
from headstart.notebook import panel, scored
from headstart.progress import Progress
from headstart.records import (
    CalibrationRecord,
    ClassRecord,
    GainRecord,
    MetricRecord,
    OodRecord,
    ReadingRecord,
    ShiftRecord,
    SliceRecord,
    finite,
)
from headstart.settings import SourceSettings
from headstart.training.features import content_keys

_FEWEST = 2  # rows that a score needs


@dataclass(frozen=True)
class Evaluation:
    """What the new data say of a run's model."""

    run: str
    source: str
    task: str
    metric: str
    score: MetricRecord  # of the metric, on all rows
    n: int  # rows judged
    rejected: int  # rows that could not be read
    test: MetricRecord  # the run's own test score
    change: GainRecord  # from that to this, above 0 is better; the rows are others, so it is not paired
    tested: int  # rows that are in the run's test part too: looking at them counts as an opening
    learnt: int  # rows that the model was made from
    unseen: MetricRecord | None  # the score without those; null where there are none
    opened: int  # how often the run's test part was opened so far
    metrics: dict[str, MetricRecord]
    undefined: dict[str, str]
    classes: list[ClassRecord]
    slices: list[SliceRecord]
    calibration: CalibrationRecord | None
    ood: OodRecord | None
    shift: ShiftRecord | None
    reading: ReadingRecord | None = None  # how much of the texts the base read; null for pictures and controls

    def _repr_html_(self) -> str:
        """What a notebook shows: the score on the new rows beside that on the run's own test set."""
        new, own = self.score, self.test
        rows = [(f"{self.source} ({self.n:,} rows)", scored(new.value, new.low, new.high))]
        rows.append(("the run's own test set", scored(own.value, own.low, own.high)))
        unread = f"{self.rejected:,} rows could not be read" if self.rejected else ""
        return panel(
            f"{self.run}: {self.metric} {scored(new.value, new.low, new.high)}", (unread,), ("", self.metric), rows
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        cleaned: dict[str, Any] = finite(asdict(self))
        return cleaned


def evaluate_run(
    run: Path,
    source: Source,
    settings: SourceSettings,
    *,
    ood: str | None = None,
    damage: bool = False,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Score the model of ``run`` on the labelled rows of ``source``; see `Model` for ``trust_remote_code``.

    Raises:
        BundleError: ``run`` is not a finished run.
        SourceError, LabelError: the source cannot be read, has no labels, or labels that the model does not know.
    """
    progress = progress or Progress()
    answers, model = Answers.load(run), Model.load(run, trust_remote_code=trust_remote_code)
    task, metric = model.bundle.task, answers.metric
    rows, y, said, rejected = _answered(source, settings, model, progress)
    keys = content_keys(rows.inputs, rows.modality)[0]
    own, learnt = answers.part_of(TEST), np.isin(keys.astype(str), learnt_keys(run))
    tested = int(np.isin(keys.astype(str), own.keys).sum())
    units = strata.units(rows.groups, keys, len(rows))
    score = _score(metric, y, said.probabilities, seed, units)
    before = _score(metric, own.truth, own.probabilities, seed, own.unit)
    temperature = float(model.bundle.about.get("temperature", 1.0))
    measured = measure(task, y, said.probabilities, model.bundle.caution, temperature, seed, units)
    return Evaluation(
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
        unseen=_score(metric, y[~learnt], said.probabilities[~learnt], seed, units[~learnt])
        if 0 < learnt.sum() < len(rows)
        else None,
        opened=count_opening(run, f"evaluate {source}") if tested else len(openings(run)),
        metrics=measured.metrics,
        undefined=measured.undefined,
        classes=measured.classes,
        slices=slices_of(metric, task, rows, None, y, said.probabilities, seed, units),
        calibration=measured.calibration,
        ood=_ood(model, ood, said, progress) if ood is not None else None,
        shift=damaged(model, rows.inputs, y, said.probabilities, answers, seed=seed, progress=progress)
        if damage
        else None,
        reading=said.reading,
    )


def _answered(
    source: Source, settings: SourceSettings, model: Model, progress: Progress
) -> tuple[Table, np.ndarray, Predictions, int]:
    """The readable rows, their targets, the model's answers to them, and how many could not be read."""
    bundle = model.bundle
    opened = open_source(source, replace(settings, modality=bundle.modality, task=bundle.task.name))
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
