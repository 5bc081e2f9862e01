"""How many of labels that were flipped on purpose an audit finds."""

from __future__ import annotations

import numpy as np

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import read_csv, real

_FLIPPED, _LOOKED_AT = 0.05, 0.07  # shares of the rows
_QUICK_ROWS = 1_000
_SEEDS = 3


def measure(options: Options) -> Findings:
    """The training rows of banking77, with other flips for every seed."""
    rows = read_csv(real("banking77") / "train.csv")[: _QUICK_ROWS if options.quick else None]
    texts = [row["text"] for row in rows]
    names = sorted({row["category"] for row in rows})
    y = np.array([names.index(row["category"]) for row in rows])
    found = tuple(_row(texts, y, len(names), seed) for seed in range(1 if options.quick else _SEEDS))
    header = ("seed", "rows", "flipped", f"found in the worst {_LOOKED_AT:.0%}", "flagged", "of those flipped")
    return Findings((Table(header, found),), _NOTES)


_NOTES = (
    f"{_FLIPPED:.0%} of the labels are set to another class drawn evenly. Ranked and flagged as `headstart audit` "
    "does: by out-of-fold probabilities of a head on the embedded base's features.",
)


def _row(texts: list[str], y: np.ndarray, classes: int, seed: int) -> tuple[str, ...]:
    from headstart.audit.labels import suspects
    from headstart.bases.catalogue import open_base
    from headstart.training.features import extract

    rng = np.random.default_rng(seed)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[rng.choice(len(y), round(_FLIPPED * len(y)), replace=False)] = True
    given = np.where(wrong, (y + rng.integers(1, classes, len(y))) % classes, y)
    vectors = extract(open_base(None, "text"), texts).vectors
    found = suspects(vectors, given, "classification", classes, np.arange(len(y)), seed)
    worst = found.order[: round(_LOOKED_AT * len(y))]
    share = wrong[worst].sum() / wrong.sum()
    flagged = f"{wrong[found.flagged].mean():.1%}" if len(found.flagged) else "–"
    return str(seed), f"{len(y):,}", f"{wrong.sum():,}", f"{share:.1%}", f"{len(found.flagged):,}", flagged


BENCHMARK = Benchmark("labels", "labels flipped on purpose, found by the audit", measure, how="one run a seed")
