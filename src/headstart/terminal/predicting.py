"""From what a user hands to ``headstart predict`` to a table of answers, a row for each row that was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.asked import Asked, gather
from headstart.data.naming import some
from headstart.delivery.model import Model, Predictions
from headstart.delivery.target_folder import target_runs
from headstart.errors import SettingError, SourceError, nearest
from headstart.evaluation.conformal import RESIDUALS, Conformal, bounds
from headstart.progress import Progress
from headstart.terminal.writing import check_json, check_out, format_of, unused, write_rows

UNREADABLE = 1  # the exit code where a row that was given has no answer
_TOLD = 20  # unreadable rows that are listed on stderr; all of them have their reason in the output
_ERROR = "error"


@dataclass(frozen=True)
class Wanted:
    """What is to be said of each row: how many of the most probable labels, all probabilities, or one column only."""

    top: int | None = None
    probabilities: bool = False
    only: str | None = None


@dataclass(frozen=True)
class _Column:
    """One column of the output; ``value`` gives that of a row, which is None where there is none."""

    name: str
    value: Callable[[int], Any]


def predict_to(
    run: Path,
    inputs: Sequence[str],
    *,
    column: str | None = None,
    wanted: Wanted | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    json_lines: bool = False,
    trust_remote_code: bool = False,
    progress: Progress,
) -> int:
    """Label ``inputs`` and write the table to ``out`` or stdout, and return the exit code.

    A row that was given has a row in the table, with a reason where it is unreadable, and then the code is 1. Of
    folders and archives, in which files are looked for, unreadable ones are listed on stderr alone.

    Raises:
        BundleError, SourceError: the model or an input cannot be opened, or nothing in a folder is readable.
        SettingError: what is wanted does not go together, or not with this model.
        OutputError: ``out`` exists, has a name of no known format, or cannot be written.
    """
    wanted = wanted or Wanted()
    check_out(out, overwrite)
    kind = _format(out, json_lines, wanted)
    runs = target_runs(run) or {"": run}
    models = {target: Model.load(one, trust_remote_code=trust_remote_code) for target, one in runs.items()}
    for model in models.values():
        _check(wanted, model)
    bundle = next(iter(models.values())).bundle  # all read the same inputs
    asked = gather(inputs, bundle.modality, column, bundle.like)
    if not len(asked):
        raise SourceError(f"nothing to label in {some(inputs)}: no line, file or row.")
    tell_asked(asked, progress)
    answers = [_Answers.of(asked, _said(model, asked, progress), model, target) for target, model in models.items()]
    reasons = dict(sorted((row, reason) for one in answers for row, reason in one.reasons.items()))
    shown = settle(asked, reasons, progress)
    for reading in dict.fromkeys(one.said.reading for one in answers if one.said is not None):
        if reading is not None and reading.long:
            progress.say(reading.sentence)
    missing = any(row in reasons for row in shown)
    columns = _columns(asked, answers, wanted, reasons if missing else {})
    write_rows(out, kind, [c.name for c in columns], ([c.value(row) for c in columns] for row in shown))
    if out is not None:
        progress.say(f"{len(asked) - len(reasons):,} answers in {out}")
    return UNREADABLE if missing else 0


def _said(model: Model, asked: Asked, progress: Progress) -> Predictions | None:
    return model.predictions([asked.inputs[row] for row in asked.readable], progress) if asked.readable else None


def _columns(asked: Asked, answers: Sequence[_Answers], wanted: Wanted, reasons: dict[int, str]) -> list[_Column]:
    """The columns of the output, under names that none of the user's has; those of ``reasons`` where there are any.

    Raises:
        SettingError: ``wanted.only`` is none of the answers' columns.
    """
    found = {name: value for one in answers for name, value in one.columns(wanted)}
    if wanted.only:
        called = answers[0].model.bundle.task.answer
        name = called if wanted.only == "label" and called in found else wanted.only
        if name not in found:
            raise SettingError(
                f"--only {wanted.only!r} is no column of the answers; it is one of {', '.join(found)}."
                f"{nearest(wanted.only, found)}"
            )
        return [_Column(name, found[name])]
    found |= {_ERROR: reasons.get} if reasons else {}
    own, columns = own_columns(asked), []
    taken = {column.name for column in own}
    for name, value in found.items():
        name = unused(name, taken)
        taken.add(name)
        columns.append(_Column(name, value))
    return [*own, *columns]


def _format(out: Path | None, json_lines: bool, wanted: Wanted) -> str:
    kind = format_of(out, (".txt",) if wanted.only else ())
    check_json(json_lines, out, kind)
    if json_lines:
        return "jsonl"
    return "txt" if wanted.only and out is None else kind


def _check(wanted: Wanted, model: Model) -> None:
    labels = model.labels
    if wanted.only and (wanted.top is not None or wanted.probabilities):
        raise SettingError("--only prints one column; drop it, or drop --top and --probabilities.")
    if (wanted.top is not None or wanted.probabilities) and (item := model.bundle.task.item):
        raise SettingError(
            f"--top and --probabilities are of one answer a row, and this model gives one a {item}; drop it."
        )
    if wanted.top is not None and not labels:
        raise SettingError("--top is for models that predict labels, and this one predicts values; drop it.")
    if wanted.top is not None and not 1 <= wanted.top <= len(labels):
        raise SettingError(f"--top is {wanted.top}; this model has {len(labels)} labels, so it is 1 to {len(labels)}.")


def tell_asked(asked: Asked, progress: Progress) -> None:
    """What was passed over in folders and tables, and what is read otherwise than in training."""
    for fact in asked.facts:
        progress.say(f"{fact.what}: {fact.value} ({fact.reason})")
    for note in asked.notes:
        progress.say(f"note: {note}")


def settle(asked: Asked, reasons: dict[int, str], progress: Progress) -> list[int]:
    """List the unreadable rows, and return the rows to show: all that were given, and those found that are readable.

    Raises:
        SourceError: nothing that was found is readable, and nothing else was given.
    """
    shown = [row for row in range(len(asked)) if row not in asked.found or row not in reasons]
    if not shown:
        first = next(iter(reasons))
        raise SourceError(
            f"none of {len(reasons)} inputs is readable; the first: {asked.names[first]} ({reasons[first]})."
        )
    given = [row for row in reasons if row not in asked.found]
    for row in sorted({*reasons} - {*given[_TOLD:]}):
        progress.say(f"not readable: {asked.names[row]} ({reasons[row]})")
    if given[_TOLD:]:
        progress.say(f"not readable: {len(given) - _TOLD:,} more rows, each with its reason in the output")
    return shown


def own_columns(asked: Asked) -> list[_Column]:
    """The user's columns; before them what stands for the rows that are of no table, if there are any."""
    columns = [_Column(name, cells.__getitem__) for name, cells in asked.columns.items()]
    if all(name is None for name in asked.shown):
        return columns
    name = next(name for name in ("input", "row", "given", unused("input", asked.columns)) if name not in asked.columns)
    return [_Column(name, asked.shown.__getitem__), *columns]


@dataclass(frozen=True)
class _Answers:
    """What the model said of the rows that were asked about.

    Attributes:
        place: row -> its place in ``said``; -1 where the model was not asked.
        reasons: row -> why it has no answer.
        target: the column that the model predicts, where there are several; "" where there is one.
    """

    asked: Asked
    said: Predictions | None
    model: Model
    place: np.ndarray
    reasons: dict[int, str]
    target: str = ""

    @classmethod
    def of(cls, asked: Asked, said: Predictions | None, model: Model, target: str) -> _Answers:
        readable = asked.readable
        place = np.full(len(asked), -1)
        place[readable] = np.arange(len(readable))
        refused = said.rejected.items() if said is not None else ()
        reasons = asked.reasons | {readable[at]: reason for at, reason in refused}
        return cls(asked, said, model, place, dict(sorted(reasons.items())), target)

    def columns(self, wanted: Wanted) -> Iterator[tuple[str, Callable[[int], Any]]]:
        """The columns by name; of several targets each under the target's own, the answer itself under that alone."""
        for name, value in [*self._answer(), *(() if wanted.only else self._probabilities(wanted))]:
            answer = name == self.model.bundle.task.answer
            yield (name if not self.target else self.target if answer else f"{self.target}_{name}"), value

    def _answer(self) -> Iterator[tuple[str, Callable[[int], Any]]]:
        """The answer, how sure it is, and what the model says besides."""
        task, caution, said = self.model.bundle.task, self.model.bundle.caution, self.said
        yield task.answer, self._of(lambda s, at: _shown(s.answers[at]) if task.each else s.answers[at])
        if task.exclusive:
            yield "confidence", self._of(lambda s, at: _rounded(s.probabilities[at][task.labels.index(s.answers[at])]))
        interval = caution.conformal
        if not task.labels and interval is not None and interval.method == RESIDUALS and interval.promises:
            for side, name in enumerate(("low", "high")):
                yield name, self._of(partial(_bound, interval, side))
        if said is None or np.isfinite(said.unknown).any():
            yield "unknown", self._of(lambda s, at: _rounded(s.unknown[at]))
        if caution.abstain is not None:
            yield "answered", self._of(lambda s, at: bool(s.answered[at]))

    def _probabilities(self, wanted: Wanted) -> Iterator[tuple[str, Callable[[int], Any]]]:
        labels = self.model.labels
        for rank in range(wanted.top or 0):
            yield f"label_{rank + 1}", self._of(partial(_ranked_label, labels, rank))
            yield f"probability_{rank + 1}", self._of(partial(_ranked_probability, rank))
        for output, label in enumerate(labels if wanted.probabilities else ()):
            yield f"p({label})", self._of(partial(_probability, output))

    def _of(self, value: Callable[[Predictions, int], Any]) -> Callable[[int], Any]:
        """``value`` of the answer to a row; None where there is none."""

        def of_row(row: int) -> Any:
            return None if row in self.reasons or self.said is None else value(self.said, int(self.place[row]))

        return of_row


def _shown(spans: Sequence[Any]) -> list[dict[str, Any]]:
    """Spans as plain values."""
    return [one.to_dict() | {"confidence": _rounded(one.confidence)} for one in spans]


def _bound(interval: Conformal, side: int, said: Predictions, at: int) -> float:
    return float(bounds(interval, said.probabilities[at])[side].item())


def _ranked_label(labels: Sequence[str], rank: int, said: Predictions, at: int) -> str:
    return labels[_ranked(said.probabilities[at])[rank]]


def _ranked_probability(rank: int, said: Predictions, at: int) -> float | None:
    return _rounded(said.probabilities[at][_ranked(said.probabilities[at])[rank]])


def _probability(output: int, said: Predictions, at: int) -> float | None:
    return _rounded(said.probabilities[at, output])


def _ranked(p: np.ndarray) -> np.ndarray:
    """The outputs, the most probable first."""
    return np.argsort(-p, kind="stable")


def _rounded(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
