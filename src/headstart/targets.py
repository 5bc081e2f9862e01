"""`fit` and `evaluate` with several target columns of classes or values: one run a column, features shared."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.began import run_began
from headstart.data.memory import Memory, Source
from headstart.data.source import open_source, open_sources
from headstart.data.split import check
from headstart.delivery.bundle import Bundle
from headstart.delivery.target_folder import FILE, INDEX, TABLE, folders_for, manifest, target_runs
from headstart.errors import LabelError, OutputError, SettingError, SeveralTargets
from headstart.evaluation.metrics import for_task
from headstart.files import shown_path, write_atomically
from headstart.flow.evaluate.evaluate import RECORD, evaluate_run
from headstart.flow.evaluate.page import Evaluation
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.notebook import panel
from headstart.progress import Progress
from headstart.records import Result
from headstart.report.figures import duration
from headstart.report.targets import EvaluatedRow, TargetRow, build_evaluated, build_targets, rows_of, targets_csv
from headstart.settings import FitSettings, SourceSettings
from headstart.strategies.budget import Budget
from headstart.tasks import get as get_task
from headstart.unicode import writable


@dataclass(frozen=True)
class TargetRuns(Mapping[str, Run]):
    """Finished runs on the same inputs by target column, in the order in which the columns were named.

    Attributes:
        path: the folder with a folder for each run, and index.html, targets.csv and targets.json over them.
        runs: target column -> its run.
    """

    path: Path
    runs: dict[str, Run]

    def __getitem__(self, column: str) -> Run:
        return self.runs[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def results(self) -> dict[str, Result]:
        """Target column -> what its run found."""
        return {column: run.result for column, run in self.runs.items()}

    @property
    def rows(self) -> list[TargetRow]:
        """What the table over them has, a row a column."""
        return rows_of(self.results, {column: run.path.name for column, run in self.runs.items()})

    def predict(self, inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
        """Target column -> the answers [n] to ``inputs``; see `Model.predict`."""
        return {column: run.model.predict(inputs) for column, run in self.runs.items()}

    def to_dict(self) -> dict[str, Any]:
        """Target column -> its result as result.json has it."""
        return {column: run.result.to_dict() for column, run in self.runs.items()}

    def __repr__(self) -> str:
        return f"TargetRuns({str(self.path)!r}: {', '.join(self.runs)})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the score of each target column, and a link to the page over them."""
        told = [(row.target, row.metric, row.scored, row.gained) for row in self.rows]
        header = ("target", "metric", "test score", "gain")
        return panel(f"{len(self)} target columns, one model each", (), header, told, self.path / INDEX)


@dataclass(frozen=True)
class TargetEvaluations(Mapping[str, Evaluation]):
    """Evaluations of the runs of a `TargetRuns` on the same new rows, by target column.

    Attributes:
        run: the folder of the runs.
        source: the new rows, as named.
        found: target column -> its evaluation.
    """

    run: Path
    source: str
    found: dict[str, Evaluation]

    def __getitem__(self, column: str) -> Evaluation:
        return self.found[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def rows(self) -> list[EvaluatedRow]:
        """What the table over them has, a row a column."""
        return [_evaluated_row(column, one, Path(one.run).name) for column, one in self.found.items()]

    def to_dict(self) -> dict[str, Any]:
        """Target column -> its evaluation as evaluation.json has it."""
        return {column: one.to_dict() for column, one in self.found.items()}

    def __repr__(self) -> str:
        return f"TargetEvaluations({str(self.run)!r} on {self.source!r}: {', '.join(self.found)})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the score of each target column beside that on its run's test set."""
        told = [(row.target, row.metric, row.scored, row.tested) for row in self.rows]
        header = ("target", "metric", "score", "test set of the run")
        return panel(f"{len(self)} target columns on {self.source}", (), header, told)


def _evaluated_row(column: str, found: Evaluation, folder: str) -> EvaluatedRow:
    new, own, change = found.score, found.test, found.change
    return EvaluatedRow(
        column,
        found.metric,
        found.n,
        *(new.value, new.low, new.high),
        *(own.value, own.low, own.high),
        *(change.value, change.low, change.high),
        found.outcome,
        found.headline,
        found.next_step,
        folder,
    )


def several_targets(places: Places, settings: SourceSettings) -> SeveralTargets | None:
    """The target columns, where several are named or given that take a model each; None: one model is fitted.

    Raises:
        UserError: the data cannot be read.
    """
    named, source = settings.target or (), places.source
    pair = isinstance(source, Memory) and source.own is not None and len(source.own[1]) > 1
    if not pair and len(named) < 2 and not any("," in one for one in named):
        return None
    try:
        open_sources(source, valid=places.valid, test=places.test, settings=settings)
    except SeveralTargets as error:
        return error
    return None


def fit_targets(
    places: Places, settings: FitSettings, several: SeveralTargets, *, command: str = "", progress: Progress
) -> TargetRuns:
    """One run a target column of ``several``, in folders of ``places.out``.

    Every column is read and checked before any work. A budget is shared: each column gets its part of what is left.
    Each run draws a test set of its own, balanced by its own target.

    Raises:
        SettingError: a setting that is for one target.
        OutputError: the folder holds other things, or earlier runs that may not be replaced.
        UserError: as `fit_source`, for any of the columns.
    """
    _refuse_settings(settings)
    folder, folders = Path(places.out).absolute(), folders_for(several.columns)
    _check_folder(folder, folders, places.overwrite)
    budget, asked = Budget.from_start(settings.budget, run_began()), {}
    with progress.stage("reading the data"):
        for column in several.columns:
            asked[column] = _checked(places, settings, column, several.input)
    runs: dict[str, Run] = {}
    for number, (column, (own, chosen)) in enumerate(asked.items(), 1):
        left = budget.left()
        part = None if left is None else max(left, 1.0) / (len(asked) - number + 1)
        within = "" if part is None else f", in {duration(part)} of the budget".replace("\u00a0", " ")
        progress.say(f"target {column}, {number} of {len(asked)}{within}")
        place = replace(own, out=folder / folders[column])
        runs[column] = fit_source(place, replace(chosen, budget=part), command=command, progress=progress)
    found = TargetRuns(folder, runs)
    shown = writable(shown_path(folder))
    write_atomically(folder / TABLE, targets_csv(found.rows))
    write_atomically(folder / INDEX, build_targets(found.rows, writable(folder.name), shlex.quote(shown)))
    write_atomically(folder / FILE, manifest(folders))  # last: what is listed is there
    return found


def evaluate_targets(
    folder: Path,
    source: Source,
    settings: SourceSettings,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress,
    **options: Any,
) -> TargetEvaluations:
    """Evaluate each of the runs in ``folder`` on the labels that ``source`` has of its target column.

    Every column is read before any work. In ``out`` each evaluation gets the folder of its run's name; over them lie
    index.html, targets.csv and evaluation.json.

    Args:
        options: further ones of `evaluate_run`, the same for every run.

    Raises:
        SettingError: a target is named, or a file for the record.
        OutputError: ``out`` holds other things, or earlier evaluations that may not be replaced.
        UserError: as `evaluate_run`, for any of the columns.
    """
    runs = target_runs(folder)
    if settings.target:
        raise SettingError(f"--target: each run has its own ({', '.join(runs)}); leave it out, or name one run.")
    if out is not None and out.suffix == ".json":
        raise SettingError(f"--out {out}: several runs are evaluated; give a folder, in which each gets one.")
    if out is not None:
        folders = {column: run.name for column, run in runs.items()}
        _check_folder(out, folders, overwrite, frozenset((RECORD, INDEX, TABLE)), "evaluations of", "another --out")
    asked = {column: _named(source, column, settings) for column in runs}
    for column, run in runs.items():
        _check_labels(run, *asked[column])
    found: dict[str, Evaluation] = {}
    for number, (column, run) in enumerate(runs.items(), 1):
        progress.say(f"target {column}, {number} of {len(runs)}")
        place = None if out is None else out / run.name
        found[column] = evaluate_run(run, *asked[column], out=place, overwrite=overwrite, progress=progress, **options)
    told = TargetEvaluations(folder, str(source), found)
    if out is not None:
        name = writable(Path(folder).absolute().name)
        write_atomically(out / TABLE, targets_csv(told.rows))
        write_atomically(out / INDEX, build_evaluated(told.rows, name, writable(told.source)))
        write_atomically(out / RECORD, json.dumps(told.to_dict(), indent=2, ensure_ascii=False) + "\n")  # last
    return told


def _named(source: Source, column: str, settings: SourceSettings) -> tuple[Source, SourceSettings]:
    """``source`` and ``settings`` with ``column`` as the only target."""
    pair = isinstance(source, Memory) and source.own
    return _of_column(source, column), settings if pair else replace(settings, target=(column,))


def _check_labels(run: Path, source: Source, settings: SourceSettings) -> None:
    """Raise as `evaluate_run` would for rows that it cannot judge."""
    bundle = Bundle.load(run)
    own = replace(settings, modality=bundle.modality, task=bundle.task.name)
    targets = open_source(source, own, like=bundle.like).table.targets
    if targets is None:
        raise LabelError(f"{source}: no labels found, and a score needs them; headstart shift does without.")
    bundle.task.encode(targets)


def _refuse_settings(settings: FitSettings) -> None:
    one = {
        "--evidence": settings.evidence is not None,
        "--positive": settings.judging.positive is not None,
        "--class-weight by class": isinstance(settings.class_weight, Mapping),
    }
    given = [name for name, is_given in one.items() if is_given]
    if given:
        raise SettingError(
            f"{' and '.join(given)}: that is for one target column, and several are named; leave it out, or fit one "
            "model a column with --target."
        )


def _check_folder(
    folder: Path,
    folders: Mapping[str, str],
    overwrite: bool,
    over: frozenset[str] = frozenset((FILE, INDEX, TABLE)),
    what: str = "runs for",
    other: str = "another --out or --name",
) -> None:
    """`OutputError` unless ``folder`` is free, or holds nothing but such runs and may be replaced.

    Args:
        folders: target column -> the name of its folder.
        over: files that lie over these.
        what: they are, in words; ``other``: what to pass instead.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    known = {*over, *folders.values()}
    if not folder.is_dir() or not {one.name for one in folder.iterdir() if not one.name.startswith(".")} <= known:
        raise OutputError(
            f"{folder} holds other things than {what} {', '.join(folders)}, so it is left alone; choose {other}."
        )
    if not overwrite:
        done = ", ".join(target_runs(folder)) or "some of them"
        earlier = f"earlier {what.split()[0]}"
        raise OutputError(f"{folder} holds {earlier} ({done}); pass --overwrite to replace them, or {other}.")


def _checked(places: Places, settings: FitSettings, column: str, named_input: str) -> tuple[Places, FitSettings]:
    """What to fit for ``column``, which is read once to see that it can be."""
    own = replace(
        places,
        source=_of_column(places.source, column),
        valid=None if places.valid is None else _of_column(places.valid, column),
        test=None if places.test is None else _of_column(places.test, column),
    )
    source = settings.source
    if not (isinstance(places.source, Memory) and places.source.own):
        source = replace(source, target=(column,), input=named_input)
    opened = open_sources(own.source, valid=own.valid, test=own.test, settings=source)
    check(opened.table, settings.split)
    metrics = [one.name for one in for_task(get_task(opened.table.task).judged_as(), 2)]
    if settings.metric is not None and settings.metric not in metrics:
        raise SettingError(
            f"metric {settings.metric!r} is not for target {column!r}, which makes {opened.table.task}; leave it out, "
            f"or take one of {', '.join(metrics)} for every column."
        )
    return own, replace(settings, source=source)


def _of_column(source: Source, column: str) -> Source:
    """``source`` with ``column`` as its only target, where it is a pair that brings its own."""
    if isinstance(source, Memory) and source.own:
        return replace(source, own=(source.own[0], (column,)))
    return source
