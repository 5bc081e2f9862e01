"""The command: ``python -m benchmarks`` lists, ``python -m benchmarks NAME…`` or ``all`` measures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks import (
    calibration,
    duplicates,
    floor,
    labels,
    memory,
    page,
    prefix,
    race,
    runtimes,
    shift,
    simulations,
    startup,
    strategies,
    throughput,
    unknown,
)
from benchmarks.benchmark import Benchmark, Options, Unavailable
from benchmarks.machine import machine, versions
from benchmarks.process import Failed
from benchmarks.tasks import TASKS

#: In the order of the page.
_MODULES = (
    floor,
    race,
    strategies,
    throughput,
    prefix,
    runtimes,
    memory,
    startup,
    unknown,
    calibration,
    labels,
    simulations,
    shift,
    duplicates,
)
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in _MODULES}
_HOURS = strategies.BENCHMARK.name  # the one that tasks are chosen for and that goes on where it broke off


def main(arguments: list[str] | None = None) -> int:
    """List, or measure and print, and with ``--write`` put into docs/benchmarks.md; 1 where something could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.quick and given.write:
        parser.error("--quick and --write came together; quick figures are no measurement, so leave one out")
    names = list(BENCHMARKS) if "all" in given.names else given.names
    if (given.tasks or given.resume or given.tables_only) and _HOURS not in names:
        parser.error(f"--tasks, --resume and --tables-only are for {_HOURS}; name it")
    if given.tables_only and (given.resume is None or names != [_HOURS]):
        parser.error(f"--tables-only goes with --resume FILE and {_HOURS} alone")
    if not names:
        for benchmark in BENCHMARKS.values():
            print(f"{benchmark.name:11} {benchmark.about}")
        return 0
    return max([_measure(BENCHMARKS[name], given) for name in names])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Without names: the list of benchmarks.")
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=f"{', '.join(BENCHMARKS)} or all")
    parser.add_argument("--repeat", type=_positive, default=3, metavar="N", help="how often (default 3)")
    parser.add_argument("--quick", action="store_true", help="small subsets: does it run? The figures mean nothing")
    parser.add_argument("--write", action="store_true", help="put the findings into docs/benchmarks.md")
    parser.add_argument(
        "--tasks", type=_tasks, default=(), metavar="A,B", help=f"of {_HOURS}: {', '.join(task.name for task in TASKS)}"
    )
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help=f"of {_HOURS}: add each finished run to FILE, skip those it holds"
    )
    parser.add_argument("--tables-only", action="store_true", help=f"of {_HOURS}: the tables of what FILE holds")
    return parser


def _known(name: str) -> str:
    if name not in (*BENCHMARKS, "all"):
        raise argparse.ArgumentTypeError(f"{name!r} is unknown; there are {', '.join(BENCHMARKS)} and all")
    return name


def _tasks(text: str) -> tuple[str, ...]:
    known = [task.name for task in TASKS]
    names = tuple(text.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is no task; there are {', '.join(known)}")
    return names


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of repeats; give 1 or more")
    return int(text)


def _measure(benchmark: Benchmark, given: argparse.Namespace) -> int:
    """Run one; 0, or 1 with the reason on stderr."""
    print(f"{benchmark.name}: {benchmark.about} …", file=sys.stderr, flush=True)
    before = machine()
    with tempfile.TemporaryDirectory(prefix="headstart-bench-") as scratch:
        try:
            findings = benchmark.run(_options(given, Path(scratch)))
        except (Unavailable, Failed) as error:
            print(f"{benchmark.name} could not run: {error}", file=sys.stderr)
            return 1
    how = benchmark.how.format(repeat=given.repeat)
    lines = [
        f"## {benchmark.name}: {benchmark.about}",
        f"`{_command(benchmark, given)}`, {date.today().isoformat()}; {how}.  \n{before}.  \n{versions()}.",
        findings.markdown(),
    ]
    section = "\n\n".join(lines)
    print(section, flush=True)
    if given.write:
        page.write(benchmark.name, section)
    return 0


def _options(given: argparse.Namespace, scratch: Path) -> Options:
    return Options(scratch, given.repeat, given.quick, given.tasks, given.resume, given.tables_only)


def _command(benchmark: Benchmark, given: argparse.Namespace) -> str:
    """The command that measures this section again."""
    words = ["python -m benchmarks", benchmark.name]
    words += [f"--repeat {given.repeat}"] if "{repeat}" in benchmark.how else []
    words += [f"--tasks {','.join(given.tasks)}"] if given.tasks and benchmark.name == _HOURS else []
    return " ".join([*words, "--quick" if given.quick else "--write"])


if __name__ == "__main__":
    sys.exit(main())
