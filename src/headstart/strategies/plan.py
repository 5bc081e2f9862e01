"""Which rungs of the ladder are worth trying, and why."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.bases.base import Base
from headstart.bases.runtime import REFERENCE, Choice, remembered
from headstart.bases.staged import StagedBase
from headstart.evaluation.bootstrap import paired_gain
from headstart.evaluation.wording import count
from headstart.heads.selecting import solve_selected
from headstart.strategies.forms import LEAST_STEPS
from headstart.strategies.ground import Ground
from headstart.strategies.holding import FEWEST
from headstart.strategies.names import STRATEGIES
from headstart.strategies.smaller import EXPORT, SHARES
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, train_options
from headstart.training.distance.own_answers import FAR
from headstart.training.speed import Speed

#: A rung is taken where the paired lower bound of its gain is above 0 at this one-sided level.
LEVEL = 0.9
#: Share of the mistakes that a better model is taken to mend at most, when asking whether it could be shown at all.
MENDED = 1 / 3
#: Weights from which adapters are trained instead of all weights: AdamW keeps three numbers beside each.
LARGE = 300_000_000
_SOME = 300  # rows that a head on all stages' columns is timed on
_SELECTING = 1.5  # power of the rows with which that grows, measured from 200 to 1,500
#: Seconds at least, on a machine that does nothing else, of importing torch and the base's library, and of the base's
#: network until its first rows are timed.
_LIBRARIES, _NETWORK = 2.0, 1.5


@dataclass(frozen=True)
class Rung:
    """One strategy of the plan.

    Attributes:
        seconds: predicted; 0 if it is left out.
        left_out: why it is; "" if it is to be tried.
        favoured: why it is taken unless it is shown to be worse; "": it is taken where it is shown to be better.
    """

    strategy: Strategy
    seconds: float
    left_out: str
    favoured: str = ""


#: Distance (see `headstart.strategies.distance`) up to which data are near what the base knows; from `FAR` on: far.
NEAR = 0.35


def rungs(ground: Ground, speed: Speed, far: float, showable: bool = True) -> list[Rung]:
    """The rungs above the probe, the cheapest first; those not worth their time on such data are left out.

    Args:
        speed: of the base on this machine.
        far: distance from what the base was trained on; nan: not known, and nothing is left out for it.
        showable: whether a better model could be told apart on the held-out rows; else only what is favoured is tried.
    """
    return [
        Rung(one, 0.0 if why else predicted(ground, one, speed), why, favoured(one, far))
        for one, why in choices(ground, speed.weights, far, showable)
    ]


def choices(ground: Ground, weights: int, far: float, showable: bool = True) -> list[tuple[Strategy, str]]:
    """The strategies above the probe, the cheapest first, and why each is left out ("" if it is to be tried).

    Args:
        weights: of the base.
        far, showable: as for `rungs`.
    """
    highest = "lora" if weights > LARGE and takes_adapters(ground.base) else "full"
    strategies = [STRATEGIES[name] for name in ("head2toe", "partial", highest)]
    hidden = "" if showable else not_showable(ground)
    return [(one, "" if favoured(one, far) else hidden or _left_out(ground, one, far)) for one in strategies]


def not_showable(ground: Ground) -> str:
    """Why nothing is tried that is not favoured."""
    return f"correcting even a third of the mistakes could not be shown on {count(len(ground.held_y), 'held-out row')}"


def takes_adapters(base: Base) -> bool:
    """Whether the base has linear layers for adapters to stand beside."""
    from headstart.bases.adapters import linear_layers

    return bool(linear_layers(base.network()))


def _left_out(ground: Ground, strategy: Strategy, far: float) -> str:
    """Why a rung is not worth its time on data so far from what the base knows; "" if it is."""
    if strategy.features == "stages" and ground.task.each:
        return (
            f"features of all stages are one vector a row, and a {ground.task.name} task needs one a {ground.task.item}"
        )
    near = f"the data are similar to the pretraining data (distance {far:.2f})"
    if strategy.features == "stages" and far <= NEAR:
        return f"{near}, where the last stage has done as well as all of them"
    if strategy.name == "partial" and far > FAR:
        away = f"the data are different from the pretraining data (distance {far:.2f})"
        return f"{away}: all stages are trained at once instead"
    return ""


def favoured(strategy: Strategy, far: float) -> str:
    """Why a rung counts as the better one before any row is held out; "" if it does not.

    On pictures so far from photos a head on all stages was better than the probe in 57 of 88 draws of 5 to 100 rows a
    class, by 2 points in the mean, equal in 28 and behind in 3, where the held-out rows themselves often showed nothing
    (docs/log.md, 37). Evci et al. (2022, arXiv:2201.03529) find likewise that it pays most on data unlike the base's.
    """
    if strategy.features == "stages" and far > FAR:
        return (
            f"the data are different from the pretraining data (distance {far:.2f}), where all stages do "
            "better than the last"
        )
    return ""


def predicted(ground: Ground, strategy: Strategy, speed: Speed, shares: Sequence[float] | None = None) -> float:
    """Seconds for all parts of the holding, of the whole schedule or of ``shares`` of its phases' steps."""
    if strategy.recipe is None:
        return sum(staged_seconds(ground, speed).values())
    recipe, options = told(strategy, ground.settings), train_options(ground, len(ground.rows))
    return sum(speed.seconds(recipe, len(train), len(held), options, shares) for train, held in ground.holding.parts)


def too_short_for_any(ground: Ground, left: float | None, slower: float = 1.0) -> str:
    """Why no training fits into ``left`` seconds, as far as that is sure before its speed is measured; "" if it may.

    A step takes at least a pass forward of its rows, and the base was timed as its features were computed.

    Args:
        slower: than alone on the machine (see `Budget.slower`); rates that were measured know it.
    """
    choice = remembered(ground.base) if left is not None and ground.base.trainable else None
    if left is None or choice is None:
        return ""
    options = train_options(ground, len(ground.rows))
    each = 1 / max(one.rate for one in choice.usable)
    rows = sum(LEAST_STEPS * min(options.batch, len(train)) + 2 * len(held) for train, held in ground.holding.parts)
    each *= SHARES[-1] ** 2 if ground.base.spec.side else 1.0  # the smallest pictures that may be tried
    least = rows * each + _beginning(choice, slower)
    if least <= left:
        return ""
    return (
        f"even {LEAST_STEPS} steps of training would take more than {least:.0f} s, and {max(0.0, left):.0f} s are left"
    )


def too_short_for_stages(ground: Ground, left: float | None, slower: float = 1.0) -> str:
    """Why features of all stages do not fit into ``left`` seconds, as far as that is sure; "" if they may.

    They take at least a pass of every row, at the rate of the base's own features where theirs is not known.
    """
    own = remembered(ground.base) if left is not None and ground.base.trainable else None
    if left is None or own is None:
        return ""
    rows, known = len(ground.rows), remembered(StagedBase(ground.base))
    first = 0.0 if known else EXPORT + _beginning(own, slower)
    least = first + rows / max(one.rate for one in (known or own).usable)
    if least <= left:
        return ""
    return f"features of all stages would take more than {least:.0f} s, and {max(0.0, left):.0f} s are left"


def _beginning(choice: Choice, slower: float) -> float:
    """Seconds until a network can be timed or exported, on a machine ``slower`` by so much than alone.

    Imports take as long as they took when the runtimes of ``choice`` were tried, or longer where the machine is busy.
    """
    if "torch" in sys.modules:
        return slower * _NETWORK
    took = next((one.load for one in choice.usable if one.name == REFERENCE), 0.0)
    return max(took, slower * _LIBRARIES) + slower * _NETWORK


def staged_seconds(ground: Ground, speed: Speed, more: int = 0) -> dict[str, float]:
    """Seconds of features of all stages, for the rows and ``more`` besides, and of a head on them (timed on some)."""
    staged = StagedBase(ground.base)
    choice, rows = remembered(staged), len(ground.rows) + more
    extra = {} if choice else {"choosing the runtime": EXPORT + 3 * speed.opening}
    rate = 1 / choice.best(rows).rate if choice else _pass(ground.base, speed)
    solving = _selecting(ground, staged.parts) * (len(ground.holding.parts) + 0.5)
    features = rows * (rate + speed.decode) + speed.loading
    return {**extra, "features of all stages": features, "heads on all stages": solving}


def _pass(base: Base, speed: Speed) -> float:
    """Seconds a row through the base itself, in the precision that its features are computed in."""
    choice = remembered(base)
    return speed.forward if choice and choice.dtype == "bfloat16" else speed.plain or speed.forward


def _selecting(ground: Ground, widths: tuple[int, ...]) -> float:
    """Seconds of solving on all stages' columns, on all rows; timed on made-up ones."""
    task, random = ground.task, np.random.default_rng(0)
    some = random.permutation(len(ground.rows))[:_SOME]
    x = random.normal(size=(len(some), sum(widths))).astype(np.float32)
    start = time.perf_counter()
    solve_selected(x, ground.rows.y[some], task.name, parts=widths, outputs=task.outputs)
    return (time.perf_counter() - start) * (len(ground.rows) / len(some)) ** _SELECTING


def could_show(ground: Ground, held: np.ndarray) -> bool:
    """Whether a model that mends a third of the mistakes, and makes none of its own, would be told apart."""
    y = ground.held_y
    if len(y) < FEWEST:
        return False
    if not ground.task.exclusive:
        return True
    wrong = np.flatnonzero(held.argmax(1) != y)
    mended = wrong[: round(MENDED * len(wrong))]
    if not len(mended):
        return False
    better = held.copy()
    better[mended] = np.eye(held.shape[1])[y[mended]]
    return bool(
        paired_gain(ground.metric, y, better, held, units=ground.held_units, level=2 * LEVEL - 1, seed=ground.seed).low
        > 0
    )
