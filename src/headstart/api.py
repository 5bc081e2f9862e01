"""The verbs as Python functions: the command line's options as keywords."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from headstart.audit.audit import Audit
from headstart.bases.choosing import Selection, choose, parse_parameters
from headstart.data.naming import some
from headstart.delivery.model import Model
from headstart.errors import HeadstartWarning
from headstart.files import as_path
from headstart.flow.advice import Advice
from headstart.flow.advising import advise_source
from headstart.flow.auditing import audit_source
from headstart.flow.comparing import RunComparison
from headstart.flow.comparing import compare as compare_runs
from headstart.flow.evaluating import Evaluation, evaluate_run
from headstart.flow.ranking import rank_source
from headstart.flow.shifting import Shift
from headstart.flow.shifting import shift as shift_of
from headstart.options import FitOptions, SourceOptions, filled, fit_settings, source_settings
from headstart.progress import Progress
from headstart.ranking.ranked import Ranking
from headstart.workflow import Inspection, Places, Run, fit_source, inspect_source


@filled("command")
def fit(
    source: str | Path,
    *,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
    **options: Unpack[FitOptions],
) -> Run:
    """Adapt a pre-trained base to labelled data and judge the result once on held-out data.

    Args:
        source: a folder of images in class subfolders, a table (CSV, TSV, JSON lines, Parquet) of texts or image
            paths, a zip or tar of either, or a folder written by ``datasets.save_to_disk``.
        valid, test: further sources that are the validation and test parts.
        name: of the run; None takes the source's.
        out: folder of the run; None is ``runs/NAME``.
        overwrite: replace an earlier run there.
        command: the command to show in the report as the way to repeat the run.
        progress: told of the plan and the progress; None is silent.
        options: see `headstart.options.FitOptions`: ``input``, ``target``, ``group``, ``slices``, ``split``,
            ``task``, ``modality``, ``base``, ``strategy``, ``metric``, ``valid_size``, ``test_size``,
            ``max_rejected``, ``seed``.

    Raises:
        UserError: anything about the data, the settings or the output that the user can mend.
    """
    place = Path(out) if out else Path("runs") / (name or run_name(source))
    places = Places(source, place, valid=valid, test=test, overwrite=overwrite)
    return fit_source(places, fit_settings(options), command=command, progress=progress)


@filled()
def evaluate(
    run: str | Path,
    source: str | Path,
    *,
    ood: str | None = None,
    damage: bool = False,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
    **options: Unpack[SourceOptions],
) -> Evaluation:
    """Score the model of a finished run on new labelled data.

    Args:
        run: folder of the run.
        source: labelled data, as `fit` takes them.
        ood: a source of inputs that the model should not know, to judge by.
        damage: also score damaged inputs, five strengths a kind.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        options: see `headstart.options.SourceOptions`.

    Raises:
        UserError: anything about the run or the data that the user can mend.
    """
    settings = source_settings(options)
    return evaluate_run(
        Path(run),
        source,
        settings,
        ood=ood,
        damage=damage,
        seed=seed,
        trust_remote_code=trust_remote_code,
        progress=progress,
    )


@filled()
def audit(
    source: str | Path,
    *,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    base: str | None = None,
    pretraining_sample: str | None = None,
    apply: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Unpack[SourceOptions],
) -> Audit:
    """Look for what makes scores wrong, before training.

    Args:
        source, valid, test: as `fit` takes them.
        base: whose features inputs are compared by; None: the modality's default.
        pretraining_sample: inputs that the base was trained on, or a file of their sha256, one a line.
        apply: also write the table without the rows found wanting.
        out: folder of page, table and record; None is ``audit/NAME``.
        options: see `headstart.options.SourceOptions`.

    Raises:
        UserError: anything about the data or the output that the user can mend.
    """
    return audit_source(
        source,
        settings=source_settings(options),
        valid=valid,
        test=test,
        base=base,
        out=Path(out) if out else Path("audit") / run_name(source),
        apply=apply,
        pretraining_sample=pretraining_sample,
        overwrite=overwrite,
        seed=seed,
        progress=progress,
    )


@filled()
def shift(
    run: str | Path,
    source: str | Path,
    *,
    input: str | None = None,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> Shift:
    """How unlabelled inputs differ from those of a finished run, and what score to expect on them.

    Raises:
        UserError: anything about the run or the data that the user can mend.
    """
    return shift_of(Path(run), source, input=input, trust_remote_code=trust_remote_code, progress=progress)


@filled()
def compare(runs: Sequence[str | Path], *, metric: str | None = None, shared: bool = False) -> RunComparison:
    """Which of two or more runs is better on the same test rows, or that they cannot be told apart.

    Args:
        metric: to compare by; None: what the runs were judged by.
        shared: compare on the rows that all runs have, where they differ.

    Raises:
        UserError: a folder that is no run, or runs on different rows.
    """
    return compare_runs([Path(run) for run in runs], metric=metric, shared=shared)


@filled()
def advise(
    source: str | Path,
    *,
    base: str | None = None,
    goal: float | None = None,
    reference: str | Path | None = None,
    trust_remote_code: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Unpack[SourceOptions],
) -> Advice:
    """What to do with labelled data, what it costs, and how much more data buys; nothing is trained.

    Args:
        base: None: the modality's default.
        goal: score for which rows are counted; None: the next round one within reach.
        reference: source of inputs like those that the base was trained on, labelled or not, to compare with.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        options: see `headstart.options.SourceOptions`.

    Raises:
        UserError: anything about the data, the base or the goal that the user can mend.
    """
    settings = source_settings(options)
    return advise_source(
        source,
        settings=settings,
        base=base,
        goal=goal,
        reference=reference,
        trust_remote_code=trust_remote_code,
        seed=seed,
        progress=progress,
    )


@filled()
def rank(
    source: str | Path,
    *,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    bases: Sequence[str] | None = None,
    licence: str | None = None,
    max_params: str | float | None = None,
    trust_remote_code: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Unpack[SourceOptions],
) -> Ranking:
    """Which base promises most for labelled data: cheap evidence, a race of the best, the winner and why.

    Args:
        source, valid, test: as `fit` takes them; labels of the test part are not read.
        bases: to compare, which may be fetched from the Hub; None: those of the catalogue that are here.
        licence, max_params: see `list_bases`.
        trust_remote_code: whether code of a named base's own may run, where it needs any.
        options: see `headstart.options.SourceOptions`.

    Raises:
        UserError: anything about the data or the settings that the user can mend.
    """
    return rank_source(
        source,
        settings=source_settings(options),
        valid=valid,
        test=test,
        candidates=bases,
        licence=licence,
        max_params=parse_parameters(max_params) if isinstance(max_params, str) else max_params,
        trust_remote_code=trust_remote_code,
        seed=seed,
        progress=progress,
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
    size: int | None = None,
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
        size, max_tokens, windows: see `headstart.options.FitOptions`.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        progress: told of the progress; None is silent.

    Rows that cannot be read are nan, and a `HeadstartWarning` names them.

    Raises:
        UserError: anything about the inputs or the base that the user can mend.
    """
    from headstart.flow.embedding import BaseAsked, embed_inputs, embed_sources

    of = BaseAsked(None if base is None else str(base), modality, size, max_tokens, windows, trust_remote_code)
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


@filled()
def load(path: str | Path, *, trust_remote_code: bool = False) -> Model:
    """The model that a run left in its folder.

    Args:
        trust_remote_code: whether code of the base's own may run, where it needs any.

    Raises:
        BundleError: ``path`` holds no run or bundle, or a damaged one.
    """
    return Model.load(path, trust_remote_code=trust_remote_code)


@filled()
def inspect(source: str | Path, **options: Unpack[SourceOptions]) -> Inspection:
    """What is understood of ``source``, before any work; options as in `headstart.options.SourceOptions`.

    Raises:
        UserError: it cannot be opened as data.
    """
    return inspect_source(source, source_settings(options))


def run_name(source: str | Path) -> str:
    """A run's name from its source: ``photos/`` gives "photos", ``queries.csv.gz`` "queries"."""
    return as_path(source).expanduser().absolute().name.split(".")[0] or "run"
