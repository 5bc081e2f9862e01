"""How close a fit comes to its floor: one decode of each input and one forward pass, each timed alone."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera
from benchmarks.fitting import STATES, Fit, fit_in_each_state
from benchmarks.process import run
from benchmarks.spread import Spread, against, ratio, spread

_PARTS = Path(__file__).parent / "probes" / "floor_parts.py"
#: Most seconds beyond loading and controls, as a multiple of the floor.
_GOALS = {"first run ever": None, "new data": 1.5, "warm": 0.2}


@dataclass(frozen=True)
class _Measured:
    """One data set: repeats of the floor and of each state's fit, measured in turn."""

    name: str
    floor: Spread  # s
    decode: Spread  # s
    runtime: str
    count: int
    fits: dict[str, list[Fit]]


def measure(options: Options) -> Findings:
    """Floor and fits on photos and on texts."""
    photos, queries = hymenoptera(options), banking77(options)
    measured = [
        _measure("hymenoptera", [photos / "train", photos / "val"], options),
        _measure("banking77", [queries / "train.csv", queries / "test.csv"], options),
    ]
    ratios = Table(
        ("data", "state", "beyond loading and controls, × floor", "goal", "whole process, × floor"),
        tuple(_ratio_row(m, state) for m in measured for state in STATES),
    )
    floors = Table(
        ("data", "inputs", "floor", "of it decode", "runtime"),
        tuple((m.name, f"{m.count:,}", m.floor.text("s"), m.decode.text("s"), m.runtime) for m in measured),
    )
    seconds = Table(
        ("data", "state", "whole process", "loading", "choosing the runtime", "features", "controls", "the rest"),
        tuple(_seconds_row(m, state) for m in measured for state in STATES),
    )
    return Findings((ratios, floors, seconds), _NOTES)


_NOTES = (
    "Floor: reading and decoding each input at the size needed, on the library's threads (texts: tokenising), plus "
    "one forward pass of each on the faster of the two quickest runtimes that keep parity, weights loaded.",
    "Decoding goes on while the base is loaded, and loading is subtracted as a whole: on few inputs the ratio can be "
    "below 1. The whole process, imports included, has nothing subtracted. Files are in the page cache from the second "
    "repeat on, at the latest.",
    "The fits are `--strategy probe`: the base stays frozen, so that one forward pass of each input is what they need.",
    "The goal for a cold run is held against new data on a known machine; a first run ever measures the runtimes too.",
)


def _measure(name: str, parts: Sequence[Path], options: Options) -> _Measured:
    train, test = parts
    fits: dict[str, list[Fit]] = defaultdict(list)
    floors = []
    for i in range(options.repeat):
        folder = options.scratch / f"floor-{name}-{i}"
        for state, fit in fit_in_each_state([train, "--test", test], folder):
            fits[state].append(fit)
        probe = run([sys.executable, _PARTS, train, test], {"HEADSTART_CACHE": str(folder / "cache")})
        floors.append(json.loads(probe.stdout))
    return _Measured(
        name,
        spread([floor["decode"] + floor["forward"] for floor in floors]),
        spread([floor["decode"] for floor in floors]),
        ", ".join(sorted({floor["runtime"] for floor in floors})),
        floors[0]["count"],
        fits,
    )


def _ratio_row(measured: _Measured, state: str) -> tuple[str, ...]:
    fits = measured.fits[state]
    beyond = spread([f.result["seconds"] - _step(f, "loading") - _step(f, "controls") for f in fits])
    over, goal = ratio(beyond, measured.floor), _GOALS[state]
    whole = ratio(spread([f.process.seconds for f in fits]), measured.floor)
    return measured.name, state, over.text(), "" if goal is None else against(over.median, goal), whole.text()


def _seconds_row(measured: _Measured, state: str) -> tuple[str, ...]:
    fits = measured.fits[state]
    named = ("loading", "choosing the runtime", "features", "controls")
    rest = spread([f.result["seconds"] - sum(_step(f, step) for step in named) for f in fits])
    steps = [spread([_step(f, step) for f in fits]).text("s") for step in named]
    return measured.name, state, spread([f.process.seconds for f in fits]).text("s"), *steps, rest.text("s")


def _step(fit: Fit, name: str) -> float:
    return float(fit.result["timing"][name])


BENCHMARK = Benchmark("floor", "a fit against the least it could take: one decode and one forward pass", measure)
