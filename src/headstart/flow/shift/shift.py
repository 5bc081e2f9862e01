"""Unlabelled inputs against a run: do they look different, and what accuracy is to be expected on them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from headstart.data.memory import Source
from headstart.data.source import open_source
from headstart.data.table import Opened
from headstart.delivery.answers import HELD, Answers
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BundleError, SettingError, SourceError
from headstart.evaluation.estimate import Estimate, estimate_accuracy
from headstart.evaluation.shift import Distance, Drift, class_drift, proxy_a_distance
from headstart.evaluation.thresholds import decided
from headstart.evaluation.unknown import THRESHOLD
from headstart.evaluation.wording import count
from headstart.flow.remarks import tell_remarks
from headstart.modalities import get
from headstart.plain import finite
from headstart.progress import Progress
from headstart.ragged import row_vectors
from headstart.report.figures import share
from headstart.settings import SourceSettings
from headstart.tasks import get as get_task

#: Held-out rows answered wrong, below which they left the interval too narrow, see docs/log.md.
FEW_WRONG = 5
#: Share called unknown from which that is the first thing to say.
STRANGERS = 0.2
_MOST = 0.5  # from which nothing is estimated: most inputs are of no class that the model has, so it cannot be right
_FEW = 30  # inputs below which whatever is said hangs on single ones


@dataclass(frozen=True)
class DriftOf:
    """The drift of one class, by its label."""

    label: str
    drift: Drift


@dataclass(frozen=True)
class Shift:
    """What unlabelled inputs look like to a model.

    Attributes:
        run, source: as given.
        task: of the run.
        n: inputs that could be read.
        rejected: those that could not.
        distance: proxy A-distance of their features to those of known inputs; None where the run keeps no features.
        drifts: of the classes that they were given, the furthest first; those of too few inputs are left out.
        unknown: share of them called unknown, of which known inputs have 1 in 20; nan where it cannot be told.
        estimate: the accuracy to expect; None where it cannot be told, or would mean nothing; ``why_not`` says why.
        known_error: mean error of such estimates on this run's own damaged test rows; nan where none were measured.
    """

    run: str
    source: str
    task: str
    n: int
    rejected: int
    distance: Distance | None
    drifts: tuple[DriftOf, ...]
    unknown: float
    estimate: Estimate | None
    known_error: float
    why_not: str = ""

    @property
    def expected(self) -> str:
        """The accuracy to expect, in words, or why there is none."""
        return _expected(self)

    @property
    def wrong(self) -> int:
        """Held-out rows of the run that were answered wrong; 0 where nothing is estimated."""
        return 0 if self.estimate is None else round((1 - self.estimate.plain) * self.estimate.held)

    @property
    def few(self) -> bool:
        """Whether the inputs are so few that all hangs on single ones."""
        return self.n < _FEW

    @property
    def sentences(self) -> list[str]:
        """All that in words, the accuracy first."""
        return list(_sentences(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain values of JSON types; numbers that are not finite become None."""
        record: dict[str, Any] = finite({**asdict(self), "sentences": self.sentences})
        record["drifts"] = [{"label": d["label"], **d["drift"]} for d in record["drifts"]]
        return record


def shift(
    run: Path,
    source: Source,
    *,
    input: str | None = None,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> Shift:
    """Compare the unlabelled inputs of ``source`` with those that ``run`` knows.

    Args:
        run: folder of a finished run.
        source: folder, table or archive; labels in it are not read.
        input: name of its input column; None infers it.
        trust_remote_code: see `Model`.

    Raises:
        BundleError: ``run`` holds no run, or a damaged one.
        SourceError, ColumnError: the source cannot be opened, is of another modality, or holds nothing readable.
    """
    progress = progress or Progress()
    model = Model.load(run, trust_remote_code=trust_remote_code)
    answers = Answers.load(run).part_of(HELD)
    with progress.stage("reading the data"):
        opened = _open(source, input, model.bundle)
    tell_remarks(opened, str(source), progress)
    with progress.stage("predictions"):
        said = model.predictions(opened.table.inputs, progress)
    readable = np.setdiff1d(np.arange(len(opened.table)), list(said.rejected))
    if not len(readable):
        reason = next(iter(said.rejected.values()), "there is none")
        raise SourceError(f"{source}: none of {len(opened.table)} inputs is readable ({reason}).")
    p = said.probabilities[readable]
    with progress.stage("comparing with the known inputs"):
        distance, drifts = _apart(model, said.take(readable).vectors, p, seed)
    strange = said.unknown[readable]
    unknown = float("nan") if np.isnan(strange).any() else float((strange > THRESHOLD).mean())
    why_not = _meaningless(answers, unknown)
    return Shift(
        run=str(run),
        source=str(source),
        task=answers.task,
        n=len(p),
        rejected=len(said.rejected) + len(opened.rejected),
        distance=distance,
        drifts=drifts,
        unknown=unknown,
        estimate=None if why_not else _estimate(answers, p),
        known_error=known_error(Path(run)),
        why_not=why_not,
    )


def known_error(run: Path) -> float:
    """How far off estimates were, on average, on the damaged test rows of ``run``; nan where none were measured.

    Raises:
        BundleError: its result.json cannot be read.
    """
    try:
        result = json.loads((run / "result.json").read_text(encoding="utf-8"))
        told = result.get("robustness") or result.get("shift") or {}  # the latter in files of layout 3
        measured = told.get("corruptions") or told.get("damage") or []
        off = [abs(d["estimated"] - d["score"]) for d in measured if d["estimated"] is not None]
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BundleError(
            f"{run / 'result.json'} cannot be read ({type(error).__name__}); restore it or fit again."
        ) from error
    return fmean(off) if off else float("nan")


def _open(source: Source, column: str | None, bundle: Bundle) -> Opened:
    modality = bundle.modality
    try:
        return open_source(source, SourceSettings(input=column, target=(), modality=modality), like=bundle.like)
    except SettingError as error:  # the modality is the only setting that a source can be at odds with
        what = get(modality).plural
        raise SourceError(f"{source} holds other inputs than the {what} that this model takes.") from error


def _apart(model: Model, vectors: Any, p: Any, seed: int) -> tuple[Distance | None, tuple[DriftOf, ...]]:
    """The distance and the drifts, as far as there are features ``vectors`` [n, d] to tell them from."""
    reference = model.reference
    if reference is None or vectors is None:
        return None, ()
    distance = proxy_a_distance(reference.vectors, row_vectors(vectors), seed)
    if not model.bundle.task.exclusive:
        return distance, ()
    given = model.bundle.caution.decided(p).argmax(axis=1)
    drifts = class_drift(reference.vectors, reference.y, vectors, given)
    told = sorted((d for d in drifts if not math.isnan(d.value)), key=lambda d: -d.low)
    return distance, tuple(DriftOf(model.labels[d.output], d) for d in told)


def _estimate(answers: Answers, p: np.ndarray) -> Estimate | None:
    if not get_task(answers.task).exclusive or not len(answers):
        return None
    return estimate_accuracy(answers.decided(), answers.truth, decided(p, answers.thresholds), answers.unit)


def _meaningless(answers: Answers, unknown: float) -> str:
    """Why no accuracy is to be estimated; "" where one can be, or where the inputs are not what forbids it.

    An estimate takes the inputs to be of the model's classes. An input of none cannot be answered rightly, however
    sure the model is, and models are often surest of what they have never seen.
    """
    if not get_task(answers.task).exclusive or not unknown > _MOST:
        return ""
    return (
        f"{share(unknown)} of the inputs are called unknown: most look like none of the model's "
        f"{len(answers.labels):,} classes, and an answer to such an input cannot be right, however sure it is. Label "
        "some of them: if they are of new classes, fit again with these; if not, headstart evaluate gives the accuracy"
    )


def _sentences(found: Shift) -> Iterator[str]:
    strangers = found.unknown > STRANGERS
    if strangers and found.estimate is not None:
        yield (
            f"{share(found.unknown)} of them are called unknown, where {share(1 - THRESHOLD)} of known inputs are: "
            "inputs of no class cannot be right, so what follows holds at most for the others."
        )
    yield _expected(found)
    if found.estimate is not None:
        yield _how_sure(found.known_error)
        if found.wrong < FEW_WRONG:
            yield (
                f"Only {found.wrong} held-out rows were wrong, too few to show how unsure a wrong answer is: it may be "
                "lower."
            )
    yield _differs(found)
    beyond = [d for d in found.drifts if d.drift.low > 0]
    if beyond:
        named = ", ".join(f"{d.label} ({d.drift.value:.2f} {_span(d.drift.low, d.drift.high)})" for d in beyond[:5])
        more = f" and {len(beyond) - 5} more" if len(beyond) > 5 else ""
        yield (
            f"Classes whose inputs lie elsewhere than the known ones, in squared distance of the means over the known "
            f"inputs' variance: {named}{more}."
        )
    told = strangers and (found.estimate is not None or found.why_not)
    if not told and not math.isnan(found.unknown):
        yield f"{share(found.unknown)} of them are called unknown; of held-out known inputs {share(1 - THRESHOLD)} are."
    if found.few:
        yield f"With {count(found.n, 'input')}, all this depends on single ones; give more."


def _expected(found: Shift) -> str:
    guess = found.estimate
    if found.why_not:
        return f"No accuracy is estimated: {found.why_not}."
    if guess is None:
        task = get_task(found.task)
        why = "the run keeps no held-out answers" if task.exclusive else f"this is {task.purpose()}"
        return f"No accuracy can be estimated: that needs a classification with held-out answers, and {why}."
    return (
        f"Expect accuracy about {guess.value:.3f} {_span(guess.low, guess.high, 3)} on these {found.n:,} inputs; "
        f"on {guess.held:,} held-out rows it was {guess.plain:.3f}."
    )


def _how_sure(error: float) -> str:
    limits = "The interval allows for estimates being off by a third of the change, as they were on corrupted inputs"
    if math.isnan(error):
        return f"{limits}. A fit with --corruptions measures how far off they are on this run's corrupted test rows."
    return f"{limits}. On this run's own corrupted test rows they were off by {error:.3f} on average."


def _differs(found: Shift) -> str:
    if found.distance is None:
        return "Whether they look different is not known: the run keeps no features of known inputs."
    d = found.distance
    if math.isnan(d.value):
        return f"Whether they look different cannot be seen from {d.n:,} inputs and {d.reference:,} known ones."
    verdict = "They look different from" if d.shifted else "No significant difference from"
    return (
        f"{verdict} the known inputs: proxy A-distance {d.value:.2f} {_span(d.low, d.high)} of at most 2; "
        f"two halves of the known inputs give {d.null:.2f}."
    )


def _span(low: float, high: float, digits: int = 2) -> str:
    return f"[{low:.{digits}f}, {high:.{digits}f}]".replace("-", "−")
