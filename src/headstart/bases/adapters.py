"""Low-rank adapters beside a base's linear layers, by the peft library: laid in, trained elsewhere, folded away."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from headstart.errors import BaseError, SettingError, nearest

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headstart.bases.network import Network

KINDS = ("lora", "dora", "rslora")


@dataclass(frozen=True)
class Lora:
    """How adapters are made.

    Attributes:
        kind: "lora" (Hu et al. 2021, arXiv:2106.09685), "dora" (direction and length apart; Liu et al. 2024,
            arXiv:2402.09353) or "rslora" (scaled by the root of the rank; Kalajdzievski 2023, arXiv:2312.03732).
        rank: of each update.
        alpha: the update is multiplied by alpha / rank (rslora: alpha / sqrt(rank)).
        dropout: share of an adapter's inputs left out in training.

    Raises:
        SettingError: a value that is not allowed.
    """

    kind: str = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(
                f"adapter kind {self.kind!r} is unknown; it is one of {', '.join(KINDS)}.{nearest(self.kind, KINDS)}"
            )
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise SettingError(
                f"rank {self.rank}, alpha {self.alpha}, dropout {self.dropout:g}: rank is at least 1, alpha above 0, "
                f"dropout from 0 to below 1."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**values)


def linear_layers(network: Network) -> tuple[str, ...]:
    """Dotted names of the linear layers that the pooled output comes from, in the network's order.

    Found by one pass of the network's example: a pooler that runs but whose output is not used has no gradient, and
    is left out. transformers' Conv1D is a linear layer.
    """
    import torch
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    layers = {name: m for name, m in network.named_modules() if isinstance(m, (nn.Linear, Conv1D))}
    probes: dict[str, torch.Tensor] = {}
    where = next(network.parameters()).device

    def probe(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
            probes[name] = torch.zeros((), device=where, requires_grad=True)
            return output + probes[name]

        return hook

    hooks = [layer.register_forward_hook(probe(name)) for name, layer in layers.items()]
    try:
        with _evaluating(network), torch.enable_grad():
            out = network(*(tensor.to(where) for tensor in network.example()))
            grads = torch.autograd.grad(out.sum(), list(probes.values()), allow_unused=True) if probes else ()
    finally:
        for hook in hooks:
            hook.remove()
    used = {name for name, grad in zip(probes, grads, strict=True) if grad is not None}
    return tuple(name for name in layers if name in used)


@contextmanager
def _evaluating(network: Network) -> Iterator[None]:
    """Every module in eval mode, and afterwards as it was."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def inject(network: Network, lora: Lora) -> None:
    """Put an adapter beside every linear layer the output comes from, in place; only adapters require gradients then.

    The function stays the same until adapters are trained.

    Raises:
        SettingError: the network has no linear layer.
    """
    import re

    from peft import LoraConfig, inject_adapter_in_model

    layers = linear_layers(network)
    if not layers:
        convolutions = sum("Conv" in type(module).__name__ for module in network.modules())
        raise SettingError(
            f"{lora.kind} was asked of {type(network.body).__name__}, which has {convolutions} convolutions and no "
            f"linear layer; LoRA needs linear layers: use partial, norm or full instead."
        )
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="|".join(re.escape(name) for name in layers),  # matched in full; a list is matched by endings
        use_dora=lora.kind == "dora",
        use_rslora=lora.kind == "rslora",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="fan_in_fan_out")  # set right for each layer, with a warning
        inject_adapter_in_model(config, network)
    for layer in _adapted(network).values():
        layer.train(layer.get_base_layer().training)  # new modules would be in training mode, dropout at work


def _adapted(network: Network) -> dict[str, Any]:
    """peft's wrappers around the layers, by name."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    return {name: module for name, module in network.named_modules() if isinstance(module, BaseTunerLayer)}


def merge(network: Network) -> None:
    """Fold the adapters into the layers they stand beside, in place: plain modules under the original names again."""
    for name, layer in _adapted(network).items():
        layer.merge()
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer.get_base_layer())
    if hasattr(network, "peft_config"):
        del network.peft_config
    network.requires_grad_(True)  # as a base is loaded


def adapter_tensors(network: Network) -> dict[str, torch.Tensor]:
    """The adapters' parameters and nothing else, by peft's portable names."""
    from peft import get_peft_model_state_dict

    if not hasattr(network, "peft_config"):
        return {}
    tensors: dict[str, torch.Tensor] = get_peft_model_state_dict(network, save_embedding_layers=False)
    return tensors


def load_adapter(network: Network, tensors: dict[str, torch.Tensor]) -> None:
    """Give the adapters of ``network`` (see `inject`) the values ``tensors``, as `adapter_tensors` named them.

    Raises:
        BaseError: names or shapes are not those of the adapters.
    """
    from peft import set_peft_model_state_dict

    check_fit(adapter_tensors(network), tensors, whole=True)
    set_peft_model_state_dict(network, dict(tensors))


def check_fit(there: dict[str, torch.Tensor], given: dict[str, torch.Tensor], *, whole: bool) -> None:
    """`BaseError` where ``given`` names tensors that are not ``there``, or of other shapes; ``whole``: lacks one."""
    wrong = [name for name in given if name not in there or there[name].shape != given[name].shape]
    wrong += [name for name in there if whole and name not in given]
    if wrong:
        raise BaseError(
            f"{len(wrong)} changed tensors do not fit the base ({', '.join(sorted(wrong)[:3])} …); they were made "
            f"with another base or library version: fit again."
        )
