"""How soon the command line answers: the help, and one photo labelled on a machine that knows the base."""

from __future__ import annotations

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import pictures
from benchmarks.fitting import PROBE, fit, headstart
from benchmarks.process import Failed
from benchmarks.spread import against, ratio, spread

_HELP_GOAL = 0.5  # s
_PICTURES, _QUICK_PICTURES = 200, 24


def measure(options: Options) -> Findings:
    """Help, a new photo, and the same photo again."""
    folder = options.scratch
    cache, run = folder / "startup-cache", folder / "startup-run"
    known = pictures(folder / "startup", _QUICK_PICTURES if options.quick else _PICTURES)
    fit([known, *PROBE], cache, run)
    new = sorted(pictures(folder / "startup-new", options.repeat + 1, seed=1).rglob("*.jpg"))
    times: dict[str, list[float]] = {"help": [], "new photo": [], "same photo again": []}
    for photo in new:  # the first round brings everything into the page cache and is not counted
        times["help"].append(headstart(["--help"], cache).seconds)
        for what in ("new photo", "same photo again"):
            finished = headstart(["predict", run, photo, "--quiet"], cache)
            if "class" not in finished.stdout:
                raise Failed(f"headstart predict printed no label: {finished.stdout!r}")
            times[what].append(finished.seconds)
    spreads = {what: spread(seconds[1:]) for what, seconds in times.items()}
    rows = [
        (what, ratio(found, spreads["help"]).text("×"), found.text("s"), _goal(what, found.median))
        for what, found in spreads.items()
    ]
    return Findings(
        (Table(("whole process", "÷ help", "seconds", "goal"), tuple(rows)),),
        ("A new photo passes through the base; the same one again comes from the cache.",),
    )


def _goal(what: str, seconds: float) -> str:
    return against(seconds, _HELP_GOAL, " s") if what == "help" else ""


BENCHMARK = Benchmark("startup", "`headstart --help` and `predict` of one photo, whole process", measure)
