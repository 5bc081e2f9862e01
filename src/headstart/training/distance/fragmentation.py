"""How many pieces a tokenizer breaks words into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.bases.base import Base
from headstart.modalities import get
from headstart.modalities.text.tokens import Tokens
from headstart.training.distance.measured import Distance, untold
from headstart.training.distance.own_answers import FAR

NAME = "token fragmentation"
_WORD = 2.0  # tokens a word from which a text's vocabulary is taken for wholly foreign, beyond the one of a known word


def fragmentation(base: Base, texts: Sequence[str]) -> Distance:
    """Tokens a word beyond one, over 2: 0 where every word is a token, 1 from three tokens a word on.

    A tokenizer keeps the words whole that were frequent where its base was trained (Rust et al. 2021,
    arXiv:2012.15613, call tokens a word its fertility).
    """
    if not get(base.modality).tokenised:
        return untold(NAME, "the data are no texts")
    words = sum(max(1, len(text.split())) for text in texts)
    tokens = int(np.maximum(0, Tokens(base).ids(texts).lengths - 2).sum())  # without the marks at both ends
    value = float(np.clip((tokens / words - 1) / _WORD, 0.0, 1.0))
    return Distance(NAME, value, "how many tokens the words fall into", FAR)
