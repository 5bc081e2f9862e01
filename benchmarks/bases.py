"""What `rank` gives away against the best base, found by fitting every base on every task.

Also makes the results that ``rank`` ships as its prior: ``python -m benchmarks.bases RUNS.jsonl`` writes them to
``recorded.json``. A task is ranked without those of its own data set.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.fitting import fit, strategy_arguments
from benchmarks.ledger import Ledger
from benchmarks.process import run
from benchmarks.tasks import LIMITS, Built, Limits, Task, build, test_is

BASES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
CUTS = (5, 10, 20, 50, 100)
DATA = ("hymenoptera", "fsdd", "digits", "bccd")
TASKS = tuple(Task(data, cut) for data in DATA for cut in CUTS)
QUICK_TASKS = ("hymenoptera-5", "bccd-5")
_QUICK = Limits(test=40, pictures=40)
_RANK = "rank"
#: Accuracy on ImageNet-1k, which the bases were trained on, in per cent: one more task on which they were compared
#: (github.com/tensorflow/tpu, models/official/efficientnet/lite/README.md, FP32). Over bases it goes with accuracy
#: after transfer (Kornblith, Shlens & Le 2019, arXiv:1805.08974).
IMAGENET = dict(zip(BASES, (75.1, 76.7, 77.6), strict=True))
_RECORDED = Path(__file__).resolve().parents[1] / "src" / "headstart" / "ranking" / "recorded.json"


@dataclass(frozen=True)
class Key:
    """Which run: a base, or `rank`, on one task's draw."""

    task: str
    what: str
    seed: int
    quick: bool = False


@dataclass(frozen=True)
class Found:
    """What a run found.

    Attributes:
        day: when, ISO 8601.
        seconds: of the whole process, on a cache that knows the machine and none of the data.
        score: of a base: its probe's on the test part, in points.
        metric: that it is in.
        pick: of `rank`: its winner.
        scores: of `rank`: score -> base -> value; the expected one among them.
    """

    day: str
    seconds: float
    score: float = 0.0
    metric: str = ""
    pick: str = ""
    scores: Mapping[str, Mapping[str, float]] | None = None


def measure(options: Options) -> Findings:
    """Run what the ledger lacks, then make tables of all that it holds."""
    ledger = Ledger(options.resume or options.scratch / "bases.jsonl", Key, Found)
    tasks = chosen(options)
    if not options.tables_only:
        for task in tasks:
            _run_task(task, ledger, options)
    return findings(ledger.read(), [task.name for task in tasks], options.quick)


def chosen(options: Options) -> list[Task]:
    """The tasks asked for."""
    names = options.tasks or (QUICK_TASKS if options.quick else tuple(task.name for task in TASKS))
    return [task for task in TASKS if task.name in names]


def _run_task(task: Task, ledger: Ledger[Key, Found], options: Options) -> None:
    done = ledger.read()
    missing = [key for what in (*BASES, _RANK) if (key := Key(task.name, what, 0, options.quick)) not in done]
    if not missing:
        return
    folder = options.scratch / f"bases-{task.name}"
    shutil.rmtree(folder, ignore_errors=True)
    built = build(task, folder / "data", 0, _QUICK if options.quick else LIMITS)
    for key in missing:
        found = _run(key, task, built, _machine(built, options), folder)
        ledger.append(key, found)
        said = f"{found.score:.1f}" if key.what != _RANK else found.pick
        print(f"  {key.task}, {key.what}: {said} in {found.seconds:.0f} s", file=sys.stderr, flush=True)
    shutil.rmtree(folder)


def _machine(built: Built, options: Options) -> Path:
    """A cache that holds the measured rates of the three bases and nothing else."""
    cache = options.scratch / "runtimes-of-bases"
    if not cache.exists():
        trial = options.scratch / "trial-of-bases"
        for base in BASES:
            fit([built.source, *built.arguments, *_probe(base)], trial / "cache", trial / "run")
        shutil.move(trial / "cache" / "runtimes", cache / "runtimes")
        shutil.rmtree(trial)
    return cache


def _probe(base: str) -> tuple[str, ...]:
    return (*strategy_arguments("probe"), "--no-scratch-baseline", "--base", base)


def _run(key: Key, task: Task, built: Built, known: Path, folder: Path) -> Found:
    """One process on a copy of the cache ``known``, which is removed afterwards."""
    work = folder / key.what
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(known, work / "cache")
    try:
        return _ranked(task, built, work / "cache") if key.what == _RANK else _fitted(key.what, built, work)
    finally:
        shutil.rmtree(work)


def _fitted(base: str, built: Built, work: Path) -> Found:
    fitted = fit([built.source, *built.arguments, *_probe(base)], work / "cache", work / "run")
    result = fitted.result
    control = next(one for one in result["baselines"] if one["name"] == result["transfer_gain"]["against"])
    borrowed = result["selected"]["base"]  # else a control was handed over; the base's own score is the gain over it
    score = result["test"]["score"] if borrowed else control["score"] + result["transfer_gain"]["value"]
    return Found(_today(), fitted.process.seconds, 100 * float(score), result["metric"])


def _ranked(task: Task, built: Built, cache: Path) -> Found:
    words = list(built.arguments)
    options = {words[i].lstrip("-"): words[i + 1] for i in range(0, len(words), 2)}
    command = [sys.executable, "-m", "benchmarks.probes.rank_bases", task.data, built.source, json.dumps(options)]
    finished = run(command, {"HEADSTART_CACHE": str(cache)})
    found = json.loads(finished.stdout)
    scores: dict[str, dict[str, float]] = {"expected": {}}
    for one in found["candidates"]:
        scores["expected"][one["base"]] = one["expected"]
        for row in one["evidence"]:
            if row["value"] is not None:
                scores.setdefault(row["name"], {})[one["base"]] = row["value"]
    return Found(_today(), finished.seconds, metric=found["metric"], pick=found["winner"], scores=scores)


def _today() -> str:
    return date.today().isoformat()


@dataclass(frozen=True)
class Row:
    """One task with all its runs."""

    task: str
    bases: dict[str, Found]
    rank: Found

    @property
    def best(self) -> str:
        """The base with the best test score."""
        return max(self.bases, key=lambda base: self.bases[base].score)

    def regret(self, base: str) -> float:
        """Points that ``base`` is behind the best."""
        return self.bases[self.best].score - self.bases[base].score

    @property
    def share(self) -> float:
        """`rank`'s seconds over those of fitting every base."""
        return self.rank.seconds / sum(one.seconds for one in self.bases.values())

    def by(self, score: str) -> str | None:
        """The base that one score alone would pick, of equals the first; None where not all have it."""
        values = (self.rank.scores or {}).get(score, {})
        return max(BASES, key=lambda base: values[base]) if set(values) >= set(BASES) else None


def rows(runs: Mapping[Key, Found], names: list[str], quick: bool) -> list[Row]:
    """The tasks whose runs are all there."""
    found = []
    for name in names:
        here = {key.what: one for key, one in runs.items() if (key.task, key.seed, key.quick) == (name, 0, quick)}
        if {*BASES, _RANK} <= set(here):
            found.append(Row(name, {base: here[base] for base in BASES}, here[_RANK]))
    return found


def findings(runs: Mapping[Key, Found], names: list[str], quick: bool) -> Findings:
    """Tables of ``runs``, complete or not."""
    found = rows(runs, names, quick)
    lacking = [name for name in names if name not in {row.task for row in found}]
    tables = (summary(found), by_task(found)) if found else ()
    data = list(dict.fromkeys(name.partition("-")[0] for name in names))
    return Findings(
        tables,
        (
            *_NOTES,
            f"Test parts: {'; '.join(f'{name}, {test_is(name)}' for name in data)}. At most {LIMITS.test:,} test rows.",
            *([f"Not complete: {', '.join(lacking)}."] if lacking else []),
        ),
    )


_NOTES = (
    "Regret: the best base's test score less the pick's, in points. That best is chosen on the test part itself, after "
    "the event, so it is flattered.",
    "A base's score is that of `headstart fit --strategy probe --base BASE`; exhaustive time is the sum of those whole "
    "processes, which read the test part too. Every process finds a cache that knows the machine and none of the data.",
    "`rank` sees the training rows only, and no recorded result of the data set itself.",
)


def summary(found: list[Row]) -> Table:
    """Regret of `rank`, of each single score and of each base throughout."""
    single = sorted({score for row in found for score in row.rank.scores or {}})
    picks: dict[str, Callable[[Row], str | None]] = {"rank": lambda row: row.rank.pick}
    picks |= {f"{score} alone": lambda row, score=score: row.by(score) for score in single}  # type: ignore[misc]
    picks |= {f"always {base}": lambda row, base=base: base for base in BASES}  # type: ignore[misc]
    lines = []
    for name, pick in picks.items():
        regrets = [row.regret(base) for row in found if (base := pick(row)) is not None]
        if regrets:
            share = statistics.fmean(row.share for row in found) if name == "rank" else None
            best = sum(regret <= 0 for regret in regrets)
            lines.append(
                (
                    name,
                    str(len(regrets)),
                    f"{statistics.fmean(regrets):.2f}",
                    f"{max(regrets):.2f}",
                    f"{best} of {len(regrets)}",
                    "" if share is None else f"{share:.0%}",
                )
            )
    header = ("picked by", "tasks", "mean regret", "worst regret", "best base picked", "time ÷ exhaustive, mean")
    return Table(header, tuple(lines))


def by_task(found: list[Row]) -> Table:
    """Every task: each base's score, the pick, its regret and its share of the time."""
    header = ("task", "metric", *BASES, "rank picked", "regret", "time ÷ exhaustive")
    return Table(
        header,
        tuple(
            (
                row.task,
                row.bases[row.best].metric,
                *(
                    f"**{one.score:.1f}**" if base == row.best else f"{one.score:.1f}"
                    for base, one in row.bases.items()
                ),
                row.rank.pick,
                f"{row.regret(row.rank.pick):.2f}",
                f"{row.share:.0%}",
            )
            for row in found
        ),
    )


def recorded(runs: Mapping[Key, Found], how: str) -> dict[str, Any]:
    """The bases' results as ``recorded.json`` holds them."""
    ran = sorted(((key.task, key.what, found.score) for key, found in runs.items() if key.what in BASES))
    rows = [*(("imagenet", base, score) for base, score in IMAGENET.items()), *ran]
    results = [
        {
            "data": task.partition("-")[0],
            "task": task,
            "modality": "image",
            "kind": "classification",
            "base": base,
            "score": round(score, 3),
        }
        for task, base, score in rows
    ]
    return {"how": how, "results": results}


def main(ledger: str) -> None:
    """Write ``recorded.json`` from the runs in ``ledger``."""
    runs = Ledger(Path(ledger), Key, Found).read()
    how = f"probes on each base, test score in points; python -m benchmarks bases, {_today()}; imagenet: as published"
    _RECORDED.write_text(json.dumps(recorded(runs, how), indent=1) + "\n", encoding="utf-8")


BENCHMARK = Benchmark(
    "bases",
    "what rank gives away against the best base, found by fitting all of them",
    measure,
    how="one run each, on a cache that knows the machine and none of the data",
)

if __name__ == "__main__":
    main(*sys.argv[1:])
