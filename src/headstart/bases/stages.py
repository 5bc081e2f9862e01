"""A base cut into stages, input side first: where a prefix can be cached and what can be thawed on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from headstart.bases.nested import first_tensor
from headstart.bases.network import Network
from headstart.bases.stage_finding import Unit, find_stages, watch
from headstart.bases.stage_running import Boundary, started_at, stop_at, watched
from headstart.bases.windowed import gathered, spread
from headstart.errors import SettingError

_TOLERANCE = 1e-5  # greatest difference that a cut may make, relative to the greatest output


@dataclass(frozen=True)
class Stage:
    """One of a network's consecutive groups of layers.

    Attributes:
        name: "stem", "block 1" … "block n" or "pooling".
        modules: dotted names inside the network, in the order of their calls.
        parameters: names in ``network.named_parameters()``; every parameter of a network is in exactly one stage.
            Those of modules that belong to no stage (class token, positions, what was not called) are the stem's.
    """

    name: str
    modules: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What stands between two stages.

    Attributes:
        hidden: output of the stages below, first axis the batch; of inputs in windows, the second is the windows.
        inputs: what later stages need besides: () for images, (ids, mask) for texts, for sounds which positions of
            ``hidden`` are there.
    """

    hidden: torch.Tensor
    inputs: tuple[torch.Tensor, ...]

    @property
    def mask(self) -> torch.Tensor | None:
        """Which positions are there, [batch(, windows), positions]; None of images, where all are."""
        return self.inputs[-1] if self.inputs else None


class Stages:
    """The stages of a network, and the network run by stages.

    Found by watching a forward pass on ``network.example()``; each cut is verified on other inputs, of another batch
    size (and, for texts and sounds, another length with padding), and left out of ``cuts`` where its two halves do not
    give the network's own output. Afterwards the network is as it was. Modes, gradients and dtype are the caller's
    business, but for two things: parameters below a cut never get gradients from the suffix, and a state made under
    ``torch.inference_mode`` must be cloned before gradients can pass the suffix. Images must have the network's size.
    Where modules are put in or taken out (adapters), the stages must be found again.

    Attributes:
        stages: stem, blocks, pooling.
        cuts: the k at which `prefix` and `suffix` work, of 1 … len(stages) - 1.
    """

    stages: tuple[Stage, ...]
    cuts: tuple[int, ...]

    def __init__(self, network: Network) -> None:
        self._network = network
        with _still(network), torch.no_grad():
            example = tuple(t.to(_device(network)) for t in network.example())
            units = find_stages(network, watch(network, example))
            self._batch = len(example[0])
            self._units = units
            self._boundaries = _boundaries(units)
            self.stages = _named(network, units)
            self.cuts = self._verify(tuple(one.to(_device(network)) for one in network.sample()))

    def prefix(self, batch: tuple[torch.Tensor, ...], k: int) -> State:
        """The output of ``stages[:k]``; later stages do not run.

        Args:
            batch: what the network takes: (pixels,), (ids, mask) or (signal, mask).
            k: one of ``cuts``.

        Raises:
            SettingError: no such cut.
        """
        hidden = stop_at(self._network, self._boundary(k), lambda: self._network(*batch))
        state = State(hidden, self.beside(batch))
        return State(spread(hidden, state.mask), state.inputs)

    def suffix(self, state: State, k: int) -> torch.Tensor:
        """``stages[k:]`` on the output of ``stages[:k]`` -> features as the network's; stages below do not run.

        Raises:
            SettingError: no such cut.
        """
        with self._started(state, k):
            return self._network.above(state.hidden, *state.inputs)

    def run_one(self, state_or_batch: State | tuple[torch.Tensor, ...], k: int) -> State | torch.Tensor:
        """Stage ``k`` alone, of 0 … len(stages) - 1.

        The first takes a batch, the others the state that the one before gave; the last gives the pooled output
        [batch, width] float32.

        Raises:
            SettingError: the stage cannot be run alone.
        """
        if isinstance(state_or_batch, State):
            if k == len(self.stages) - 1:
                return self.suffix(state_or_batch, k)
            after = self._boundary(k + 1)
            state, above = state_or_batch, self._network.above
            with self._started(state, k):
                hidden = stop_at(self._network, after, lambda: above(state.hidden, *state.inputs))
            return State(spread(hidden, state.mask), state.inputs)
        if k != 0:
            raise SettingError(f"stage {k} ({self._name(k)}) takes a state; a batch is for stage 0, {self._name(0)}.")
        return self.prefix(state_or_batch, 1)

    def every(self, batch: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """Each stage's output pooled to [batch, width of the stage] float32, in one forward pass.

        Texts and sounds are averaged over their tokens or positions by the mask, pictures over positions or tokens; the
        last is the network's own output. Which axis of a map holds the channels is told by its shape: pictures are
        square, so it is the one that differs from the two others; where all three are equal, it is as in the other
        stages.

        Raises:
            SettingError: a stage's output is not one vector a position or token of each example.
        """
        if self._unlike:
            raise SettingError(
                f"the outputs of single stages cannot be averaged for this base: {self._unlike} gives neither maps "
                f"nor tokens of each example; choose a strategy that needs the pooled output only."
            )
        found: dict[int, torch.Tensor] = {}
        with ExitStack() as undo:
            for i, boundary in enumerate(self._boundaries):

                def keep(tensor: torch.Tensor, i: int = i) -> None:
                    found[i] = self._network.averaged(tensor.to(torch.float32), batch, self._channels[i])

                undo.enter_context(watched(self._network, boundary, keep))
            last = self._network(*batch)
        return [*(found[i] for i in range(len(self._boundaries))), last]

    def _verify(self, batch: tuple[torch.Tensor, ...]) -> tuple[int, ...]:
        """The cuts whose suffix gives the network's output."""
        states: dict[int, torch.Tensor] = {}
        with ExitStack() as undo:
            for i, boundary in enumerate(self._boundaries):

                def keep(tensor: torch.Tensor, i: int = i) -> None:
                    states[i] = tensor.clone()  # later layers may write into it

                undo.enter_context(watched(self._network, boundary, keep))
            expected = self._network(*batch)
        shapes = [states[i].shape if i in states else torch.Size((0,)) for i in range(len(self._boundaries))]
        self._channels = _channel_axes(shapes)
        unlike = (s.name for s, shape in zip(self.stages, shapes, strict=False) if not self._is_regular(shape, batch))
        self._unlike = next(unlike, "")
        self.cuts = tuple(range(1, len(self.stages)))  # all of them, for the trial
        kept = self.beside(batch)
        there = (k for k in self.cuts if k - 1 in states and len(states[k - 1]) == len(batch[0]))
        return tuple(k for k in there if self._holds(State(states[k - 1], kept), k, expected))

    def _is_regular(self, shape: torch.Size, batch: tuple[torch.Tensor, ...]) -> bool:
        """Whether an output holds the examples first and, for texts and sounds, their tokens or positions next."""
        kept = self.beside(batch)
        return shape[:2] == kept[-1].shape and len(shape) == 3 if kept else shape[0] == len(batch[0])

    def _holds(self, state: State, k: int, expected: torch.Tensor) -> bool:
        given = state.hidden.clone()
        try:
            found = self.suffix(state, k)
        except Exception:  # a model may fail in any way when a layer below is not what it awaits: no cut there
            return False
        error = (found - expected).abs().max() if found.shape == expected.shape else float("inf")
        kept = torch.equal(given, state.hidden)  # a cached state must not be written into
        return kept and bool(error <= _TOLERANCE * expected.abs().max())

    @contextmanager
    def _started(self, state: State, k: int) -> Iterator[None]:
        """Within, a forward pass starts at stage ``k``."""
        below = [unit for units in self._units[:k] for unit in units if self._can_idle(unit)]
        frozen = [name for stage in self.stages[:k] for name in stage.parameters]
        hidden = gathered(state.hidden, state.mask)
        with started_at(self._network, self._boundary(k), hidden, below, frozen):
            yield

    def _can_idle(self, unit: Unit) -> bool:
        """Whether what a unit gives depends on the batch; texts are at hand, so their embeddings are made anew."""
        if not self._network.fixed:
            return unit not in self._units[0]
        given = first_tensor(unit.gives)
        return unit.takes is not None and given is not None and given.ndim > 0 and len(given) == self._batch

    def beside(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """What a `State` of ``batch`` needs besides the states; () of pictures, which need nothing."""
        return self._network.beside(batch)

    def _boundary(self, k: int) -> Boundary:
        if k not in self.cuts:
            allowed = ", ".join(f"{i} (below {self._name(i)})" for i in self.cuts)
            raise SettingError(
                f"the network cannot be cut at stage {k}; of its {len(self.stages)} stages (0 {self._name(0)} … "
                f"{len(self.stages) - 1} {self.stages[-1].name}) these can: {allowed or 'none'}."
            )
        return self._boundaries[k - 1]

    def _name(self, k: int) -> str:
        return self.stages[k].name if 0 <= k < len(self.stages) else "none"


def _named(network: Network, groups: list[list[Unit]]) -> tuple[Stage, ...]:
    """The stages by name, each with its parameters."""
    stage_of = {unit.name: i for i, units in enumerate(groups) for unit in units}
    parameters: list[list[str]] = [[] for _ in groups]
    for name, _ in network.named_parameters():
        owner = name
        while owner and owner not in stage_of:
            owner = owner.rpartition(".")[0]
        parameters[stage_of.get(owner, 0)].append(name)
    names = ["stem", *(f"block {i}" for i in range(1, len(groups) - 1)), "pooling"]
    return tuple(
        Stage(name, tuple(unit.name for unit in units), tuple(own))
        for name, units, own in zip(names, groups, parameters, strict=True)
    )


def _boundaries(groups: list[list[Unit]]) -> list[Boundary]:
    """What each block takes in first; above the last block what it gives out last, for the pooling may lack modules."""
    inner = [Boundary(units[0].name, "input", 1) for units in groups[1:-1]]
    top = groups[-2][-1]
    return [*inner, Boundary(top.name, "output", top.calls)]


def _channel_axes(shapes: list[torch.Size]) -> list[int]:
    """The axis of the channels at each boundary; see `Stages.every` for the rule."""
    told = [_told_axis(shape) for shape in shapes]
    known = [axis for axis in told if axis in (1, 3)]
    usual = max(known, key=known.count, default=1)
    return [usual if axis is None else axis for axis in told]


def _told_axis(shape: torch.Size) -> int | None:
    if len(shape) != 4:
        return len(shape) - 1  # [batch, tokens, width] or [batch, width]
    _, first, middle, last = shape
    if first == middle == last:
        return None
    return 3 if first == middle else 1


@contextmanager
def _still(network: Network) -> Iterator[None]:
    """Within, the network is in eval mode; afterwards every module is in the mode it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _device(network: Network) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))
