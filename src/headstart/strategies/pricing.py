"""What training a strategy on these rows will take, part by part, from the base's measured speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headstart.settings import TrainingSettings
from headstart.strategies.candidate import Candidate
from headstart.strategies.forms import Prices, nothing
from headstart.strategies.ground import Ground
from headstart.strategies.names import STRATEGIES
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, train_options
from headstart.training.options import TrainOptions
from headstart.training.recipe import Recipe
from headstart.training.speed import Speed

_KNOWN, _FEWEST_KNOWN = 0.1, 400  # share of the time that is left; rows from which strange inputs can still be told
_QUICKEST, _SLOWEST = 0.2, 5.0  # times the seconds predicted that a training is taken to show; beyond is chance


@dataclass(frozen=True)
class Following:
    """What comes after a trained candidate, in inputs that pass through it.

    Attributes:
        test: test rows.
        known: working rows whose features the final model is asked for, so that it can tell unknown inputs.
    """

    test: int = 0
    known: int = 0

    def within(self, seconds: float | None, speed: Speed) -> Following:
        """With fewer working rows where they would take more than a small share of ``seconds``."""
        if seconds is None:
            return self
        fitting = int(_KNOWN * seconds / max(speed.answering, 1e-9))
        return replace(self, known=min(self.known, max(_FEWEST_KNOWN, fitting)))


NOTHING_FOLLOWS = Following()


@dataclass(frozen=True)
class Later:
    """Seconds predicted for what follows a ladder whose best candidate was trained.

    Attributes:
        again: the same training on all working rows.
        forgetting: measuring what was forgotten.
        control: the control from scratch, its answers included.
        answers: the final model's own.
        known: working rows among them; None: all that there may be.
        each: of one row among them.
    """

    again: float = 0.0
    forgetting: float = 0.0
    control: float = 0.0
    answers: float = 0.0
    known: int | None = None
    each: float = 0.0

    def knowing(self, seconds: float | None) -> Later:
        """With fewer working rows where not all of them can be answered in ``seconds``; enough to tell others by."""
        if seconds is None or self.known is None or not self.each:
            return self
        return replace(self, known=min(self.known, max(_FEWEST_KNOWN, int(seconds / self.each))))

    @property
    def total(self) -> float:
        """All but the control, which can be left out."""
        return self.again + self.forgetting + self.answers

    @classmethod
    def of(cls, ground: Ground, candidate: Candidate, speed: Speed, following: Following, pace: float) -> Later:
        """After ``candidate``: its recipe, up to the steps that were found best, at the ``pace`` that its steps had."""
        recipe, rows = candidate.recipe or Recipe(()), len(ground.rows)
        options = train_options(ground, rows)
        control = speed.seconds(scratch_recipe(recipe, rows, options), rows, 0, options) if recipe.phases else 0.0
        return cls(
            again=pace * speed.seconds(replace(recipe, rates=(1.0,)), rows, 0, options),
            forgetting=pace * forgetting_seconds(ground, recipe, speed),
            control=pace * (control + 2 * speed.opening + following.test * speed.answering),
            answers=pace * answers_seconds(speed, following),
            known=following.known,
            each=pace * speed.answering,
        )


def pace_of(ground: Ground, candidate: Candidate, own: Recipe, speed: Speed) -> float:
    """Seconds that the candidate took, as a share of those predicted for the steps that it made.

    Args:
        own: what was to be trained for this candidate itself, whole.
    """
    options, first = train_options(ground, len(ground.rows)), candidate.runs[0]
    planned = sum(phase.steps(len(ground.holding.parts[0][0]), options.batch) for phase in own.phases)
    made = own.shortened((first.curve[-1].step / planned,) * len(own.phases))
    short = any(run.stopped == "budget" for run in candidate.runs)
    predicted = sum(
        speed.seconds(made, len(train), len(held), options, short=short)
        for train, held in ground.holding.parts[: len(candidate.runs)]
    )
    return float(min(_SLOWEST, max(_QUICKEST, candidate.seconds / max(predicted, 1e-9))))


def priced(
    ground: Ground, strategy: Strategy, speed: Speed, following: Following, below: Recipe | None, first: float = 0.0
) -> Prices:
    """The prices of ``strategy``, which starts from what ``below`` trained, if anything.

    Args:
        first: seconds of what the comparison begins with, whatever its share.
    """
    recipe, rows = told(strategy, ground.settings), len(ground.rows)
    options = train_options(ground, rows)
    goes_on = below if below and not recipe.scratch and recipe.lora is None else None

    def repeated(share: float) -> Recipe:
        own = replace(_shortened(recipe, share), rates=(1.0,))
        return goes_on.then(own) if goes_on else own

    def compared(share: float) -> float:
        cut, short = _shortened(recipe, share), share < 1
        return first + sum(
            speed.seconds(cut, len(train), len(held), options, short=short) for train, held in ground.holding.parts
        )

    def again(share: float) -> float:
        return speed.seconds(repeated(share), rows, 0, options)

    def control(share: float) -> float:
        scratch = scratch_recipe(repeated(share), rows, options)
        return speed.seconds(scratch, rows, 0, options) + 2 * speed.opening + following.test * speed.answering

    controlled = ground.settings.scratch_control and not recipe.scratch
    train = len(ground.holding.parts[0][0])
    steps = sum(phase.steps(train, options.batch) for phase in recipe.phases)
    after = forgetting_seconds(ground, recipe, speed) + answers_seconds(speed, following)
    return Prices(steps, compared, again, control if controlled else nothing, after)


def answers_seconds(speed: Speed, following: Following) -> float:
    """Of the trained model's own answers, after all that is trained."""
    return 2 * speed.opening + (following.test + following.known) * speed.answering


def forgetting_seconds(ground: Ground, recipe: Recipe, speed: Speed) -> float:
    """Of measuring what was forgotten, and of going back towards the base where a limit asks for it."""
    from headstart.strategies.keeping import inputs_needed

    if recipe.scratch:
        return 0.0
    gauged = len(ground.retained) if ground.retained is not None else len(ground.holding.rows)
    return 2 * speed.opening + inputs_needed(gauged, ground.settings.max_forgetting) * speed.answering


def scratch_recipe(recipe: Recipe, rows: int, options: TrainOptions) -> Recipe:
    """Training from random weights in as many steps as ``recipe`` takes on ``rows`` rows."""
    steps = sum(_counted(phase.thaw) * phase.steps(rows, options.batch) for phase in recipe.phases)
    own = told(STRATEGIES["scratch"], TrainingSettings()).phases[0]
    return Recipe((replace(own, epochs=0.0, least_steps=max(1, round(steps))),), scratch=True)


def _shortened(recipe: Recipe, share: float) -> Recipe:
    return recipe if share == 1 else recipe.shortened((share,) * len(recipe.phases))


def _counted(thaw: int | float) -> float:
    """The share of a step's work that a phase does."""
    return float(thaw) if isinstance(thaw, float) else 0.5
