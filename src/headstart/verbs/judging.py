"""What looks at data and runs without training: `evaluate`, `audit`, `shift`, `compare`, `inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.arguments import (
    BaseName,
    Corruptions,
    Device,
    Group,
    Input,
    Json,
    ModalityName,
    Ood,
    Quiet,
    Record,
    RunArgument,
    Seed,
    Slice,
    Source,
    SplitColumn,
    Strict,
    Target,
    TaskName,
    Test,
    TrustRemoteCode,
    Valid,
    Verbose,
)
from headstart.files import as_path
from headstart.options import flags
from headstart.verbs.given import options_of


def evaluate(
    run: RunArgument,
    source: Source,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    ood: Ood = None,
    corruptions: Corruptions = False,
    trust_remote_code: TrustRemoteCode = False,
    device: Device = None,
    out: Annotated[
        Path | None,
        typer.Option(
            *flags("out"),
            help="Folder for the report, the mistakes, every prediction and the record; or a file NAME.json for the "
            "record alone.",
            metavar="<path>",
            parser=as_path,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    verbose: Verbose = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score the model of RUN on new labelled data: metrics, classes, slices, calibration, each with its interval.

    Example: `headstart evaluate runs/bees field_photos/ --slice camera`
    """
    from headstart.api import evaluate as run_evaluate
    from headstart.terminal.console import Console
    from headstart.terminal.evaluating import evaluations_text
    from headstart.terminal.writing import as_json

    found = run_evaluate(
        run,
        source,
        out=out,
        overwrite=overwrite,
        ood=ood,
        corruptions=corruptions,
        trust_remote_code=trust_remote_code,
        device=device,
        progress=Console(quiet=quiet, verbose=verbose),
        input=input,
        target=target,
        group=group,
        slices=slice or (),
    )
    print(as_json(found.to_dict()) if json else evaluations_text(found, out, verbose=verbose))


def audit(
    source: Source,
    valid: Valid = None,
    test: Test = None,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    split: SplitColumn = None,
    task: TaskName = None,
    modality: ModalityName = None,
    strict: Strict = False,
    base: BaseName = None,
    pretraining_sample: Annotated[
        str | None,
        typer.Option(
            help="Inputs, or sha256 of them one a line, that the base was trained on.", rich_help_panel="Data"
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Also write cleaned.csv, without the excluded rows.")] = False,
    seed: Seed = 0,
    device: Device = None,
    out: Annotated[
        Path | None,
        typer.Option(
            *flags("out"), help="Folder of the findings; audit/NAME by default.", metavar="<path>", parser=as_path
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier audit there.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Look for what makes scores wrong before training: duplicates, leaks, wrong labels, odd files, give-aways.

    Example: `headstart audit photos/ --out audit/photos`
    """
    options = options_of(locals())
    from headstart.api import audit as run_audit
    from headstart.api import run_name
    from headstart.terminal.auditing import audit_text
    from headstart.terminal.console import Console
    from headstart.terminal.writing import as_json

    options["out"] = out or Path("audit") / run_name(source)
    found = run_audit(**options, progress=Console(quiet=quiet, verbose=verbose))
    print(as_json(found.to_dict()) if json else audit_text(found, options["out"], verbose=verbose))


def shift(
    run: RunArgument,
    source: Annotated[str, typer.Argument(help="Unlabelled inputs: folder, table or archive.", metavar="DATA")],
    input: Input = None,
    trust_remote_code: TrustRemoteCode = False,
    device: Device = None,
    out: Record = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Say how unlabelled inputs differ from those of RUN, and what score to expect on them.

    Example: `headstart shift runs/bees last_week/`
    """
    from headstart.api import shift as run_shift
    from headstart.terminal.console import Console
    from headstart.terminal.shifting import shift_text
    from headstart.terminal.writing import as_json, check_out, write_record

    check_out(out, overwrite)
    found = run_shift(
        run,
        source,
        input=input,
        trust_remote_code=trust_remote_code,
        device=device,
        progress=Console(quiet=quiet, verbose=verbose),
    )
    write_record(out, found.to_dict())
    print(as_json(found.to_dict()) if json else shift_text(found, out, verbose=verbose))


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.", metavar="RUN…", parser=as_path)],
    shared: Annotated[
        bool, typer.Option("--shared", help="Compare on the test rows that all runs have, where they differ.")
    ] = False,
    metric: Annotated[
        str | None, typer.Option(help="To compare by; what the runs were judged by is the default.")
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Say of runs on the same test rows which is better, or that there is no significant difference.

    Example: `headstart compare runs/first runs/second`
    """
    from headstart.api import compare as run_compare
    from headstart.terminal.comparing import text as comparison_text
    from headstart.terminal.writing import as_json

    found = run_compare(runs, metric=metric, shared=shared)
    print(as_json(found.to_dict()) if json else comparison_text(found, verbose=verbose))


def inspect(
    source: Source,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    split: SplitColumn = None,
    task: TaskName = None,
    modality: ModalityName = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Show what is understood of DATA and why, before any work."""
    options = options_of(locals())
    from headstart.api import inspect as run_inspect
    from headstart.terminal.summary import inspection_json, inspection_text

    seen = run_inspect(**options)
    print(inspection_json(seen) if json else inspection_text(seen))
