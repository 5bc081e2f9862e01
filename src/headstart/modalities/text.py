"""Texts: strings as they are; the base's own tokenizer does the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from headstart.errors import SettingError
from headstart.modalities.modality import Modality, Unreadable


@dataclass(frozen=True)
class TextSpec:
    """Preprocessing of a text base: longest input in tokens, special ones included."""

    max_tokens: int

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise SettingError(f"max_tokens is {self.max_tokens}; it must be at least 1.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**values)


class Text(Modality):
    """Strings."""

    name = "text"

    def content(self, value: Any) -> bytes:
        """The string in UTF-8."""
        return self.decode(value, None).encode("utf-8")

    def decode(self, value: Any, spec: TextSpec | None) -> str:
        """The string unchanged; `Unreadable` if it is blank, broken or no string."""
        if not isinstance(value, str):
            raise Unreadable(f"not a text but {type(value).__name__}")
        if not value.strip():
            raise Unreadable("empty text")
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise Unreadable("text with half a surrogate pair, which is no character; mend its encoding")
        return value
