"""`headstart` in fresh processes, on an empty, a partly filled and a full cache."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Unavailable
from benchmarks.process import Finished, run

#: The states of a machine that a fit may find, in the order in which they arise.
STATES = ("first run ever", "new data", "warm")


def strategy_arguments(name: str, *, thaw: int | None = None, prefix_cache: bool = True) -> tuple[str, ...]:
    """The options of `headstart fit` that say how to adapt.

    Args:
        name: of the strategy.
        thaw: how many of the base's last stages are trained; None: the strategy's default.
        prefix_cache: whether what lies below them is computed once.
    """
    thawed = () if thaw is None else ("--unfreeze", str(thaw))
    return ("--strategy", name, *thawed, *(() if prefix_cache else ("--no-prefix-cache",)))


#: The benchmarks of frozen runs ask for the probe by name: `auto` goes on to train where that may pay.
PROBE = strategy_arguments("probe")


@dataclass(frozen=True)
class Fit:
    """One `headstart fit`: the process from outside, and its result.json."""

    process: Finished
    result: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """On the test part."""
        return float(self.result["test"]["metrics"]["accuracy"]["value"])


def headstart(arguments: Sequence[str | Path], cache: Path) -> Finished:
    """The `headstart` command of this environment, with a cache of its own.

    Raises:
        Unavailable: it is not installed beside this Python.
    """
    command = shutil.which("headstart", path=str(Path(sys.executable).parent))
    if command is None:
        raise Unavailable(f"no headstart command beside {sys.executable}; run: make setup")
    return run([command, *arguments], {"HEADSTART_CACHE": str(cache)})


def fit(arguments: Sequence[str | Path], cache: Path, out: Path) -> Fit:
    """`headstart fit` into ``out``."""
    process = headstart(["fit", *arguments, "--out", out, "--overwrite", "--quiet"], cache)
    return Fit(process, json.loads((out / "result.json").read_text(encoding="utf-8")))


def fit_in_each_state(arguments: Sequence[str | Path], folder: Path) -> Iterator[tuple[str, Fit]]:
    """The same fit by `PROBE` in each of `STATES`, with a new cache in ``folder``."""
    cache = folder / "cache"
    shutil.rmtree(folder, ignore_errors=True)
    cache.mkdir(parents=True)
    for state in STATES:
        if state == "new data":
            forget_data(folder)
        yield state, fit([*arguments, *PROBE], cache, folder / "run")


def forget_data(folder: Path) -> None:
    """Bring the cache in ``folder`` to the state "new data": the features go, what is known of the machine stays."""
    shutil.rmtree(folder / "cache" / "features")


def fit_on_new_data(arguments: Sequence[str | Path], folder: Path) -> Fit:
    """A fit in the state "new data" with the cache that `fit_in_each_state` left in ``folder``."""
    forget_data(folder)
    return fit(arguments, folder / "cache", folder / "run")
