"""The stages of any network, found by watching one forward pass.

No architecture is known by name. The network's body is opened, container by container, until it is a chain of units of
which at least three are blocks; plain networks (VGG) are split where the resolution changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from headstart.bases.nested import first_tensor, shapes
from headstart.bases.network import Network

_BLOCKS = 3  # fewer blocks than this: containers are opened further
_DOMINANT = 0.9  # a unit with a greater share of the weight layers than this is opened however many blocks there are
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True)
class Unit:
    """One module of the chain, as seen in the forward pass.

    Attributes:
        name: dotted name inside the network.
        calls: how often it was called.
        takes: shape of the first tensor it was given; None where it was given none.
        gives: its output, tensors on the meta device.
    """

    name: str
    calls: int
    takes: torch.Size | None
    gives: Any


def watch(network: Network, batch: tuple[torch.Tensor, ...]) -> dict[str, Unit]:
    """Every module that a forward pass on ``batch`` calls, by name, in the order of the first calls."""
    units: dict[str, Unit] = {}
    handles = []

    def hook(name: str, module: nn.Module) -> None:
        def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
            given = first_tensor((args, kwargs))
            units.setdefault(name, Unit(name, 0, None if given is None else given.shape, None))

        def after(_module: nn.Module, _args: Any, output: Any) -> None:
            units[name] = Unit(name, units[name].calls + 1, units[name].takes, shapes(output))

        handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(module.register_forward_hook(after))

    try:
        for name, module in network.named_modules():
            hook(name, module)
        network(*batch)
    finally:
        for handle in handles:
            handle.remove()
    return units


def find_stages(network: Network, called: dict[str, Unit]) -> list[list[Unit]]:
    """The units of the stem, of each block and of the pooling, in the order of their calls."""
    tree = _Tree(network, called)
    units = _chain(tree)
    blocks = _blocks(tree, units)
    if 2 * sum(tree.weights(u) for u in blocks) < tree.weights("body"):
        groups = _by_resolution(tree, [called[u] for u in units])
        if len(groups) > _BLOCKS:
            return groups
    edges = [0, *(units.index(u) for u in blocks), units.index(blocks[-1]) + 1 if blocks else len(units), len(units)]
    return [[called[u] for u in units[a:b]] for a, b in pairwise(edges)]


class _Tree:
    """The modules of a network that a forward pass called."""

    def __init__(self, network: Network, called: dict[str, Unit]) -> None:
        self.called = called
        self.modules = dict(network.named_modules())
        self.order = {name: i for i, name in enumerate(called)}

    def weights(self, name: str) -> int:
        """How many layers with a weight matrix or kernel there are in a module; unlike sizes, even over the depth."""
        layers = self.modules[name].modules()
        return sum(any(p.ndim > 1 for p in layer.parameters(recurse=False)) for layer in layers)

    def is_dominant(self, name: str) -> bool:
        """Whether a module is nearly the whole network, as a wrapper is."""
        return self.weights(name) > _DOMINANT * self.weights("body")

    def holder(self, name: str) -> str:
        """The nearest module around ``name`` that was called (lists of modules never are)."""
        name = name.rpartition(".")[0]
        while name not in self.called:
            name = name.rpartition(".")[0]
        return name

    def children(self, name: str) -> list[str]:
        """The modules called within ``name``, in the order of their first calls; lists of modules are flattened."""
        found = []
        for child, _ in self.modules[name].named_children():
            inner = f"{name}.{child}"
            if inner in self.called:
                found.append(inner)
            elif inner in self.modules:
                found += self.children(inner)
        return sorted(found, key=self.order.__getitem__)

    def is_container(self, name: str) -> bool:
        """Whether a module strings its parts together: it may be opened without tearing a block apart."""
        module, weights = self.modules[name], self.weights(name)
        parts = self.children(name)
        if weights < 2 or not parts:
            return False
        if self.is_dominant(name) or isinstance(module, _CONTAINERS):
            return True
        holds_list = any(
            isinstance(child, _CONTAINERS) and 2 * self.weights(f"{name}.{key}") > weights
            for key, child in module.named_children()
            if f"{name}.{key}" in self.modules
        )
        return holds_list or sum(self.weights(part) > 0 for part in parts) == 1


def _chain(tree: _Tree) -> list[str]:
    """The units of the network: its body opened until there are blocks enough."""
    units = ["body"]
    while True:
        largest = max((u for u in units if tree.is_container(u)), key=tree.weights, default=None)
        if largest is None:
            return units
        if len(_blocks(tree, units)) >= _BLOCKS and not tree.is_dominant(largest):
            return units
        at = units.index(largest)
        units[at : at + 1] = tree.children(largest)
        units.sort(key=tree.order.__getitem__)


def _blocks(tree: _Tree, units: list[str]) -> list[str]:
    """The units that are blocks: two or more layers with weights, under the module that holds most of those.

    The first unit is the stem's, whatever it holds. In a list of modules, one of the same class with a single
    weight layer is a block too (MobileNetV3's last).
    """
    able = [u for u in units[1:] if tree.called[u].takes is not None and tree.weights(u) > 0]
    held: Counter[str] = Counter()
    for unit in able:
        if tree.weights(unit) > 1:
            held[tree.holder(unit)] += tree.weights(unit)
    if not held:
        return []
    trunk = held.most_common(1)[0][0]
    able = [u for u in able if tree.holder(u) == trunk]
    kinds = {type(tree.modules[u]) for u in able if tree.weights(u) > 1}
    listed = {u for u in able if isinstance(tree.modules[u.rpartition(".")[0]], _CONTAINERS)}
    return [u for u in able if tree.weights(u) > 1 or (u in listed and type(tree.modules[u]) in kinds)]


def _by_resolution(tree: _Tree, units: list[Unit]) -> list[list[Unit]]:
    """The units split where the height and width of the maps change, the layer that changes them first.

    A part without weights goes with the one after it; the last, without weights, is the pooling.
    """
    groups: list[list[Unit]] = [[]]
    for unit in units:
        if _changes_resolution(unit) and any(tree.weights(u.name) for u in groups[-1]):
            groups.append([])
        groups[-1].append(unit)
    if any(tree.weights(u.name) for u in groups[-1]):
        groups.append([])
    return groups


def _changes_resolution(unit: Unit) -> bool:
    given = first_tensor(unit.gives)
    if unit.takes is None or given is None or len(unit.takes) != 4:
        return False
    return given.ndim != 4 or given.shape[2:] != unit.takes[2:]
