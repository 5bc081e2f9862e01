"""What every base offers, wherever it came from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import __version__
from headstart.bases.identity import Identity
from headstart.data.table import Fact
from headstart.modalities.audio.front_end import AudioSpec
from headstart.modalities.image import ImageSpec
from headstart.modalities.text import TextSpec
from headstart.versions import installed

if TYPE_CHECKING:
    from headstart.bases.network import Network

#: The one stage cached so far: the base's pooled output, [batch, width].
POOLED = "pooled"
#: Distributions whose code reads the inputs of a modality.
READERS = {"image": ("pillow",), "text": ("tokenizers",), "audio": ("soundfile", "scipy")}


class Base(ABC):
    """A pre-trained checkpoint: identity, preprocessing and width are known without loading torch.

    Attributes:
        identity: provenance.
        modality: "image", "text" or "audio".
        spec: preprocessing.
        width: length of the pooled output.
        tokenizer_file: of a text base; None of others.
        most_tokens: that a text base takes at once; None: any number.
        trainable: whether its weights can be trained further; where not, it serves as it is.
        facts: what was supposed or is particular about it, said before the work and in the result.
        libraries: distributions whose code computes its features, besides those that read its inputs.
        learnt: content hashes of the inputs that earlier runs trained its weights on, where they are told.
    """

    identity: Identity
    modality: str
    spec: ImageSpec | TextSpec | AudioSpec
    width: int
    tokenizer_file: Path | None = None
    most_tokens: int | None = None
    trainable: bool = True
    libraries: tuple[str, ...] = ("torch", "onnxruntime")
    facts: tuple[Fact, ...] = ()
    learnt: frozenset[str] = frozenset()

    @abstractmethod
    def network(self) -> Network:
        """Load the weights; called once a run, and only where something is not cached.

        Raises:
            BaseError: where the checkpoint lacks tensors, has extra ones, or cannot be loaded safely.
        """

    @abstractmethod
    def untrained(self) -> Network:
        """The same architecture with the random weights that its library begins with: it borrows nothing."""

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """The files that hold its weights, no two of one name; () where that is not known.

        Of a base that another one was made into, the other's: what was changed is in none of them.
        """
        inner = getattr(self, "base", None)
        return inner.weights_files if isinstance(inner, Base) else ()

    @property
    def weights_by_name(self) -> dict[str, Path]:
        """`weights_files` by their names."""
        return {file.name: file for file in self.weights_files}

    def preprocessing(self) -> str:
        """The preprocessing as JSON, as it keys the cache."""
        return json.dumps(self.spec.to_dict(), sort_keys=True)

    def computed_by(self) -> str:
        """What makes features of weights and inputs, as JSON: configuration and versions of the code.

        Told by files and metadata, so that no library is loaded for it.
        """
        versions = {"headstart": __version__, **installed(*self.libraries, *READERS[self.modality])}
        return json.dumps({"config": self.identity.config, "versions": versions}, sort_keys=True)

    def key(self) -> str:
        """All that its features depend on besides the inputs, as JSON: what is kept of it is kept under this."""
        return json.dumps([self.identity.weights, self.computed_by(), self.preprocessing()])
