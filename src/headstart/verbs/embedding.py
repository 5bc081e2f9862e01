"""`embed`: vectors of a base, to search, cluster or train with elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from headstart.arguments import (
    BaseName,
    ImageSize,
    Input,
    Inputs,
    JsonLines,
    MaxTokens,
    ModalityName,
    OutVectors,
    Quiet,
    TrustRemoteCode,
    Windows,
)


def embed(
    inputs: Inputs,
    base: BaseName = None,
    input: Input = None,
    modality: ModalityName = None,
    image_size: ImageSize = None,
    max_tokens: MaxTokens = None,
    windows: Windows = None,
    out: OutVectors = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing OUT.")] = False,
    json: JsonLines = False,
    trust_remote_code: TrustRemoteCode = False,
    quiet: Quiet = False,
) -> int:
    """Write the vectors that a base, or the backbone of a run, gives for inputs; no labels are needed.

    A table keeps its columns and rows; the vectors follow them. A row that cannot be read has its reason in the column
    error, and the exit code is then 1; of folders, unreadable files are listed on stderr alone.

    Examples: `headstart embed photos/ --out vectors.parquet` ·
    `headstart embed queries.csv --base runs/queries --out vectors.npy`
    """
    from headstart.terminal.console import Console
    from headstart.terminal.embedding import BaseAsked, embed_to

    return embed_to(
        inputs,
        BaseAsked(base, modality, image_size, max_tokens, windows, trust_remote_code),
        column=input,
        out=out,
        overwrite=overwrite,
        json_lines=json,
        progress=Console(quiet=quiet),
    )
