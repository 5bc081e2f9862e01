"""A text model of transformers, pooled as sentence-transformers says where it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.checks import read_json
from headstart.bases.identity import Identity, hash_files
from headstart.bases.text_limit import token_limit, usual_spec
from headstart.bases.transformers_body import load_transformer, untrained_transformer
from headstart.bases.weight_files import weight_files
from headstart.errors import BaseError
from headstart.modalities.text import TextSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network


class TransformersTextBase(Base):
    """A text encoder or decoder with tokenizer.json.

    Pooled as sentence-transformers' ``1_Pooling`` says, and scaled to length 1 where its ``modules.json`` does; without
    them, encoders by the mean, decoders by the last token.
    """

    modality = "text"
    libraries = (*Base.libraries, "transformers")
    spec: TextSpec
    tokenizer_file: Path

    def __init__(self, folder: Path, config: dict[str, Any], identity: Identity, max_tokens: int | None = None) -> None:
        self.folder, self.identity = folder, identity
        self.width = int(
            config.get("hidden_size") or config.get("d_model") or config.get("dim") or config.get("n_embd") or 0
        )
        if not self.width:
            raise BaseError(
                f"base {identity.name!r}: config.json names no hidden_size, so its features have no known width."
            )
        self.most_tokens = token_limit(config, folder)
        self.spec = usual_spec(self.most_tokens, max_tokens)
        self.pooling = _pooling(folder, decoder=str(config.get("model_type")) in _DECODERS)
        self.unit = _unit(folder)
        self.tokenizer_file = folder / "tokenizer.json"

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """Those of the folder."""
        return tuple(weight_files(self.folder, self.identity.name))

    def preprocessing(self) -> str:
        """Token limit, tokenizer and pooling: all that the features depend on besides weights."""
        keys = {
            **self.spec.to_dict(),
            "tokenizer": hash_files([self.tokenizer_file]),
            "pooling": self.pooling,
            **({"unit": True} if self.unit else {}),
        }
        return json.dumps(keys, sort_keys=True)

    def network(self) -> Network:
        """Load the weights through transformers."""
        from headstart.bases.network import TextNetwork

        return TextNetwork(load_transformer(self.folder, self.identity), self.pooling, self.unit)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import TextNetwork

        return TextNetwork(untrained_transformer(self.folder, self.identity), self.pooling, self.unit)


_DECODERS = {
    "gpt2",
    "gpt_neo",
    "gpt_neox",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "phi",
    "opt",
    "bloom",
}


def _unit(folder: Path) -> bool:
    """Whether sentence-transformers' list of modules ends in scaling to length 1."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        return any(str(module["type"]).endswith(".Normalize") for module in modules)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pooling(folder: Path, decoder: bool) -> str:
    config = read_json(folder / "1_Pooling" / "config.json") or {}
    for key, how in (
        ("cls_token", "cls"),
        ("mean_tokens", "mean"),
        ("max_tokens", "max"),
        ("lasttoken", "last"),
    ):
        if config.get(f"pooling_mode_{key}"):
            return how
    return "last" if decoder else "mean"
