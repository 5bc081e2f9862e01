"""A model of transformers without its head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.checks import first_line, not_loaded, read_json, refuse_misfit
from headstart.bases.identity import Identity
from headstart.errors import BaseError, nearest

if TYPE_CHECKING:
    from torch import nn

_TRANSLATORS = ("t5", "mt5", "umt5")

# What features do not pass through: a pooler, and what stands for masked stretches of sound in pretraining.
_UNUSED = ("pooler", "masked_spec_embed")
# Buffers that older versions of transformers wrote, made anew from the configuration by this one.
_BUFFERS = ("position_ids", "token_type_ids", "inv_freq", "masked_bias", "relative_position_index", "relative_coords")


def load_transformer(folder: Path, identity: Identity) -> nn.Module:
    """A transformers body without its head, from local files; code of its own runs where ``identity`` says so.

    Raises:
        BaseError: its architecture is unknown, its weights are damaged, or they are not the architecture's.
    """
    name = identity.name
    with quiet():
        config = _config(folder, identity)
        try:
            body, info = _kind(config).from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=identity.remote_code,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, with names
                dtype="float32",
            )
        except Exception as error:  # damaged, a pickle with more than tensors in it, or code that fails
            raise BaseError(
                f"the checkpoint of base {name!r} cannot be loaded safely as its config.json says: {not_loaded(error)}."
            ) from error
    _refuse_shapes(name, info["mismatched_keys"])
    missing = [key for key in info["missing_keys"] if not any(part in key for part in _UNUSED)]
    refuse_misfit(name, sorted(missing), sorted(_strange(body, info["unexpected_keys"])))
    model: nn.Module = body
    return model.eval()


def untrained_transformer(folder: Path, identity: Identity) -> nn.Module:
    """The same body with random weights.

    Raises:
        BaseError: its architecture is unknown.
    """
    with quiet():
        config = _config(folder, identity)
        model: nn.Module = _kind(config).from_config(config, trust_remote_code=identity.remote_code)
    return model.float().eval()


def _config(folder: Path, identity: Identity) -> Any:
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    kind = str((read_json(folder / "config.json") or {}).get("model_type", ""))
    if kind not in CONFIG_MAPPING_NAMES and not identity.remote_code:
        raise BaseError(
            f"base {identity.name!r} is of model_type {kind!r}, which the installed transformers does not know; a "
            f"newer one may.{nearest(kind, CONFIG_MAPPING_NAMES)}"
        )
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=identity.remote_code)
    except Exception as error:  # a wrong entry, or code of its own that fails
        raise BaseError(f"config.json of base {identity.name!r} cannot be used: {first_line(error)}.") from error


def _kind(config: Any) -> Any:
    """The class that builds the body: of T5 and its like the half that reads, for the other one only writes."""
    from transformers import AutoModel, AutoModelForTextEncoding

    return AutoModelForTextEncoding if config.model_type in _TRANSLATORS else AutoModel


def _refuse_shapes(name: str, mismatched: Any) -> None:
    for key, given, wanted in sorted(mismatched):
        raise BaseError(
            f"the checkpoint of base {name!r} has {len(mismatched)} tensors of another shape ({key} is "
            f"{list(given)}, its config.json asks for {list(wanted)}); it does not belong to its config.json."
        )


def _strange(body: nn.Module, unexpected: Any) -> list[str]:
    """The tensors that lie within a part of the body, so that they are no head's."""
    prefix = f"{getattr(body, 'base_model_prefix', '') or ' '}."
    parts = {child for child, _ in body.named_children()}
    inner = [key for key in unexpected if key.removeprefix(prefix).partition(".")[0] in parts]
    return [key for key in inner if key.rpartition(".")[2] not in _BUFFERS and "pooler" not in key]


@contextmanager
def quiet() -> Iterator[None]:
    """Within, transformers shows no bars and no tables of its own."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
