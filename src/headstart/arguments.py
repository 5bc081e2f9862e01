"""The arguments and options of the command line, each with its help, shared by the verbs that take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.files import as_path
from headstart.options import flags, meaning

_DATA, _MODEL, _TRAINING, _JUDGING, _RUN = "Data", "Model", "Training", "Judging", "Run"

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
Input = Annotated[str | None, typer.Option(help=meaning("input"), rich_help_panel=_DATA)]
Target = Annotated[
    list[str] | None,
    typer.Option(help=meaning("target") + " May be repeated.", rich_help_panel=_DATA),
]
Group = Annotated[
    str | None,
    typer.Option(help=meaning("group"), rich_help_panel=_DATA),
]
Slice = Annotated[
    list[str] | None,
    typer.Option(help=meaning("slices") + " May be repeated.", rich_help_panel=_DATA),
]
SplitColumn = Annotated[str | None, typer.Option("--split", help=meaning("split"), rich_help_panel=_DATA)]
TaskName = Annotated[str | None, typer.Option(help=meaning("task"), rich_help_panel=_DATA)]
ModalityName = Annotated[str | None, typer.Option(help=meaning("modality"), rich_help_panel=_DATA)]
Valid = Annotated[str | None, typer.Option(help="Another source: the validation set.", rich_help_panel=_DATA)]
Test = Annotated[
    str | None,
    typer.Option(help="Another source: the test set, not read before the end.", rich_help_panel=_DATA),
]
ValidSize = Annotated[float, typer.Option(help=meaning("valid_size"), rich_help_panel=_DATA)]
TestSize = Annotated[float, typer.Option(help=meaning("test_size"), rich_help_panel=_DATA)]
SplitFrom = Annotated[
    str | None,
    typer.Option(
        help=meaning("split_from"),
        metavar="RUN",
        rich_help_panel=_DATA,
    ),
]
Evidence = Annotated[
    str | None,
    typer.Option(
        help=meaning("evidence"),
        metavar="RUN",
        rich_help_panel=_DATA,
    ),
]
MaxRejected = Annotated[
    float,
    typer.Option(help=meaning("max_rejected"), rich_help_panel=_DATA),
]
BaseName = Annotated[
    str | None,
    typer.Option(*flags("base"), help=meaning("base"), rich_help_panel=_MODEL),
]
Licence = Annotated[
    str | None,
    typer.Option(
        *flags("licence"),
        help=meaning("licence"),
        rich_help_panel=_MODEL,
    ),
]
MaxParams = Annotated[
    str | None,
    typer.Option(help="Greatest number of parameters, such as 300k, 30M or 1.5B.", rich_help_panel=_MODEL),
]
Size = Annotated[
    int | None,
    typer.Option(*flags("size"), help=meaning("size"), rich_help_panel=_MODEL),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        help=meaning("max_tokens"),
        rich_help_panel=_MODEL,
    ),
]
Windows = Annotated[
    int | None,
    typer.Option(help=meaning("windows"), rich_help_panel=_MODEL),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option("--trust-remote-code", help=meaning("trust_remote_code"), rich_help_panel=_MODEL),
]
Candidates = Annotated[
    list[str] | None,
    typer.Option(
        *flags("base"), help="Base to compare; may be repeated. By default those that are here.", rich_help_panel=_MODEL
    ),
]
Strategy = Annotated[
    str,
    typer.Option(help=meaning("strategy"), rich_help_panel=_MODEL),
]
BudgetTime = Annotated[
    str | None,
    typer.Option("--budget", help=meaning("budget"), rich_help_panel=_RUN),
]
Thaw = Annotated[int | None, typer.Option(*flags("thaw"), help=meaning("thaw"), rich_help_panel=_TRAINING)]
Epochs = Annotated[float | None, typer.Option(help=meaning("epochs"), rich_help_panel=_TRAINING)]
Rate = Annotated[float | None, typer.Option(*flags("rate"), help=meaning("rate"), rich_help_panel=_TRAINING)]
BodyRate = Annotated[
    float | None,
    typer.Option(*flags("body_rate"), help=meaning("body_rate"), rich_help_panel=_TRAINING),
]
BatchSize = Annotated[int | None, typer.Option(*flags("batch"), help=meaning("batch"), rich_help_panel=_TRAINING)]
Augment = Annotated[
    str,
    typer.Option(help=meaning("augment"), rich_help_panel=_TRAINING),
]
Mixup = Annotated[
    float | None,
    typer.Option(help=meaning("mixup"), rich_help_panel=_TRAINING),
]
Adapter = Annotated[str, typer.Option(help=meaning("adapter"), rich_help_panel=_TRAINING)]
Rank = Annotated[int, typer.Option(*flags("rank"), help=meaning("rank"), rich_help_panel=_TRAINING)]
L2sp = Annotated[float, typer.Option("--l2sp", help=meaning("l2sp"), rich_help_panel=_TRAINING)]
Retain = Annotated[
    str | None,
    typer.Option(help=meaning("retain"), rich_help_panel=_TRAINING),
]
Replay = Annotated[float, typer.Option(help=meaning("replay"), rich_help_panel=_TRAINING)]
MaxForgetting = Annotated[
    float | None,
    typer.Option(
        help=meaning("max_forgetting"),
        rich_help_panel=_TRAINING,
    ),
]
PrefixCache = Annotated[
    bool,
    typer.Option("--prefix-cache/--no-prefix-cache", help=meaning("prefix_cache"), rich_help_panel=_TRAINING),
]
ScratchControl = Annotated[
    bool,
    typer.Option(
        "--scratch-control/--no-scratch-control",
        help=meaning("scratch_control"),
        rich_help_panel=_TRAINING,
    ),
]
MetricName = Annotated[
    str | None,
    typer.Option(help=meaning("metric"), rich_help_panel=_MODEL),
]
ClassWeight = Annotated[
    str | None, typer.Option("--class-weight", help=meaning("class_weight"), rich_help_panel=_TRAINING)
]
Weight = Annotated[str | None, typer.Option(help=meaning("weight"), rich_help_panel=_TRAINING)]
Device = Annotated[
    str | None,
    typer.Option(
        help="Where networks run: auto, cpu, cuda, cuda:1 or mps; by default HEADSTART_DEVICE, or auto: the first of "
        "CUDA, MPS, CPU.",
    ),
]
Seed = Annotated[int, typer.Option(help=meaning("seed"), rich_help_panel=_RUN)]
Name = Annotated[str | None, typer.Option(help="Name of the run; the data's name by default.", rich_help_panel=_RUN)]
Out = Annotated[
    Path | None,
    typer.Option(
        *flags("out"),
        help="Folder of the run; runs/NAME by default.",
        metavar="<path>",
        parser=as_path,
        rich_help_panel=_RUN,
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(*flags("out"), help="Write the record here too, as JSON.", metavar="<path>", parser=as_path),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run there.", rich_help_panel=_RUN)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout and nothing else there.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Every decision, every look at a training, and all of the evidence.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No prose and no progress on stderr.")]
Together = Annotated[
    bool,
    typer.Option(
        "--together/--no-together",
        help=meaning("together"),
        rich_help_panel=_DATA,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(help=meaning("folds"), rich_help_panel=_JUDGING),
]
Ood = Annotated[
    str | None,
    typer.Option("--ood", help=meaning("ood"), rich_help_panel=_JUDGING),
]
Risk = Annotated[
    float | None,
    typer.Option(
        help=meaning("risk"),
        rich_help_panel=_JUDGING,
    ),
]
Threshold = Annotated[
    str | None,
    typer.Option(
        help=meaning("threshold"),
        metavar="<rule>",
        rich_help_panel=_JUDGING,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        help=meaning("positive"),
        metavar="<label>",
        rich_help_panel=_JUDGING,
    ),
]
Level = Annotated[
    float,
    typer.Option(help=meaning("level"), rich_help_panel=_JUDGING),
]
Damage = Annotated[
    bool,
    typer.Option("--damage", help=meaning("damage"), rich_help_panel=_JUDGING),
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN", parser=as_path)]
Inputs = Annotated[
    list[str],
    typer.Argument(
        help=(
            "Images, folders, tables or archives; where texts are read also the texts themselves; - reads lines from "
            "stdin."
        ),
        metavar="INPUT…",
    ),
]
OutTable = Annotated[
    Path | None,
    typer.Option(
        *flags("out"),
        help="Write the table here instead of stdout, as the name says: .csv, .tsv, .jsonl or .parquet.",
        metavar="<path>",
        parser=as_path,
    ),
]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of CSV.")]
OutVectors = Annotated[
    Path | None,
    typer.Option(
        *flags("out"),
        help="Write here instead of stdout, as the name says: .parquet, .npy, .jsonl, .csv or .tsv.",
        metavar="<path>",
        parser=as_path,
    ),
]
