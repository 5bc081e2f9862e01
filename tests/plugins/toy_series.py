"""A modality from outside: series of numbers, one a file, and a base for them; an entry point tells of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.identity import Identity
from headstart.modalities.damage import Damage
from headstart.modalities.feed import Feed
from headstart.modalities.modality import Modality
from headstart.modalities.stream import Pieces, asked, decoded_pieces
from headstart.modalities.types import Classical, Shown, Unreadable

_SEED = 7


@dataclass(frozen=True)
class SeriesSpec:
    length: int = 32
    side = channels = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Series(Modality):
    name = "series"
    noun, plural, example = "series", "series", "new.series"
    files = frozenset({".series"})
    readers = ("numpy",)
    baseline = "moments + linear"
    classical = Classical(3, 1)
    own_base = "toy-series"
    mixup = True

    def takes(self, value: Any) -> bool:
        return isinstance(value, str | os.PathLike) and self.named(value)

    def content(self, value: Any) -> bytes:
        if not isinstance(value, str | os.PathLike):
            raise Unreadable(f"no series but {type(value).__name__}")
        try:
            return Path(value).read_bytes()
        except OSError as error:
            raise Unreadable(str(error.strerror)) from error

    def decode(self, value: Any, spec: SeriesSpec | None) -> np.ndarray:
        try:
            found = np.array(self.content(value).decode().split(), np.float32)
        except ValueError as error:
            raise Unreadable(f"not a number: {error}") from error
        if not len(found):
            raise Unreadable("empty series")
        length = 32 if spec is None else spec.length
        return np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(found)), found).astype(np.float32)

    def spec(self, values: dict[str, Any]) -> SeriesSpec:
        return SeriesSpec(**values)

    def stream(self, inputs, base, for_base, for_classical, reject, reader=None) -> Pieces:  # type: ignore[no-untyped-def]
        def decode(row: int) -> Any:
            try:
                values = self.decode(inputs[row], base.spec)
            except Unreadable as error:
                return error
            return values, np.array([values.mean(), values.std(), len(values)], np.float32) if for_classical[
                row
            ] else None

        return decoded_pieces(asked(for_base, for_classical), decode, 64, reject)

    def feed(self, base, rows, augmentation, seed) -> Feed:  # type: ignore[no-untyped-def]
        return _SeriesFeed(base, rows, augmentation, seed)

    def probe(self, spec: SeriesSpec) -> tuple[np.ndarray, ...]:
        return (np.random.default_rng(0).normal(size=(3, spec.length)).astype(np.float32),)

    def damage(self, spec: SeriesSpec) -> Damage:
        return Damage(("jitter",), str, lambda path, kind, strength, seed: path)

    def show(self, value: Any) -> Shown:
        return Shown(text=Path(value).read_text()[:40])

    def properties(self, inputs: Any) -> dict[str, np.ndarray]:
        return {"numbers": np.array([len(Path(one).read_text().split()) for one in inputs], float)}

    def base(self, name: str) -> Base | None:
        return SeriesBase() if name == self.own_base else None


class _SeriesFeed(Feed):
    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        for rows in batches:
            yield (np.stack([Series().decode(self.rows.inputs[int(row)], self.base.spec) for row in rows]),)


class SeriesBase(Base):
    modality, width, spec = "series", 8, SeriesSpec()

    def __init__(self) -> None:
        weights = hashlib.sha256(str(_SEED).encode()).hexdigest()
        self.identity = Identity("toy-series", "package toy-series 1.0", "1.0", weights, "MIT", "nothing")

    def network(self) -> Any:
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            return self.untrained()

    def untrained(self) -> Any:
        import torch
        from torch import nn

        from headstart.bases.network import Network

        class SeriesNetwork(Network):
            def forward(self, series: torch.Tensor) -> torch.Tensor:
                return torch.as_tensor(self.body(series.unsqueeze(1).to(self.dtype))).to(torch.float32)

            def example(self) -> tuple[torch.Tensor, ...]:
                return (torch.zeros(2, 32),)

        layers = [nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv1d(8, 8, 5, padding=2), nn.ReLU()]
        return SeriesNetwork(nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten())).eval()
