"""The arguments and options of the command line, each with its help, shared by the verbs that take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.files import as_path
from headstart.options import ALIASES, flags, meaning

_DATA, _MODEL, _TRAINING, _JUDGING, _RUN = "Data", "Model", "Training", "Judging", "Run"


def _told(name: str, panel: str, metavar: str | None = None) -> Any:
    """The option ``name``, with its aliases and its meaning as `headstart.options` has them."""
    spelt = flags(name) if name in ALIASES else ()
    return typer.Option(*spelt, help=meaning(name), metavar=metavar, rich_help_panel=panel)


Source = Annotated[
    str,
    typer.Argument(
        help=(
            "Image folder (class subfolders), table (CSV, TSV, JSON, JSONL, Parquet), words with tags (CoNLL), zip or "
            "tar of these, or saved `datasets` folder."
        ),
        metavar="DATA",
    ),
]
Input = Annotated[str | None, _told("input", _DATA)]
Target = Annotated[
    list[str] | None,
    typer.Option(help=meaning("target") + " May be repeated.", rich_help_panel=_DATA),
]
Group = Annotated[
    str | None,
    _told("group", _DATA),
]
Slice = Annotated[
    list[str] | None,
    typer.Option(help=meaning("slices") + " May be repeated.", rich_help_panel=_DATA),
]
SplitColumn = Annotated[str | None, typer.Option("--split", help=meaning("split"), rich_help_panel=_DATA)]
TaskName = Annotated[str | None, _told("task", _DATA)]
ModalityName = Annotated[str | None, _told("modality", _DATA)]
Strict = Annotated[bool, _told("strict", _DATA)]
Valid = Annotated[str | None, typer.Option(help="Another source: the validation set.", rich_help_panel=_DATA)]
Test = Annotated[
    str | None,
    typer.Option(help="Another source: the test set, not read before the end.", rich_help_panel=_DATA),
]
ValidSize = Annotated[float, _told("valid_size", _DATA)]
TestSize = Annotated[float, _told("test_size", _DATA)]
SplitFrom = Annotated[
    str | None,
    _told("split_from", _DATA, metavar="RUN"),
]
Evidence = Annotated[
    str | None,
    _told("evidence", _DATA, metavar="RUN"),
]
MaxRejected = Annotated[
    float,
    _told("max_rejected", _DATA),
]
BaseName = Annotated[
    str | None,
    _told("base", _MODEL),
]
Licence = Annotated[
    str | None,
    _told("licence", _MODEL),
]
MaxParams = Annotated[
    str | None,
    typer.Option(help="Greatest number of parameters, such as 300k, 30M or 1.5B.", rich_help_panel=_MODEL),
]
ImageSize = Annotated[
    int | None,
    _told("image_size", _MODEL),
]
MaxTokens = Annotated[
    int | None,
    _told("max_tokens", _MODEL),
]
Windows = Annotated[
    int | None,
    _told("windows", _MODEL),
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
    _told("strategy", _MODEL),
]
BudgetTime = Annotated[
    str | None,
    typer.Option("--budget", help=meaning("budget"), rich_help_panel=_RUN),
]
Unfreeze = Annotated[int | None, _told("unfreeze", _TRAINING)]
Epochs = Annotated[float | None, _told("epochs", _TRAINING)]
Lr = Annotated[float | None, _told("lr", _TRAINING)]
BackboneLrMultiplier = Annotated[
    float | None,
    _told("backbone_lr_multiplier", _TRAINING),
]
BatchSize = Annotated[int | None, _told("batch_size", _TRAINING)]
Augment = Annotated[
    str,
    _told("augment", _TRAINING),
]
Mixup = Annotated[
    float | None,
    _told("mixup", _TRAINING),
]
Adapter = Annotated[str, _told("adapter", _TRAINING)]
LoraRank = Annotated[int, _told("lora_rank", _TRAINING)]
L2sp = Annotated[float, typer.Option("--l2sp", help=meaning("l2sp"), rich_help_panel=_TRAINING)]
Retain = Annotated[
    str | None,
    _told("retain", _TRAINING),
]
Replay = Annotated[float, _told("replay", _TRAINING)]
MaxForgetting = Annotated[
    float | None,
    _told("max_forgetting", _TRAINING),
]
PrefixCache = Annotated[
    bool,
    typer.Option("--prefix-cache/--no-prefix-cache", help=meaning("prefix_cache"), rich_help_panel=_TRAINING),
]
ScratchBaseline = Annotated[
    bool,
    typer.Option(
        "--scratch-baseline/--no-scratch-baseline",
        "--scratch-control/--no-scratch-control",
        help=meaning("scratch_baseline"),
        rich_help_panel=_TRAINING,
    ),
]
MetricName = Annotated[
    str | None,
    _told("metric", _MODEL),
]
ClassWeight = Annotated[
    str | None, typer.Option("--class-weight", help=meaning("class_weight"), rich_help_panel=_TRAINING)
]
Weight = Annotated[str | None, _told("weight", _TRAINING)]
Device = Annotated[
    str | None,
    typer.Option(
        help="Where networks run: auto, cpu, cuda, cuda:1 or mps; by default HEADSTART_DEVICE, or auto: the first of "
        "CUDA, MPS, CPU.",
    ),
]
Seed = Annotated[int, _told("seed", _RUN)]
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
    _told("folds", _JUDGING),
]
Ood = Annotated[
    str | None,
    typer.Option("--ood", help=meaning("ood"), rich_help_panel=_JUDGING),
]
Risk = Annotated[
    float | None,
    _told("risk", _JUDGING),
]
Threshold = Annotated[
    str | None,
    _told("threshold", _JUDGING, metavar="<rule>"),
]
Positive = Annotated[
    str | None,
    _told("positive", _JUDGING, metavar="<label>"),
]
Level = Annotated[
    float,
    _told("level", _JUDGING),
]
Corruptions = Annotated[
    bool,
    typer.Option(*flags("corruptions"), help=meaning("corruptions"), rich_help_panel=_JUDGING),
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
