"""An image model of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.checks import read_json, telling_preprocessing
from headstart.bases.identity import Identity
from headstart.bases.transformers_body import load_transformer, untrained_transformer
from headstart.bases.weight_files import weight_files
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network

_RESAMPLING = {2: "bilinear", 3: "bicubic"}  # PIL's numbers, as processors' configurations hold them


class TransformersImageBase(Base):
    """An image model of transformers with preprocessor_config.json (ViT, Swin, ConvNeXt, DINOv2 …)."""

    modality = "image"
    libraries = (*Base.libraries, "transformers")
    spec: ImageSpec

    def __init__(self, folder: Path, config: dict[str, Any], identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        sizes = config.get("hidden_sizes") or [config.get("hidden_size") or config.get("embed_dim") or 0]
        self.width = int(sizes[-1])
        if config.get("model_type") == "swin":  # the width doubles from stage to stage
            self.width = int(config["embed_dim"]) * 2 ** (len(config["depths"]) - 1)
        if not self.width:
            raise BaseError(
                f"base {identity.name!r}: config.json names no hidden_size, so its features have no known width."
            )
        given = read_json(folder / "preprocessor_config.json") or {}
        with telling_preprocessing(f"preprocessor_config.json of base {identity.name!r}"):
            self.spec = processor_spec(given, config.get("image_size", 224))

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """Those of the folder."""
        return tuple(weight_files(self.folder, self.identity.name))

    def network(self) -> Network:
        """Load the weights through transformers; the pooled output, or the mean over positions without one."""
        from headstart.bases.network import ImageNetwork
        from headstart.bases.pooled import Pooled

        return ImageNetwork(Pooled(load_transformer(self.folder, self.identity)), self.spec)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import ImageNetwork
        from headstart.bases.pooled import Pooled

        return ImageNetwork(Pooled(untrained_transformer(self.folder, self.identity)), self.spec)


def processor_spec(given: dict[str, Any], size: Any) -> ImageSpec:
    """The preprocessing that a preprocessor_config.json holds; ``size`` is the side where it tells none."""
    side, crop = _pixels(given.get("size"), size), given.get("crop_size")
    return ImageSpec(
        size=_pixels(crop, side) if crop else side,
        resize=side,
        interpolation=_RESAMPLING.get(given.get("resample", 3), "bicubic"),
        mean=tuple(given.get("image_mean", ImageSpec.mean)),
        std=tuple(given.get("image_std", ImageSpec.std)),
    )


def _pixels(value: Any, default: int) -> int:
    """A side in pixels from transformers' spellings: 224, {"height": 224, …} or {"shortest_edge": 256}."""
    if isinstance(value, dict):
        value = value.get("height") or value.get("shortest_edge")
    return int(value or default)
