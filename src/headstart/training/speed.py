"""What a recipe will take, from a base's measured speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headstart.training.options import TrainOptions
from headstart.training.phase import LOOKING, Moves, Phase, look_every
from headstart.training.recipe import Recipe

#: Share of a schedule that each rate of a sweep is tried for, and training rows that tell how well they are fitted.
SWEEP, TOLD_ROWS = 0.25, 256
#: The look at which held-out rows are usually answered best: in the first phase, and in one that goes on from another.
#: Read off a run on digits with 5 rows a class; docs/benchmarks.md has how far it holds elsewhere.
_BEST, _BEST_AFTER = 5, 2
_DISK = 3e8  # bytes/s at which states go into the cache and come back: a copy, SQLite, and a copy


@dataclass(frozen=True)
class Speed:
    """Seconds a row, measured on rows in batches such as training makes of them; see `headstart.training.measuring`.

    Attributes:
        forward: one pass without gradients, in the precision of training.
        step: forward and backward with all weights moving.
        below: share of the forward pass below each stage that holds weights, input side first.
        weights: of the base.
        memory: peak bytes on an accelerator during the step; 0 on a CPU.
        plain: one pass in float32; 0: as ``forward``.
        norm, adapter: share of ``step`` where only normalisation layers and biases, or adapters, move; ``adapter`` is
            nan where the base has no linear layer to stand beside.
        update: of the optimiser, a weight that moves and a step.
        held: weights in each stage that holds some.
        decode, augment: reading a row as it is, and changed at random, on all threads.
        loading: of a run: weights, stages, comparing weights.
        opening: of the weights alone.
        states: bytes of a row's state below each stage that holds weights.
        saved: bytes a row that a step keeps for the way back, at most.
    """

    forward: float
    step: float
    below: tuple[float, ...]
    weights: int
    memory: int
    plain: float = 0.0
    norm: float = 1.0
    adapter: float = 1.0
    update: float = 0.0
    held: tuple[int, ...] = ()
    decode: float = 0.0
    augment: float = 0.0
    loading: float = 2.0
    opening: float = 0.5
    states: tuple[int, ...] = ()
    saved: int = 0

    def seconds(
        self,
        recipe: Recipe,
        train: int,
        held: int,
        options: TrainOptions,
        shares: Sequence[float] | None = None,
        *,
        short: bool = False,
    ) -> float:
        """Predicted for one run of ``recipe`` on ``train`` rows, looked at by ``held`` rows.

        Args:
            shares: of each phase's steps that are made; None: the whole schedule.
            short: ``recipe`` was shortened for want of time, so that looks are fewer (see `phase.look_every`).
        """
        told = min(TOLD_ROWS, train) * self.answering if held else 0.0
        tried = [SWEEP] * len(recipe.rates) if len(recipe.rates) > 1 else []
        whole = [1.0] * len(recipe.phases)
        seconds = 0.0
        for share, parts in [*((share, whole) for share in tried), (1.0, shares or whole)]:
            phases = zip(recipe.phases, parts, strict=True)
            seconds += (
                self.loading + told + sum(self._phase(p, train, held, options, share, s, short) for p, s in phases)
            )
        if recipe.scratch or recipe.lora:
            return seconds
        return seconds + sum(self._fill(phase, train, held, options) for phase in recipe.phases)

    def usual(self, recipe: Recipe, train: int, options: TrainOptions) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Shares of each phase's steps: those usually made before it stops for want of better, and those kept.

        Where few rows make many epochs, and so many looks, training seldom comes to its end.
        """
        made, kept = [], []
        for number, phase in enumerate(recipe.phases):
            steps = phase.steps(train, options.batch)
            every = look_every(steps, -(-train // options.batch))
            best = _BEST_AFTER if number else _BEST
            made.append(min(1.0, (best + options.patience) * every / steps))
            whole = made[-1] == 1.0 and not number  # its end is then as good as its best look
            kept.append(1.0 if whole else min(1.0, best * every / steps))
        return tuple(made), tuple(kept)

    def vain(self, recipe: Recipe, train: int, options: TrainOptions) -> tuple[float, ...]:
        """Shares of each phase's steps that are made where no look beats the one before the first step."""
        steps = [phase.steps(train, options.batch) for phase in recipe.phases]
        return tuple(min(1.0, options.patience * look_every(n, -(-train // options.batch)) / n) for n in steps)

    def scaled(self, ratio: float) -> Speed:
        """At another size of inputs, where a pass takes ``ratio`` of the time; reading a row takes as long."""
        return replace(
            self,
            forward=ratio * self.forward,
            step=ratio * self.step,
            plain=ratio * self.plain,
            memory=int(ratio * self.memory),
            states=tuple(int(ratio * size) for size in self.states),
            saved=int(ratio * self.saved),
        )

    @property
    def answering(self) -> float:
        """Seconds a row of a pass through the network as it stands, decoding included."""
        return (self.plain or self.forward) + self.decode

    def moving(self, phase: Phase) -> int:
        """Weights of the base that ``phase`` moves; of norm and adapter phases, which move few, none are counted."""
        count = phase.thawed(len(self.below))
        return sum(self.held[-count:]) if count and phase.moves == "all" else 0

    def kept(self, recipe: Recipe, rows: int, options: TrainOptions) -> int:
        """Bytes on disk of the states that the phases' cached prefixes come to, for ``rows`` rows."""
        if recipe.scratch or recipe.lora or not self.states or not options.cache_prefix:
            return 0
        sizes = {self._cut(p): self.states[self._cut(p)] for p in recipe.phases if self._frozen(p) > 0}
        return sum(sizes.values()) * rows * (options.views if options.augmentation else 1)

    def share_saved(self, recipe: Recipe) -> float:
        """Of a whole step's activations, those that the recipe's widest phase keeps for the way back."""
        return max((1 - self._frozen(phase) for phase in recipe.phases), default=0.0)

    def _cut(self, phase: Phase) -> int:
        """The lowest thawed stage; the last where the head alone moves."""
        return len(self.below) - max(1, phase.thawed(len(self.below)))

    def _frozen(self, phase: Phase) -> float:
        """Share of the forward pass below what moves."""
        count = phase.thawed(len(self.below))
        return self.below[-count] if count else 1.0

    def _cached(self, phase: Phase, options: TrainOptions) -> bool:
        return options.cache_prefix and self._frozen(phase) > 0 and phase.moves == "all"

    def _fill(self, phase: Phase, train: int, held: int, options: TrainOptions) -> float:
        """Computing and keeping the prefix of one phase."""
        if not self._cached(phase, options):
            return 0.0
        views = min(options.views, self._epochs(phase, train, options)) if options.augmentation else 1
        state = self.states[self._cut(phase)] / _DISK if self.states else 0.0
        each = self.forward * self._frozen(phase) + state
        return views * train * (each + self._read(options)) + held * (each + self.decode)

    def _phase(
        self, phase: Phase, train: int, held: int, options: TrainOptions, share: float, made: float, short: bool
    ) -> float:
        """Steps and looks of ``share`` of a schedule, of which the part ``made`` is gone through."""
        per_epoch = -(-train // options.batch)
        planned = max(1, round(phase.steps(train, options.batch) * share))
        steps = max(1, round(planned * made))
        frozen, cached = self._frozen(phase), self._cached(phase, options)
        rows = steps * train / per_epoch  # an epoch's batches are of nearly one size
        state = self.states[self._cut(phase)] / _DISK if cached and self.states else 0.0
        passed = self.forward * ((1 - frozen) if cached else 1.0)
        backward = max(0.0, self.step * self._part(phase.moves) - self.forward) * (1 - frozen)
        fed, seen = (state, state) if cached else (self._read(options), self.decode)
        stepping, looking = rows * (passed + backward + fed) + steps * self.update * self.moving(phase), passed + seen
        least = held * looking * steps / max(stepping, 1e-9) / LOOKING if short else 0.0
        looks = 1 + -(-steps // look_every(planned, per_epoch, least))
        return stepping + looks * held * looking

    def _part(self, moves: Moves) -> float:
        return {"all": 1.0, "norm": self.norm, "adapter": self.adapter}[moves]

    def _read(self, options: TrainOptions) -> float:
        return self.augment if options.augmentation else self.decode

    def _epochs(self, phase: Phase, train: int, options: TrainOptions) -> int:
        """Passes over the training rows, begun ones included."""
        return -(-phase.steps(train, options.batch) // -(-train // options.batch))
