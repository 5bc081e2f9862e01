"""What each strategy will cost on this machine, before any of its work: seconds, memory, disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from headstart.bases.base import Base
from headstart.bases.staged import StagedBase
from headstart.controls.panel import controls_for, run
from headstart.errors import UserError
from headstart.evaluation.unknown import MOST_REFERENCE
from headstart.flow.preparation import Prepared
from headstart.flow.search import ground_of
from headstart.heads.solve import solve
from headstart.progress import Progress
from headstart.settings import FitSettings
from headstart.strategies.ground import Ground
from headstart.strategies.names import AUTO, STRATEGIES, get
from headstart.strategies.plan import predicted, staged_seconds
from headstart.strategies.pricing import forgetting_seconds, scratch_recipe
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, train_options
from headstart.training.costs import Cost, not_for
from headstart.training.memory import Libraries, libraries, training_bytes
from headstart.training.recipe import Recipe
from headstart.training.speed import Speed

_FEW, _MORE = 150, 600  # rows that heads and controls are timed on
_READING = 2.5e-4  # seconds a row: reading, hashing, looking up, splitting
_EVIDENCE = 0.5  # seconds for intervals, report and bundle
_COPIES = 12  # times that a staged features' matrix stands in memory while heads are solved on its columns


def predicted_costs(
    prepared: Prepared,
    base: Base,
    metric: str,
    settings: FitSettings | None = None,
    progress: Progress | None = None,
    strategies: Iterable[str] = tuple(STRATEGIES),
) -> list[Cost]:
    """The cost of ``headstart fit --strategy NAME`` for each of ``strategies``, once features are cached.

    Measured are passes and steps of the base on batches of these rows, heads and controls on some of them, and the
    libraries' share in a fresh process; the rest is arithmetic on what each strategy's recipe does.

    Args:
        prepared: whose features are cached by now.
        metric: that the run chooses by.
        settings: as the run would be given; its strategy does not count.

    Raises:
        UserError: the settings do not fit the data, whatever the strategy.
    """
    costing = _Costing(prepared, base, metric, settings or FitSettings(), progress or Progress())
    return [costing.cost(get(name)) for name in strategies]


@dataclass(frozen=True)
class _Heads:
    """Seconds of solving one head and of fitting the controls, each on all working rows."""

    pooled: float
    controls: float


class _Costing:
    """What was measured, and the sums made of it."""

    def __init__(self, prepared: Prepared, base: Base, metric: str, settings: FitSettings, progress: Progress) -> None:
        self._prepared, self._base, self._metric, self._settings = prepared, base, metric, settings
        self._progress, self._test = progress, len(prepared.sealed)
        first = self._ground(AUTO)  # which asks nothing of the rows; what a strategy asks is its own refusal
        self._libraries: Libraries = libraries(base.modality)
        self._speed = self._measured(first) if base.trainable else None
        self._heads = self._timed_heads(first)

    def cost(self, strategy: Strategy) -> Cost:
        """Of one strategy."""
        if self._speed is None and strategy.name != "probe":
            return not_for(strategy.name, f"base {self._base.identity.name!r} is frozen: only a probe fits it")
        try:
            ground = self._ground(strategy.name)
            if strategy.recipe is None or self._speed is None:
                return self._frozen(ground, strategy)
            return self._trained(ground, strategy, self._speed)
        except UserError as error:
            return not_for(strategy.name, str(error))

    def _ground(self, strategy: str) -> Ground:
        settings = replace(self._settings, strategy=strategy)
        return ground_of(self._prepared, self._base, self._metric, settings, self._progress)

    def _measured(self, ground: Ground) -> Speed:
        from headstart.training.measuring import measure

        task, batch = ground.task, train_options(ground, len(ground.rows)).batch
        return measure(ground.base, ground.rows, task.name, task.outputs, batch=batch, augmentation=ground.augmentation)

    def _timed_heads(self, ground: Ground) -> _Heads:
        rows, task, working = ground.rows, ground.task, self._prepared.working()
        inputs = working.control_inputs()

        def head(some: np.ndarray) -> None:
            solve(rows.vectors[some], rows.y[some], task.name, outputs=task.outputs)

        def controls(some: np.ndarray) -> None:
            taken = inputs[some] if isinstance(inputs, np.ndarray) else [inputs[row] for row in some]
            for control in controls_for(working.table.modality, task, task.outputs):
                run(control, taken, rows.y[some], taken, task.name, ground.seed)

        return _Heads(_timed(len(rows), head), _timed(len(rows), controls))

    def _common(self, ground: Ground, heads: float) -> dict[str, float]:
        """What every run does: the probe is made for all of them."""
        probe = heads * (len(ground.holding.parts) + 1)
        rows = len(ground.rows) + self._test
        return {
            "libraries": self._libraries.light_seconds,
            "reading": _READING * rows,
            "heads": probe,
            "controls": self._heads.controls,
            "evidence": _EVIDENCE,
        }

    def _frozen(self, ground: Ground, strategy: Strategy) -> Cost:
        parts, memory = self._common(ground, self._heads.pooled), self._libraries.light_bytes
        features = 4 * self._base.width * (len(ground.rows) + self._test)
        memory += _COPIES * features
        if strategy.features == "stages" and self._speed is not None:
            parts["loading"] = self._libraries.seconds - self._libraries.light_seconds
            parts |= staged_seconds(ground, self._speed, self._test)
            staged = StagedBase(self._base)
            memory = (
                self._libraries.bytes + 8 * self._speed.weights + _COPIES * features * staged.width // self._base.width
            )
        seconds = sum(parts.values())
        return Cost(strategy.name, seconds, memory, seconds, seconds, 0, "", parts)

    def _trained(self, ground: Ground, strategy: Strategy, speed: Speed) -> Cost:
        recipe, options = told(strategy, ground.settings), train_options(ground, len(ground.rows))
        if recipe.lora and math.isnan(speed.adapter):
            return not_for(strategy.name, f"base {self._base.identity.name!r} has no linear layer for adapters")
        train, held = (len(part) for part in ground.holding.parts[0])
        made, kept = speed.usual(recipe, train, options)
        start = self._common(ground, self._heads.pooled)
        start["loading"] = self._libraries.seconds - self._libraries.light_seconds
        usual = start | self._training(ground, strategy, recipe, speed, made, kept)
        whole = start | self._training(ground, strategy, recipe, speed, None, None)
        least = sum(start.values()) + predicted(ground, strategy, speed, speed.vain(recipe, train, options))
        longest = max(usual["training"] / len(ground.holding.parts), usual["training on all rows"])
        controlled = "scratch baseline" in usual
        memory = training_bytes(
            speed,
            recipe,
            options.batch,
            self._libraries,
            control=controlled,
            checkpoints=max(longest, usual.get("scratch baseline", 0.0)) > options.every,
        )
        data = 8 * self._base.width * len(ground.rows)
        disk = speed.kept(recipe, train + held, options)
        at_most = sum(whole.values())
        return Cost(strategy.name, sum(usual.values()), memory + data, least, at_most, disk, "", usual)

    def _training(
        self,
        ground: Ground,
        strategy: Strategy,
        recipe: Recipe,
        speed: Speed,
        made: tuple[float, ...] | None,
        kept: tuple[float, ...] | None,
    ) -> dict[str, float]:
        """All that comes of training, by what it is spent on."""
        options, rows = train_options(ground, len(ground.rows)), len(ground.rows)
        again = replace(recipe, rates=(1.0,)) if kept is None else replace(recipe, rates=(1.0,)).shortened(kept)
        parts = {
            "training": predicted(ground, strategy, speed, made),
            "training on all rows": speed.seconds(again, rows, 0, options),
        }
        if not recipe.scratch:
            parts["forgetting"] = forgetting_seconds(ground, recipe, speed)
        passed = self._test + min(MOST_REFERENCE, rows)
        parts["answers"] = 2 * speed.opening + passed * speed.answering
        if ground.settings.scratch_control and not recipe.scratch:
            control = speed.seconds(scratch_recipe(again, rows, options), rows, 0, options)
            parts["scratch baseline"] = control + 2 * speed.opening + self._test * speed.answering
        return parts


def _timed(rows: int, work: Callable[[np.ndarray], None]) -> float:
    """Seconds of ``work`` on all ``rows``, from few and from more of them: some of it does not grow with the rows.

    On banking77 the controls take 5 s for 150 of the texts and 9 s for 8,000.
    """
    order = np.random.default_rng(0).permutation(rows)
    seconds: list[float] = []
    for some in (order[:_FEW], order[:_MORE]):
        start = time.perf_counter()
        work(some)
        seconds.append(time.perf_counter() - start)
        if rows <= len(some):
            return seconds[-1]
    growth = max(0.0, seconds[1] - seconds[0]) / (_MORE - _FEW)
    return seconds[1] + growth * (rows - _MORE)
