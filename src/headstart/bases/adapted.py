"""A base that was adapted: it works wherever a base works, under an identity of its own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.bases.adapters import Lora, adapter_tensors, check_fit, inject, load_adapter, merge
from headstart.bases.base import Base
from headstart.bases.changes import Changes
from headstart.errors import BaseError

if TYPE_CHECKING:
    import torch

    from headstart.bases.network import Network


class AdaptedBase(Base):
    """``base`` with ``changes`` laid in.

    Name, source and licence stay the base's; the weights' hash is of both, so features, measured runtimes and graphs
    are kept apart from the base's.
    """

    def __init__(self, base: Base, changes: Changes) -> None:
        self.base, self.changes = base, changes
        both = hashlib.sha256(f"{base.identity.weights} {changes.digest()}".encode()).hexdigest()
        self.identity = replace(base.identity, weights=both)
        self.modality, self.spec, self.width = base.modality, base.spec, base.width
        self.tokenizer_file, self.facts, self.most_tokens = base.tokenizer_file, base.facts, base.most_tokens
        self.libraries = (*base.libraries, "peft") if changes.lora else base.libraries

    def preprocessing(self) -> str:
        """The base's."""
        return self.base.preprocessing()

    def network(self) -> Network:
        """Load the base's weights and lay the changes in; adapters are folded away.

        Raises:
            BaseError: see `Base.network`; or the changes do not fit the base.
        """
        network = self.base.network()
        lay_in(network, self.changes)
        return network.eval()

    def untrained(self) -> Network:
        """The base's."""
        return self.base.untrained()


def lay_in(network: Network, changes: Changes) -> None:
    """Lay ``changes`` into ``network``, its base's, in place; adapters are folded away.

    Raises:
        BaseError: they do not fit.
    """
    import torch

    tensors = {name: torch.tensor(array) for name, array in changes.tensors.items()}
    if changes.lora:
        inject(network, changes.lora)
        load_adapter(network, tensors)
        merge(network)
    else:
        check_fit(network.state_dict(), tensors, whole=False)
        network.load_state_dict(tensors, strict=False)


def flattened(base: Base) -> tuple[Base, Changes | None]:
    """The root below any number of `AdaptedBase`, and all their changes as one; None where there are none."""
    if not isinstance(base, AdaptedBase):
        return base, None
    root, first = flattened(base.base)
    return root, compose(root, first, base.changes) if first else base.changes


def compose(root: Base, first: Changes, second: Changes) -> Changes:
    """``second``, which were made on ``root`` with ``first`` laid in, as changes of ``root`` itself.

    Adapters of either become full tensors: those of the second stand beside weights that the root does not have, and
    adapters of both would add up to another rank.

    Raises:
        BaseError: see `Base.network`; or they do not fit.
    """
    if first.lora is None and second.lora is None:
        return Changes({**first.tensors, **second.tensors}, total=first.total or second.total)
    network = root.network()
    before = state_of(network)
    lay_in(network, first)
    lay_in(network, second)
    return changes_of(before, network)


def state_of(network: Network) -> dict[str, torch.Tensor]:
    """A copy of the network's state on the CPU, for `changes_of` later on the same network.

    Loaded a second time a base can differ: tensors that its checkpoint lacks and its output does not need are random.
    """
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def changes_of(before: dict[str, torch.Tensor], network: Network) -> Changes:
    """The tensors of ``network`` that are not exactly as in ``before``, its base's state (see `state_of`).

    Raises:
        BaseError: the names are not the base's, as those of a network with adapters are.
    """
    now = network.state_dict()
    if now.keys() != before.keys():
        raise BaseError("the network's tensors are not its base's; fold adapters in first (merge).")
    arrays = {name: _array(tensor) for name, tensor in now.items()}
    moved = {name: array for name, array in arrays.items() if not np.array_equal(array, _array(before[name]))}
    return Changes({name: array.copy() for name, array in moved.items()}, total=_numbers(before))


def adapter_changes(network: Network, lora: Lora) -> Changes:
    """The adapters of ``network``, put in by `inject` as ``lora`` says."""
    adapters = adapter_tensors(network)
    total = _numbers(network.state_dict()) - _numbers(adapters)
    return Changes({name: _array(tensor).copy() for name, tensor in adapters.items()}, lora, total)


def _array(tensor: torch.Tensor) -> np.ndarray:
    """On the CPU, float32 where it is floating."""
    tensor = tensor.detach().cpu()
    array: np.ndarray = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array


def _numbers(tensors: dict[str, torch.Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
