"""The arguments and options of the command line, each with its help, shared by the verbs that take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.files import as_path

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
    float,
    typer.Option(
        help="Share of the rows for the test, where none is given; 0: no test set, every row is trained on.",
        rich_help_panel=_DATA,
    ),
]
SplitFrom = Annotated[
    str | None,
    typer.Option(
        help="Run whose rows stay in their train, validation and test sets; new rows are drawn.",
        metavar="RUN",
        rich_help_panel=_DATA,
    ),
]
Evidence = Annotated[
    str | None,
    typer.Option(
        help="With --test-size 0: run to repeat on all rows, by its base, strategy and settings; its scores are shown.",
        metavar="RUN",
        rich_help_panel=_DATA,
    ),
]
MaxRejected = Annotated[
    float,
    typer.Option(help="Share of unreadable rows above which the run fails.", rich_help_panel=_DATA),
]
BaseName = Annotated[
    str | None,
    typer.Option(
        help="Embedded base, timm name, Hub id, folder, run, torchvision weights or ONNX file.", rich_help_panel=_MODEL
    ),
]
Licence = Annotated[
    str | None,
    typer.Option(
        help="any, or commercial: leave out what forbids commercial use or is not known to allow it.",
        rich_help_panel=_MODEL,
    ),
]
MaxParams = Annotated[
    str | None,
    typer.Option(help="Greatest number of parameters, such as 300k, 30M or 1.5B.", rich_help_panel=_MODEL),
]
Size = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels that pictures are given to the base at; its own by default.", rich_help_panel=_MODEL
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        help="Tokens of a text that are given to the base at once; 256 by default, or what it takes.",
        rich_help_panel=_MODEL,
    ),
]
Windows = Annotated[
    int | None,
    typer.Option(
        help="Windows that a longer text is read in at most; 8 by default, 1 cuts it off.", rich_help_panel=_MODEL
    ),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code", help="Run the code that the base's repository brings along.", rich_help_panel=_MODEL
    ),
]
Candidates = Annotated[
    list[str] | None,
    typer.Option(
        "--base", help="Base to compare; may be repeated. By default those that are here.", rich_help_panel=_MODEL
    ),
]
Strategy = Annotated[
    str,
    typer.Option(
        help=(
            "auto, or one of probe, head2toe, partial, progressive, norm, lora, full, scratch; or a baseline: "
            "baseline:majority, baseline:tfidf-linear, baseline:pixels-linear."
        ),
        rich_help_panel=_MODEL,
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
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the run; runs/NAME by default.", metavar="<path>", parser=as_path, rich_help_panel=_RUN
    ),
]
Record = Annotated[
    Path | None,
    typer.Option("--out", help="Write the record here too, as JSON.", metavar="<path>", parser=as_path),
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
        help="Keep near duplicates on one side of every split; --no-together keeps equal inputs alone.",
        rich_help_panel=_DATA,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(help="Hold every row that is not test out in turn, in so many folds.", rich_help_panel=_JUDGING),
]
Ood = Annotated[
    str | None,
    typer.Option("--ood", help="Inputs that the model should not know, to judge by.", rich_help_panel=_JUDGING),
]
Risk = Annotated[
    float | None,
    typer.Option(
        help='Share of wrong answers allowed among those given; the rest is answered "I don\'t know".',
        rich_help_panel=_JUDGING,
    ),
]
Threshold = Annotated[
    str | None,
    typer.Option(
        help="From which probability a label is given: best-f1, precision=0.9 or recall=0.95 on held-out rows, or a "
        "number. By default 0.5; of several labels a row, what is best for F1.",
        metavar="<rule>",
        rich_help_panel=_JUDGING,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        help="Of two classes, the one that precision, recall, curves and --threshold are for.",
        metavar="<label>",
        rich_help_panel=_JUDGING,
    ),
]
Level = Annotated[
    float,
    typer.Option(help="Probability with which a set of labels is to hold the true one.", rich_help_panel=_JUDGING),
]
Damage = Annotated[
    bool,
    typer.Option("--damage", help="Also score damaged rows, five strengths a kind.", rich_help_panel=_JUDGING),
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
        "--out",
        help="Write the table here instead of stdout, as the name says: .csv, .tsv, .jsonl or .parquet.",
        metavar="<path>",
        parser=as_path,
    ),
]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of CSV.")]
OutVectors = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Write here instead of stdout, as the name says: .parquet, .npy, .jsonl, .csv or .tsv.",
        metavar="<path>",
        parser=as_path,
    ),
]
