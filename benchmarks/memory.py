"""Peak memory of a fit: it must not grow with the number of pictures more than their features do."""

from __future__ import annotations

from pathlib import Path

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import pictures
from benchmarks.fitting import PROBE, Fit, fit
from benchmarks.spread import against, ratio, spread

_COUNTS, _QUICK_COUNTS = (2_000, 20_000), (24, 48)
_GOAL = 3.0  # GiB


def measure(options: Options) -> Findings:
    """Fits on few and on many generated pictures, each on an empty cache."""
    few, many = _QUICK_COUNTS if options.quick else _COUNTS
    fits = {
        count: [
            _fit(count, pictures(options.scratch / f"pictures-{count}", count), _folder(count, i, options))
            for i in range(options.repeat)
        ]
        for count in (few, many)
    }
    peaks = {count: spread([f.process.peak for f in found]) for count, found in fits.items()}
    growth = ratio(peaks[many], peaks[few]).text("×")
    rows = [(f"{count:,}", peaks[count].text("GiB"), against(peaks[count].median, _GOAL, " GiB")) for count in peaks]
    return Findings(
        (
            Table(("pictures", "peak memory of `headstart fit --strategy probe`", "goal"), tuple(rows)),
            Table((f"peak at {many:,} pictures ÷ peak at {few:,}",), ((growth,),)),
        ),
        ("Generated JPEGs of 256 × 256 pixels, 4 classes; empty cache, so that runtimes are measured too.",),
    )


def _folder(count: int, repeat: int, options: Options) -> Path:
    """Of the run and its cache: a new one each time, save where quick, as measuring the runtimes takes longest."""
    return options.scratch / ("memory" if options.quick else f"memory-{count}-{repeat}")


def _fit(count: int, source: Path, folder: Path) -> Fit:
    found = fit([source, *PROBE], folder / "cache", folder / "run")
    rows = found.result["data"]["rows"]
    if rows != count:
        raise ValueError(f"{count} pictures were written but {rows} rows fitted")
    return found


BENCHMARK = Benchmark("memory", "peak memory of fitting 20,000 pictures, and 2,000", measure)
