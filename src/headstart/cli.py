"""The command line: one function a verb, which parses, makes one call, and leaves errors to `main`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart import __version__
from headstart.arguments import (
    Adapter,
    Augment,
    BaseName,
    BatchSize,
    BodyRate,
    BudgetTime,
    Damage,
    Epochs,
    Folds,
    Group,
    Input,
    Json,
    L2sp,
    Level,
    MaxForgetting,
    MaxRejected,
    MetricName,
    Mixup,
    ModalityName,
    Name,
    Ood,
    Out,
    Overwrite,
    PrefixCache,
    Quiet,
    Rank,
    Rate,
    Replay,
    Retain,
    Risk,
    RunArgument,
    ScratchControl,
    Seed,
    Slice,
    Source,
    SplitColumn,
    Strategy,
    Target,
    TaskName,
    Test,
    TestSize,
    Thaw,
    Together,
    Valid,
    ValidSize,
)
from headstart.errors import HeadstartError, SettingError

_HELP = """Adapt a pre-trained model to your labelled data, and prove on held-out data that borrowing helped.

Start with `headstart inspect DATA` to see what it understands, then `headstart fit DATA`: model, report and result.json
are then in runs/NAME, and `headstart predict runs/NAME NEW` uses them. Results go to stdout, all else to stderr.
"""

app = typer.Typer(help=_HELP, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
cache_app = typer.Typer(
    help="Show or prune the cache of features (HEADSTART_CACHE; at most HEADSTART_CACHE_SIZE, 20G).",
    invoke_without_command=True,
)
app.add_typer(cache_app, name="cache")

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it and as typer makes it of Ctrl-C


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Every parameter of a verb under its own name, save those of what is shown."""
    options = {name: value for name, value in given.items() if name not in ("json", "quiet")}
    if "slice" in options:
        options["slices"] = options.pop("slice") or ()
    return options


def _version(value: bool) -> None:
    if value:
        print(f"headstart {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options before the verb; --debug is read in `main`."""


@app.command()
def fit(
    source: Source,
    valid: Valid = None,
    test: Test = None,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    split: SplitColumn = None,
    task: TaskName = None,
    modality: ModalityName = None,
    valid_size: ValidSize = 0.2,
    test_size: TestSize = 0.2,
    max_rejected: MaxRejected = 0.05,
    base: BaseName = None,
    strategy: Strategy = "auto",
    metric: MetricName = None,
    budget: BudgetTime = None,
    thaw: Thaw = None,
    epochs: Epochs = None,
    rate: Rate = None,
    body_rate: BodyRate = None,
    batch: BatchSize = None,
    augment: Augment = "auto",
    mixup: Mixup = None,
    adapter: Adapter = "lora",
    rank: Rank = 16,
    l2sp: L2sp = 0.0,
    retain: Retain = None,
    replay: Replay = 1.0,
    max_forgetting: MaxForgetting = None,
    prefix_cache: PrefixCache = True,
    scratch_control: ScratchControl = True,
    together: Together = True,
    folds: Folds = None,
    ood: Ood = None,
    risk: Risk = None,
    level: Level = 0.9,
    damage: Damage = False,
    seed: Seed = 0,
    name: Name = None,
    out: Out = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Adapt a base to DATA and judge the result once on held-out data.

    Examples: `headstart fit photos/` · `headstart fit queries.csv --test later.csv` ·
    `headstart fit scans.csv --input path --target finding --group patient`
    """
    options = _options(locals())
    from headstart.api import fit as run_fit
    from headstart.terminal.console import Console
    from headstart.terminal.summary import summary

    command = shlex.join(["headstart", *sys.argv[1:]])
    run = run_fit(**options, command=command, progress=Console(quiet=quiet))
    print(run.result.to_json() if json else summary(run))


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="Folder of a run or bundle.", metavar="RUN")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            help=(
                "Images, folders, tables or archives; for a text model also the texts themselves; - reads "
                "lines from stdin."
            ),
            metavar="INPUT…",
        ),
    ],
    input: Input = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", "-p", help="A column for every label.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the table here instead of stdout; .csv or .jsonl.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of CSV.")] = False,
    quiet: Quiet = False,
) -> None:
    """Label new inputs with a fitted model: the exact preprocessing and labels of training.

    Examples: `headstart predict runs/bees photo.jpg more/` · `headstart predict runs/queries "where is my card?"`
    """
    from headstart.terminal.console import Console
    from headstart.terminal.predicting import predict_to

    predict_to(
        run,
        inputs,
        column=input,
        probabilities=probabilities,
        out=out,
        overwrite=overwrite,
        json_lines=json,
        progress=Console(quiet=quiet),
    )


@app.command()
def evaluate(
    run: RunArgument,
    source: Source,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    ood: Ood = None,
    damage: Damage = False,
    out: Annotated[Path | None, typer.Option(help="Write the record here too, as JSON.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score the model of RUN on new labelled data: metrics, classes, slices, calibration, each with its interval.

    Example: `headstart evaluate runs/bees field_photos/ --slice camera`
    """
    from headstart.api import evaluate as run_evaluate
    from headstart.terminal.console import Console
    from headstart.terminal.evaluating import evaluation_text
    from headstart.terminal.writing import as_json, check_out, write_record

    check_out(out, overwrite)
    found = run_evaluate(
        run,
        source,
        ood=ood,
        damage=damage,
        progress=Console(quiet=quiet),
        input=input,
        target=target,
        group=group,
        slices=slice or (),
    )
    write_record(out, found.to_dict())
    print(as_json(found.to_dict()) if json else evaluation_text(found))


@app.command()
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
    base: BaseName = None,
    pretraining_sample: Annotated[
        str | None,
        typer.Option(
            help="Inputs, or sha256 of them one a line, that the base was trained on.", rich_help_panel="Data"
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Also write cleaned.csv, without the rows found wanting.")
    ] = False,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the findings; audit/NAME by default.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier audit there.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look for what makes scores wrong before training: duplicates, leaks, wrong labels, odd files, give-aways.

    Example: `headstart audit photos/ --out audit/photos`
    """
    options = _options(locals())
    from headstart.api import audit as run_audit
    from headstart.api import run_name
    from headstart.terminal.auditing import audit_text
    from headstart.terminal.console import Console
    from headstart.terminal.writing import as_json

    options["out"] = out or Path("audit") / run_name(source)
    found = run_audit(**options, progress=Console(quiet=quiet))
    print(as_json(found.to_dict()) if json else audit_text(found, options["out"]))


@app.command()
def shift(
    run: RunArgument,
    source: Annotated[str, typer.Argument(help="Unlabelled inputs: folder, table or archive.", metavar="DATA")],
    input: Input = None,
    out: Annotated[Path | None, typer.Option(help="Write the record here too, as JSON.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: Json = False,
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
    found = run_shift(run, source, input=input, progress=Console(quiet=quiet))
    write_record(out, found.to_dict())
    print(as_json(found.to_dict()) if json else shift_text(found))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.", metavar="RUN…")],
    shared: Annotated[
        bool, typer.Option("--shared", help="Compare on the test rows that all runs have, where they differ.")
    ] = False,
    metric: Annotated[
        str | None, typer.Option(help="To compare by; what the runs were judged by is the default.")
    ] = None,
    json: Json = False,
) -> None:
    """Say of runs on the same test rows which is better, or that they cannot be told apart.

    Example: `headstart compare runs/first runs/second`
    """
    from headstart.api import compare as run_compare
    from headstart.terminal.comparing import text as comparison_text
    from headstart.terminal.writing import as_json

    found = run_compare(runs, metric=metric, shared=shared)
    print(as_json(found.to_dict()) if json else comparison_text(found))


@app.command()
def inspect(
    source: Source,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    split: SplitColumn = None,
    task: TaskName = None,
    modality: ModalityName = None,
    json: Json = False,
) -> None:
    """Show what is understood of DATA and why, before any work."""
    options = _options(locals())
    from headstart.api import inspect as run_inspect
    from headstart.terminal.summary import inspection_json, inspection_text

    seen = run_inspect(**options)
    print(inspection_json(seen) if json else inspection_text(seen))


@cache_app.callback()
def cache(context: typer.Context, json: Json = False) -> None:
    """Show what the cache holds: one line a base and preprocessing, least recently used first."""
    if context.invoked_subcommand is None:
        from headstart.terminal.summary import cache_json, cache_text

        print(cache_json() if json else cache_text())


@cache_app.command()
def prune(
    to: Annotated[
        str | None,
        typer.Option(help="Remove the least recently used until at most this much is left, such as 5G."),
    ] = None,
    all: Annotated[
        bool, typer.Option("--all", help="Remove everything: archives, graphs and checkpoints too.")
    ] = False,
    json: Json = False,
) -> None:
    """Remove cached features and states of frozen stages, the least recently used first.

    Without options down to the size limit.
    """
    from headstart.terminal.summary import bytes_text
    from headstart.terminal.writing import as_json
    from headstart.training.cache_use import clear_others, parse_size, size_limit
    from headstart.training.cache_use import prune as run_prune

    if to and all:
        raise SettingError("--to and --all came together; give one of them.")
    removed = run_prune(0 if all else parse_size(to) if to else size_limit())
    freed = sum(use.bytes for use in removed) + (clear_others() if all else 0)
    told = f"removed {len(removed)} sets of features, {bytes_text(freed)} in all"
    print(as_json({"removed": len(removed), "bytes": freed}) if json else told)


def run() -> None:
    """The console script: `main`, then out without tearing torch down, which takes most of a second."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors become one line on stderr."""
    given: list[str] = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # --debug may stand anywhere, as people add it to the end of a command that failed
    try:
        result: Any = app(args=[a for a in given if a != "--debug"], prog_name="headstart", standalone_mode=False)
        code = _interrupted() if result == _INTERRUPTED else result if isinstance(result, int) else 0
    except HeadstartError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception as error:
        code = _unexpected(error, debug)
    return code


def _unexpected(error: Exception, debug: bool) -> int:
    """Usage errors in one line; a broken pipe is silence; all else is a defect, said so without a traceback."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's, which typer carries along
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
        else:
            print(f"error: {_usage(error)}", file=sys.stderr)
        return int(error.exit_code)
    if isinstance(error, BrokenPipeError):
        return 0
    if debug:
        raise error
    print(
        f"error: {type(error).__name__}: {error} (this is a defect of headstart; --debug shows where)",
        file=sys.stderr,
    )
    return 1


def _usage(error: Any) -> str:
    """What typer says of wrong arguments, in one line, and where to read on."""
    said = " ".join(error.format_message().split())
    end = "" if said.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    return f"{said}{end} See '{context.command_path if context else 'headstart'} --help'."


def _interrupted() -> int:
    kept = "features so far and the last checkpoint of training are kept"
    print(f"interrupted; {kept}, run the same command again to go on", file=sys.stderr)
    return _INTERRUPTED


if __name__ == "__main__":
    run()
