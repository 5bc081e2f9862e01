"""The verbs as Python functions: the command line's options as keywords."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from headstart.audit.audit import Audit
from headstart.bases.choosing import Selection, choose, parse_parameters
from headstart.bases.device import using
from headstart.data.memory import Data, Memory, Source, in_memory
from headstart.data.naming import some
from headstart.delivery.model import load as load
from headstart.delivery.target_folder import target_runs
from headstart.errors import HeadstartWarning, SettingError
from headstart.files import as_path
from headstart.flow.advise.advice import Advice
from headstart.flow.advise.advise import advise_source
from headstart.flow.audit.audit import audit_source
from headstart.flow.compare.compare import RunComparison
from headstart.flow.compare.compare import compare as compare_runs
from headstart.flow.evaluate.evaluate import Evaluation, evaluate_run
from headstart.flow.fit.fit import Inspection, Places, Run, fit_source, inspect_source
from headstart.flow.rank.rank import rank_source
from headstart.flow.shift.shift import Shift
from headstart.flow.shift.shift import shift as shift_of
from headstart.notebook import NotebookProgress, in_notebook, is_interactive
from headstart.options import FitOptions, SourceOptions, documented, filled, fit_settings, source_settings
from headstart.progress import Progress
from headstart.ranking.ranked import Ranking
from headstart.targets import TargetEvaluations, TargetRuns, evaluate_targets, fit_targets, several_targets


@documented(FitOptions)
@filled("command")
def fit(
    source: Data,
    *,
    valid: Data | None = None,
    test: Data | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    command: str = "",
    device: str | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[FitOptions],
) -> Run | TargetRuns:
    """Adapt a pre-trained base to labelled data and evaluate the result once on held-out data.

    Args:
        source: a path: a folder of images in class subfolders, a table (CSV, TSV, JSON lines, Parquet) of texts or
            image paths, a zip or tar of either, or a folder written by ``datasets.save_to_disk``. Or data in memory,
            none of which is written to disk: a pandas or polars DataFrame, a ``datasets.Dataset``, a dict of columns,
            or a pair ``(X, y)`` of inputs and targets. Inputs are texts, image paths, PIL images, or arrays [n, height,
            width(, channels)]; rows are named by their place, counted from 0.
        valid, test: further sources that are the validation set and the test set.
        name: of the run; None takes the source's.
        out: folder of the run; None is ``runs/NAME``. Also: output.
        overwrite: replace an earlier run there.
        command: the command to show in the report as the way to repeat the run.
        device: where networks run: "auto", "cpu", "cuda", "cuda:1" or "mps"; None: what HEADSTART_DEVICE says, or auto,
            which takes the first there is of CUDA, MPS and CPU.
        progress: True shows plan and progress, as bars in a notebook or on a terminal; False is silent; None shows them
            in a notebook and at Python's prompt, and is silent in scripts. Or a `headstart.progress.Progress` to tell.
        options: filled in by `documented`.

    Returns:
        The run; for several target columns that are not of 0 and 1 a `headstart.TargetRuns`, which has one by column.

    Raises:
        UserError: anything about the data, the settings or the output that the user can mend.
    """
    data = in_memory(source)
    place = Path(out) if out else Path("runs") / (name or run_name(data))
    places = Places(data, place, valid=_given(valid), test=_given(test), overwrite=overwrite)
    settings, told = fit_settings(options), listener(progress)
    with using(device):
        several = several_targets(places, settings.source)
        if several is None:
            return fit_source(places, settings, command=command, progress=told)
        return fit_targets(places, settings, several, command=command, progress=told)


@documented(SourceOptions)
@filled()
def evaluate(
    run: str | Path,
    source: Data,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    ood: str | None = None,
    corruptions: bool = False,
    seed: int = 0,
    trust_remote_code: bool = False,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[SourceOptions],
) -> Evaluation | TargetEvaluations:
    """Score the model of a finished run on new labelled data.

    Args:
        run: folder of the run, or that of several target columns, each of which is then evaluated.
        source: labelled data, as `fit` takes them.
        out: folder for the record, the answer to every row and the mistakes; or a file NAME.json for the record alone.
        overwrite: replace what is there.
        ood: a source of inputs that the model should not know, to judge by.
        corruptions: also measure corruption robustness, at five strengths a kind. Also: damage.
        seed: of intervals.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        device, progress: as in `fit`.
        options: filled in by `documented`.

    Returns:
        The evaluation; for the folder of several target columns a `headstart.TargetEvaluations`, one by column.

    Raises:
        UserError: anything about the run or the data that the user can mend.
    """
    folder, settings = Path(run), source_settings(options)
    with using(device):
        return (evaluate_targets if target_runs(folder) else evaluate_run)(
            folder,
            in_memory(source),
            settings,
            out=None if out is None else Path(out),
            overwrite=overwrite,
            ood=ood,
            damage=corruptions,
            seed=seed,
            trust_remote_code=trust_remote_code,
            progress=listener(progress),
        )


@documented(SourceOptions)
@filled()
def audit(
    source: Data,
    *,
    valid: Data | None = None,
    test: Data | None = None,
    base: str | None = None,
    pretraining_sample: str | None = None,
    apply: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[SourceOptions],
) -> Audit:
    """Look for what makes scores wrong, before training.

    Args:
        source, valid, test: as `fit` takes them.
        base: whose features inputs are compared by; None: the modality's default.
        pretraining_sample: inputs that the base was trained on, or a file of their sha256, one a line.
        apply: also write the table without the excluded rows.
        seed: of folds.
        out: folder of page, table and record; None is ``audit/NAME``.
        overwrite: replace an earlier audit there.
        device, progress: as in `fit`.
        options: filled in by `documented`.

    Raises:
        UserError: anything about the data or the output that the user can mend.
    """
    with using(device):
        return audit_source(
            in_memory(source),
            settings=source_settings(options),
            valid=_given(valid),
            test=_given(test),
            base=base,
            out=Path(out) if out else Path("audit") / run_name(in_memory(source)),
            apply=apply,
            pretraining_sample=pretraining_sample,
            overwrite=overwrite,
            seed=seed,
            progress=listener(progress),
        )


@filled()
def shift(
    run: str | Path,
    source: Data,
    *,
    input: str | None = None,
    trust_remote_code: bool = False,
    device: str | None = None,
    progress: Progress | bool | None = None,
) -> Shift:
    """How unlabelled inputs differ from those of a finished run, and what score to expect on them.

    Raises:
        UserError: anything about the run or the data that the user can mend.
    """
    with using(device):
        return shift_of(
            Path(run),
            in_memory(source),
            input=input,
            trust_remote_code=trust_remote_code,
            progress=listener(progress),
        )


@filled()
def compare(runs: Sequence[str | Path], *, metric: str | None = None, shared: bool = False) -> RunComparison:
    """Which of two or more runs is better on the same test rows, or that there is no significant difference.

    Args:
        metric: to compare by; None: what the runs were judged by.
        shared: compare on the rows that all runs have, where they differ.

    Raises:
        UserError: a folder that is no run, or runs on different rows.
    """
    return compare_runs([Path(run) for run in runs], metric=metric, shared=shared)


@documented(SourceOptions)
@filled()
def advise(
    source: Data,
    *,
    base: str | None = None,
    goal: float | None = None,
    reference: Data | None = None,
    trust_remote_code: bool = False,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[SourceOptions],
) -> Advice:
    """What to do with labelled data, what it costs, and how much more data buys; nothing is trained.

    Args:
        source: as `fit` takes it.
        base: None: the modality's default.
        goal: score for which rows are counted; None: the next round one within reach.
        reference: source of inputs like those that the base was trained on, labelled or not, to compare with.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        seed: of splits, draws and intervals.
        device, progress: as in `fit`.
        options: filled in by `documented`.

    Raises:
        UserError: anything about the data, the base or the goal that the user can mend.
    """
    settings = source_settings(options)
    with using(device):
        return advise_source(
            in_memory(source),
            settings=settings,
            base=base,
            goal=goal,
            reference=_given(reference),
            trust_remote_code=trust_remote_code,
            seed=seed,
            progress=listener(progress),
        )


@documented(SourceOptions)
@filled()
def rank(
    source: Data,
    *,
    valid: Data | None = None,
    test: Data | None = None,
    bases: Sequence[str] | None = None,
    licence: str | None = None,
    max_params: str | float | None = None,
    trust_remote_code: bool = False,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[SourceOptions],
) -> Ranking:
    """Which base is expected to do best on labelled data: cheap evidence, a race of the best, the winner and why.

    Args:
        source, valid, test: as `fit` takes them; labels of the test set are not read.
        bases: to compare, which may be fetched from the Hub; None: those of the catalogue that are here.
        licence, max_params: see `list_bases`.
        trust_remote_code: whether code of a named base's own may run, where it needs any.
        seed: of the draw, the folds and the intervals.
        device, progress: as in `fit`.
        options: filled in by `documented`.

    Raises:
        UserError: anything about the data or the settings that the user can mend.
    """
    with using(device):
        return rank_source(
            in_memory(source),
            settings=source_settings(options),
            valid=_given(valid),
            test=_given(test),
            candidates=bases,
            licence=licence,
            max_params=parse_parameters(max_params) if isinstance(max_params, str) else max_params,
            trust_remote_code=trust_remote_code,
            seed=seed,
            progress=listener(progress),
        )


@filled()
def list_bases(
    modality: str | None = None, licence: str | None = None, max_params: str | float | None = None
) -> Selection:
    """The bases of the catalogue that fit, and why others do not.

    Args:
        modality: "image", "text" or "audio"; None: all.
        licence: "commercial" leaves out what forbids commercial use or is not known to allow it.
        max_params: greatest number of parameters, like "30M", or in millions.

    Raises:
        SettingError, BaseError: see `headstart.bases.choosing.choose`.
    """
    most = parse_parameters(max_params) if isinstance(max_params, str) else max_params
    return choose(modality, licence, most)


@filled("source")
def embed(
    source: str | Path | Sequence[Any],
    *,
    base: str | Path | None = None,
    modality: str | None = None,
    input: str | None = None,
    image_size: int | None = None,
    max_tokens: int | None = None,
    windows: int | None = None,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """The vectors [n, width] float32 that a base gives for inputs; no labels are needed.

    Args:
        source: a folder, table or archive, as `fit` takes them; or a list of n texts, paths of images, PIL images or
            arrays.
        base: its name, or the folder of a run, whose backbone is then used; None: the modality's default.
        modality: "image" or "text"; None: that of the base or of the inputs.
        input: the input column of a table; None: the one that the run was trained on, or the one inferred.
        image_size, max_tokens, windows: see `headstart.options.FitOptions`.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        progress: told of the progress; None is silent.

    Rows that cannot be read are nan, and a `HeadstartWarning` names them.

    Raises:
        UserError: anything about the inputs or the base that the user can mend.
    """
    from headstart.flow.embed.embed import BaseAsked, embed_inputs, embed_sources

    of = BaseAsked(None if base is None else str(base), modality, image_size, max_tokens, windows, trust_remote_code)
    if isinstance(source, str | Path):
        found = embed_sources([str(as_path(source))], of, input, progress)
    else:
        found = embed_inputs(source, of, progress)
    if found.reasons:
        named = some(f"{found.asked.names[row]} ({reason})" for row, reason in found.reasons.items())
        warnings.warn(
            f"{len(found.reasons)} of {len(found.vectors)} rows cannot be read and are nan: {named}",
            HeadstartWarning,
            stacklevel=3,
        )
    return found.vectors


@documented(SourceOptions)
@filled()
def inspect(source: Data, **options: Unpack[SourceOptions]) -> Inspection:
    """What is understood of ``source``, before any work.

    Args:
        source: as `fit` takes it.
        options: filled in by `documented`.

    Raises:
        UserError: it cannot be opened as data.
    """
    return inspect_source(in_memory(source), source_settings(options))


def run_name(source: Source) -> str:
    """A run's name: of ``photos/`` "photos", of ``queries.csv.gz`` "queries", of a DataFrame in memory "dataframe"."""
    if isinstance(source, Memory):
        return source.name.lower()
    return as_path(source).expanduser().absolute().name.split(".")[0] or "run"


def _given(source: Data | None) -> Source | None:
    return None if source is None else in_memory(source)


def listener(progress: Progress | bool | None) -> Progress:
    """What is told how work goes: see `fit`.

    Raises:
        SettingError: ``progress`` is neither True, False, None nor a `Progress`.
    """
    if isinstance(progress, Progress):
        return progress
    if progress is not None and not isinstance(progress, bool):
        raise SettingError(
            f"progress is {progress!r}; it is True, False, None (shown in notebooks and at the prompt), or a "
            "headstart.progress.Progress."
        )
    if progress is False or (progress is None and not is_interactive()):
        return Progress()
    if in_notebook():
        return NotebookProgress()
    from headstart.terminal.console import Console

    return Console()
