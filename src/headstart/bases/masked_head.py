"""A base's masked-language head: what it was trained with to foresee hidden words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.bases.base import Base
from headstart.bases.checks import not_loaded, read_json
from headstart.bases.transformers_body import quiet
from headstart.bases.transformers_text import TransformersTextBase
from headstart.bases.word_states import WordStates
from headstart.errors import BaseError

if TYPE_CHECKING:
    from torch import nn


def masked_model(base: Base) -> nn.Module | None:
    """The whole model of ``base``: ids and mask [batch, tokens] -> ``logits`` [batch, tokens, vocabulary].

    None where the checkpoint has no such head, or not all of it: transformers would fill it in at random.

    Raises:
        BaseError: the checkpoint cannot be loaded safely.
    """
    base = base.base if isinstance(base, WordStates) else base
    if not isinstance(base, TransformersTextBase) or not _has_kind(base):
        return None
    from transformers import AutoModelForMaskedLM

    with quiet():
        try:
            model, info = AutoModelForMaskedLM.from_pretrained(
                base.folder,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                dtype="float32",
            )
        except Exception as error:  # damaged, or a pickle with more than tensors in it
            raise BaseError(
                f"the checkpoint of base {base.identity.name!r} cannot be loaded safely: {not_loaded(error)}."
            ) from error
    if info["missing_keys"] or info["mismatched_keys"]:
        return None
    whole: nn.Module = model.eval()
    return whole


def _has_kind(base: TransformersTextBase) -> bool:
    """Whether transformers knows a masked-language model of this architecture, and more than the body was saved."""
    config = read_json(base.folder / "config.json") or {}
    saved = config.get("architectures") or [""]
    if all(name.endswith("Model") for name in saved):  # BertModel, not BertForMaskedLM: nothing need be loaded
        return False
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    return not base.identity.remote_code and config.get("model_type") in MODEL_FOR_MASKED_LM_MAPPING_NAMES
