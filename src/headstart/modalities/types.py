"""What modalities, and those who feed by them, speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from headstart.errors import HeadstartError


class Unreadable(HeadstartError):
    """One input that cannot be decoded; the message is the reason in words."""


class Spec(Protocol):
    """How a base reads inputs of one modality: a frozen dataclass of plain values."""

    @property
    def side(self) -> int:
        """Pixels a side, of what can be taken at another size; 0 of anything else."""

    @property
    def channels(self) -> int:
        """Channels, of what can be taken with others; 0 of anything else."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


class Reads(Protocol):
    """What a modality must know of a base to feed it."""

    @property
    def spec(self) -> Any:
        """Its preprocessing."""

    @property
    def tokenizer_file(self) -> Any:
        """Of a base of texts its tokenizer; None of others."""


@dataclass(frozen=True)
class ReadAs:
    """How inputs are read where there is no base."""

    spec: Any
    tokenizer_file: Any = None


class Augmentation(Protocol):
    """How inputs are changed at random, each time they are seen."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


@dataclass(frozen=True)
class Classical:
    """Features of inputs that need no pretrained base: what a baseline is fitted on.

    Attributes:
        width: of the vector.
        version: to be raised whenever the features change; part of the key they are cached under.
        shapes: how many of them, the first, are a small grey version of a picture; 0 of anything else.
    """

    width: int
    version: int
    shapes: int = 0


@dataclass(frozen=True)
class Shown:
    """An input as a page shows it; None: not in that way.

    Attributes:
        text: its beginning.
        picture: a small JPEG or PNG.
        sound: a short WAV.
    """

    text: str | None = None
    picture: bytes | None = None
    sound: bytes | None = None


Reject = Callable[[int, str], None]
