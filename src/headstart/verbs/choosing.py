"""What helps to choose before training: `bases`, `rank`, `advise`."""

from __future__ import annotations

from typing import Annotated

import typer

from headstart.arguments import (
    BaseName,
    Candidates,
    Device,
    Group,
    Input,
    Json,
    Licence,
    MaxParams,
    ModalityName,
    Quiet,
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
from headstart.verbs.given import options_of


def bases(
    modality: Annotated[str | None, typer.Option(help="image, text or audio.")] = None,
    licence: Licence = None,
    max_params: MaxParams = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """List the bases that fit, and say what was left out and why.

    Example: `headstart bases --modality image --licence commercial --max-params 30M`
    """
    from headstart.api import list_bases
    from headstart.terminal.bases import bases_text
    from headstart.terminal.writing import as_json

    found = list_bases(modality, licence, max_params)
    print(as_json(found.to_dict()) if json else bases_text(found, verbose=verbose))


def rank(
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
    base: Candidates = None,
    licence: Licence = None,
    max_params: MaxParams = None,
    trust_remote_code: TrustRemoteCode = False,
    seed: Seed = 0,
    device: Device = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Say which base should do best on DATA: cheap evidence on features, a race of the best, the winner and why.

    Examples: `headstart rank photos/` · `headstart rank photos/ --base efficientnet_lite0 --base resnet18.a1_in1k`
    """
    options = options_of(locals())
    options["bases"] = options.pop("base")
    from headstart.api import rank as run_rank
    from headstart.terminal.console import Console
    from headstart.terminal.ranking import ranking_text
    from headstart.terminal.writing import as_json

    found = run_rank(**options, progress=Console(quiet=quiet, verbose=verbose))
    print(as_json(found.to_dict()) if json else ranking_text(found, verbose=verbose))


def advise(
    source: Source,
    input: Input = None,
    target: Target = None,
    group: Group = None,
    slice: Slice = None,
    split: SplitColumn = None,
    task: TaskName = None,
    modality: ModalityName = None,
    strict: Strict = False,
    base: BaseName = None,
    trust_remote_code: TrustRemoteCode = False,
    goal: Annotated[float | None, typer.Option(help="Score to count the rows for, such as 0.95.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Inputs like those the base was trained on, to compare with.", metavar="PATH")
    ] = None,
    seed: Seed = 0,
    device: Device = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Say what to do with DATA: freeze or train, minutes and memory of each, and how much more data buys.

    Example: `headstart advise photos/ --goal 0.95`
    """
    options = options_of(locals())
    from headstart.api import advise as run_advise
    from headstart.terminal.advising import advice_text
    from headstart.terminal.console import Console
    from headstart.terminal.writing import as_json

    found = run_advise(**options, progress=Console(quiet=quiet, verbose=verbose))
    print(as_json(found.to_dict()) if json else advice_text(found, verbose=verbose))
