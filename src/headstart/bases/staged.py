"""A base that gives the outputs of all its stages, for heads that choose among them.

After Evci et al. 2022 (Head2Toe, arXiv:2201.03529): what a task needs may stand in an earlier stage and be lost above.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from headstart.bases.base import Base
from headstart.bases.runtime import runtimes_root
from headstart.errors import BaseError
from headstart.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from headstart.bases.network import Network
    from headstart.bases.staged_network import StagedNetwork


class StagedBase(Base):
    """``base`` with the averaged outputs of all its stages, input side first, as its features.

    The values are the stages' own. They are not scaled: a scale measured on one set of inputs would be another on the
    next, so it is the head (`headstart.heads.selecting`) that scales them. Name, source and licence stay the
    base's; the weights' hash is its own, so features, measured runtimes and graphs are kept apart.

    Args:
        base: may be an `AdaptedBase`.
        parts: widths of the stages where they are known, as from a bundle.
    """

    def __init__(self, base: Base, parts: Sequence[int] | None = None) -> None:
        self.base = base
        own = hashlib.sha256(f"{base.identity.weights} stages".encode()).hexdigest()
        self.identity = replace(base.identity, weights=own)
        self.modality, self.spec, self.tokenizer_file = base.modality, base.spec, base.tokenizer_file
        self.libraries, self.most_tokens = base.libraries, base.most_tokens
        self._parts = tuple(parts) if parts else None

    @property
    def parts(self) -> tuple[int, ...]:
        """Widths of the stages' outputs, the last the base's own; found by loading the base, and remembered.

        Raises:
            BaseError: see `Base.network`.
            SettingError: the stages' outputs cannot be averaged.
        """
        if self._parts is None:
            self._parts = _remembered(self._file)
        if self._parts is None:
            self._parts = self._staged(self.base.network()).parts
            write_atomically(self._file, json.dumps(self._parts))
        return self._parts

    @property
    def width(self) -> int:  # type: ignore[override]
        """All stages together; see `parts`."""
        return sum(self.parts)

    def preprocessing(self) -> str:
        """The base's."""
        return self.base.preprocessing()

    def network(self) -> StagedNetwork:
        """The base's network, run once for the outputs of all stages.

        Raises:
            BaseError: see `Base.network`; or its stages are not those that were known.
            SettingError: the stages' outputs cannot be averaged.
        """
        network = self._staged(self.base.network())
        if network.parts != self.parts:
            raise BaseError(
                f"the stages of base {self.identity.name!r} have the widths {network.parts} here and {self.parts} in "
                f"training; use the headstart version of the bundle or fit again."
            )
        return network

    def untrained(self) -> StagedNetwork:
        """The same stages with random weights."""
        return self._staged(self.base.untrained())

    def _staged(self, network: Network) -> StagedNetwork:
        from headstart.bases.staged_network import StagedNetwork

        return StagedNetwork(network).eval()

    @property
    def _file(self) -> Path:
        return runtimes_root() / f"{hashlib.sha256(self.key().encode()).hexdigest()[:32]}.parts.json"


def _remembered(file: Path) -> tuple[int, ...] | None:
    try:
        return tuple(int(width) for width in json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
