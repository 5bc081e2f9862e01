"""Bases in a local folder: a checkpoint as timm, transformers or sentence-transformers write it.

A Hub name becomes such a folder by downloading it (`headstart.bases.hub`), so this is the one way in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.identity import Identity, hash_files
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec
from headstart.modalities.text import TextSpec

if TYPE_CHECKING:
    from torch import nn

    from headstart.bases.network import Network

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.pth")  # the first pattern that matches is used
_RESAMPLING = {2: "bilinear", 3: "bicubic"}  # PIL's numbers, as processors' configurations hold them
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def open_folder(
    folder: Path,
    name: str | None = None,
    source: str | None = None,
    revision: str = "",
    licence: str = "unknown",
) -> Base:
    """The base in ``folder``; no weights are loaded yet.

    Raises:
        BaseError: no ``config.json``, no weights, or code of its own would be needed.
    """
    config = _json(folder / "config.json")
    if config is None:
        raise BaseError(
            f"no readable config.json in {folder}; a base folder holds config.json and weights "
            f"(*.safetensors), as save_pretrained writes them."
        )
    files = _weights(folder)
    identity = Identity(
        name or str(folder), source or f"folder {folder.resolve()}", revision, hash_files(files), licence
    )
    if "architecture" in config:
        return TimmBase(folder, config, files, identity)
    if "auto_map" in config:
        raise BaseError(
            f"base {identity.name!r} needs code of its own (auto_map in config.json), which headstart does "
            f"not run; choose a base of a standard architecture."
        )
    if (folder / "preprocessor_config.json").exists() and not (folder / "tokenizer.json").exists():
        return TransformersImageBase(folder, config, identity)
    if (folder / "tokenizer.json").exists():
        return TransformersTextBase(folder, config, identity)
    raise BaseError(
        f"base {identity.name!r} has neither tokenizer.json (text) nor preprocessor_config.json (image); add "
        f"the one that belongs to its weights."
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _weights(folder: Path) -> list[Path]:
    for pattern in _WEIGHTS:
        if files := sorted(folder.glob(pattern)):
            return files
    raise BaseError(f"no weights in {folder}: expected one of {', '.join(_WEIGHTS)}.")


class TimmBase(Base):
    """A checkpoint with timm's config.json (``architecture``, ``pretrained_cfg``)."""

    modality = "image"
    spec: ImageSpec

    def __init__(self, folder: Path, config: dict[str, Any], files: list[Path], identity: Identity) -> None:
        self.config, self.files, self.identity = config, files, identity
        given = config.get("pretrained_cfg", config)
        size = int(given.get("input_size", (3, 224, 224))[-1])
        self.spec = ImageSpec(
            size=size,
            resize=round(size / float(given.get("crop_pct", 0.875))),
            interpolation="bilinear" if given.get("interpolation") == "bilinear" else "bicubic",
            mean=tuple(given.get("mean", _IMAGENET_MEAN)),
            std=tuple(given.get("std", _IMAGENET_STD)),
        )
        self.width = int(config.get("num_features", 0)) or self._measured_width()

    def _measured_width(self) -> int:
        import torch

        with torch.device("meta"):
            return int(self._body().num_features)

    def _body(self) -> Any:
        import timm

        arguments = dict(self.config.get("model_args", {}), num_classes=0)
        try:
            return timm.create_model(self.config["architecture"], pretrained=False, **arguments)
        except RuntimeError as error:
            raise BaseError(f"base {self.identity.name!r}: {error}.") from error

    def network(self) -> Network:
        """Load the weights; tensors of the original head are left out, any other difference is refused."""
        from timm.models import load_state_dict

        from headstart.bases.network import ImageNetwork

        body, state = self._body(), {}
        try:
            for file in self.files:
                state.update(load_state_dict(str(file), use_ema=False, weights_only=True))
            missing, extra = body.load_state_dict(state, strict=False)
        except Exception as error:  # damaged, of other shapes, or a pickle with more than tensors in it
            reason = str(error).strip().splitlines()
            raise BaseError(
                f"the checkpoint of base {self.identity.name!r} cannot be loaded safely as its config.json says: "
                f"{reason[min(1, len(reason) - 1)].strip() if reason else type(error).__name__}."
            ) from error
        head = tuple(_names(body.pretrained_cfg.get("classifier")))
        extra = [key for key in extra if not key.startswith(head)]
        refuse_misfit(self.identity.name, missing, extra)
        return ImageNetwork(body.eval(), self.spec)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import ImageNetwork

        return ImageNetwork(self._body().eval(), self.spec)


def _names(value: Any) -> list[str]:
    """Prefixes of the original head's tensors, from timm's ``classifier`` entry (a name or several)."""
    names = [value] if isinstance(value, str) else list(value or ())
    return [f"{name}." for name in names] or ["head.", "fc.", "classifier."]


def refuse_misfit(name: str, missing: list[str], extra: list[str]) -> None:
    """Refuse a checkpoint whose tensors are not the architecture's."""
    for what, keys in (("lacks", missing), ("has unexpected", extra)):
        if keys:
            raise BaseError(
                f"the checkpoint of base {name!r} {what} {len(keys)} tensors ({', '.join(keys[:3])} …); it "
                f"does not belong to its config.json."
            )


def _load_transformer(folder: Path, name: str) -> nn.Module:
    """A transformers body without its head, from local files and no code of the checkpoint's own."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        body, info = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, output_loading_info=True, dtype="float32"
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BaseError(f"base {name!r} could not be loaded: {str(error).splitlines()[0]}") from error
    missing = [key for key in info["missing_keys"] if "pooler" not in key]  # pooled features do not pass through it
    refuse_misfit(name, sorted(missing), [])
    model: nn.Module = body
    return model.eval()


def _untrained_transformer(folder: Path) -> nn.Module:
    """The same body with random weights."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model: nn.Module = AutoModel.from_config(config, trust_remote_code=False)
    return model.float().eval()


class TransformersTextBase(Base):
    """A text encoder or decoder with tokenizer.json.

    Pooled as sentence-transformers' ``1_Pooling`` says, and scaled to length 1 where its ``modules.json`` does; without
    them, encoders by the mean, decoders by the last token.
    """

    modality = "text"
    spec: TextSpec
    tokenizer_file: Path

    def __init__(self, folder: Path, config: dict[str, Any], identity: Identity, max_tokens: int | None = None) -> None:
        self.folder, self.identity = folder, identity
        self.width = int(
            config.get("hidden_size") or config.get("d_model") or config.get("dim") or config.get("n_embd") or 0
        )
        if not self.width:
            raise BaseError(
                f"base {identity.name!r}: config.json names no hidden_size, so its features have no known width."
            )
        limit = int(config.get("max_position_embeddings") or config.get("n_positions") or 512)
        self.spec = TextSpec(max_tokens=min(max_tokens or 256, limit))
        self.pooling = _pooling(folder, decoder=str(config.get("model_type")) in _DECODERS)
        self.unit = _unit(folder)
        self.tokenizer_file = folder / "tokenizer.json"

    def preprocessing(self) -> str:
        """Token limit, tokenizer and pooling: all that the features depend on besides weights."""
        keys = {
            **self.spec.to_dict(),
            "tokenizer": hash_files([self.tokenizer_file]),
            "pooling": self.pooling,
            **({"unit": True} if self.unit else {}),
        }
        return json.dumps(keys, sort_keys=True)

    def network(self) -> Network:
        """Load the weights through transformers."""
        from headstart.bases.network import TextNetwork

        return TextNetwork(_load_transformer(self.folder, self.identity.name), self.pooling, self.unit)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import TextNetwork

        return TextNetwork(_untrained_transformer(self.folder), self.pooling, self.unit)


_DECODERS = {
    "gpt2",
    "gpt_neo",
    "gpt_neox",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "phi",
    "opt",
    "bloom",
}


def _unit(folder: Path) -> bool:
    """Whether sentence-transformers' list of modules ends in scaling to length 1."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        return any(str(module["type"]).endswith(".Normalize") for module in modules)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pooling(folder: Path, decoder: bool) -> str:
    config = _json(folder / "1_Pooling" / "config.json") or {}
    for key, how in (
        ("cls_token", "cls"),
        ("mean_tokens", "mean"),
        ("max_tokens", "max"),
        ("lasttoken", "last"),
    ):
        if config.get(f"pooling_mode_{key}"):
            return how
    return "last" if decoder else "mean"


class TransformersImageBase(Base):
    """An image model of transformers with preprocessor_config.json (ViT, Swin, ConvNeXt, DINOv2 …)."""

    modality = "image"
    spec: ImageSpec

    def __init__(self, folder: Path, config: dict[str, Any], identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        sizes = config.get("hidden_sizes") or [config.get("hidden_size") or config.get("embed_dim") or 0]
        self.width = int(sizes[-1])
        if config.get("model_type") == "swin":  # the width doubles from stage to stage
            self.width = int(config["embed_dim"]) * 2 ** (len(config["depths"]) - 1)
        given = _json(folder / "preprocessor_config.json") or {}
        size, crop = _pixels(given.get("size"), config.get("image_size", 224)), given.get("crop_size")
        self.spec = ImageSpec(
            size=_pixels(crop, size) if crop else size,
            resize=size,
            interpolation=_RESAMPLING.get(given.get("resample", 3), "bicubic"),
            mean=tuple(given.get("image_mean", _IMAGENET_MEAN)),
            std=tuple(given.get("image_std", _IMAGENET_STD)),
        )

    def network(self) -> Network:
        """Load the weights through transformers; the pooled output, or the mean over positions without one."""
        from headstart.bases.network import ImageNetwork
        from headstart.bases.pooled import Pooled

        return ImageNetwork(Pooled(_load_transformer(self.folder, self.identity.name)), self.spec)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import ImageNetwork
        from headstart.bases.pooled import Pooled

        return ImageNetwork(Pooled(_untrained_transformer(self.folder)), self.spec)


def _pixels(value: Any, default: int) -> int:
    """A side in pixels from transformers' spellings: 224, {"height": 224, …} or {"shortest_edge": 256}."""
    if isinstance(value, dict):
        value = value.get("height") or value.get("shortest_edge")
    return int(value or default)
