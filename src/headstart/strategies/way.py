"""How a strategy fits into the time that is left: its prices, its forms, and making it in one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from headstart.errors import SettingError
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.forms import HALF, Form, Prices, fitting, least_seconds, longest, whole_seconds
from headstart.strategies.ground import Ground
from headstart.strategies.holding import FEW, FEWEST
from headstart.strategies.plan import Rung, could_show, not_showable
from headstart.strategies.pricing import Following, Later, pace_of, priced
from headstart.strategies.smaller import Smaller
from headstart.strategies.solving import solved
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, trained
from headstart.training.speed import Speed

#: Times the work of an earlier try that the next one must do; and where the earlier one was shown to be worse.
MORE, FAR_MORE = 1.2, 2.0
#: Of the working rows, the share that a part trains on from which the next try may give up training again on all.
ENOUGH = 0.75

#: (prices, seconds left, seconds needed in any case) -> a form that fits, or None.
Fitting = Callable[[Prices, float, float], Form | None]


@dataclass(frozen=True)
class Way:
    """What is to be done of a strategy in the time that is left, and what follows it.

    Attributes:
        smaller: the ground of the search, and what it comes to with smaller pictures.
        probe, best: candidates to start from; training starts from no features of all stages.
        so_far: what follows if ``best`` stays the best.
        speed: of the base; None: there is nothing to train, or no budget that asks for it.
        paces: strategy -> times the seconds predicted that its last training took, the latest one last.
    """

    smaller: Smaller
    probe: Candidate
    best: Candidate
    so_far: Later
    budget: Budget
    speed: Speed | None
    following: Following
    paces: Mapping[str, float] = field(default_factory=dict)

    @property
    def ground(self) -> Ground:
        """What candidates are compared on."""
        return self.smaller.own

    @property
    def below(self) -> Candidate:
        """The candidate that training starts from."""
        return self.best if self.best.features != "stages" else self.probe

    def form(self, strategy: Strategy) -> Form | None:
        """How the strategy's training fits; None: not at all, or there is nothing to train or to fit.

        Where not half of its steps fit, fewer folds are compared as long as they hold as many rows as a validation set
        of its own needs; then pictures are made smaller.
        """
        if strategy.recipe is None or self.speed is None:
            return None
        if self.budget.left() is None:
            return fitting(self.prices(strategy), None)
        found: Form | None = None
        for form in self._forms(strategy, FEW):
            if form.share >= HALF:
                return form
            if found is None or form.side is None or found.side is not None:
                found = form
        return found

    def longer(self, strategy: Strategy, tried: Form | None, more: float) -> tuple[Form | None, str]:
        """The form that trains most, where that is ``more`` times the work of what was ``tried``.

        It is compared on as few folds as it takes, but on no fewer rows than a gain could be shown on.

        Returns:
            The form, or None; why there is none, to follow the strategy's name.
        """
        least = 0.0 if tried is None else more * self.work(tried)
        train = len(self.ground.holding.parts[0][0])
        fit = longest if train >= ENOUGH * len(self.ground.rows) else fitting
        forms = [form for form in self._forms(strategy, FEWEST, fit) if self.work(form) > least]
        for form in sorted(forms, key=self.work, reverse=True):
            ground = self.narrowed(form.parts)
            if form.parts is None or could_show(ground, self.best.held[: len(ground.held_y)]):
                return replace(form, attempt=tried.attempt + 1 if tried else 0), ""
        if forms:
            few = not_showable(self.narrowed(forms[-1].parts))
            return None, f"would be trained for longer only on fewer folds, where {few}"
        if tried is None:
            return None, "would not fit in the shortest form either"
        return None, f"could not be trained for {more:g} times as long as before"

    def done(self, strategy: Strategy, form: Form, candidate: Candidate) -> Form:
        """``form`` with the share of its steps that was made: steps may have been quicker than predicted, or slower."""
        if not any(run.stopped == "budget" for run in candidate.runs):
            return replace(form, share=1.0)
        steps = self.prices(strategy, form.side, form.parts).steps
        return replace(form, share=min(1.0, candidate.runs[0].curve[-1].step / max(1, steps)))

    def work(self, form: Form) -> float:
        """Of the whole training of one fold at the base's own size, the share that ``form`` does of it."""
        return form.share * (1.0 if form.side is None else (form.side / self.ground.base.spec.side) ** 2)

    def narrowed(self, parts: int | None) -> Ground:
        """The ground with the first ``parts`` of its held-out parts alone; None: all."""
        holding = self.ground.holding
        return self.ground if parts is None else replace(self.ground, holding=holding.first(parts))

    def _forms(self, strategy: Strategy, rows: int, fit: Fitting = fitting) -> Iterator[Form]:
        """What fits: at the base's own size first, on all folds first, on fewer while they hold ``rows`` rows."""
        left, floor, parts = self.budget.left(), self.so_far.total, self.ground.holding.parts
        for side in self._sides():
            for count in range(len(parts), 0, -1):
                if count < len(parts) and sum(len(held) for _, held in parts[:count]) < rows:
                    continue
                form = None if left is None else fit(self.prices(strategy, side, count), left, floor)
                if form:
                    yield replace(form, side=side, parts=count if count < len(parts) else None)

    def _sides(self) -> Iterator[int | None]:
        yield None
        yield from self.smaller.bases

    def allowed(self, form: Form | None) -> float | None:
        """Seconds for the comparison, what it begins with included; None: no limit."""
        left = self.budget.left()
        return None if form is None or left is None else form.allowed(left)

    def made(
        self, strategy: Strategy, form: Form | None, hopeful: Callable[[np.ndarray], bool] | None = None
    ) -> Candidate:
        """The strategy's candidate in that form; ``hopeful`` as for `trained`."""
        if strategy.recipe is None:
            return solved(self.ground, strategy)
        allowed, began = self.allowed(form), time.monotonic()
        ground, below = self._start(form)
        left = None if allowed is None else max(0.0, allowed - (time.monotonic() - began))
        candidate = trained(ground, strategy, below, left, hopeful, form.attempt if form else 0)
        return candidate if ground is self.ground else replace(candidate, ground=ground)

    def _start(self, form: Form | None) -> tuple[Ground, Candidate]:
        """What a training of that form is made on, and the candidate that it starts from."""
        if form is None:
            return self.ground, self.below
        ground = self.narrowed(form.parts)
        if form.side is None:
            return ground, self.below
        return replace(self.smaller.ground(form.side), holding=ground.holding), self.probe

    def too_dear(self, rung: Rung) -> str:
        """Why a rung does not fit into the time that is left; "" where it does."""
        left = self.budget.left()
        if left is None:
            return ""
        have = f"{max(0.0, left):.0f} s of the budget are left"
        if rung.strategy.recipe is None:
            needed = rung.seconds + self.so_far.total
            return "" if needed <= left else f"it would take about {needed:.0f} s and {have}"
        if self.form(rung.strategy):
            return ""
        least, whole = self._least(rung.strategy), whole_seconds(self.prices(rung.strategy))
        return f"it would take about {whole:.0f} s with what follows, its shortest form {least:.0f} s, and {have}"

    def refusal(self, strategy: Strategy) -> str:
        """That the strategy asked for does not fit, and what to do."""
        least, left = self._least(strategy), max(0.0, self.budget.left() or 0.0)
        return (
            f"the budget of {self.budget.seconds:g} s leaves no time for strategy {strategy.name!r}: its shortest form "
            f"would take about {least:.0f} s, and {left:.0f} s are left once features, baselines and test "
            "are paid for; "
            "give a larger --budget, or take --strategy probe, which is made by then."
        )

    def _least(self, strategy: Strategy) -> float:
        """Seconds of the shortest form, smaller pictures and fewer folds included."""
        counts = range(1, len(self.ground.holding.parts) + 1)
        fewest = next(one for one in counts if one == len(counts) or len(self.narrowed(one).held_y) >= FEW)
        return min(least_seconds(self.prices(strategy, side, fewest)) for side in self._sides())

    def in_words(self, form: Form | None) -> str:
        """What of a training is cut short for want of time, to follow "trained"; "" where nothing is."""
        if form is None:
            return ""
        said = []
        if form.share < 1:
            said.append(f"for about {form.share:.0%} of its steps")
        if form.side is not None:
            said.append(f"on pictures of {form.side} instead of {self.ground.base.spec.side} pixels a side")
        if form.parts is not None:
            said.append(f"on {self.narrowed(form.parts).holding.how} alone")
        return " and ".join(said)

    def tell(self, strategy: Strategy, form: Form | None) -> str:
        """Say and keep what is cut short for want of time, in words; "" where nothing is."""
        said = self.in_words(form)
        if said:
            self.budget.leave_out(f"{strategy.name} is trained {said}", self.ground.progress)
        return said

    def later(self, strategy: Strategy, candidate: Candidate) -> Later:
        """What follows if ``candidate`` is the best, by what it came to and by how fast it was."""
        if self.speed is None or not candidate.runs or candidate.recipe is None or self.budget.seconds is None:
            return Later()
        ground = candidate.ground or self.ground
        return Later.of(ground, candidate, self._speed(ground), self.following, self.pace_of(strategy, candidate))

    def pace_of(self, strategy: Strategy, candidate: Candidate) -> float:
        """Seconds that training the candidate took, as a share of those predicted for the steps that it made."""
        ground = candidate.ground or self.ground
        return pace_of(ground, candidate, told(strategy, self.ground.settings), self._speed(ground))

    def pace(self, strategy: Strategy) -> float:
        """Times the seconds predicted that training takes: as it did in this run, of this strategy or of the last."""
        return self.paces.get(strategy.name, [1.0, *self.paces.values()][-1])

    def _speed(self, ground: Ground) -> Speed:
        if self.speed is None:
            raise SettingError("nothing was measured, so that no training has a price.")
        side = ground.base.spec.side
        return self.speed if ground.base is self.ground.base else self.smaller.speed(side, self.speed)

    def prices(self, strategy: Strategy, side: int | None = None, parts: int | None = None) -> Prices:
        """Of the strategy's training, at ``side`` pixels a side, on the first ``parts`` of the held-out parts.

        Once something was trained, the seconds that this took count in place of those predicted.
        """
        if self.speed is None:
            raise SettingError(f"strategy {strategy.name!r} has no price: nothing was measured.")
        ground, pace = self.narrowed(parts), self.pace(strategy)
        if side is None:
            return priced(ground, strategy, self.speed, self.following, self.below.recipe).at(pace)
        speed = self.smaller.speed(side, self.speed)
        return priced(ground, strategy, speed, self.following, None, self.smaller.seconds(side, speed)).at(pace)
