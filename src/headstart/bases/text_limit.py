"""How many tokens a text base takes at once, as the configuration beside its weights tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.bases.checks import read_json
from headstart.modalities.text import TOKENS, WINDOWS, TextSpec

_USUAL = 512  # where nothing is told: what the configurations of transformers begin with
_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "n_ctx")
#: Their positions are relative or none at all, so that texts of any length can be given.
_FREE = frozenset(["t5", "mt5", "umt5", "longt5", "bloom", "mpt", "xlnet", "transfo-xl", "mamba", "mamba2", "rwkv"])
#: They count positions from the padding token's number on, so the first ones serve no token.
_OFFSET = frozenset([
    *("roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "camembert", "xmod", "data2vec-text"),
    *("longformer", "mpnet", "luke", "mluke", "markuplm", "esm", "ibert"),
])  # fmt: skip
_NO_LIMIT = 1_000_000  # a tokenizer's limit above this says that it knows none: transformers writes 1e30


def usual_spec(limit: int | None, wished: int | None = None) -> TextSpec:
    """How a base that takes ``limit`` tokens reads where nothing is asked for: ``wished`` or `TOKENS` at once."""
    tokens = wished or TOKENS
    return TextSpec(tokens if limit is None else min(tokens, limit), WINDOWS)


def token_limit(config: dict[str, Any], folder: Path | None = None) -> int | None:
    """Tokens at once, special ones included; None: any number.

    A RoBERTa of 514 positions takes 512 tokens: the first two of its positions are not used. The tokenizer's own limit
    (``tokenizer_config.json`` in ``folder``) holds too, where it is one.
    """
    kind = str(config.get("model_type"))
    told = next((int(config[key]) for key in _KEYS if isinstance(config.get(key), int) and config[key] > 0), None)
    limit = None if kind in _FREE else told or _USUAL
    if limit is not None and kind in _OFFSET and told is not None:
        padding = config.get("pad_token_id")
        limit -= (1 if padding is None else int(padding)) + 1
    own = (read_json(folder / "tokenizer_config.json") or {}).get("model_max_length") if folder else None
    if isinstance(own, (int, float)) and 0 < own < _NO_LIMIT:
        return int(own) if limit is None else min(limit, int(own))
    return limit
