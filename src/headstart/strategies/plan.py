"""Which rungs of the ladder are worth trying, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.bases.base import Base
from headstart.evaluation.bootstrap import paired_gain
from headstart.strategies.ground import Ground
from headstart.strategies.holding import FEWEST
from headstart.strategies.names import STRATEGIES
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, train_options
from headstart.training.speed import Speed

#: A rung is taken where the paired lower bound of its gain is above 0 at this one-sided level.
LEVEL = 0.9
#: Share of the mistakes that a better model is taken to mend at most, when asking whether it could be shown at all.
MENDED = 1 / 3
#: Weights from which adapters are trained instead of all weights: AdamW keeps three numbers beside each.
LARGE = 300_000_000


@dataclass(frozen=True)
class Rung:
    """One strategy of the plan: predicted seconds, and why it is left out ("" if it is to be tried)."""

    strategy: Strategy
    seconds: float
    left_out: str


#: Distances (see `headstart.strategies.distance`) up to which data are near what the base knows, and from which far.
NEAR, FAR = 0.35, 0.5
#: Rows a class under which weights that are near the data are not trained. banking77: at 5 rows a class full training
#: gained nothing (0.795 against the probe's 0.794 on test rows), at 20 it did (0.904 against 0.889); docs/log.md.
FEW = 10


def rungs(ground: Ground, speed: Speed, far: float) -> list[Rung]:
    """The rungs above the probe, the cheapest first; those not worth their time on such data are left out.

    Args:
        speed: of the base on this machine.
        far: distance from what the base was trained on; nan: not known, and nothing is left out for it.
    """
    top = "lora" if speed.weights > LARGE and _takes_adapters(ground.base) else "full"
    strategies = [STRATEGIES[name] for name in ("head2toe", "partial", top)]
    return [Rung(one, predicted(ground, one, speed), _left_out(ground, one, far)) for one in strategies]


def _takes_adapters(base: Base) -> bool:
    """Whether the base has linear layers for adapters to stand beside."""
    from headstart.bases.adapters import linear_layers

    return bool(linear_layers(base.network()))


def _left_out(ground: Ground, strategy: Strategy, far: float) -> str:
    """Why a rung is not worth its time on data so far from what the base knows; "" if it is."""
    near = f"the data are near what the base knows (distance {far:.2f})"
    if strategy.features == "stages" and far <= NEAR:
        return f"{near}, where its last stage has done as well as all of them"
    if strategy.features == "trained" and far <= NEAR and ground.per_class < FEW:
        return f"{ground.per_class} rows a class are few, and {near}: training its weights has not paid there"
    if strategy.name == "partial" and far > FAR:
        away = f"the data are far from what the base knows (distance {far:.2f})"
        return f"{away}: training goes on with all its stages at once"
    return ""


def predicted(ground: Ground, strategy: Strategy, speed: Speed) -> float:
    """Seconds for all parts of the holding."""
    if strategy.recipe is None:
        return len(ground.rows) * speed.forward + 2.0
    recipe, options = told(strategy, ground.settings), train_options(ground, len(ground.rows))
    return sum(speed.seconds(recipe, len(train), len(held), options) for train, held in ground.holding.parts)


def could_show(ground: Ground, held: np.ndarray) -> bool:
    """Whether a model that mends a third of the mistakes, and makes none of its own, would be told apart."""
    y = ground.held_y
    if len(y) < FEWEST:
        return False
    if ground.task.name != "classification":
        return True
    wrong = np.flatnonzero(held.argmax(1) != y)
    mended = wrong[: round(MENDED * len(wrong))]
    if not len(mended):
        return False
    better = held.copy()
    better[mended] = np.eye(held.shape[1])[y[mended]]
    return bool(paired_gain(ground.metric, y, better, held, level=2 * LEVEL - 1, seed=ground.seed).low > 0)
