"""`fit`, and `predict` with what it left."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from headstart.arguments import (
    Adapter,
    Augment,
    BackboneLrMultiplier,
    BaseName,
    BatchSize,
    BudgetTime,
    ClassWeight,
    Corruptions,
    Device,
    Epochs,
    Evidence,
    Folds,
    Group,
    ImageSize,
    Input,
    Inputs,
    Json,
    JsonLines,
    L2sp,
    Level,
    Licence,
    LoraRank,
    Lr,
    MaxForgetting,
    MaxRejected,
    MaxTokens,
    MetricName,
    Mixup,
    ModalityName,
    Name,
    Ood,
    Out,
    OutTable,
    Overwrite,
    Positive,
    PrefixCache,
    Quiet,
    Replay,
    Retain,
    Risk,
    ScratchBaseline,
    Seed,
    Slice,
    Source,
    SplitColumn,
    SplitFrom,
    Strategy,
    Strict,
    Target,
    TaskName,
    Test,
    TestSize,
    Threshold,
    Together,
    TrustRemoteCode,
    Unfreeze,
    Valid,
    ValidSize,
    Verbose,
    Weight,
    Windows,
)
from headstart.files import as_path
from headstart.verbs.given import options_of


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
    strict: Strict = False,
    valid_size: ValidSize = 0.2,
    test_size: TestSize = 0.2,
    split_from: SplitFrom = None,
    evidence: Evidence = None,
    max_rejected: MaxRejected = 0.05,
    base: BaseName = None,
    licence: Licence = None,
    image_size: ImageSize = None,
    max_tokens: MaxTokens = None,
    windows: Windows = None,
    trust_remote_code: TrustRemoteCode = False,
    strategy: Strategy = "auto",
    metric: MetricName = None,
    class_weight: ClassWeight = None,
    weight: Weight = None,
    budget: BudgetTime = None,
    unfreeze: Unfreeze = None,
    epochs: Epochs = None,
    lr: Lr = None,
    backbone_lr_multiplier: BackboneLrMultiplier = None,
    batch_size: BatchSize = None,
    augment: Augment = "auto",
    mixup: Mixup = None,
    adapter: Adapter = "lora",
    lora_rank: LoraRank = 16,
    l2sp: L2sp = 0.0,
    retain: Retain = None,
    replay: Replay = 1.0,
    max_forgetting: MaxForgetting = None,
    prefix_cache: PrefixCache = True,
    scratch_baseline: ScratchBaseline = True,
    together: Together = True,
    folds: Folds = None,
    ood: Ood = None,
    risk: Risk = None,
    level: Level = 0.9,
    threshold: Threshold = None,
    positive: Positive = None,
    corruptions: Corruptions = False,
    seed: Seed = 0,
    device: Device = None,
    name: Name = None,
    out: Out = None,
    overwrite: Overwrite = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Adapt a base to DATA and evaluate the result once on held-out data.

    Examples: `headstart fit photos/` · `headstart fit queries.csv --test later.csv` ·
    `headstart fit scans.csv --input path --target finding --group patient`
    """
    options = options_of(locals())
    from headstart.api import fit as run_fit
    from headstart.flow.fit.fit import Run
    from headstart.terminal.console import Console
    from headstart.terminal.summary import summary, targets_summary
    from headstart.terminal.writing import as_json

    command = shlex.join(["headstart", *sys.argv[1:]])
    run = run_fit(**options, command=command, progress=Console(quiet=quiet, verbose=verbose))
    if isinstance(run, Run):
        print(run.result.to_json() if json else summary(run, verbose=verbose))
    else:
        print(as_json(run.to_dict()) if json else targets_summary(run, verbose=verbose))


def predict(
    run: Annotated[Path, typer.Argument(help="Folder of a run or bundle.", metavar="RUN", parser=as_path)],
    inputs: Inputs,
    input: Input = None,
    only: Annotated[
        str | None,
        typer.Option(help="One column alone, one answer a line: label, confidence, value, unknown …", metavar="COLUMN"),
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="Also the K most probable labels with their probabilities.", metavar="K")
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", "-p", help="A column for every label.")] = False,
    out: OutTable = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: JsonLines = False,
    trust_remote_code: TrustRemoteCode = False,
    device: Device = None,
    quiet: Quiet = False,
) -> int:
    """Label new inputs with a fitted model: the exact preprocessing and labels of training.

    A table keeps its columns and rows; the columns of the answer follow them. A row that cannot be read has its
    reason in the column error, and the exit code is then 1; of folders, unreadable files are listed on stderr alone.

    Examples: `headstart predict runs/bees photo.jpg more/` · `headstart predict runs/queries "where is my card?"` ·
    `headstart predict runs/queries tickets.csv --out answered.csv`
    """
    from headstart.bases.device import using
    from headstart.terminal.console import Console
    from headstart.terminal.predicting import Wanted, predict_to

    with using(device):
        return predict_to(
            run,
            inputs,
            column=input,
            wanted=Wanted(top, probabilities, only),
            out=out,
            overwrite=overwrite,
            json_lines=json,
            trust_remote_code=trust_remote_code,
            progress=Console(quiet=quiet),
        )
