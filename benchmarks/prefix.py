"""What caching the frozen prefix brings to partial training: the same training with and without it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import read_csv
from benchmarks.fitting import Fit, fit, strategy_arguments
from benchmarks.process import Failed, run
from benchmarks.spread import Spread, ratio, spread
from benchmarks.tasks import LIMITS, QUICK, TASKS, Built, build

_SHARE = Path(__file__).parent / "probes" / "prefix_share.py"
_INPUTS = {"image": 16, "text": 64}  # real inputs that the share is measured on
#: Task, and how many of the base's last stages are trained.
CASES = (("hymenoptera", 2), ("hymenoptera", 3), ("banking77-20", 2), ("banking77-20", 4))
_QUICK_CASES = (("hymenoptera-5", 2), ("banking77-5", 2))


@dataclass(frozen=True)
class _Case:
    """One task and depth: repeats with and without the cache in turn, and the prefix's share of a forward pass."""

    task: str
    thaw: int
    share: Spread
    stages: str
    cached: list[Fit]
    uncached: list[Fit]


def predicted(share: float) -> float:
    """How many times faster a training step gets whose prefix is cached.

    A backward pass costs about twice its forward pass, and stops at the lowest thawed stage: per forward pass,
    1 + 2 (1 - p) without the cache, (1 - p) + 2 (1 - p) with it, so (3 - 2p) / (3 (1 - p)).
    """
    return (3 - 2 * share) / (3 * (1 - share))


def measure(options: Options) -> Findings:
    """Every case."""
    cases = [_case(name, thaw, options) for name, thaw in (_QUICK_CASES if options.quick else CASES)]
    return findings(cases)


def findings(cases: list[_Case]) -> Findings:
    """The speed-up against the predicted one, then what it is made of."""
    speed = Table(
        (
            "task",
            "stages trained",
            "p",
            "(3 − 2p) / (3 (1 − p))",
            "examples/s, with ÷ without",
            "process, without ÷ with",
        ),
        tuple(_speed(case) for case in cases),
    )
    parts = Table(
        ("task", "stages trained", "cached", "prefix", "examples/s", "whole process", "test score", "epochs"),
        tuple(_part(case, cached) for case in cases for cached in (True, False)),
    )
    return Findings((speed, parts), _NOTES)


_NOTES = (
    "p: the frozen stages' share of one forward pass, timed in float32 on real inputs in a process of its own.",
    "Both fits start from an empty cache, so the whole process includes computing the prefix once (and measuring the "
    "runtimes); every later fit with the same prefix finds it. Examples/s are those of the optimiser's steps.",
    "With the cache, augmentation takes one of a fixed number of cached views of each row instead of a new one each "
    "time, so scores and epochs may differ; where nothing is augmented they should be the same but for rounding.",
)


def _case(name: str, thaw: int, options: Options) -> _Case:
    (task,) = (task for task in TASKS if task.name == name)
    folder = options.scratch / f"prefix-{name}-{thaw}"
    built = build(task, folder / "data", limits=QUICK if options.quick else LIMITS)
    cached, uncached = [], []
    for i in range(options.repeat):
        cached.append(_fit(built, thaw, folder / f"cached-{i}", prefix_cache=True))
        uncached.append(_fit(built, thaw, folder / f"uncached-{i}", prefix_cache=False))
    listing = _listing(built, folder / "inputs.json")
    stage = _training(cached[0])["prefix"]
    if not stage:
        raise Failed(
            f"{name} with {thaw} stages trained cached no prefix; it may be too large for HEADSTART_CACHE_SIZE"
        )
    command: list[str | Path] = [sys.executable, _SHARE, built.modality, listing, stage]
    shares = [json.loads(run(command).stdout) for _ in range(options.repeat)]
    where = f"{shares[0]['stages']} of {shares[0]['of']}, up to {stage}"
    return _Case(name, thaw, spread([share["share"] for share in shares]), where, cached, uncached)


def _fit(built: Built, thaw: int, folder: Path, *, prefix_cache: bool) -> Fit:
    strategy = strategy_arguments("partial", thaw=thaw, prefix_cache=prefix_cache)
    return fit([built.source, *built.arguments, *strategy], folder / "cache", folder / "run")


def _listing(built: Built, path: Path) -> Path:
    """Some of the task's training inputs, evenly spaced, as a JSON list."""
    if built.modality == "text":
        values = [row["text"] for row in read_csv(built.source)]
    else:
        values = [str(photo) for photo in sorted(built.source.glob("*/*"))]
    count = _INPUTS[built.modality]
    path.write_text(json.dumps(values[:: max(1, len(values) // count)][:count]), encoding="utf-8")
    return path


def _training(fitted: Fit) -> dict[str, Any]:
    found: dict[str, Any] = fitted.result["training"][0]
    return found


def _rates(fits: list[Fit]) -> Spread:
    return spread([float(_training(fitted)["examples_per_second"]) for fitted in fits])


def _seconds(fits: list[Fit]) -> Spread:
    return spread([fitted.process.seconds for fitted in fits])


def _speed(case: _Case) -> tuple[str, ...]:
    return (
        case.task,
        str(case.thaw),
        case.share.text(),
        f"{predicted(case.share.median):.2f} ×",
        ratio(_rates(case.cached), _rates(case.uncached)).text("×"),
        ratio(_seconds(case.uncached), _seconds(case.cached)).text("×"),
    )


def _part(case: _Case, cached: bool) -> tuple[str, ...]:
    fits = case.cached if cached else case.uncached
    return (
        case.task,
        str(case.thaw),
        "yes" if cached else "no",
        case.stages,
        _rates(fits).text("/s", 1),
        _seconds(fits).text("s", 1),
        spread([float(fitted.result["test"]["score"]) for fitted in fits]).text(digits=3),
        spread([float(_training(fitted)["epochs"]) for fitted in fits]).text(digits=1),
    )


BENCHMARK = Benchmark("prefix", "partial training over the cached prefix, and the same without the cache", measure)
