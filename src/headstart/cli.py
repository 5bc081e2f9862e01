"""The command line: one function a verb, which parses, makes one call, and leaves errors to `main`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart import __version__
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

_DATA, _MODEL, _TRAINING, _RUN = "Data", "Model", "Training", "Run"
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it and as typer makes it of Ctrl-C

Source = Annotated[
    str,
    typer.Argument(
        help=(
            "Image folder (class subfolders), table (CSV, TSV, JSONL, Parquet), zip or tar of either, or "
            "saved `datasets` folder."
        ),
        metavar="DATA",
    ),
]
Input = Annotated[str | None, typer.Option(help="Column with the texts or image paths.", rich_help_panel=_DATA)]
Target = Annotated[
    list[str] | None,
    typer.Option(help="Column with the labels or values; repeat for several 0/1 label columns.", rich_help_panel=_DATA),
]
Group = Annotated[
    str | None,
    typer.Option(help="Column whose equal rows are never parted by a split (patient, site …).", rich_help_panel=_DATA),
]
Slice = Annotated[
    list[str] | None,
    typer.Option(help="Column to report the score by; may be repeated.", rich_help_panel=_DATA),
]
SplitColumn = Annotated[
    str | None, typer.Option("--split", help="Column that says train, valid or test.", rich_help_panel=_DATA)
]
TaskName = Annotated[str | None, typer.Option(help="classification, multilabel or regression.", rich_help_panel=_DATA)]
ModalityName = Annotated[str | None, typer.Option(help="image or text.", rich_help_panel=_DATA)]
Valid = Annotated[str | None, typer.Option(help="Another source: the validation part.", rich_help_panel=_DATA)]
Test = Annotated[
    str | None,
    typer.Option(help="Another source: the test part, sealed until the end.", rich_help_panel=_DATA),
]
ValidSize = Annotated[
    float, typer.Option(help="Share of the rows for validation, where none is given.", rich_help_panel=_DATA)
]
TestSize = Annotated[
    float, typer.Option(help="Share of the rows for the test, where none is given.", rich_help_panel=_DATA)
]
MaxRejected = Annotated[
    float,
    typer.Option(help="Share of unreadable rows above which the run fails.", rich_help_panel=_DATA),
]
BaseName = Annotated[
    str | None,
    typer.Option(help="Embedded base, timm name, Hub id or local folder.", rich_help_panel=_MODEL),
]
Strategy = Annotated[
    str,
    typer.Option(
        help="auto, or one of probe, head2toe, partial, progressive, norm, lora, full, scratch.", rich_help_panel=_MODEL
    ),
]
BudgetTime = Annotated[
    str | None,
    typer.Option("--budget", help="Time that the whole run may take, such as 90s, 10m, 1.5h.", rich_help_panel=_RUN),
]
Thaw = Annotated[int | None, typer.Option(help="Stages that are trained, from the top.", rich_help_panel=_TRAINING)]
Epochs = Annotated[
    float | None, typer.Option(help="Passes over the training rows, of each phase.", rich_help_panel=_TRAINING)
]
Rate = Annotated[float | None, typer.Option(help="Greatest learning rate of the head.", rich_help_panel=_TRAINING)]
BodyRate = Annotated[
    float | None,
    typer.Option(help="The top stage's rate as a share of the head's.", rich_help_panel=_TRAINING),
]
BatchSize = Annotated[int | None, typer.Option("--batch", help="Rows a training step.", rich_help_panel=_TRAINING)]
Augment = Annotated[
    str,
    typer.Option(
        help="auto, none, or damage: also blur, noise, JPEG, low light; typos, cut texts.", rich_help_panel=_TRAINING
    ),
]
Mixup = Annotated[
    float | None,
    typer.Option(help="Strength of mixup, 0 for none; by default for plentiful pictures.", rich_help_panel=_TRAINING),
]
Adapter = Annotated[
    str, typer.Option(help="Kind that strategy lora trains: lora, dora or rslora.", rich_help_panel=_TRAINING)
]
Rank = Annotated[int, typer.Option(help="Of the adapters.", rich_help_panel=_TRAINING)]
L2sp = Annotated[
    float, typer.Option("--l2sp", help="Strength of the pull back to the base's weights.", rich_help_panel=_TRAINING)
]
Retain = Annotated[
    str | None,
    typer.Option(help="Inputs, labelled or not, on which the base's features are to stay.", rich_help_panel=_TRAINING),
]
Replay = Annotated[float, typer.Option(help="Strength of that.", rich_help_panel=_TRAINING)]
MaxForgetting = Annotated[
    float | None,
    typer.Option(
        help="Share of the base's answers that training may change; beyond it weights are drawn back.",
        rich_help_panel=_TRAINING,
    ),
]
PrefixCache = Annotated[
    bool,
    typer.Option("--prefix-cache/--no-prefix-cache", help="Keep what frozen stages give.", rich_help_panel=_TRAINING),
]
ScratchControl = Annotated[
    bool,
    typer.Option(
        "--scratch-control/--no-scratch-control",
        help="Where weights were trained: also train the network from random ones.",
        rich_help_panel=_TRAINING,
    ),
]
MetricName = Annotated[
    str | None,
    typer.Option(help="To choose and judge by, such as accuracy, f1_macro, r2.", rich_help_panel=_MODEL),
]
Seed = Annotated[int, typer.Option(help="Repeats a run exactly.", rich_help_panel=_RUN)]
Name = Annotated[str | None, typer.Option(help="Name of the run; the data's name by default.", rich_help_panel=_RUN)]
Out = Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME by default.", rich_help_panel=_RUN)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run there.", rich_help_panel=_RUN)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No prose and no progress on stderr.")]


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
    options = dict(locals())  # every parameter goes on under its own name, save those of this page
    for shown_here in ("json", "quiet"):
        options.pop(shown_here)
    options["slices"] = options.pop("slice") or ()
    from headstart.api import fit as run_fit
    from headstart.options import parse_budget
    from headstart.terminal.console import Console
    from headstart.terminal.summary import summary

    options["budget"] = None if budget is None else parse_budget(budget)
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
    options = dict(locals())
    options.pop("json")
    options["slices"] = options.pop("slice") or ()
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
) -> None:
    """Remove cached features and states of frozen stages, the least recently used first.

    Without options down to the size limit.
    """
    from headstart.terminal.summary import bytes_text
    from headstart.training.cache_use import clear_others, parse_size, size_limit
    from headstart.training.cache_use import prune as run_prune

    if to and all:
        raise SettingError("--to and --all came together; give one of them.")
    removed = run_prune(0 if all else parse_size(to) if to else size_limit())
    freed = sum(use.bytes for use in removed) + (clear_others() if all else 0)
    print(f"removed {len(removed)} sets of features, {bytes_text(freed)} in all")


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
