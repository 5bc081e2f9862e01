"""Weights in CTranslate2's model.bin, read without CTranslate2.

The format, little-endian: u32 version; the specification's name; u32 its revision; u32 number of variables, and of each
its name, u8 rank, u32 each dimension, u8 type, u32 bytes, values; u32 number of aliases, and of each two names. A name
is u16 bytes and its characters, a zero last (https://github.com/OpenNMT/CTranslate2, python/ctranslate2/specs).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from headstart.errors import BaseError

_VERSION = 6
_TYPES = ("<f4", "i1", "<i2", "<i4", "<f2")  # by number; bfloat16 and packed ones are not read
_MOST_AXES = 8


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes:
        specification: such as "WhisperSpec".
        tensors: variables by name, aliases too, in the types they are kept in.
    """

    specification: str
    tensors: dict[str, np.ndarray]


def read_weights(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Stored:
    """The variables of ``path`` whose names are ``wanted``; the others are passed over.

    Raises:
        BaseError: it cannot be read, is cut short, damaged, or of another version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BaseError(f"{path.name} cannot be read: {error.strerror or error}; install its package again.") from error
    cursor = _Cursor(data)
    try:
        found = _stored(cursor, wanted)
    except (ValueError, struct.error, UnicodeDecodeError) as error:
        raise BaseError(
            f"{path.name} is damaged at byte {cursor.at:,} of {len(data):,} ({error}); install its package again."
        ) from error
    return found


def spans(data: bytes | mmap.mmap) -> list[tuple[int, int]] | None:
    """Where each variable begins and how many bytes it takes; None where ``data`` is no such file."""
    cursor = _Cursor(data)
    try:
        _begun(cursor)
        found = [cursor.variable() for _ in range(cursor.number("I"))]
    except (ValueError, struct.error, UnicodeDecodeError):
        return None
    return [(one.start, one.size) for one in found]


def _begun(cursor: _Cursor) -> str:
    """The specification's name, from the beginning of the file."""
    version = cursor.number("I")
    if version != _VERSION:
        raise ValueError(f"it is of version {version}, {_VERSION} is read")
    specification = cursor.name()
    cursor.number("I")  # the specification's revision
    return specification


def _stored(cursor: _Cursor, wanted: Callable[[str], bool]) -> Stored:
    specification = _begun(cursor)
    tensors: dict[str, np.ndarray] = {}
    for _ in range(cursor.number("I")):
        found = cursor.variable()
        if wanted(found.name):
            values = np.frombuffer(cursor.data, found.dtype, int(np.prod(found.shape)), found.start)
            tensors[found.name] = values.reshape(found.shape)
    for _ in range(cursor.number("I")):
        alias, name = cursor.name(), cursor.name()
        if wanted(alias) and name in tensors:
            tensors[alias] = tensors[name]
    if cursor.at != len(cursor.data):
        raise ValueError(f"{len(cursor.data) - cursor.at:,} bytes follow its end")
    return Stored(specification, tensors)


class _Variable(NamedTuple):
    """One variable: where its values lie, and of what kind they are."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    size: int


class _Cursor:
    """A place in the file; whatever would lie beyond its end is an error."""

    def __init__(self, data: Any) -> None:
        self.data, self.at = data, 0

    def number(self, kind: str) -> int:
        return int(struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0])

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError(f"{count:,} bytes are awaited, {len(self.data) - self.at:,} are there")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def name(self) -> str:
        return self.take(self.number("H")).decode().rstrip("\0")

    def variable(self) -> _Variable:
        """The next variable; its values are passed over."""
        name, rank = self.name(), self.number("B")
        if rank > _MOST_AXES:
            raise ValueError(f"{name!r} has {rank} axes")
        shape = tuple(self.number("I") for _ in range(rank))
        kind, size = self.number("B"), self.number("I")
        if kind >= len(_TYPES):
            raise ValueError(f"{name!r} is of type {kind}; allowed are 0 to {len(_TYPES) - 1}")
        dtype = np.dtype(_TYPES[kind])
        count = int(np.prod(shape, dtype=object))
        if count * dtype.itemsize != size:
            raise ValueError(f"{name!r} of shape {list(shape)} takes {size:,} bytes")
        start = self.at
        if size > len(self.data) - start:
            raise ValueError(f"{name!r} takes {size:,} bytes, {len(self.data) - start:,} are there")
        self.at += size
        return _Variable(name, dtype, shape, start, size)
