"""The contract of a modality: inputs of any accepted kind to one decoded form, and to a content hash."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from headstart.errors import HeadstartError


class Unreadable(HeadstartError):
    """One input that cannot be decoded; the message is the reason in words."""


class Modality(ABC):
    """What inputs of one kind are and how they are read."""

    name: ClassVar[str]

    @abstractmethod
    def content(self, value: Any) -> bytes:
        """The canonical bytes of ``value``, whose hash keys the caches; `Unreadable` if it cannot be read."""

    @abstractmethod
    def decode(self, value: Any, spec: Any) -> Any:
        """``value`` as a base with preprocessing ``spec`` takes it; `Unreadable` if it cannot be decoded."""

    def content_key(self, value: Any) -> str:
        """sha256 (hex) of the content."""
        return hashlib.sha256(self.content(value)).hexdigest()

    def rejection(self, error: Exception) -> str:
        """Why an input was set aside, in words, from whatever reading it raised."""
        return str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
