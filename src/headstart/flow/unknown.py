"""What the final model knows, so that it can tell inputs that are unlike it, and how well it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from headstart.bases.base import Base
from headstart.data.naming import some
from headstart.delivery.caution import known_as, row_answers
from headstart.delivery.model import Predictions
from headstart.evaluation.unknown import (
    MOST_REFERENCE,
    THRESHOLD,
    Known,
    fit_known,
    plainly,
    reference_rows,
    unknown_scores,
)
from headstart.evaluation.unknown_made import Fit, Made, made_unknown
from headstart.evaluation.unknown_scores import judge_gain, judge_unknown, max_softmax
from headstart.evaluation.wording import number
from headstart.flow.calibration import Calibrated
from headstart.flow.given import given_inputs
from headstart.flow.judgement import Judgement
from headstart.flow.search import Climbed
from headstart.flow.standing import vectors_of
from headstart.heads.solve import refit
from headstart.progress import Progress
from headstart.ragged import row_vectors
from headstart.records import OodRecord
from headstart.strategies.budget import Budget
from headstart.tasks import get
from headstart.training.rows import TrainRows


def known_of(climbed: Climbed, calibrated: Calibrated, progress: Progress) -> Known:
    """The working rows as the final model sees them, and how strange held-out ones look.

    Of an adapted base features have to be computed anew, so at most as many rows as are kept, or as a budget allows,
    are looked at.
    """
    ground, final = climbed.ground, calibrated.final
    rows = _looked_at(climbed, calibrated)
    vectors = row_vectors(vectors_of(final, ground.rows.take(rows), progress))
    place = np.full(len(ground.rows), -1)
    place[rows] = np.arange(len(rows))
    held = place[ground.holding.rows]
    there = held >= 0
    y, task = ground.rows.y[rows] if ground.task.graded else None, known_as(ground.task)
    return fit_known(vectors, y, row_answers(calibrated.held[there]), vectors[held[there]], seed=ground.seed, task=task)


def _looked_at(climbed: Climbed, calibrated: Calibrated) -> np.ndarray:
    ground = climbed.ground
    rows, most = np.arange(len(ground.rows)), climbed.climb.later.known or MOST_REFERENCE
    if calibrated.final.adapted and len(rows) > most:
        return np.sort(np.random.default_rng(ground.seed).choice(len(rows), most, replace=False))
    return rows


def kept_rows(known: Known, climbed: Climbed, calibrated: Calibrated) -> np.ndarray:
    """[m] the working rows whose features `known_of` kept, in the order of ``known.rows``."""
    rows = _looked_at(climbed, calibrated)
    return rows[reference_rows(len(rows), known.rows.shape[1], climbed.ground.seed)]


@dataclass(frozen=True)
class Strange:
    """Inputs that the model should not know, as a source gave them."""

    path: str
    rows: TrainRows


def strange_inputs(path: str, base: Base, progress: Progress) -> Strange:
    """The inputs at ``path``, labelled or not, with the base's features.

    Raises:
        SourceError: nothing is there, it holds another modality, or nothing can be read.
    """
    return Strange(path, given_inputs(path, "--ood", "that the model should not know", base, progress))


def judged_unknown(
    known: Known,
    climbed: Climbed,
    calibrated: Calibrated,
    judged: Judgement,
    strange: Strange | None,
    budget: Budget,
) -> tuple[Known, OodRecord | None]:
    """How well unknown inputs are told: those of ``strange`` from the test rows, else classes left out from the others.

    No record where the model has no such score at all. Also what tells them, see `better_known`.
    """
    p, vectors = row_answers(judged.probabilities), row_vectors(judged.vectors)
    scores = unknown_scores(known, p, vectors)
    if not np.isfinite(scores).all():
        return known, None
    alarms = float((scores > THRESHOLD).mean())
    if strange is not None:
        own = vectors_of(calibrated.final, strange.rows, climbed.ground.progress)
        q, own = row_answers(calibrated.final.head.probabilities(own)), row_vectors(own)
        plain = (max_softmax(p), max_softmax(q)) if climbed.ground.task.exclusive else None
        where = f"--ood {strange.path} ({len(q):,} inputs)"
        return known, _record(known, (scores, unknown_scores(known, q, own)), plain, where, alarms)
    if not climbed.ground.task.exclusive:
        where = "nothing: no --ood was given, and only classes can be left out to make some"
        return known, _record(known, (scores, np.zeros(0)), None, where, alarms)
    rows, probe = climbed.ground.rows, climbed.climb.probe
    if not budget.allows(probe.seconds / len(probe.heads)):
        said = "how well unknown inputs are told is not judged"
        budget.leave_out(said, climbed.ground.progress)
        return known, _record(known, (scores, np.zeros(0)), None, "nothing: left out to keep the budget", alarms)
    made = made_unknown(rows.vectors, rows.y, _closed(climbed), seed=climbed.ground.seed)
    where = made.reason or _left_out(made.left_out, climbed.ground.task.labels)
    record = _record(known, (made.known, made.unknown), (made.known_plain, made.unknown_plain), where, alarms)
    return better_known(known, record, made, calibrated, judged)


def unknown_record(known: Known, said: Predictions, other: Predictions, path: str) -> OodRecord:
    """The same for answers of a finished model, to inputs it should know and to those at ``path``."""
    plain = None
    if get(known.task).exclusive:
        plain = (max_softmax(said.probabilities), max_softmax(other.probabilities))
    where = f"--ood {path} ({len(other.unknown):,} inputs)"
    return _record(known, (said.unknown, other.unknown), plain, where, float((said.unknown > THRESHOLD).mean()))


def _record(
    known: Known,
    scores: tuple[np.ndarray, np.ndarray],
    plain: tuple[np.ndarray, np.ndarray] | None,
    where: str,
    alarms: float,
) -> OodRecord:
    """``scores`` and ``plain`` are those of known and of unknown inputs; without unknown ones nothing is judged."""
    count, nan = len(scores[1]), float("nan")
    if not count:
        return OodRecord(nan, nan, nan, known.method, where, nan, nan, THRESHOLD, alarms, 0)
    auroc, low, high = judge_unknown(*scores)
    softmax, gain_low = nan, nan
    if plain is not None:
        softmax, gain_low = judge_unknown(*plain)[0], judge_gain(*scores, *plain)[1]
    beside = ""
    if softmax > auroc:
        beside = f"the greatest probability alone was ahead there, AUROC {softmax:.3f} against {auroc:.3f}"
    return OodRecord(auroc, low, high, known.method, where, softmax, gain_low, THRESHOLD, alarms, count, beside)


def better_known(
    known: Known, record: OodRecord, made: Made, calibrated: Calibrated, judged: Judgement
) -> tuple[Known, OodRecord]:
    """What tells unknown inputs, the greatest probability alone where classes left out show it to be better.

    These are of the working rows: the test part and the inputs of --ood judge, and choose nothing. A difference that
    may be chance is said only, as what features see of stranger inputs than these is lost with them.
    """
    if not record.n:
        return known, record
    gain, _, high = judge_gain(made.known, made.unknown, made.known_plain, made.unknown_plain)
    if not high < 0:
        return known, record
    auroc, low, top = judge_unknown(made.known_plain, made.unknown_plain)
    plain = plainly(known, calibrated.held)
    alarms = float((unknown_scores(plain, judged.probabilities, judged.vectors) > THRESHOLD).mean())
    beside = (
        f"the greatest probability alone is used, as {known.method} together was worse on these classes: AUROC "
        f"{number(record.auroc)}, gain {number(gain, signed=True)}"
    )
    found = replace(record, auroc=auroc, low=low, high=top, method=plain.method, false_alarms=alarms, beside=beside)
    return plain, replace(found, softmax_auroc=auroc, gain_low=float("nan"))


def _closed(climbed: Climbed) -> Fit:
    """Heads in closed form: several are fitted, and only the order of their answers matters."""
    setting, task = climbed.climb.probe.closed or climbed.climb.probe.heads[0], climbed.ground.task.name

    def fit(x: np.ndarray, y: np.ndarray, classes: int) -> Callable[[np.ndarray], np.ndarray]:
        return refit(setting, x, y, task, outputs=classes).probabilities

    return fit


def _left_out(rounds: tuple[tuple[int, ...], ...], labels: tuple[str, ...]) -> str:
    first = some([labels[one] for one in rounds[0]], 3)
    return f"classes left out of the training, a third at a time (first {first})"
