"""`fit` with several target columns of classes or values: one run a column, from one command, features shared."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.began import run_began
from headstart.data.memory import Memory, Source
from headstart.data.source import open_sources
from headstart.data.split import check
from headstart.delivery.target_folder import FILE, INDEX, TABLE, folders_for, manifest, target_runs
from headstart.errors import OutputError, SettingError, SeveralTargets
from headstart.evaluation.metrics import for_task
from headstart.files import shown_path, write_atomically
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.notebook import panel
from headstart.progress import Progress
from headstart.records import Result
from headstart.report.figures import duration
from headstart.report.targets import TargetRow, build_targets, rows_of, targets_csv
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


def _check_folder(folder: Path, folders: Mapping[str, str], overwrite: bool) -> None:
    """`OutputError` unless ``folder`` is free, or holds nothing but such runs and may be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    known = {FILE, INDEX, TABLE, *folders.values()}
    if not folder.is_dir() or not {one.name for one in folder.iterdir() if not one.name.startswith(".")} <= known:
        raise OutputError(
            f"{folder} holds other things than runs for {', '.join(folders)}, so it is left alone; choose another "
            "--out or --name."
        )
    if not overwrite:
        done = ", ".join(target_runs(folder)) or "some of them"
        raise OutputError(
            f"{folder} holds earlier runs ({done}); pass --overwrite to replace them, or another --out or --name."
        )


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
