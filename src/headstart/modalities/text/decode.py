"""Texts: strings as they are; the base's own tokenizer does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from headstart.errors import SettingError
from headstart.modalities.types import Unreadable

#: Tokens that a base is given at once where nothing else is asked for.
TOKENS = 256
#: Windows that a text is read in at most where nothing else is asked for: about 1,800 tokens at 256 each.
WINDOWS = 8


@dataclass(frozen=True)
class TextSpec:
    """How a text base reads.

    Attributes:
        max_tokens: of one window, special ones included: what the base takes at once.
        windows: most windows that a text is read in, its features being their mean; 1: what does not fit is cut off.
        words: whether each word is given features of its own; then a text is read in as many windows as that takes.
    """

    max_tokens: int
    windows: int = 1
    words: bool = False

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise SettingError(f"max_tokens is {self.max_tokens}; it must be at least 1.")
        if self.windows < 1:
            raise SettingError(f"windows is {self.windows}; it must be at least 1.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; one window, which was all there was before windows, goes without saying."""
        if self.words:
            return {"max_tokens": self.max_tokens, "words": True}
        values = {"max_tokens": self.max_tokens, "windows": self.windows}
        return values if self.windows > 1 else {"max_tokens": self.max_tokens}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`; other keys are left alone."""
        return cls(int(values["max_tokens"]), int(values.get("windows", 1)), bool(values.get("words", False)))

    @property
    def side(self) -> int:
        """See `headstart.modalities.types.Spec`."""
        return 0

    @property
    def channels(self) -> int:
        """See `headstart.modalities.types.Spec`."""
        return 0


def decoded(value: Any) -> str:
    """The string unchanged; `Unreadable` if it is blank, broken or no string."""
    if not isinstance(value, str):
        raise Unreadable(f"not a text but {type(value).__name__}")
    if not value.strip():
        raise Unreadable("empty text")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise Unreadable("text with half a surrogate pair, which is no character; correct its encoding")
    return value
