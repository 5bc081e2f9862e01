"""What a fit takes beside features and heads where rows and classes are many, and how that grows with the rows."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.process import run
from benchmarks.spread import against

_PROBE = Path(__file__).parent / "probes" / "size.py"
_ROWS, _CLASSES, _SAMPLE = (25_000, 100_000), 100, 2_048  # the last: texts that are embedded to tell the rate
_QUICK_ROWS, _QUICK_CLASSES, _QUICK_SAMPLE = (500, 1_000), 10, 128
_SHARE, _MEMORY = 0.2, 4.0  # goals: of the run's time, embedding included; GiB
#: Steps that are not beside features and heads.
_APART = ("heads", "features, from the cache")


def measure(options: Options) -> Findings:
    """One run a size, each in a process of its own with an empty cache."""
    sizes = _QUICK_ROWS if options.quick else _ROWS
    found = {rows: _run(rows, options) for rows in sizes}
    return Findings((_shares(found), _steps(found)), _NOTES)


_NOTES = (
    "A run with `--strategy probe` on made-up texts of 6 to 15 words, whose features, made up too, are in the cache. "
    "One text in a hundred is a near duplicate of another.",
    "Embedding: what it would take to compute the features, from the rate of the default base on 1,984 further texts "
    "in the same process before; the run itself reads them from the cache. Share: all but features and heads, of the "
    "whole run with embedding.",
    "Memory: the greatest of the whole process, with the libraries and the base that the embedding loaded.",
    "The seconds of the steps are told from looks at the main thread every 10 ms. Growth: the power of the rows by "
    "which they grow between the two sizes; 1 is in proportion, 2 with the square.",
)


def _run(rows: int, options: Options) -> dict[str, Any]:
    classes, sample = (_QUICK_CLASSES, _QUICK_SAMPLE) if options.quick else (_CLASSES, _SAMPLE)
    folder = options.scratch / f"size-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, _PROBE, str(rows), str(classes), str(sample), folder]
    told: dict[str, Any] = json.loads(run(command, {"HEADSTART_CACHE": str(folder / "cache")}).stdout)
    if told["rows"] != rows:
        raise ValueError(f"{rows} texts were written but {told['rows']} rows fitted")
    return told | {"classes": classes}


def beside(told: dict[str, Any]) -> float:
    """Seconds beside features and heads."""
    return float(sum(seconds for step, seconds in told["steps"].items() if step not in _APART))


def share(told: dict[str, Any]) -> float:
    """Those of the whole run, embedding included."""
    return beside(told) / (told["seconds"] + told["embedding"])


def _shares(found: dict[int, dict[str, Any]]) -> Table:
    header = ("rows", "classes", "embedding", "heads", "beside these", "share", "goal", "peak memory", "goal")
    return Table(
        header,
        tuple(
            (
                f"{rows:,}",
                str(told["classes"]),
                f"{told['embedding']:.0f} s",
                f"{told['steps'].get('heads', 0.0):.1f} s",
                f"{beside(told):.1f} s",
                f"{share(told):.0%}",
                against(share(told), _SHARE),
                f"{told['peak']:.2f} GiB",
                against(told["peak"], _MEMORY, " GiB"),
            )
            for rows, told in found.items()
        ),
    )


def _steps(found: dict[int, dict[str, Any]]) -> Table:
    (few, first), (many, last) = found.items()
    longest = sorted(last["steps"], key=lambda step: -last["steps"][step])
    lines = []
    for step in longest:
        before, after = first["steps"].get(step, 0.0), last["steps"][step]
        power = f"{math.log(after / before) / math.log(many / few):.1f}" if before >= 1 else ""
        lines.append((step, f"{before:.1f} s", f"{after:.1f} s", power))
    return Table(("step", f"{few:,} rows", f"{many:,} rows", "growth"), tuple(lines))


BENCHMARK = Benchmark("size", "time and memory beside features and heads at 100,000 rows", measure, "measured once")
