"""Bases in a local folder: a checkpoint as timm, transformers or sentence-transformers write it.

A Hub name becomes such a folder by downloading it (`headstart.bases.hub`), so this is the one way in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.bases.base import Base
from headstart.bases.card import read_card
from headstart.bases.identity import Identity, hash_config, hash_files
from headstart.bases.kinds import kind_of
from headstart.bases.remote_code import code_files, settle_code
from headstart.bases.timm_base import TimmBase
from headstart.bases.transformers_audio import TransformersAudioBase
from headstart.bases.transformers_image import TransformersImageBase
from headstart.bases.transformers_text import TransformersTextBase
from headstart.bases.weight_files import weight_files

_TRANSFORMERS: dict[str, Callable[[Path, dict[str, Any], Identity], Base]] = {
    "image": TransformersImageBase,
    "text": TransformersTextBase,
    "audio": TransformersAudioBase,
}


def open_folder(
    folder: Path,
    name: str | None = None,
    source: str | None = None,
    revision: str = "",
    *,
    remote_code: bool = False,
) -> Base:
    """The base in ``folder``; no weights are loaded yet. Licence and training data are its model card's.

    Args:
        name: what the user writes; the folder by default.
        source: see `Identity`; the folder by default.
        remote_code: whether code of the checkpoint's own may run.

    Raises:
        BaseError: a file is missing or damaged, the inputs are of no modality that headstart works on, or code of
            its own would be needed and is not allowed.
    """
    name, source = name or str(folder), source or f"folder {folder.resolve()}"
    kind, card = kind_of(folder, name), read_card(folder)
    code = settle_code(kind.config, name, f"{source} at commit {revision}" if revision else source, remote_code)
    files = weight_files(folder, name)
    weights = hash_files([*files, *(code_files(folder) if code else ())])  # other code gives other features
    config = hash_config(kind.config)
    identity = Identity(name, source, revision, weights, card.licence, card.trained_on, remote_code=code, config=config)
    if kind.library == "timm":
        return TimmBase(folder, kind.config, files, identity)
    return _TRANSFORMERS[kind.modality](folder, kind.config, identity)
