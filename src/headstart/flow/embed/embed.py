"""Vectors of inputs, as a frozen base gives them: one row for each row that was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.bundled import is_bundle
from headstart.bases.catalogue import entry_of, open_base
from headstart.bases.runtime import FLOAT32
from headstart.data.asked import Asked, gather
from headstart.data.inputs import as_inputs
from headstart.data.naming import some
from headstart.data.sheet import Choice
from headstart.data.table import Table, objects
from headstart.delivery.bundle import Bundle
from headstart.errors import SourceError
from headstart.modalities import told_by
from headstart.progress import Progress
from headstart.training.extraction import Served
from headstart.training.features import extract
from headstart.training.reading import read_as


@dataclass(frozen=True)
class BaseAsked:
    """Which base gives the vectors, and how inputs are given to it; see `open_base`."""

    name: str | None = None
    modality: str | None = None
    size: int | None = None
    max_tokens: int | None = None
    windows: int | None = None
    remote_code: bool = False


@dataclass(frozen=True)
class Embedded:
    """The vectors of n rows.

    Attributes:
        asked: the rows.
        vectors: [n, width] float32; nan in unreadable rows.
        reasons: row -> why it is unreadable.
        base: that gave them.
    """

    asked: Asked
    vectors: np.ndarray
    reasons: dict[int, str]
    base: Base


def embed_sources(
    sources: Sequence[str], of: BaseAsked, column: str | None = None, progress: Progress | None = None
) -> Embedded:
    """The vectors of all rows of ``sources``: paths, "-" for lines of stdin, or texts; see `gather`.

    Args:
        column: the input column of tables; None: the one that a run was trained on, or the one inferred.

    Raises:
        SourceError, ColumnError: a source cannot be opened, or there is nothing in it.
        BaseError, BundleError: the base cannot be opened, or is for other inputs.
    """
    modality, like = _told(of)
    asked = gather(sources, modality, column, like)
    if not len(asked):
        raise SourceError(f"nothing to embed in {some(sources)}: no line, file or row.")
    return _embed(asked, of, progress or Progress())


def embed_inputs(inputs: Any, of: BaseAsked, progress: Progress | None = None) -> Embedded:
    """The vectors of ``inputs``: n paths of images, encoded images, PIL images, arrays, or texts.

    Raises:
        SourceError: no list, or an empty one.
        BaseError, BundleError: as `embed_sources`.
    """
    rows = as_inputs(inputs)
    if not len(rows):
        raise SourceError("nothing to embed: the list of inputs is empty.")
    asked = Asked(modality=_told(of)[0] or told_by(rows))
    for row, value in enumerate(rows):
        asked.add(f"input {row}", value)
    return _embed(asked, of, progress or Progress())


def _told(of: BaseAsked) -> tuple[str | None, Choice | None]:
    """The modality, as far as it is told without opening data or base, and how a run's table was read."""
    if of.name is None:
        return of.modality, None
    if is_bundle(Path(of.name)):
        bundle = Bundle.load(of.name)
        return of.modality or bundle.modality, bundle.like
    known = entry_of(of.name)
    return of.modality or (known.modality if known else None), None


def _embed(asked: Asked, of: BaseAsked, progress: Progress) -> Embedded:
    readable = asked.readable
    given = objects(asked.inputs[row] for row in readable)
    base = open_base(
        of.name,
        asked.modality,
        remote_code=of.remote_code,
        progress=progress,
        size=of.size,
        max_tokens=of.max_tokens,
        windows=of.windows,
    )
    ids, parts = np.array([asked.names[row] for row in readable], dtype=str), np.full(len(readable), "", dtype="U5")
    base = read_as(base, Table(ids, given, None, parts, asked.modality))
    vectors = np.full((len(asked), base.width), np.nan, dtype=np.float32)
    reasons = dict(asked.reasons)
    if readable:
        found = extract(base, given, served=Served(FLOAT32), progress=progress)  # with or without a cache
        reasons |= {readable[at]: reason for at, reason in found.rejected.items()}
        vectors[np.array(readable)[found.kept]] = found.vectors[found.kept]
    return Embedded(asked, vectors, dict(sorted(reasons.items())), base)
