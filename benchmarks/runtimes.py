"""Rates of every way of running the embedded bases, what parity they keep, and what the allocator's setting brings."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera, read_csv
from benchmarks.process import run
from benchmarks.spread import Spread, ratio, spread
from headstart.bases.catalogue import EMBEDDED

_PROBES = Path(__file__).parent / "probes"
_INPUTS = {"image": 16, "text": 512}  # real inputs given to the choice of runtimes
_QUICK_BASES = ("efficientnet_lite0", "all-MiniLM-L6-v2")


def measure(options: Options) -> Findings:
    """Every embedded base; each measurement in a process of its own."""
    inputs = _inputs(options)
    names = _QUICK_BASES if options.quick else tuple(EMBEDDED)
    rates, allocator = [], []
    for name in names:
        listing = inputs[EMBEDDED[name].modality]
        repeats = [_measure(name, listing, options.scratch / f"runtimes-{name}-{i}") for i in range(options.repeat)]
        naive = spread([repeat["without"] for repeat in repeats])
        rates.extend(_rate_rows(name, repeats, naive))
        kept = spread([repeat["with"] for repeat in repeats])
        allocator.append((name, ratio(kept, naive).text("×"), naive.text("/s", 1), kept.text("/s", 1)))
    return Findings(
        (
            Table(("base", "runtime", "× naive", "examples/s", "least cosine to float32", "used"), tuple(rates)),
            Table(("base", "effect of keeping freed memory", "without (naive)", "with"), tuple(allocator)),
        ),
        _NOTES,
    )


_NOTES = (
    "Rates are those that `headstart.bases.runtime.choose` measures on real inputs in a fresh process: 8 photos, or 32 "
    "queries of middling length.",
    "Naive: eager float32 at batch 32, texts in file order padded to the longest, glibc's allocator as it comes; "
    "`benchmarks/probes/eager.py`, which does not import headstart. Keeping freed memory changes nothing else there.",
)


def _inputs(options: Options) -> dict[str, Path]:
    """One JSON file of real inputs for each modality."""
    photos = sorted(str(path) for path in hymenoptera(options).glob("train/*/*.jpg"))
    texts = [row["text"] for row in read_csv(banking77(options) / "train.csv")]
    listings = {}
    for modality, values in (("image", photos), ("text", texts)):
        count = _INPUTS[modality]
        spaced = values[:: max(1, len(values) // count)][:count]  # over all classes
        listings[modality] = options.scratch / f"{modality}-inputs.json"
        listings[modality].write_text(json.dumps(spaced), encoding="utf-8")
    return listings


def _measure(name: str, listing: Path, cache: Path) -> dict[str, Any]:
    """The runtimes as tried, and eager rates without and with the allocator's setting."""
    chosen = run([sys.executable, _PROBES / "rates.py", name, listing], {"HEADSTART_CACHE": str(cache)})
    eager: list[str | Path] = [sys.executable, _PROBES / "eager.py", name, listing]
    without, kept = (json.loads(run([*eager, how]).stdout)["rate"] for how in ("as-it-comes", "keep-freed"))
    return {"tried": json.loads(chosen.stdout)["tried"], "without": without, "with": kept}


def _rate_rows(name: str, repeats: list[dict[str, Any]], naive: Spread) -> list[tuple[str, ...]]:
    tried: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for repeat in repeats:
        for measured in repeat["tried"]:
            tried[measured["name"]].append(measured)
    rows: list[tuple[str, ...]] = [(name, "naive", "1", naive.text("/s", 1), "", "")]
    for runtime, found in tried.items():
        left_out = next((measured["left_out"] for measured in found if measured["left_out"]), "")
        rate = spread([measured["rate"] for measured in found])
        cosine = min(measured["cosine"] for measured in found)
        used = f"no: {left_out}".replace("|", "/") if left_out else "yes"
        rows.append((name, runtime, ratio(rate, naive).text("×"), rate.text("/s", 1), f"{cosine:.5f}", used))
    return rows


BENCHMARK = Benchmark("runtimes", "rate and parity of every runtime, and what the allocator's setting brings", measure)
