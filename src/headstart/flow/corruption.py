"""The damage suite: the score of a model on rows that are damaged as deployment damages them, kind by strength."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.delivery.answers import HELD, Answers
from headstart.delivery.model import Model
from headstart.errors import SettingError
from headstart.evaluation.bootstrap import score_interval
from headstart.evaluation.calibration import calibration_interval
from headstart.evaluation.estimate import estimate_accuracy
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.thresholds import decided
from headstart.modalities import get
from headstart.modalities.damage import STRENGTHS, Damage
from headstart.modalities.types import Unreadable
from headstart.progress import Progress
from headstart.records import DamageRecord, ShiftRecord
from headstart.tasks import get as get_task

#: Rows that are damaged: an accuracy of 0.9 is known to ± 0.04 by then.
ROWS = 200
_NAN = float("nan")


def damage_suite(
    model: Model,
    inputs: Sequence[Any] | np.ndarray,
    y: np.ndarray,
    kinds: Sequence[str] | None = None,
    strengths: Sequence[int] = STRENGTHS,
    *,
    held: Answers,
    rows: int = ROWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[DamageRecord]:
    """The score of ``model`` on some of ``inputs``, damaged, for each kind and strength in turn.

    At most ``rows`` rows are drawn and read, each once; every kind and strength costs a forward pass of each. The
    same rows, damaged in the same way, for the same ``seed``: a row's damage goes by the seed and its own number.
    Rows that cannot be read are left out of ``n``. The score is that of the run's metric; what is expected without
    labels (`evaluation.estimate`) is an accuracy, so it is nan where the run is judged by another metric.

    Args:
        inputs: n paths, PIL images, arrays or texts.
        y: truth of them, as the task encodes it.
        kinds: of damage; None: all that the modality has.
        held: answers on rows that the model did not learn from; its task and metric are the run's.

    Raises:
        SettingError: an unknown kind or strength, no row, or none that can be read.
    """
    progress = progress or Progress()
    way = _way(model)
    kinds = way.kinds if kinds is None else tuple(kinds)
    chosen, read = _read(way, inputs, rows, seed)
    seeds = [_seed(seed, row) for row in chosen.tolist()]
    passes = len(chosen) * len(kinds) * len(strengths)
    progress.say(
        f"corruption robustness: {len(chosen):,} rows × {len(kinds)} kinds ({', '.join(kinds)}) × "
        f"{len(strengths)} strengths, "
        f"{passes:,} forward passes"
    )
    truth, found = np.asarray(y)[chosen], []
    with progress.track("corruption robustness", passes) as track:
        for kind in kinds:
            for strength in strengths:
                changed = [way.apply(value, kind, strength, s) for value, s in zip(read, seeds, strict=True)]
                found.append(_record(kind, strength, truth, model.predict_proba(changed), held, seed))
                track.advance(len(changed))
    return found


def damaged(
    model: Model,
    inputs: np.ndarray,
    y: np.ndarray,
    p: np.ndarray,
    answers: Answers,
    *,
    seed: int = 0,
    progress: Progress,
) -> ShiftRecord | None:
    """The suite on ``inputs``, beside the score on them undamaged and on the held-out rows of ``answers``.

    None, which is said, for inputs that cannot be damaged, such as pictures of more bands than colours.

    Args:
        p: [n, outputs] the model's answers to the undamaged inputs.
    """
    try:
        _way(model)
    except SettingError as error:
        progress.say(f"corruption robustness: left out, for {error}")
        return None
    held, metric = answers.part_of(HELD), METRICS[answers.metric].function
    found = damage_suite(model, inputs, y, held=held, seed=seed, progress=progress)
    chosen = drawn(len(inputs), ROWS, seed)
    clean = metric(np.asarray(y)[chosen], decided(p[chosen], held.thresholds, answers.metric))
    return ShiftRecord(found, clean, metric(held.truth, held.decided(answers.metric)))


def drawn(count: int, rows: int, seed: int) -> np.ndarray:
    """The numbers of at most ``rows`` of ``count`` rows, ascending; the same for the same seed."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:rows])


def _record(kind: str, strength: int, y: np.ndarray, p: np.ndarray, held: Answers, seed: int) -> DamageRecord:
    said = decided(p, held.thresholds, held.metric)
    score = score_interval(held.metric, y, said, seed=seed)
    error = calibration_interval(y, p, seed=seed).value if get_task(held.task).graded else _NAN
    estimated = _NAN
    if held.metric == "accuracy" and len(held):
        estimated = estimate_accuracy(held.decided(), held.truth, said, held.unit).value
    return DamageRecord(kind, strength, score.value, score.low, score.high, error, estimated, len(y))


def _read(way: Damage, inputs: Sequence[Any] | np.ndarray, rows: int, seed: int) -> tuple[np.ndarray, list[Any]]:
    """The numbers of the rows drawn, ascending, and what was read of each."""
    if rows < 1 or not len(inputs):
        raise SettingError(f"{rows} of {len(inputs)} rows were to be corrupted; at least one is needed.")
    wanted = drawn(len(inputs), rows, seed)
    chosen, read = [], []
    for row in wanted.tolist():
        try:
            read.append(way.read(inputs[row]))
        except Unreadable:
            continue
        chosen.append(row)
    if not chosen:
        raise SettingError(f"none of the {len(wanted)} rows that were to be corrupted can be read.")
    return np.array(chosen), read


def _seed(seed: int, row: int) -> int:
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])


def _way(model: Model) -> Damage:
    """How the inputs of ``model`` are damaged; `SettingError` where they cannot be."""
    modality = get(model.bundle.modality)
    way = modality.damage(modality.spec(json.loads(model.bundle.preprocessing)))
    if isinstance(way, str):
        raise SettingError(f"{way}.")
    return way
