"""The evidence of a run, gathered for what it says besides the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.bases.base import Base
from headstart.delivery.answers import TEST
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.calibration import confidence_gap
from headstart.evaluation.diagnosis import Finding
from headstart.evaluation.findings import about_run
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.next_step import Selected, with_command
from headstart.evaluation.per_class import confusion
from headstart.evaluation.run_evidence import RunEvidence
from headstart.evaluation.thresholds import decided
from headstart.evaluation.verdict import SCRATCH
from headstart.flow.calibration import Calibrated
from headstart.flow.fit.assessment import Assessed
from headstart.flow.fit.training_curves import learnt
from headstart.flow.judgement import Judgement
from headstart.flow.preparation import Prepared
from headstart.flow.search import Climbed
from headstart.heads.solve import refit
from headstart.modalities import get
from headstart.ragged import flat
from headstart.records import DiagnosisRecord
from headstart.strategies.ground import Ground

_LEVEL = 0.95
_MAJORITY = "majority"
_BLAMED = "wrong base"  # not said of a base that was not shown all of the texts


def diagnosis(
    prepared: Prepared,
    climbed: Climbed,
    calibrated: Calibrated,
    judged: Judgement,
    selected: Selected,
    audit: str,
    assessed: Assessed,
) -> list[DiagnosisRecord]:
    """What the evidence says, worst first; at least one.

    Args:
        selected: which model is handed over.
        audit: the command that takes duplicates out of these data.
        assessed: of that model, what calibration and confusions are of.
    """
    found = about_run(replace(_evidence(prepared, climbed, calibrated, judged, assessed), audit=audit))
    told = [DiagnosisRecord(one.name, _without_name(one), with_command(one.suggestion, selected)) for one in found]
    cut = _cut_texts(prepared, climbed.ground.base, judged)
    return cut + [one for one in told if not cut or one.name != _BLAMED]


def unused(options: list[str]) -> list[DiagnosisRecord]:
    """That options of training had no effect, as no strategy was tried that trains; nothing where none was given."""
    if not options:
        return []
    said = f"{' and '.join(options)} had no effect: no strategy that trains weights of the base was tried."
    step = "Leave it out, or ask for a strategy that trains, such as `--strategy partial`."
    return [DiagnosisRecord("options without effect", said, step)]


def _cut_texts(prepared: Prepared, base: Base, judged: Judgement) -> list[DiagnosisRecord]:
    """That the base did not read all of the texts, and what did."""
    reading = prepared.reading
    if reading is None or not reading.cut:
        return []
    others = [run.name for run in judged.panel if run.name not in (_MAJORITY, SCRATCH)]
    modality = get(base.modality)
    read = f"read all of every {modality.noun}, so it saw more than the base"
    saw = f" The baseline {' and '.join(others)} {read}." if others else ""
    advice = modality.reading_advice(base.spec, reading, base.most_tokens)
    return [DiagnosisRecord("texts cut", reading.sentence + saw, advice)]


def _without_name(one: Finding) -> str:
    """The sentence without the name in front of it, which stands beside it wherever it is shown."""
    head, _, rest = one.sentence.partition(": ")
    return rest[:1].upper() + rest[1:] if head.lower() == one.name else one.sentence


def _evidence(
    prepared: Prepared, climbed: Climbed, calibrated: Calibrated, judged: Judgement, assessed: Assessed
) -> RunEvidence:
    ground, metric, y = climbed.ground, climbed.ground.metric, judged.rows.y
    near, table = prepared.near, prepared.assigned
    valid_rows = len(prepared.valid) if prepared.valid_given else 0
    forgetting = climbed.final.forgetting
    measured, units = assessed.measured or judged.measured, judged.rows.units()
    told, said = measured.calibration, assessed.answers.part_of(TEST)
    return RunEvidence(
        task=ground.task.judged_as(),
        metric=metric,
        test=judged.score,
        gains=judged.gains,
        labels=ground.task.labels,
        over_majority=_over_majority(judged, metric),
        auroc=_auroc(judged),
        valid=score_interval(
            metric, ground.held_y, _held(calibrated, metric), units=ground.held_units, seed=ground.seed
        ),
        rows=len(ground.rows),
        rows_a_class=ground.task.counts(ground.rows.y, ground.task.outputs),
        confusion=confusion(y, said.decided()).matrix if ground.task.exclusive else None,
        leaked=int(judged.leaked.sum()),
        foreknown=len(prepared.foreknown),
        clean=_clean_score(judged, metric, ground.seed),
        leaked_valid=len(near.leaked(table, "valid", ("train",))) if valid_rows else 0,
        valid_rows=valid_rows,
        repeated=len(near.repeated(table, "test")),
        calibration=Interval(told.ece, told.low, told.high, _LEVEL, len(y)) if told else None,
        confidence_gap=confidence_gap(y, said.probabilities, units=units) if ground.task.exclusive else None,
        base=ground.base.identity.name,
        adapted=climbed.final.adapted,
        distance=climbed.climb.record.distance,
        more_rows=_more_rows(ground, climbed),
        forgetting=forgetting.error if forgetting else None,
        max_forgetting=ground.settings.max_forgetting,
        opened_before=judged.test.opened_before,
        training=tuple(learnt(climbed)),
    )


def _clean_score(judged: Judgement, metric: str, seed: int) -> Interval | None:
    clean = ~judged.leaked
    if clean.all() or not clean.any():
        return None
    rows = judged.rows
    said = decided(judged.probabilities, judged.thresholds, metric)[clean]
    return score_interval(metric, rows.y[clean], said, units=rows.units()[clean], seed=seed)


def _held(calibrated: Calibrated, metric: str) -> np.ndarray:
    """The held-out answers as the test rows' are judged."""
    return calibrated.decided if METRICS[metric].decides else calibrated.held


def _over_majority(judged: Judgement, metric: str) -> dict[str, Interval]:
    answers = {
        run.name: decided(run.probabilities, judged.limits.get(run.name), metric)
        for run in judged.panel
        if np.isfinite(flat(run.probabilities)).all()
    }
    plain = answers.pop(_MAJORITY, None)
    if plain is None:
        return {}
    y, clean, units = judged.rows.y[judged.clean], judged.clean, judged.rows.units()[judged.clean]
    return {name: paired_gain(metric, y, p[clean], plain[clean], units=units) for name, p in answers.items()}


def _auroc(judged: Judgement) -> Interval | None:
    found = judged.measured.metrics.get("auroc") if not judged.leaked.any() else None  # leaked rows rank by heart
    return Interval(found.value, found.low, found.high, _LEVEL, len(judged.rows)) if found else None


def _more_rows(ground: Ground, climbed: Climbed) -> Interval | None:
    """The gain, on the first held-out part, of a closed-form head on all training rows over one on half of them."""
    best = climbed.climb.probe.closed
    rows, out = ground.holding.parts[0]
    half = np.random.default_rng(ground.seed).permutation(rows)[: len(rows) // 2]
    y, task = ground.rows.y, ground.task
    if best is None or len(out) < 2 or (task.exclusive and len(set(y[half])) < 2):
        return None
    answers = [
        refit(
            best,
            ground.rows.vectors[some],
            y[some],
            task.name,
            outputs=task.outputs,
            weights=None if ground.rows.weights is None else ground.rows.weights[some],
        ).probabilities(ground.rows.vectors[out])
        for some in (rows, half)
    ]
    return paired_gain(ground.metric, y[out], answers[0], answers[1], units=ground.units[out], seed=ground.seed)
