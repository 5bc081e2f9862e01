"""The contract of a modality: all that depends on what kind of input a base is given."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from headstart.modalities.damage import Damage
from headstart.modalities.feed import Feed, Rows
from headstart.modalities.stream import Pieces
from headstart.modalities.types import Augmentation, Classical, Reads, Reject, Shown
from headstart.records import ReadingRecord


class Modality(ABC):
    """What inputs of one kind are and how they are read. Nothing outside its folder asks which modality it is.

    Attributes:
        name: as the user writes it after ``--modality``.
        noun, plural: of one input.
        example: of an input, as usage lines show it.
        files: endings of its files; empty where an input stands in its table itself.
        readers: distributions whose code reads inputs, part of the key of features.
        libraries: what training imports, to measure what that takes.
        sample: inputs that runtimes are timed on.
        tried, times: batches, over the sizes that inputs have, that a training is timed on, and passes of each.
        baseline: the name of its baseline, "" where it has but the majority.
        classical: the features of that; None: it takes the inputs themselves.
        tokenised: whether inputs are words to a tokenizer.
        long: whether inputs differ in length, and long ones are read in windows.
        unit: what length is counted in.
        input_unit: what the size of a base's input is counted in.
        masked: whether a network's upper stages need the inputs' mask beside the states of the lower ones.
        mixup: whether the mean of two inputs is one, so that mixup is a default where rows are plenty.
        own_base: the base that is taken where none is named, of a modality whose bases are all its own (see `base`).
        units: property of `properties` -> its unit, and the digits behind the point that it is shown with.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    plural: ClassVar[str]
    example: ClassVar[str]
    files: ClassVar[frozenset[str]] = frozenset()
    readers: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ("torch", "headstart.training.run")
    sample: ClassVar[int] = 8
    tried: ClassVar[int] = 2
    times: ClassVar[int] = 1
    baseline: ClassVar[str] = ""
    classical: ClassVar[Classical | None] = None
    tokenised: ClassVar[bool] = False
    long: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    input_unit: ClassVar[str] = "input"
    masked: ClassVar[bool] = False
    mixup: ClassVar[bool] = False
    own_base: ClassVar[str] = ""
    units: ClassVar[dict[str, tuple[str, int]]] = {}

    # --- what an input is -------------------------------------------------------------------------

    @abstractmethod
    def takes(self, value: Any) -> bool:
        """Whether ``value`` looks like one of its inputs, without reading a file."""

    def named(self, path: str | os.PathLike[str]) -> bool:
        """Whether ``path`` ends as its files do, and is no longer than paths are."""
        path = os.fspath(path)
        return len(path) < 4096 and os.path.splitext(path)[1].lower() in self.files

    def cell(self, value: Any) -> Any:
        """The input that a table's cell holds, which is no text; None where it holds none of this modality."""
        inside = value.get("bytes") if isinstance(value, dict) else value
        return inside if inside is not None and not isinstance(inside, str) and self.takes(inside) else None

    @abstractmethod
    def content(self, value: Any) -> bytes:
        """The canonical bytes of ``value``, whose hash keys the caches; `Unreadable` if it cannot be read."""

    @abstractmethod
    def decode(self, value: Any, spec: Any) -> Any:
        """``value`` as a base with preprocessing ``spec`` takes it; `Unreadable` if it cannot be decoded."""

    def content_key(self, value: Any) -> str:
        """sha256 (hex) of the content."""
        return hashlib.sha256(self.content(value)).hexdigest()

    # --- on its way to a base ---------------------------------------------------------------------

    @abstractmethod
    def spec(self, values: dict[str, Any]) -> Any:
        """The preprocessing that its `Spec.to_dict` gave ``values`` of."""

    @abstractmethod
    def stream(
        self,
        inputs: Sequence[Any] | np.ndarray,
        base: Reads,
        for_base: np.ndarray,
        for_classical: np.ndarray,
        reject: Reject,
        reader: Any = None,
    ) -> Pieces:
        """Inputs in batches, each decoded once, for the base, the classical features or both.

        Args:
            for_base, for_classical: [n] bool, which rows are wanted for what.
            reject: told the row and the reason of an input that cannot be read.
            reader: as `reader` gave it; None: opened anew.
        """

    def base(self, name: str) -> Any:
        """The `headstart.bases.base.Base` called ``name`` that this modality brings along; None where it has none."""
        return None

    def reader(self, base: Reads) -> Any:
        """What reading for ``base`` opens once, such as a tokenizer; None where there is nothing."""
        return None

    @abstractmethod
    def feed(self, base: Reads, rows: Rows, augmentation: Any, seed: int) -> Feed:
        """Training ``rows`` in batches, over and over."""

    @abstractmethod
    def probe(self, spec: Any) -> tuple[np.ndarray, ...]:
        """A batch of three made-up inputs, to compare two ways to run a network by."""

    def lengths(self, inputs: Sequence[Any] | np.ndarray, base: Reads) -> np.ndarray:
        """[n, 2] float32: how long each input is, and how much of it is not read."""
        return np.zeros((len(inputs), 2), np.float32)

    def counts(self, inputs: Sequence[Any] | np.ndarray, spec: Any) -> np.ndarray | None:
        """[n] int64: the items of each input that a base with preprocessing ``spec`` gives features of, one by one.

        0 of what cannot be read; None where every input has one vector.
        """
        return None

    def maybe_long(self, inputs: Sequence[Any] | np.ndarray, spec: Any) -> np.ndarray:
        """[n] bool: the inputs that may be longer than the base takes at once, told without decoding."""
        return np.zeros(len(inputs), bool)

    def reading(self, spec: Any, read: np.ndarray) -> ReadingRecord | None:
        """What became of inputs, by ``read`` [n, 2] of `lengths`; None where none can be long."""
        return None

    def reading_advice(self, spec: Any, reading: ReadingRecord, most: int | None) -> str:
        """How more of the inputs could be read; ``most`` that the base can take at once, None: any."""
        return ""

    def work(self, size: int) -> float:
        """How an example's cost grows with the ``size`` that the catalogue tells of a base's inputs."""
        return float(size)

    # --- training, robustness ---------------------------------------------------------------------

    def augmentation(
        self, asked: str, labels: tuple[str, ...], per_class: int, spec: Any
    ) -> tuple[Augmentation | None, str]:
        """How training rows are changed at random, and that in words.

        Args:
            asked: "default", or "corruption": also as deployment damages inputs.
            labels: names of the classes, which tell what must not be changed.
            per_class: training rows of the median class.
        """
        return None, f"none, the default for {self.plural}"

    def damage(self, spec: Any) -> Damage | str:
        """How inputs are damaged as after deployment, or why they cannot be."""
        return f"{self.plural} cannot be corrupted"

    # --- what is told of inputs -------------------------------------------------------------------

    @abstractmethod
    def show(self, value: Any) -> Shown:
        """``value`` for a page; never an error."""

    def properties(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Property -> [n] float (nan where it cannot be told) or str, to be cut into slices."""
        return {}

    def headers(self, inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
        """Property -> [n, m] float, -1 where unknown: what is known of inputs without looking at what they show."""
        return {}

    def shapes(self, features: np.ndarray | None) -> np.ndarray | None:
        """The small grey versions in classical ``features`` [n, d]; None where there are none."""
        found = self.classical.shapes if self.classical else 0
        return features[:, :found] if features is not None and found else None

    def blank(self, inputs: Sequence[Any] | np.ndarray, classical: np.ndarray | None) -> tuple[list[int], str]:
        """The rows that show nothing, by ``classical`` [n, d] where there is such, and what they are, in words."""
        return [], ""
