"""What a recipe will take, from a base's measured speed."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.training.options import TrainOptions
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

_LOADING = 2.0  # seconds that a run takes beside its steps: weights, stages, saving


@dataclass(frozen=True)
class Speed:
    """Seconds a row, measured.

    Attributes:
        forward: one pass without gradients.
        step: forward, backward and update of all weights.
        below: share of the forward pass below each stage that holds weights, input side first.
        weights: of the base.
        memory: peak bytes on an accelerator during the step; 0 on a CPU.
    """

    forward: float
    step: float
    below: tuple[float, ...]
    weights: int
    memory: int

    def seconds(self, recipe: Recipe, train: int, held: int, options: TrainOptions) -> float:
        """Predicted for one run of ``recipe`` on ``train`` rows, looked at by ``held`` rows."""
        sweep = 1 + 0.25 * len(recipe.rates) * (len(recipe.rates) > 1)
        return _LOADING + sweep * sum(self._phase(phase, train, held, options) for phase in recipe.phases)

    def _phase(self, phase: Phase, train: int, held: int, options: TrainOptions) -> float:
        steps = phase.steps(train, options.batch)
        per_epoch = -(-train // options.batch)
        rows = steps * min(options.batch, train)
        looks = max(7, steps // per_epoch) if held else 0
        count = phase.thawed(len(self.below))
        frozen = self.below[-count] if count else 1.0
        cached = options.cache_prefix and frozen > 0 and phase.moves == "all"
        views = min(options.views, -(-steps // per_epoch)) if options.augmentation else 1
        once = (views * train + held) * self.forward * frozen if cached else 0.0
        pass_share = (1 - frozen) if cached else 1.0
        backward = max(0.0, self.step - self.forward) * (1 - frozen)
        return once + rows * (self.forward * pass_share + backward) + looks * held * self.forward * pass_share
