"""What training changed in a base, as plain arrays: all that has to be kept beside the base itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.bases.adapters import Lora


@dataclass(frozen=True, eq=False)
class Changes:
    """The tensors in which an adapted network differs from its base.

    Attributes:
        tensors: float32 or integer arrays by their name in the network's ``state_dict()`` (weights and BatchNorm
            buffers), or the adapters' by peft's names where ``lora`` is set.
        lora: how the adapters were made, or None.
        total: numbers in all tensors of the base's network; 0 where not known.
    """

    tensors: dict[str, np.ndarray]
    lora: Lora | None = None
    total: int = 0

    @property
    def numbers(self) -> int:
        """How many numbers are kept."""
        return sum(int(array.size) for array in self.tensors.values())

    def digest(self) -> str:
        """sha256 (hex) of names, values and adapter settings, whatever the order of the tensors."""
        total = hashlib.sha256(json.dumps(self.lora and self.lora.to_dict(), sort_keys=True).encode())
        for name, array in sorted(self.tensors.items()):
            total.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
            total.update(array.tobytes())
        return total.hexdigest()

    def to_bytes(self) -> bytes:
        """The tensors as a safetensors file; the settings go into `to_dict`."""
        from safetensors.numpy import save

        return save({name: np.asarray(array, order="C") for name, array in self.tensors.items()})

    @classmethod
    def from_bytes(cls, content: bytes, lora: Lora | None = None, total: int = 0) -> Changes:
        """The inverse of `to_bytes`; a ``safetensors.SafetensorError`` where it is no such file."""
        from safetensors.numpy import load

        return cls(load(content), lora, total)

    def to_dict(self) -> dict[str, Any]:
        """What a bundle says of them: which tensors, how many numbers, their share of the base's, and the settings."""
        return {
            "tensors": len(self.tensors),
            "numbers": self.numbers,
            "share": self.numbers / self.total if self.total else None,
            "of": self.total,
            "lora": self.lora and self.lora.to_dict(),
            "digest": self.digest(),
            "names": sorted(self.tensors),
        }
