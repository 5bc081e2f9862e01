"""What is trained: a base from some stage on, and the objective on its features."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from headstart.bases.network import Network
from headstart.bases.stages import Stages, State
from headstart.training.objective import Objective
from headstart.training.phase import Moves, Phase


class Trainee(nn.Module):
    """A base with its stages, and the objective on its features.

    Args:
        network: the base's, float32.
        objective: what its features come to.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        # Pixels come with channels last in memory; so no convolution has to convert one or the other.
        self.network = network.to(memory_format=torch.channels_last)
        self.stages = Stages(network)
        self._used = _used(network)
        self.objective = objective

    def forward(
        self,
        state: State | tuple[torch.Tensor, ...],
        cut: int,
        blend: tuple[float, torch.Tensor] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores [batch, outputs] and features [batch, width] of a prepared batch or of the stages' output below a cut.

        Where the network gives a vector for each item of an input, both are of all items, row after row.

        Args:
            cut: where states were made; prepared batches run through all stages.
            blend: share s and partners p [batch]: features are mixed, s of a row's own and 1 - s of its partner's.
        """
        features = self.stages.suffix(state, cut) if isinstance(state, State) else self.network(*state)
        features = features.to(torch.float32)
        if blend is not None:
            share, partner = blend
            features = share * features + (1 - share) * features[partner]
        return self.objective(features), features

    def thaw(self, phase: Phase) -> dict[int, list[nn.Parameter]]:
        """Let ``phase``'s weights move and no others; those of the base by depth, 0 the top stage.

        Stages without weights (a pooling without parameters, BERT's pooler, which features do not pass) do not count.
        """
        named = dict(self.network.named_parameters())
        for parameter in named.values():
            parameter.requires_grad_(False)
        self.objective.requires_grad_(True)
        holding = self.holding()
        moved: dict[int, list[nn.Parameter]] = {}
        allowed = _moving(self.network, phase.moves) & self._used
        for depth, index in enumerate(reversed(holding)):
            if depth == phase.thawed(len(holding)):
                break
            moved[depth] = [named[n] for n in self.stages.stages[index].parameters if n in allowed]
        for parameters in moved.values():
            for parameter in parameters:
                parameter.requires_grad_(True)
        return {depth: parameters for depth, parameters in moved.items() if parameters}

    def holding(self) -> list[int]:
        """Indices of the stages that hold weights which the features depend on, input side first."""
        return [i for i, stage in enumerate(self.stages.stages) if self._used & set(stage.parameters)]

    def cut(self, phase: Phase) -> int:
        """The highest exact cut below which nothing moves; 0: none."""
        holding = self.holding()
        count = phase.thawed(len(holding))
        lowest = holding[-count] if count else len(self.stages.stages)
        return max((k for k in self.stages.cuts if k <= lowest), default=0)

    def set_training(self, phase: Phase, rows: int = 2) -> None:
        """Training mode for the objective and the thawed stages; all below stay in eval mode, BatchNorm included.

        BatchNorm goes by its running statistics and leaves them unless the phase says otherwise, and for one row alone,
        which has no variance.
        """
        self.eval()
        self.objective.train()
        holding = self.holding()
        count = phase.thawed(len(holding))
        modules = dict(self.network.named_modules())
        for index in holding[len(holding) - count :]:
            for name in self.stages.stages[index].modules:
                modules[name].train()
        if rows == 1 or not phase.statistics:
            for module in modules.values():
                if isinstance(module, _BatchNorm):
                    module.eval()

    def moving(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Names and parameters that require a gradient."""
        return ((name, p) for name, p in self.named_parameters() if p.requires_grad)


def _used(network: Network) -> set[str]:
    """Names of the parameters that the features depend on: those that get a gradient."""
    named = {name: p for name, p in network.named_parameters() if p.is_floating_point()}
    flags = {name: p.requires_grad for name, p in named.items()}
    modes = {module: module.training for module in network.modules()}
    network.eval()
    network.requires_grad_(True)
    where = next(iter(named.values())).device
    with torch.enable_grad():
        features = network(*(tensor.to(where) for tensor in network.example()))
        gradients = torch.autograd.grad(features.sum(), list(named.values()), allow_unused=True)
    for name, parameter in named.items():
        parameter.requires_grad_(flags[name])
    for module, mode in modes.items():
        module.training = mode
    return {name for name, gradient in zip(named, gradients, strict=True) if gradient is not None}


def _moving(network: Network, moves: Moves) -> set[str]:
    """Names of the parameters that may move."""
    if moves == "all":
        return {name for name, _ in network.named_parameters()}
    if moves == "adapter":
        return {name for name, _ in network.named_parameters() if "lora_" in name}
    # by name: libraries bring normalisation layers of their own, such as LlamaRMSNorm
    norms = {name for name, module in network.named_modules() if "norm" in type(module).__name__.lower()}
    return {
        name
        for name, _ in network.named_parameters()
        if name.rpartition(".")[0] in norms or name.rpartition(".")[2] == "bias"
    }
