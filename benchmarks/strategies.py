"""What `auto` gives away against the best strategy, found by running every strategy on every task."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import regret
from benchmarks.benchmark import Benchmark, Findings, Options
from benchmarks.fitting import Fit, fit, strategy_arguments
from benchmarks.ledger import FAILED, FINISHED, REFUSED, Key, Ledger, Outcome
from benchmarks.process import Failed
from benchmarks.regret import AUTO, FIXED, Row
from benchmarks.tasks import LIMITS, QUICK, QUICK_TASKS, TASKS, Built, Task, build, test_is

SEEDS, QUICK_SEEDS = 5, 2
#: Small tasks, where draws matter most, that are run with every seed.
SEEDED = ("hymenoptera-5", "banking77-5", "fsdd-5", "digits-5")
#: Data sets whose pictures are unlike the photos that the base was trained on.
UNLIKE_PHOTOS = ("fsdd", "digits")
#: Errors that say of a strategy asked for by name that it is not for this task: adapters beside convolutions alone, or
#: too few rows to hold any out. `auto` would not have taken it.
_REFUSALS = ("no linear layer", "comparing strategies takes at least")


def measure(options: Options) -> Findings:
    """Run what the ledger lacks, then make tables of all that it holds."""
    ledger = Ledger(options.resume or options.scratch / "runs.jsonl", Key, Outcome)
    if not options.tables_only:
        _run_all(chosen_tasks(options), ledger, options)
    return findings(ledger.read(), options)


def chosen_tasks(options: Options) -> list[Task]:
    """Those asked for, in the order of the list."""
    names = options.tasks or (QUICK_TASKS if options.quick else tuple(task.name for task in TASKS))
    return [task for task in TASKS if task.name in names]


def findings(runs: Mapping[Key, Outcome], options: Options) -> Findings:
    """Tables of ``runs``, complete or not."""
    names = [task.name for task in chosen_tasks(options)]
    by_seed = [regret.rows(runs, names, seed, options.quick) for seed in range(_seeds(options))]
    first = by_seed[0]
    unlike = [row for row in first if row.task.startswith(UNLIKE_PHOTOS)]
    tables = (
        regret.summary(first),
        regret.choices(first),
        regret.scores(first),
        regret.seconds(first),
        regret.seeds(by_seed),
        regret.against_control(unlike),
    )
    return Findings(
        tuple(table for table in tables if table.rows), (*_NOTES, *_data_notes(names), *_lacking(names, first))
    )


_NOTES = (
    "Regret: the best fixed strategy's test score less the other's. That best is chosen on the test part itself, after "
    "the event, so it is flattered; a regret below 0 means that auto beat every fixed strategy, as it does by handing "
    "over a control; counted from 0, that makes up for nothing elsewhere. The means are over "
    "the tasks on which auto and every fixed strategy ran or was refused.",
    "A fixed strategy's score is that of its own model, auto's that of what it handed over, a control where one was.",
    "Seconds are those of whole processes, each with a cache that holds nothing but the runtimes' measured rates. "
    "A share compares them with the sum over all fixed strategies. No run trains the control from random weights: that "
    "is the strategy scratch here.",
    "With another seed the few rows of a cut are drawn anew and headstart gets that seed; the test part stays.",
    "An interval of a gain is the paired 95 % one of result.json, of the strategy's model over the best control.",
)


def _data_notes(names: list[str]) -> list[str]:
    """What each data set's test part is."""
    data = list(dict.fromkeys(task.data for task in TASKS if task.name in names))
    return [
        f"Test parts: {'; '.join(f'{name}, {test_is(name)}' for name in data)}. At most {LIMITS.test:,} test rows, and "
        f"at most {LIMITS.pictures:,} pictures to train on; a number after a name is training rows of each class."
    ]


def _lacking(names: list[str], found: list[Row]) -> list[str]:
    """Which tasks the means leave out, and what failed."""
    whole = {row.task for row in found if row.complete}
    left_out = [name for name in names if name not in whole]
    failed = [
        f"{name} on {row.task} failed: {run.reason}".replace("|", "/")
        for row in found
        for name, run in row.runs.items()
        if run.status == FAILED
    ]
    return [*([f"Not complete: {', '.join(left_out)}."] if left_out else []), *failed]


def _seeds(options: Options) -> int:
    return QUICK_SEEDS if options.quick else SEEDS


def _run_all(tasks: list[Task], ledger: Ledger[Key, Outcome], options: Options) -> None:
    """Every strategy with the first seed, task by task; then the further seeds of the small tasks."""
    for task in tasks:
        _run_task(task, (*FIXED, AUTO), 0, ledger, options)
    for seed in range(1, _seeds(options)):
        for task in (task for task in tasks if task.name in SEEDED):
            (first,) = regret.rows(ledger.read(), [task.name], 0, options.quick)
            if first.best is not None:
                _run_task(task, (first.best, AUTO), seed, ledger, options)


def _run_task(
    task: Task, strategies: tuple[str, ...], seed: int, ledger: Ledger[Key, Outcome], options: Options
) -> None:
    """The runs that the ledger does not hold; failed ones are tried again."""
    done = ledger.read()
    keys = [Key(task.name, strategy, seed, options.quick) for strategy in strategies]
    missing = [key for key in keys if key not in done or done[key].status == FAILED]
    if not missing:
        return
    folder = options.scratch / f"task-{task.name}-{seed}"
    built = build(task, folder / "data", seed, QUICK if options.quick else LIMITS)
    known = _runtimes(built, options)
    for key in missing:
        outcome = _run(built, key, known, folder)
        ledger.append(key, outcome)
        _tell(key, outcome)
    shutil.rmtree(folder)


def _runtimes(built: Built, options: Options) -> Path:
    """A cache that holds the measured rates of the modality's base and nothing else."""
    cache = options.scratch / f"runtimes-{built.modality}"
    if not cache.exists():
        trial = options.scratch / "trial"
        fit([built.source, *built.arguments, *strategy_arguments("probe")], trial / "cache", trial / "run")
        shutil.move(trial / "cache" / "runtimes", cache / "runtimes")
        shutil.rmtree(trial)
    return cache


def _run(built: Built, key: Key, known: Path, folder: Path) -> Outcome:
    """One strategy with a copy of the cache ``known``; what it leaves on disk is removed."""
    work = folder / key.strategy
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(known, work / "cache")
    # the network from random weights is among the strategies, so that no run needs it a second time as a control
    how = (*strategy_arguments(key.strategy), "--no-scratch-baseline", "--seed", str(key.seed))
    try:
        return outcome(fit([built.source, *built.arguments, *how], work / "cache", work / "run"), built)
    except Failed as error:
        said = " ".join(str(error).rpartition(" ended with ")[2].replace(str(folder), "…").split())
        refused = any(reason in said for reason in _REFUSALS)
        return Outcome(REFUSED if refused else FAILED, said, date.today().isoformat())
    finally:
        shutil.rmtree(work)


def outcome(fitted: Fit, built: Built) -> Outcome:
    """What counts of a finished run."""
    result = fitted.result
    gain, own = result["transfer_gain"], float(result["test"]["score"])  # of the borrowed model, always
    control = next(control for control in result["baselines"] if control["name"] == gain["against"])
    is_control = not result["selected"]["base"]
    named = (one for one in result["baselines"] if is_control and one["name"] == result["selected"]["strategy"])
    return Outcome(
        FINISHED,
        "",
        date.today().isoformat(),
        metric=result["metric"],
        score=own,
        handed=next((float(one["score"]) for one in named), own),
        choice=_choice(result["selected"]),
        control=control["name"],
        control_score=float(control["score"]),
        gain=(_number(gain["value"]), _number(gain["low"]), _number(gain["high"])),
        seconds=fitted.process.seconds,
        train_rows=built.train_rows,
        test_rows=built.test_rows,
        whole=built.whole,
    )


def _number(value: float | None) -> float:
    """JSON's null is not a number."""
    return math.nan if value is None else float(value)


def _choice(chosen: dict[str, Any]) -> str:
    return str(chosen["strategy"]) if chosen["base"] else f"control: {chosen['strategy']}"


def _tell(key: Key, outcome: Outcome) -> None:
    what = f"{outcome.score:.3f} in {outcome.seconds:.0f} s" if outcome.status == FINISHED else outcome.status
    print(f"  {key.task}, seed {key.seed}, {key.strategy}: {what}", file=sys.stderr, flush=True)


BENCHMARK = Benchmark(
    "strategies",
    "every strategy on every task, and what auto gives away against the best",
    measure,
    how="one run each, five seeds where a table says so",
)
