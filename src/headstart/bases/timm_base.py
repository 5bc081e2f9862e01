"""A checkpoint as timm writes it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.checks import first_line, not_loaded, refuse_misfit, telling_preprocessing
from headstart.bases.identity import Identity
from headstart.errors import BaseError, nearest
from headstart.modalities.image import ImageSpec

if TYPE_CHECKING:
    import torch

    from headstart.bases.network import Network

# Arguments of timm.create_model that name files or repositories besides the checkpoint.
_ELSEWHERE = {"pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir"}


def timm_spec(given: dict[str, Any]) -> ImageSpec:
    """The preprocessing that timm's ``pretrained_cfg`` holds; its defaults are timm's."""
    size = int(given.get("input_size", (3, 224, 224))[-1])
    return ImageSpec(
        size=size,
        resize=round(size / float(given.get("crop_pct", 0.875))),
        interpolation="bilinear" if given.get("interpolation") == "bilinear" else "bicubic",
        mean=tuple(given.get("mean", ImageSpec.mean)),
        std=tuple(given.get("std", ImageSpec.std)),
    )


class TimmBase(Base):
    """A checkpoint with timm's config.json (``architecture``, ``pretrained_cfg``)."""

    modality = "image"
    libraries = (*Base.libraries, "timm")
    spec: ImageSpec

    def __init__(self, folder: Path, config: dict[str, Any], files: list[Path], identity: Identity) -> None:
        self.config, self.files, self.identity = config, files, identity
        with telling_preprocessing(f"config.json of base {identity.name!r}"):
            self.spec = timm_spec(config.get("pretrained_cfg", config))

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """As they were found."""
        return tuple(self.files)

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """As the architecture has it; the ``num_features`` of config.json lie below a hidden layer of the head.

        Built at first use without memory for weights (PyTorch's meta device).
        """
        import torch

        with torch.device("meta"):
            body = self.body()
        return int(getattr(body, "head_hidden_size", None) or body.num_features)

    def body(self, classes: int = 0) -> Any:
        """The architecture with random weights, and a head of ``classes`` where above 0.

        Raises:
            BaseError: timm cannot build it from config.json, or that names files of others.
        """
        import timm

        name, architecture = self.identity.name, str(self.config["architecture"])
        if not timm.is_model(architecture.partition(".")[0]):  # create_model would take addresses and folders too
            near = nearest(architecture, timm.list_models())
            raise BaseError(f"base {name!r}: timm cannot build {architecture!r}, as its config.json asks.{near}")
        try:
            arguments = dict(self.config.get("model_args", {}), num_classes=classes)
            if others := sorted(_ELSEWHERE & arguments.keys()):
                raise ValueError(f"model_args must not hold {', '.join(others)}")
            return timm.create_model(architecture, pretrained=False, **arguments)
        except (RuntimeError, TypeError, ValueError) as error:
            raise BaseError(
                f"base {name!r}: timm cannot build what its config.json says: {first_line(error)}."
            ) from error

    def state(self) -> dict[str, torch.Tensor]:
        """All tensors of the checkpoint, those of its head among them.

        Raises:
            BaseError: it is damaged, or a pickle with more than tensors in it.
        """
        from timm.models import load_state_dict

        state: dict[str, torch.Tensor] = {}
        try:
            for file in self.files:
                state.update(load_state_dict(str(file), use_ema=False, weights_only=True))
        except Exception as error:  # timm and torch have many kinds for each
            raise self._unsafe(error) from error
        return state

    def _unsafe(self, error: Exception) -> BaseError:
        return BaseError(
            f"the checkpoint of base {self.identity.name!r} cannot be loaded safely as its config.json says: "
            f"{not_loaded(error)}."
        )

    def network(self) -> Network:
        """Load the weights; tensors of the original head are left out, any other difference is refused."""
        from headstart.bases.network import ImageNetwork

        body = self.body()
        try:
            missing, extra = body.load_state_dict(self.state(), strict=False)
        except RuntimeError as error:  # of other shapes
            raise self._unsafe(error) from error
        head = tuple(_names(body.pretrained_cfg.get("classifier")))
        extra = [key for key in extra if not key.startswith(head)]
        refuse_misfit(self.identity.name, missing, extra)
        return ImageNetwork(body.eval(), self.spec)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        from headstart.bases.network import ImageNetwork

        return ImageNetwork(self.body().eval(), self.spec)


def _names(value: Any) -> list[str]:
    """Prefixes of the original head's tensors, from timm's ``classifier`` entry (a name or several)."""
    names = [value] if isinstance(value, str) else list(value or ())
    return [f"{name}." for name in names] or ["head.", "fc.", "classifier."]
