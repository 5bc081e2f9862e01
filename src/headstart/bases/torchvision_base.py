"""Image classifiers of torchvision by the names of their weights, such as ``ResNet18_Weights.IMAGENET1K_V1``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.checks import not_loaded
from headstart.bases.identity import Identity, hash_files
from headstart.bases.torchvision_file import weights_file
from headstart.data.table import Fact
from headstart.errors import BaseError, nearest
from headstart.modalities.image import ImageSpec
from headstart.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headstart.bases.network import Network

# Builders whose networks differ where pre-trained weights are asked for; here they are built without, to load safely.
_BUILT_AS: dict[str, dict[str, Any]] = {
    "inception_v3": {"transform_input": True, "aux_logits": True, "init_weights": False},
    "googlenet": {"transform_input": True, "aux_logits": True, "init_weights": False},
}
_UNUSED = ("AuxLogits.", "aux1.", "aux2.")  # classifiers beside the trunk, for training only


class TorchvisionBase(Base):
    """An image classifier of torchvision without its last layer.

    Args:
        name: ARCHITECTURE_Weights.VERSION; DEFAULT becomes the version that it stands for.
        progress: told of a download.

    Raises:
        BaseError: torchvision is not installed, knows no such weights of a classifier, or they cannot be fetched.
    """

    modality = "image"
    libraries = (*Base.libraries, "torchvision")
    spec: ImageSpec

    def __init__(self, name: str, progress: Progress | None = None) -> None:
        self._weights = _weights(name)
        self._builder = _builder(self._weights, name)
        self.spec = _spec(self._weights.transforms())
        self.file = weights_file(self._weights.url, str(self._weights), progress or Progress())
        source, version = f"torchvision {self._weights.url}", _version()
        licence, trained_on = _licence(self._weights.meta), _trained_on(self._weights.name)
        self.identity = Identity(str(self._weights), source, version, hash_files([self.file]), licence, trained_on)
        self.facts = (_recipe(self._weights),)

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """Of the last layer's input; built at first use, where it can be without memory for weights."""
        import torch

        try:
            with torch.device("meta"):
                return _last(self._whole(), self._classes)[1]
        except NotImplementedError:  # RegNet computes its sizes with tensors
            return _last(self._whole(), self._classes)[1]

    @property
    def _classes(self) -> int:
        return len(self._weights.meta["categories"])

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """The file that was downloaded."""
        return (self.file,)

    def network(self) -> Network:
        """Load the weights, tensors only, and take the last layer off.

        Raises:
            BaseError: the file holds more than tensors, or others than the architecture's.
        """
        import torch

        body = self._whole()
        try:
            state = torch.load(self.file, map_location="cpu", weights_only=True)
            body.load_state_dict(_renamed(state, body))
        except Exception as error:  # damaged, of other shapes, or a pickle with more than tensors in it
            raise BaseError(
                f"the weights of {self.identity.name!r} in {self.file.name} cannot be loaded safely "
                f"({not_loaded(error)}); delete that file, and it is fetched again."
            ) from error
        return self._network(body)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        return self._network(self._whole())

    def _whole(self) -> nn.Module:
        from torchvision.models import get_model

        told: dict[str, Any] = {**_BUILT_AS.get(self._builder, {}), "num_classes": self._classes}
        if self._builder.startswith("vit_"):
            told["image_size"] = self.spec.size
        body: nn.Module = get_model(self._builder, weights=None, **told)
        return body

    def _network(self, body: nn.Module) -> Network:
        from torch import nn

        from headstart.bases.network import ImageNetwork

        name = _last(body, self._classes)[0]
        parent, _, child = name.rpartition(".")
        setattr(body.get_submodule(parent), child, nn.Identity())
        for unused in _UNUSED:
            if hasattr(body, unused[:-1]):
                setattr(body, unused[:-1], None)
                body.aux_logits = False  # type: ignore[assignment]  # else training gives their answers too
        return ImageNetwork(body.eval(), self.spec)


def _weights(name: str) -> Any:
    """torchvision's enumeration member called ``name``."""
    try:
        from torchvision.models import get_weight
    except ImportError as error:
        raise BaseError(f"base {name!r} needs the package torchvision; run: pip install torchvision") from error
    try:
        return get_weight(name)
    except (ValueError, KeyError, TypeError) as error:
        raise BaseError(f"torchvision knows no weights {name!r}.{nearest(name, _known())}") from error


def _known() -> list[str]:
    """The names of all weights of image classifiers."""
    return [str(weights) for name in _classifiers() for weights in _all_weights(name)]


def _classifiers() -> list[str]:
    from torchvision import models

    found: list[str] = models.list_models(module=models)
    return found


def _all_weights(builder: str) -> Any:
    from torchvision.models import get_model_weights

    return get_model_weights(builder)


def _builder(weights: Any, name: str) -> str:
    """torchvision's name of the architecture that ``weights`` belong to."""
    for builder in _classifiers():
        if _all_weights(builder) is type(weights):
            return builder
    raise BaseError(
        f"torchvision's weights {name!r} are not of a plain image classifier; headstart takes those of "
        f"https://pytorch.org/vision/stable/models.html#classification, such as ResNet18_Weights.IMAGENET1K_V1."
    )


def _version() -> str:
    import importlib.metadata

    return importlib.metadata.version("torchvision")


def _spec(transforms: Any) -> ImageSpec:
    """As the weights' own transforms prepare pictures."""
    return ImageSpec(
        size=transforms.crop_size[0],
        resize=transforms.resize_size[0],
        interpolation="bicubic" if transforms.interpolation.value == "bicubic" else "bilinear",
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )


def _recipe(weights: Any) -> Fact:
    """What torchvision says of how the weights came about."""
    meta = weights.meta
    size = f"{meta['num_params'] / 1e6:.1f} million weights with the layer of {len(meta['categories']):,} classes"
    return Fact("base", f"{weights}, {size}", f"recipe: {meta.get('recipe', 'not published')}")


def _licence(meta: dict[str, Any]) -> str:
    """SWAG's weights have a licence of their own (non-commercial); the others come under torchvision's."""
    own = str(meta.get("license", ""))
    if not own:
        return "BSD-3-Clause"
    return "CC-BY-NC-4.0" if "SWAG" in own else "unknown"


def _trained_on(version: str) -> str:
    swag = "3.6 billion pictures with hashtags (SWAG), " if "SWAG" in version else ""
    return f"{swag}ImageNet-1k" if "IMAGENET1K" in version else "unknown"


def _last(body: nn.Module, classes: int) -> tuple[str, int]:
    """Name and input width of the layer that gives the classes: the last one, beside the trunk's auxiliary ones."""
    from torch import nn

    layers = [
        (name, module.in_features if isinstance(module, nn.Linear) else module.in_channels)
        for name, module in body.named_modules()
        if (isinstance(module, nn.Linear) and module.out_features == classes)
        or (isinstance(module, nn.Conv2d) and module.out_channels == classes and module.kernel_size == (1, 1))
        if not name.startswith(_UNUSED)
    ]
    if not layers:
        raise BaseError(f"{type(body).__name__} of torchvision ends in no layer of {classes:,} classes.")
    return layers[-1]


def _renamed(state: dict[str, torch.Tensor], body: nn.Module) -> dict[str, torch.Tensor]:
    """``state`` by the names of ``body``: DenseNet's file is older than its layers' names (norm.1 for norm1)."""
    import re

    own = body.state_dict().keys()
    old = re.compile(r"\b(norm|relu|conv)\.([12])\b")
    return {name if name in own else old.sub(r"\1\2", name): tensor for name, tensor in state.items()}
