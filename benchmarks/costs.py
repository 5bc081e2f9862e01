"""Seconds and memory of each strategy: predicted before any work, against what then happens."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.fitting import PROBE, fit, strategy_arguments
from benchmarks.ledger import Key, Ledger
from benchmarks.process import Failed, run
from benchmarks.tasks import LIMITS, QUICK, TASKS, Built, Task, build

_PROBE = Path(__file__).parent / "probes" / "costs.py"
SMALL = ("hymenoptera-20", "fsdd-20", "banking77-20", "banking77-5", "digits-20", "clinc150-5", "bccd-5")
_QUICK = ("banking77-5",)
STRATEGIES = ("probe", "head2toe", "partial", "progressive", "norm", "lora", "full", "scratch")
_QUICK_STRATEGIES = ("probe", "partial")
WITHIN = 0.3
_GIB = 2**30
_OPTIONS = {"--input": "input", "--target": "target", "--group": "group", "--task": "task"}


@dataclass(frozen=True)
class Compared:
    """One strategy on one task.

    Attributes:
        seconds, least, memory: predicted; ``least`` where training makes nothing better. Bytes.
        took, peak: of the process. Seconds, bytes.
        kept: whether the trained weights were handed over, and not the probe after all.
        left_out: why it was predicted not to apply.
        refused: what the run said where it did not.
    """

    task: str
    strategy: str
    quick: bool
    seconds: float
    least: float
    memory: float
    took: float = math.nan
    peak: float = math.nan
    kept: bool = True
    left_out: str = ""
    refused: str = ""

    @property
    def ran(self) -> bool:
        """Whether there is anything to compare."""
        return not self.left_out and not self.refused

    @property
    def seconds_ratio(self) -> float:
        """Predicted to actual, of what happened: the whole run, or that which ends with the probe."""
        return (self.seconds if self.kept else self.least) / self.took

    @property
    def memory_ratio(self) -> float:
        """Predicted to actual."""
        return self.memory / self.peak


def measure(options: Options) -> Findings:
    """Run what the file of finished runs lacks, then make tables of all that it holds."""
    ledger = Ledger(options.resume or options.scratch / "costs.jsonl", Key, Compared)
    if not options.tables_only:
        for task in _tasks(options):
            _run_task(task, ledger, options)
    names = [task.name for task in _tasks(options)]
    return findings([one for one in ledger.read().values() if one.task in names and one.quick == options.quick])


def findings(compared: Sequence[Compared]) -> Findings:
    """Tables of ``compared``, complete or not."""
    ran = [one for one in compared if one.ran]
    tables = (
        Table(("", "runs", "seconds within 30 %", "of that case", "memory within 30 %"), tuple(_shares(ran))),
        Table(("strategy", *dict.fromkeys(one.task for one in compared)), tuple(_matrix(compared, "seconds"))),
        Table(("strategy", *dict.fromkeys(one.task for one in compared)), tuple(_matrix(compared, "memory"))),
    )
    disagree = [f"{one.strategy} on {one.task}: {one.refused or 'ran'}" for one in compared if _disagrees(one)]
    notes = (
        "First table: the seconds told, whatever came of the run; then, of that case: where training made nothing "
        "better and the probe was handed over, the seconds told for that. Brackets: predicted ÷ actual, least to most.",
        "Second table: predicted ÷ actual seconds of the whole process, actual seconds in brackets; ° where training "
        "made nothing better, compared with the prediction for that case. Third: peak memory, GiB in brackets.",
        "Predicted in one process on cached features, then run in another with the same cache; no control from "
        "random weights.",
        *([f"Predicted to apply or not, and it was otherwise: {'; '.join(disagree)}."] if disagree else []),
    )
    return Findings(tuple(table for table in tables if table.rows), notes)


def _disagrees(one: Compared) -> bool:
    return bool(one.left_out) != bool(one.refused)


def _shares(ran: Sequence[Compared]) -> Iterable[tuple[str, ...]]:
    groups = {"all": list(ran)} | {name: [one for one in ran if one.strategy == name] for name in STRATEGIES}
    for name, some in groups.items():
        if some:
            told, cases = [one.seconds / one.took for one in some], [one.seconds_ratio for one in some]
            yield name, str(len(some)), _within(told), _within(cases), _within([one.memory_ratio for one in some])


def _within(ratios: Sequence[float]) -> str:
    good = sum(abs(ratio - 1) <= WITHIN for ratio in ratios)
    return f"{good} of {len(ratios)} ({min(ratios):.2f}–{max(ratios):.2f})"


def _matrix(compared: Sequence[Compared], what: str) -> Iterable[tuple[str, ...]]:
    by = {(one.task, one.strategy): one for one in compared}
    tasks = dict.fromkeys(one.task for one in compared)
    for strategy in STRATEGIES:
        cells = [_cell(by.get((task, strategy)), what) for task in tasks]
        if any(cells):
            yield (strategy, *cells)


def _cell(one: Compared | None, what: str) -> str:
    if one is None:
        return ""
    if not one.ran:
        return "–"
    if what == "memory":
        return f"{one.memory_ratio:.2f} ({one.peak / _GIB:.2f})"
    return f"{one.seconds_ratio:.2f} ({one.took:.0f}){'' if one.kept else ' °'}"


def _tasks(options: Options) -> list[Task]:
    names = options.tasks or (_QUICK if options.quick else SMALL)
    return [task for task in TASKS if task.name in names]


def _run_task(task: Task, ledger: Ledger[Key, Compared], options: Options) -> None:
    done = ledger.read()
    wanted = _QUICK_STRATEGIES if options.quick else STRATEGIES
    missing = [key for name in wanted if (key := Key(task.name, name, 0, options.quick)) not in done]
    if not missing:
        return
    folder = options.scratch / f"costs-{task.name}"
    built = build(task, folder / "data", 0, QUICK if options.quick else LIMITS)
    fit([built.source, *built.arguments, *PROBE], folder / "known", folder / "run")  # caches the features
    predictions = _predictions(built, folder)
    for key in missing:
        ledger.append(key, _compared(task, built, predictions[key.strategy], folder, options.quick))
    shutil.rmtree(folder)


def _predictions(built: Built, folder: Path) -> dict[str, dict[str, Any]]:
    """The costs by strategy, told in a process of its own; a process before it measures the libraries."""
    given = dict(zip(built.arguments[::2], built.arguments[1::2], strict=True))
    how: dict[str, Any] = {field: given[option] for option, field in _OPTIONS.items() if option in given}
    if "target" in how:
        how["target"] = [how["target"]]
    asked = folder / "asked.json"
    asked.write_text(json.dumps({"source": str(built.source), "test": given["--test"], "how": how}))
    cache = {"HEADSTART_CACHE": str(folder / "known")}
    told = run([sys.executable, _PROBE, asked], cache).stdout
    return {one["strategy"]: one for one in json.loads(told.splitlines()[-1])}


def _compared(task: Task, built: Built, told: dict[str, Any], folder: Path, quick: bool) -> Compared:
    """Run the strategy on a copy of the cache, whatever was said of it."""
    name, work = told["strategy"], folder / told["strategy"]
    shutil.copytree(folder / "known", work / "cache")
    one = Compared(task.name, name, quick, told["seconds"], told["least"], told["memory"], left_out=told["left_out"])
    try:
        done = fit(
            [built.source, *built.arguments, *strategy_arguments(name), "--no-scratch-baseline"],
            work / "cache",
            work / "run",
        )
    except Failed as error:
        one = Compared(**{**asdict(one), "refused": str(error).rpartition(" ended with ")[2]})
    else:
        chosen = done.result["selected"]["strategy"]
        took, peak = done.process.seconds, done.process.peak * _GIB
        one = Compared(**{**asdict(one), "took": took, "peak": peak, "kept": chosen == name})
    finally:
        shutil.rmtree(work)
    _tell(one)
    return one


def _tell(one: Compared) -> None:
    said = f"{one.seconds_ratio:.2f} of {one.took:.0f} s, {one.memory_ratio:.2f} of {one.peak / _GIB:.2f} GiB"
    print(f"  {one.task}, {one.strategy}: {said if one.ran else 'does not apply'}", file=sys.stderr, flush=True)


BENCHMARK = Benchmark(
    "costs", "seconds and memory predicted for each strategy, against what happens", measure, how="one run each"
)
