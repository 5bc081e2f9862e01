"""The verbs as Python functions: the command line's options as keywords."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headstart.delivery.model import Model
from headstart.progress import Progress
from headstart.workflow import Inspection, Run, fit_source, inspect_source, settings_from


def fit(
    source: str | Path,
    *,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    input: str | None = None,
    target: str | Sequence[str] | None = None,
    group: str | None = None,
    slices: Sequence[str] = (),
    split: str | None = None,
    task: str | None = None,
    modality: str | None = None,
    base: str | None = None,
    strategy: str = "auto",
    metric: str | None = None,
    valid_size: float = 0.2,
    test_size: float = 0.2,
    max_rejected: float = 0.05,
    seed: int = 0,
    name: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> Run:
    """Adapt a pre-trained base to labelled data and judge the result once on held-out data.

    Args:
        source: a folder of images in class subfolders, a table (CSV, TSV, JSON lines, Parquet) of texts or image
            paths, a zip or tar of either, or a folder written by ``datasets.save_to_disk``.
        valid, test: further sources that are the validation and test parts.
        input, target, group, split: column names; None infers them and says why. Several 0/1 target columns make
            a multilabel task. Rows of one group are never parted.
        slices: columns to report the score by.
        task: "classification", "multilabel" or "regression"; None infers it.
        modality: "image" or "text"; None infers it.
        base: an embedded base, a timm name, a Hub id or a local folder; None takes the modality's default.
        strategy: "auto" or "probe".
        metric: to choose and judge by; None takes the task's default.
        valid_size, test_size: shares of the rows drawn where no such part is given.
        max_rejected: share of unreadable rows above which the run fails.
        seed: of splits, folds and intervals.
        name: of the run; None takes the source's.
        out: folder of the run; None is ``runs/NAME``.
        overwrite: replace an earlier run there.
        command: the command to show in the report as the way to repeat the run.
        progress: told of the plan and the progress; None is silent.

    Raises:
        UserError: anything about the data, the settings or the output that the user can mend.
    """
    settings = settings_from(
        input=input,
        target=target,
        group=group,
        slices=slices,
        split=split,
        task=task,
        modality=modality,
        base=base,
        strategy=strategy,
        metric=metric,
        valid_size=valid_size,
        test_size=test_size,
        max_rejected=max_rejected,
        seed=seed,
    )
    place = Path(out) if out else Path("runs") / (name or run_name(source))
    return fit_source(
        source,
        out=place,
        valid=valid,
        test=test,
        settings=settings,
        overwrite=overwrite,
        command=command,
        progress=progress,
    )


def load(path: str | Path) -> Model:
    """The model that a run left in its folder.

    Raises:
        BundleError: ``path`` holds no run or bundle, or a damaged one.
    """
    return Model.load(path)


def inspect(
    source: str | Path,
    *,
    input: str | None = None,
    target: str | Sequence[str] | None = None,
    group: str | None = None,
    slices: Sequence[str] = (),
    split: str | None = None,
    task: str | None = None,
    modality: str | None = None,
) -> Inspection:
    """What is understood of ``source``, before any work; keywords as in `fit`.

    Raises:
        UserError: it cannot be opened as data.
    """
    settings = settings_from(
        input=input, target=target, group=group, slices=slices, split=split, task=task, modality=modality
    )
    return inspect_source(source, settings.source)


def run_name(source: str | Path) -> str:
    """A run's name from its source: ``photos/`` gives "photos", ``queries.csv.gz`` "queries"."""
    return Path(source).expanduser().absolute().name.split(".")[0] or "run"
