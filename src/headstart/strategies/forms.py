"""How a training, and what follows it, fit into the time that is left: whole, in fewer steps, or with parts less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Of a schedule, what is worth trying at least: so many steps, and such a share. A schedule this short still rises and
#: falls whole; below it the comparison costs more than the training.
LEAST_STEPS, LEAST_SHARE = 20, 0.1
#: Training again on all rows is kept where half of the steps, or 6 in 10 of those that fit without it, are left to it.
HALF, _MOST = 0.5, 0.6
_HALVINGS = 20

#: Share of a schedule's steps -> seconds.
Price = Callable[[float], float]


def nothing(share: float) -> float:
    """What is not done costs nothing."""
    return 0.0


@dataclass(frozen=True)
class Prices:
    """Seconds predicted for a share, above 0 and up to 1, of a training's steps; each grows with the share.

    Attributes:
        steps: of the whole schedule, in one run.
        compared: training on every part of the holding, held-out rows looked at.
        again: training on all working rows.
        control: the control from scratch, in as many steps; `nothing` where there is none.
        after: what a trained model asks for besides: how much it forgot, its answers.
    """

    steps: int
    compared: Price
    again: Price
    control: Price
    after: float

    def at(self, pace: float) -> Prices:
        """Where all of it takes ``pace`` times as long."""

        def slower(price: Price) -> Price:
            return lambda share: pace * price(share)

        return Prices(self.steps, slower(self.compared), slower(self.again), slower(self.control), pace * self.after)


@dataclass(frozen=True)
class Form:
    """How a training is to be done.

    Attributes:
        share: of the schedule's steps, 0 to 1.
        again, control: whether time for these is set aside.
        compared: seconds predicted for the comparison.
        rest: seconds predicted for all that follows it.
        side: pixels a side of the pictures; None: the base's own.
        parts: of the holding, the first ones that are compared on; None: all.
        attempt: which try of the strategy this is, from 0.
    """

    share: float
    again: bool
    control: bool
    compared: float
    rest: float
    side: int | None = None
    parts: int | None = None
    attempt: int = 0

    def allowed(self, left: float) -> float:
        """Of ``left`` seconds, those for the comparison: what it and the rest are predicted to need, in proportion."""
        return max(0.0, left) * self.compared / max(self.compared + self.rest, 1e-9)


def fitting(prices: Prices, left: float | None, floor: float = 0.0) -> Form | None:
    """The form that makes the most of ``left`` seconds; None: not even the shortest fits.

    What follows is given up in turn, and only where that lengthens the schedule of what comes before it: the control
    from scratch where the others could not be whole beside it, then training again on all rows. So time that is short
    is always used.

    Args:
        left: None: no limit.
        floor: seconds that are needed afterwards in any case, as where the best so far is to be made again.
    """
    whole = _form(prices, 1.0, again=True, control=True, floor=floor)
    if left is None or whole.compared + whole.rest <= left:
        return whole
    least = shortest(prices)
    kept = _longest(prices, left, least, floor, again=True, control=False)
    alone = _longest(prices, left, least, floor, again=False, control=False)
    if kept == 1.0:
        share = _longest(prices, left, least, floor, again=True, control=True)
        if share is not None and share >= HALF:
            return _form(prices, share, again=True, control=True, floor=floor)
    if kept is not None and alone is not None and (kept >= HALF or kept >= _MOST * alone):
        return _form(prices, kept, again=True, control=False, floor=floor)
    return None if alone is None else _form(prices, alone, again=False, control=False, floor=floor)


def longest(prices: Prices, left: float, floor: float = 0.0) -> Form | None:
    """The form of most steps in ``left`` seconds, whatever is given up for them; None: not even the shortest fits."""
    share = _longest(prices, left, shortest(prices), floor, again=False, control=False)
    if share is None:
        return None
    kept = (_form(prices, share, again=again, control=again, floor=floor) for again in (True, False))
    return next((form for form in kept if form.compared + form.rest <= left), None)


def shortest(prices: Prices) -> float:
    """The least share worth trying."""
    return min(1.0, max(LEAST_SHARE, LEAST_STEPS / max(1, prices.steps)))


def least_seconds(prices: Prices) -> float:
    """Of the shortest form, with all that it cannot do without."""
    form = _form(prices, shortest(prices), again=False, control=False, floor=0.0)
    return form.compared + form.rest


def whole_seconds(prices: Prices) -> float:
    """Of the whole schedule, with the same."""
    form = _form(prices, 1.0, again=False, control=False, floor=0.0)
    return form.compared + form.rest


def _form(prices: Prices, share: float, *, again: bool, control: bool, floor: float) -> Form:
    rest = prices.after + (prices.again(share) if again else 0.0) + (prices.control(share) if control else 0.0)
    return Form(share, again, control, prices.compared(share), max(rest, floor))


def _longest(prices: Prices, left: float, least: float, floor: float, *, again: bool, control: bool) -> float | None:
    """The greatest share, from ``least`` on, that fits; None: none does."""

    def fits(share: float) -> bool:
        form = _form(prices, share, again=again, control=control, floor=floor)
        return form.compared + form.rest <= left

    if not fits(least):
        return None
    if fits(1.0):
        return 1.0
    low, high = least, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
