"""What pictures are beyond 8 bits of grey or colour, told from the data before any work, and a base that takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.refitted import with_channels
from headstart.bases.word_states import text_vectors, word_states
from headstart.data.table import Fact, Table
from headstart.errors import SourceError
from headstart.modalities.image import ImageSpec, bands
from headstart.modalities.image import file as image_file
from headstart.modalities.image.bands import Kind
from headstart.modalities.image.levels import Levels, levels_of
from headstart.modalities.types import Unreadable
from headstart.tasks import get as get_task

_SAMPLE = 64  # pictures looked at


@dataclass(frozen=True)
class _Seen:
    """One picture of the sample: its id, what to read its values from where they are deep, and its kind."""

    id: str
    value: Any
    kind: Kind


def read_as(base: Base, table: Table) -> Base:
    """``base`` as it must be to take the pictures of ``table``; itself for 8 bits of grey or colour.

    Of texts one vector each, also where an earlier run read a vector a word off the base (see `read_out`).

    Told from at most 64 readable pictures, evenly spread over the rows that are not given as the test part: the
    channels that most of them have, and, of more than 8 bits, which values are laid on 0 and 255 (two numbers a
    channel, from inputs alone; see `levels_of`). What was found is among the facts of the base. A base that was fitted
    to such pictures before keeps its own levels.

    Raises:
        SourceError: pictures of more than 64 channels, or of one number of channels for a base of another.
        BaseError: the base cannot be adapted.
    """
    spec = base.spec
    if not spec.channels:
        return text_vectors(base)
    seen = list(_sample(table))
    if not seen:
        return base  # nothing can be read, which is said with the reasons later
    channels = Counter(_counted(one.kind.channels) for one in seen).most_common(1)[0][0]
    usual = [one for one in seen if _counted(one.kind.channels) == channels]
    _refuse_many(channels, usual[0])
    if not spec.plain:
        return _known(base, spec, channels, usual[0])
    deep = [one for one in usual if one.kind.deep]
    levels = levels_of(_values(deep), channels)
    facts = (*_channel_facts(channels, len(usual), len(seen)), *_value_facts(usual, deep, levels))
    return with_channels(base, channels, levels, facts) if channels != 3 or levels else _saying(base, facts)


def _counted(channels: int) -> int:
    """Grey counts as colour: it is copied to the three channels."""
    return 3 if channels == 1 else channels


def _sample(table: Table) -> Iterator[_Seen]:
    rows = np.flatnonzero(table.split != "test")
    rows = rows if len(rows) else np.arange(len(table))
    for row in rows[np.unique(np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).astype(int))] if len(rows) else ():
        value = table.inputs[row]
        try:
            value = image_file.read(value) if isinstance(value, str) else value
            kind = bands.looked(value)
        except Unreadable:
            continue
        transparent = isinstance(value, np.ndarray) and value.dtype == np.uint8 and kind.channels == 4
        kept = value if kind.deep else None  # only of those are values looked at
        yield _Seen(str(table.ids[row]), kept, Kind(3) if transparent else kind)


def _refuse_many(channels: int, first: _Seen) -> None:
    if channels > bands.MOST:
        raise SourceError(
            f"{first.id}: {channels} channels, where at most {bands.MOST} can be taken; choose the bands that matter, "
            f"or reduce them (for example by principal components)."
        )


def _known(base: Base, spec: ImageSpec, channels: int, first: _Seen) -> Base:
    if channels != spec.channels:
        raise SourceError(
            f"{first.id}: {channels} channels, where base {base.identity.name!r} was fitted to {spec.channels}; give "
            f"pictures like those, or another --base."
        )
    return base


def _values(deep: Sequence[_Seen]) -> Iterator[np.ndarray]:
    for one in deep:
        try:
            yield bands.raw(one.value)
        except Unreadable:  # listed with the reason when the features are made
            continue


def _channel_facts(channels: int, usual: int, seen: int) -> tuple[Fact, ...]:
    if channels == 3:
        return ()
    among = "all pictures looked at have so many" if usual == seen else f"{usual} of {seen} pictures looked at have"
    how = (
        f"{among}; the base's first layer is adapted: its weights for red, green and blue are repeated and scaled by "
        f"3/{channels}; training rows are flipped, cropped and moved only, never corrupted, and the baseline sees "
        "thirds of the channels averaged"
    )
    return (Fact("channels", str(channels), how),)


def _value_facts(usual: Sequence[_Seen], deep: Sequence[_Seen], levels: Levels) -> tuple[Fact, ...]:
    cut = next((one.kind.dtype for one in usual if not one.kind.deep and one.kind.dtype not in ("uint8", "bool")), "")
    if cut:
        return (Fact("values", cut, "16-bit PNGs in colour, whose values span all 16 bits, are read so"),)
    if not levels:
        return ()
    kinds = " and ".join(sorted({one.kind.dtype for one in deep}))
    pairs = [f"{low:,g} to {high:,g}" for low, high in levels]
    laid = pairs[0] if len(pairs) == 1 else f"of each channel its own range ({', '.join(pairs[:3])} …)"
    others = f"; the {len(usual) - len(deep)} of 8 bits stay as they are" if len(deep) < len(usual) else ""
    how = f"laid on 0 to 255, the same for every picture, from {len(deep)} pictures looked at{others}"
    return (Fact("values", f"{kinds}, {laid}", how),)


def read_out(base: Base, task: str) -> Base:
    """``base`` giving what ``task`` is answered from: one vector a row, or one a word.

    Raises:
        SettingError, BaseError: it cannot give that.
    """
    return word_states(base) if get_task(task).readout == "words" else base


def _saying(base: Base, facts: tuple[Fact, ...]) -> Base:
    if facts:
        base.facts = (*base.facts, *facts)
    return base
