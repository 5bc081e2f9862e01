"""The verbs as Python functions: the command line's options as keywords."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from headstart.delivery.model import Model
from headstart.options import FitOptions, SourceOptions, fit_settings, source_settings
from headstart.progress import Progress
from headstart.workflow import Inspection, Places, Run, fit_source, inspect_source


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


def load(path: str | Path) -> Model:
    """The model that a run left in its folder.

    Raises:
        BundleError: ``path`` holds no run or bundle, or a damaged one.
    """
    return Model.load(path)


def inspect(source: str | Path, **options: Unpack[SourceOptions]) -> Inspection:
    """What is understood of ``source``, before any work; options as in `headstart.options.SourceOptions`.

    Raises:
        UserError: it cannot be opened as data.
    """
    return inspect_source(source, source_settings(options))


def run_name(source: str | Path) -> str:
    """A run's name from its source: ``photos/`` gives "photos", ``queries.csv.gz`` "queries"."""
    return Path(source).expanduser().absolute().name.split(".")[0] or "run"
