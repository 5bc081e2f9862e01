"""The command: ``python -m benchmarks`` lists, ``python -m benchmarks NAME…`` or ``all`` measures."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks import floor, memory, page, race, runtimes, startup
from benchmarks.benchmark import Benchmark, Options, Unavailable
from benchmarks.machine import machine, versions
from benchmarks.process import Failed

#: In the order of the page.
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in (floor, race, runtimes, memory, startup)}


def main(arguments: list[str] | None = None) -> int:
    """List, or measure and print, and with ``--write`` put into docs/benchmarks.md; 1 where something could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.quick and given.write:
        parser.error("--quick and --write came together; quick figures are no measurement, so leave one out")
    if not given.names:
        for benchmark in BENCHMARKS.values():
            print(f"{benchmark.name:10} {benchmark.about}")
        return 0
    names = list(BENCHMARKS) if "all" in given.names else given.names
    return max([_measure(BENCHMARKS[name], given) for name in names])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Without names: the list of benchmarks.")
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=f"{', '.join(BENCHMARKS)} or all")
    parser.add_argument("--repeat", type=_positive, default=3, metavar="N", help="how often (default 3)")
    parser.add_argument("--quick", action="store_true", help="small subsets: does it run? The figures mean nothing")
    parser.add_argument("--write", action="store_true", help="put the findings into docs/benchmarks.md")
    return parser


def _known(name: str) -> str:
    if name not in (*BENCHMARKS, "all"):
        raise argparse.ArgumentTypeError(f"{name!r} is unknown; there are {', '.join(BENCHMARKS)} and all")
    return name


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
            findings = benchmark.run(Options(Path(scratch), given.repeat, given.quick))
        except (Unavailable, Failed) as error:
            print(f"{benchmark.name} could not run: {error}", file=sys.stderr)
            return 1
    command = (
        f"python -m benchmarks {benchmark.name} --repeat {given.repeat}{' --quick' if given.quick else ' --write'}"
    )
    lines = [
        f"## {benchmark.name}: {benchmark.about}",
        f"`{command}`, {date.today().isoformat()}; median and range of {given.repeat} repeats.  \n{before}.  \n"
        f"{versions()}.",
        findings.markdown(),
    ]
    section = "\n\n".join(lines)
    print(section, flush=True)
    if given.write:
        page.write(benchmark.name, section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
