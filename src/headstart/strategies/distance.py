"""How far data are from what a base was trained on, told by the base alone: a warning, never the decider."""

from __future__ import annotations

import numpy as np

from headstart.bases.base import Base
from headstart.bases.own_head import own_head
from headstart.heads.linear import probabilities
from headstart.training.rows import TrainRows

_SOME = 1000  # rows looked at
_WORD = 2.0  # tokens a word from which a text's vocabulary is taken for wholly foreign, beyond the one of a known word


def distance(base: Base, rows: TrainRows) -> tuple[float, str]:
    """0 (like the base's training data) to 1, and how it was measured; nan where it cannot be told.

    Pictures: how undecided the base's original classifier is, its mean entropy over that of knowing nothing (Hendrycks
    & Gimpel 2017 use its maximum). Texts: how many tokens the tokenizer needs for a word, beyond one.
    """
    index = np.linspace(0, len(rows) - 1, min(_SOME, len(rows))).astype(int)
    if base.modality == "text":
        return _fragmentation(base, [str(text) for text in rows.take(index).inputs])
    head = own_head(base)
    if head is None:
        return float("nan"), "not told: the base has no classifier of its own"
    weight, bias = head
    p = probabilities(rows.vectors[index] @ weight + bias, "classification")
    entropy = -(p * np.log(np.maximum(p, 1e-12))).sum(1).mean() / np.log(p.shape[1])
    return float(entropy), "how undecided the base's own classifier is about the pictures"


def _fragmentation(base: Base, texts: list[str]) -> tuple[float, str]:
    from headstart.training.tokens import Tokens

    words = sum(max(1, len(text.split())) for text in texts)
    tokens = sum(max(0, len(ids) - 2) for ids in Tokens(base).ids(texts))  # without the marks at both ends
    return float(np.clip((tokens / words - 1) / _WORD, 0.0, 1.0)), "how many tokens the words fall into"
