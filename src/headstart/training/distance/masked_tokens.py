"""How well a base's masked-language head guesses words that are hidden from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.masked_head import masked_model
from headstart.modalities import get
from headstart.training.distance.measured import Distance, untold

if TYPE_CHECKING:
    from torch import nn

NAME = "masked-token loss"
_SHARE = 0.15  # of the tokens is hidden, as in training (Devlin et al. 2019)
_MASKS = ("[MASK]", "<mask>")
_BATCH = 16  # texts


def masked_token_loss(base: Base, texts: Sequence[str], seed: int = 0) -> Distance:
    """Mean -log p of hidden tokens over that of knowing nothing: 0 (all foreseen), 1 (guessed), above (misled).

    In each text 15 % of the tokens, at least one, are hidden once (Devlin et al. 2019, arXiv:1810.04805); the mean is
    over hidden tokens, divided by log(vocabulary). Salazar et al. 2020 (arXiv:1910.14659) score texts so, hiding every
    token in turn. It costs a forward pass a text; some 100 texts are enough.

    Raises:
        BaseError: the checkpoint cannot be loaded safely.
    """
    if not get(base.modality).tokenised:
        return untold(NAME, "the data are no texts")
    model = masked_model(base)
    if model is None:
        return untold(NAME, "the checkpoint has no masked-language head")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base.tokenizer_file))
    mask = next((number for name in _MASKS if (number := tokenizer.token_to_id(name)) is not None), None)
    if mask is None:
        return untold(NAME, "the tokenizer has no mask token")
    tokenizer.enable_truncation(base.spec.max_tokens)
    losses = np.concatenate([_losses(model, *one) for one in _hidden(tokenizer, texts, mask, seed)] or [np.zeros(0)])
    if not len(losses):
        return untold(NAME, "the texts have no tokens")
    value = float(losses.mean() / np.log(model.config.vocab_size))  # type: ignore[union-attr, arg-type]
    return Distance(NAME, value, "how badly the base foresees words of the texts that are hidden from it")


def _hidden(
    tokenizer: Any, texts: Sequence[str], mask: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of ids with some hidden, attention mask, and labels (-100 where nothing is hidden), each [b, longest]."""
    rng = np.random.default_rng(seed)
    tokenizer.enable_padding(pad_id=(tokenizer.padding or {}).get("pad_id", 0))
    for start in range(0, len(texts), _BATCH):
        encoded = tokenizer.encode_batch(list(texts[start : start + _BATCH]))
        ids = np.array([one.ids for one in encoded], np.int64)
        seen = np.array([one.attention_mask for one in encoded], np.int64)
        free = (seen == 1) & (np.array([one.special_tokens_mask for one in encoded]) == 0)
        order = np.where(free, rng.random(ids.shape), np.inf).argsort(axis=1).argsort(axis=1)
        wanted = np.maximum(1, np.round(_SHARE * free.sum(axis=1)))
        chosen = free & (order < wanted[:, None])
        if chosen.any():
            yield np.where(chosen, mask, ids), seen, np.where(chosen, ids, -100)


def _losses(model: nn.Module, ids: np.ndarray, seen: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """[hidden tokens]: -log p in nats."""
    import torch

    from headstart.bases.device import device

    where = device()
    with torch.inference_mode():
        hidden, truth = torch.from_numpy(labels != -100), torch.from_numpy(labels)
        inputs = {"input_ids": torch.from_numpy(ids).to(where), "attention_mask": torch.from_numpy(seen).to(where)}
        logits = model.to(where)(**inputs).logits.float().cpu()
        losses = torch.nn.functional.cross_entropy(logits[hidden], truth[hidden], reduction="none")
    return np.asarray(losses.numpy(), np.float64)
