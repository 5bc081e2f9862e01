"""A shift, as lines for the terminal."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from headstart.evaluation.unknown import THRESHOLD
from headstart.evaluation.wording import count
from headstart.files import shown_path
from headstart.flow.shift.shift import FEW_WRONG, STRANGERS, Shift
from headstart.report.figures import bounded, share
from headstart.tasks import get as get_task
from headstart.terminal.tables import labelled, paragraph

_SHOWN = 5  # classes named


def shift_text(found: Shift, out: Path | None = None, *, verbose: bool = False) -> str:
    """Whether the inputs differ, the accuracy to expect, and what to do; ``out``: the file that has the record.

    ``verbose`` adds all of it in sentences.
    """
    aside = f", {found.rejected:,} not readable" if found.rejected else ""
    facts = [
        ("data", f"{found.source} against run {found.run}: {count(found.n, 'input')}{aside}"),
        ("accuracy", _accuracy(found)),
        ("difference", _distance(found)),
        ("unknown", _unknown(found)),
        ("classes", _classes(found)),
        *(("warning", one) for one in _warnings(found)),
        ("next", _next(found)),
        ("record", shown_path(out) if out else ""),
    ]
    lines = [*paragraph(_headline(found)), *labelled(facts)]
    told = [line for one in found.sentences for line in paragraph(one)] if verbose else []
    return "\n".join([*lines, *(["", *told] if told else [])]).replace("\u00a0", " ")


def _headline(found: Shift) -> str:
    if found.why_not:
        return "Most of the inputs look like none of the model's classes."
    if found.unknown > STRANGERS and not get_task(found.task).exclusive:
        return "Many of the inputs look unlike the known ones."
    if found.unknown > STRANGERS:
        return "Many of the inputs look like none of the model's classes."
    if found.distance is None or math.isnan(found.distance.value):
        return "Whether the inputs differ from the known ones cannot be told."
    if found.distance.shifted:
        return "The inputs look different from the known ones."
    return "No significant difference from the known inputs."


def _accuracy(found: Shift) -> str:
    guess = found.estimate
    if guess is None:
        return "not estimated: an answer to an input of no class cannot be right" if found.why_not else found.expected
    held = f"{guess.plain:.3f} on {guess.held:,} held-out rows of the run"
    return f"{bounded(guess.value, guess.low, guess.high)} expected; it was {held}"


def _distance(found: Shift) -> str:
    d = found.distance
    if d is None:
        return "not known: the run keeps no features of known inputs"
    if math.isnan(d.value):
        return f"cannot be seen from {d.n:,} inputs and {d.reference:,} known ones"
    return f"proxy A-distance {bounded(d.value, d.low, d.high)} of at most 2; {d.null:.3f} between known inputs"


def _unknown(found: Shift) -> str:
    if math.isnan(found.unknown):
        return ""
    return f"{share(found.unknown)} of the inputs; of known inputs {share(1 - THRESHOLD)}"


def _classes(found: Shift) -> str:
    """Those whose inputs have moved, where there is an estimate that this bears on."""
    moved = [one.label for one in found.drifts if one.drift.low > 0]
    if found.why_not or not moved:
        return ""
    more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
    return f"inputs differ most in {', '.join(moved[:_SHOWN])}{more}"


def _warnings(found: Shift) -> list[str]:
    told = []
    if found.unknown > STRANGERS and found.estimate is not None:
        told.append("an input of no class cannot be right, so the accuracy holds at most for the others")
    if found.estimate is not None and found.wrong < FEW_WRONG:
        wrong = count(found.wrong, "held-out row was", "held-out rows were")
        told.append(f"only {wrong} wrong, too few to show how unsure a wrong answer is: accuracy may be lower")
    if found.few:
        told.append(f"with {count(found.n, 'input')}, all this depends on single ones; give more")
    return told


def _next(found: Shift) -> str:
    moved = found.why_not or found.unknown > STRANGERS or (found.distance is not None and found.distance.shifted)
    if not moved:
        return "No action needed."
    return f"Label some of these inputs; `headstart evaluate {shlex.quote(found.run)} LABELLED` measures the accuracy."
