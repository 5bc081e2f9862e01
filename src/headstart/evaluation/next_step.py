"""What to do next, so that it agrees with the model that was selected and names the command that does it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headstart.evaluation.baselines import option_of
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.verdict import MAJORITY, Verdict, deciding

#: A suggestion that names a baseline, such as "TF-IDF + linear".
_BETTER = re.compile(r"(\S+(?: \+ linear)?) is the better model")


@dataclass(frozen=True)
class Selected:
    """The model that a run selected, before the test set was evaluated.

    Attributes:
        strategy: of the best transfer model, such as "probe".
        baseline: the baseline that is selected in its place; "" where the transfer model is.
        asked: whether the user asked for that baseline.
    """

    strategy: str
    baseline: str = ""
    asked: bool = False


def agreeing(verdict: Verdict, gains: Mapping[str, Interval], selected: Selected) -> Verdict:
    """``verdict`` with a next step that fits the selected model; ``gains`` are those it rests on.

    The verdict compares the transfer model with the baselines. What it advises is the selected model already, or
    another one, for which the command is named.
    """
    if not gains or any(math.isnan(gain.value) for gain in gains.values()):
        return verdict
    best = deciding(gains)
    if best == MAJORITY and verdict.outcome in ("hurt", "did not help") and selected.baseline != MAJORITY:
        return verdict  # nothing was learned: no model is to be used
    if not selected.baseline:
        return replace(verdict, next_step=_beside_transfer(verdict, gains[best], best))
    return replace(verdict, next_step=_beside_baseline(verdict, best, selected))


def _beside_transfer(verdict: Verdict, gain: Interval, best: str) -> str:
    step = verdict.next_step
    if verdict.outcome == "cannot tell" and math.isnan(gain.low + gain.high):
        step = "Keep the selected model until more test rows show a difference."
    if best == MAJORITY or (verdict.outcome == "helped" and best not in step):
        return step
    if verdict.outcome == "cannot tell":
        return f"{step} `{option_of(best)}` selects {best} instead."
    return f"{step} Fit again with `{option_of(best)}` to select it."


def _beside_baseline(verdict: Verdict, best: str, selected: Selected) -> str:
    own = f"the baseline {selected.baseline}"
    why = "as asked for" if selected.asked else "as it did better on the held-out rows"
    if verdict.outcome == "helped":
        other = f"`--strategy {selected.strategy}`"
        return (
            f"The selected model is {own}, {why}; on the test set transfer learning did better: fit again with {other}."
        )
    if verdict.outcome == "cannot tell":
        return f"Keep the selected model, {own}, until more test rows show a difference."
    if best == selected.baseline:
        return f"Use the selected model, {own}."
    return f"The selected model is {own}, {why}; fit again with `{option_of(best)}` to select {best}, which did better."


def with_command(suggestion: str, selected: Selected) -> str:
    """``suggestion`` with the command that selects the baseline it names, or that this is the selected model."""
    named = _BETTER.search(suggestion)
    if named is None or option_of(named[1]) in suggestion:
        return suggestion
    if named[1] == selected.baseline:
        return f"{suggestion} It is the selected model."
    return f"{suggestion} `{option_of(named[1])}` selects it."
