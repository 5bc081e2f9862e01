"""The command: ``python -m benchmarks`` lists, ``python -m benchmarks NAME…`` or ``all`` measures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks import (
    audio,
    bases,
    calibration,
    choices,
    costs,
    distance,
    duplicates,
    extrapolation,
    floor,
    labels,
    memory,
    page,
    prefix,
    published,
    race,
    runtimes,
    serving,
    shift,
    simulations,
    size,
    startup,
    strategies,
    tags,
    throughput,
    unknown,
)
from benchmarks.benchmark import Benchmark, Options, Unavailable
from benchmarks.machine import machine, versions
from benchmarks.process import Failed

#: In the order of the page.
_MODULES = (
    floor,
    race,
    strategies,
    throughput,
    prefix,
    runtimes,
    memory,
    size,
    startup,
    serving,
    audio,
    tags,
    unknown,
    calibration,
    labels,
    simulations,
    choices,
    shift,
    duplicates,
    bases,
    published,
    distance,
    extrapolation,
    costs,
)
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in _MODULES}
#: Those that take hours: name -> the tasks that may be chosen. They go on where they broke off.
_HOURS = {
    module.BENCHMARK.name: tuple(dict.fromkeys(task.name for task in module.TASKS))
    for module in (strategies, bases, costs)
}


def main(arguments: list[str] | None = None) -> int:
    """List, or measure and print, and with ``--write`` put into docs/benchmarks.md; 1 where something could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.quick and given.write:
        parser.error("--quick and --write came together; quick figures are no measurement, so leave one out")
    names = list(BENCHMARKS) if "all" in given.names else given.names
    if (given.tasks or given.resume or given.tables_only) and (len(names) != 1 or names[0] not in _HOURS):
        parser.error(f"--tasks, --resume and --tables-only are for one of {', '.join(_HOURS)}; name it alone")
    if given.tables_only and given.resume is None:
        parser.error("--tables-only goes with --resume FILE")
    for name in given.tasks:
        if name not in _HOURS[names[0]]:
            parser.error(f"--tasks: {name!r} is no task of {names[0]}; there are {', '.join(_HOURS[names[0]])}")
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
    parser.add_argument("--tasks", type=_tasks, default=(), metavar="A,B", help=f"of {', '.join(_HOURS)}: these alone")
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help=f"of {', '.join(_HOURS)}: add each finished run to FILE, skip those it holds",
    )
    parser.add_argument(
        "--tables-only", action="store_true", help=f"of {', '.join(_HOURS)}: the tables of what FILE holds"
    )
    return parser


def _known(name: str) -> str:
    if name not in (*BENCHMARKS, "all"):
        raise argparse.ArgumentTypeError(f"{name!r} is unknown; there are {', '.join(BENCHMARKS)} and all")
    return name


def _tasks(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


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
    words += [f"--tasks {','.join(given.tasks)}"] if given.tasks and benchmark.name in _HOURS else []
    return " ".join([*words, "--quick" if given.quick else "--write"])


if __name__ == "__main__":
    sys.exit(main())
