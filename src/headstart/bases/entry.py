"""One row of the catalogue: what is known of a base before anything of it is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from headstart.errors import BaseError
from headstart.modalities import modalities

COMMERCIAL = ("yes", "no", "unknown")


@dataclass(frozen=True)
class Entry:
    """One base as shown to the user; what is not known is "unknown", never guessed.

    Attributes:
        name: what the user writes after ``--base``.
        modality: the name of one.
        source: "package DISTRIBUTION" (needs no network), "timm", "hub" or "torchvision".
        architecture: the family and size in words.
        parameters: millions of weights without the head; of towers and encoders without the part not used.
        width: length of the pooled output.
        input: side of the input in pixels, tokens, or samples a second of audio.
        trained_on: the data of all trainings, first one first.
        licence: of the weights, its SPDX name where it has one, else the Hub's word for it; or "unknown".
        commercial: "yes", "no" or "unknown"; what the licence allows (`headstart.bases.licences`).
        paper: address of the paper or model card.

    Raises:
        BaseError: a value that is not allowed.
    """

    name: str
    modality: str
    source: str
    architecture: str
    parameters: float
    width: int
    input: int
    trained_on: str
    licence: str
    commercial: str
    paper: str

    def __post_init__(self) -> None:
        for column, allowed in (("modality", tuple(modalities())), ("commercial", COMMERCIAL)):
            if getattr(self, column) not in allowed:
                raise BaseError(
                    f"base {self.name!r} has {column} {getattr(self, column)!r}; it is one of {', '.join(allowed)}."
                )
        if not (self.name and self.parameters > 0 and self.width > 0 and self.input > 0):
            raise BaseError(f"base {self.name!r} needs a name, and parameters, width and input above 0.")

    @property
    def embedded(self) -> bool:
        """Whether the weights come inside an installed package."""
        return self.source.startswith("package ")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Self:
        """From the texts of one line of the table, keyed by column."""
        kinds: dict[str, Any] = {"parameters": float, "width": int, "input": int}
        return cls(**{f.name: kinds.get(f.name, str)(row[f.name]) for f in fields(cls)})
