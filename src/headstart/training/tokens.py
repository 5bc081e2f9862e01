"""Texts as token ids, padded into batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.bases.base import Base


class Tokens:
    """A text base's own tokenizer."""

    def __init__(self, base: Base) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(base.tokenizer_file))
        self.padding: int = (self._tokenizer.padding or {}).get("pad_id", 0)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(base.spec.max_tokens)  # type: ignore[union-attr]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, cut at the base's limit."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def padded(self, tokens: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
        """Ids and mask, both [batch, longest] int64."""
        longest = max(1, max(len(ids) for ids in tokens))
        out = np.full((len(tokens), longest), self.padding, dtype=np.int64)
        mask = np.zeros((len(tokens), longest), dtype=np.int64)
        for i, ids in enumerate(tokens):
            out[i, : len(ids)], mask[i, : len(ids)] = ids, 1
        return out, mask
