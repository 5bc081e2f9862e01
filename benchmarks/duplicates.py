"""Whether planted duplicates are found, nothing else is taken for one, and how long that takes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import planting
from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera, pictures, read_csv
from benchmarks.process import run

_PROBE = Path(__file__).parent / "probes" / "near_duplicates.py"
_TEXTS, _QUICK_TEXTS = 500, 20  # planted of each kind
_MANY, _QUICK_MANY = 20_000, 60  # made-up pictures
_COPIED = 20  # one made-up picture in so many has a copy
_RECALL, _PRECISION, _SHARE = 0.95, 0.98, 0.3  # goals; the last: seconds as a share of those of embedding


@dataclass(frozen=True)
class Planted:
    """Inputs of which some are changed copies of others.

    Attributes:
        modality: "image", inputs being paths, or "text".
        inputs, labels: [n]; a copy has its original's label.
        original: [n] row that a row is a copy of, its own where it is none.
        kind: [n] how it was changed, "" for originals.
    """

    modality: str
    inputs: list[str]
    labels: list[str]
    original: list[int]
    kind: list[str]

    def plant(self, row: int, copy: str, kind: str) -> None:
        """Add a copy of ``row``."""
        self.inputs.append(copy)
        self.labels.append(self.labels[row])
        self.original.append(row)
        self.kind.append(kind)


def measure(options: Options) -> Findings:
    """Both real sets, then many made-up pictures."""
    sets = {"hymenoptera": _photos(options), "banking77": _texts(options)}
    found = [(name, planted, _find(planted, options.scratch / f"duplicates-{name}")) for name, planted in sets.items()]
    return Findings(
        (
            Table(
                ("data", "rows", "planted", "recall", "goal", "pairs found", "precision", "goal", "seconds"),
                tuple(_row(*one) for one in found),
            ),
            Table(("data", "kind of copy", "planted", "found"), tuple(row for one in found for row in _kinds(*one))),
            _many(options),
        ),
        _NOTES,
    )


_NOTES = (
    "Recall: the share of planted copies that are paired with their original directly, not through a third row.",
    "Precision: the share of the pairs found that are duplicates: planted ones (a copy with its original, or two "
    "copies of one original) and those that the data hold themselves. Of photos none is granted. Two texts are "
    "granted when they are of one class and share 85 % of their content words (all of fewer than seven), misspelt "
    "ones forgiven: a rule of the benchmark, which knows neither features nor the weights of words that the "
    "search goes by. Every other pair, and every pair of two classes, counts as false.",
    "Seconds, and growth of the peak memory: of finding them, the features being there. The labels are not given.",
)


def _photos(options: Options) -> Planted:
    """Every photo with a copy of each kind."""
    photos = [path for path in sorted(hymenoptera(options).glob("*/*/*")) if path.suffix == ".jpg"]
    folder = options.scratch / "duplicates-copies"
    planted = _plain("image", [str(path) for path in photos], [path.parent.name for path in photos])
    _copy(planted, list(range(len(photos))), list(planting.PICTURES), folder)
    return planted


def _copy(planted: Planted, rows: list[int], kinds: list[str], folder: Path) -> None:
    """Changed copies of picture files, written to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for kind in kinds:
        for row in rows:
            path = folder / f"{len(planted.inputs):06}.jpg"
            path.write_bytes(planting.copied(Path(planted.inputs[row]), kind, rng))
            planted.plant(row, str(path), kind)


def _texts(options: Options) -> Planted:
    """Copies of each kind, each of other texts."""
    rows = [row for part in ("train.csv", "test.csv") for row in read_csv(banking77(options) / part)]
    planted = _plain("text", [row["text"] for row in rows], [row["category"] for row in rows])
    rng = np.random.default_rng(0)
    draws = iter(rng.permutation(len(rows)).tolist())
    for kind, change in planting.TEXTS.items():
        for _ in range(_QUICK_TEXTS if options.quick else _TEXTS):
            row = next(draws)
            planted.plant(row, change(planted.inputs[row], rng), kind)
    return planted


def _plain(modality: str, inputs: list[str], labels: list[str]) -> Planted:
    return Planted(modality, inputs, labels, list(range(len(inputs))), [""] * len(inputs))


def _find(planted: Planted, folder: Path) -> dict[str, Any]:
    """What the probe tells of it, in a process of its own with an empty cache."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "inputs.json"
    given = {"modality": planted.modality, "inputs": planted.inputs, "labels": None}
    listing.write_text(json.dumps(given), encoding="utf-8")
    done = run([sys.executable, _PROBE, listing], {"HEADSTART_CACHE": str(folder / "cache")})
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def is_duplicate(planted: Planted, first: int, second: int) -> bool:
    """Whether a pair is planted, or granted as one that the data hold."""
    if planted.original[first] == planted.original[second]:
        return True
    a, b = planted.inputs[first], planted.inputs[second]
    return planted.modality == "text" and planted.labels[first] == planted.labels[second] and planting.genuine(a, b)


def _row(name: str, planted: Planted, told: dict[str, Any]) -> tuple[str, ...]:
    copies = [row for row, kind in enumerate(planted.kind) if kind]
    recall = len(_recalled(planted, told)) / len(copies)
    right = sum(is_duplicate(planted, first, second) for first, second in told["pairs"])
    precision = right / max(1, len(told["pairs"]))
    return (
        name,
        f"{len(planted.inputs):,}",
        f"{len(copies):,}",
        f"{recall:.3f}",
        _reached(recall, _RECALL),
        f"{len(told['pairs']):,}",
        f"{precision:.3f}",
        _reached(precision, _PRECISION),
        f"{told['seconds']:.1f} s",
    )


def _reached(value: float, goal: float) -> str:
    return f"≥ {goal:g}: {'met' if value >= goal else 'missed'}"


def _recalled(planted: Planted, told: dict[str, Any]) -> list[int]:
    """The copies that are paired with their original; a change may also leave the very same text."""
    found = {(first, second) for first, second in told["pairs"]}
    copies = [row for row, kind in enumerate(planted.kind) if kind]
    return [
        row
        for row in copies
        if (planted.original[row], row) in found or planted.inputs[row] == planted.inputs[planted.original[row]]
    ]


def _kinds(name: str, planted: Planted, told: dict[str, Any]) -> list[tuple[str, ...]]:
    recalled = [planted.kind[row] for row in _recalled(planted, told)]
    kinds = [kind for kind in dict.fromkeys(planted.kind) if kind]
    return [
        (name, kind, str(count := planted.kind.count(kind)), f"{recalled.count(kind) / count:.3f}") for kind in kinds
    ]


def _many(options: Options) -> Table:
    """Seconds of the search as a share of those of embedding, and memory."""
    count = _QUICK_MANY if options.quick else _MANY
    folder = options.scratch / f"duplicates-pictures-{count}"
    made = sorted(pictures(folder / "made", count).glob("*/*.jpg"))
    planted = _plain("image", [str(path) for path in made], [path.parent.name for path in made])
    _copy(planted, list(range(0, count, _COPIED)), ["trimmed"], folder / "copies")
    told = _find(planted, folder)
    share = told["seconds"] / told["embedding"]
    return Table(
        ("made-up pictures", "embedding", "search", "search ÷ embedding", "goal", "peak memory grows by", "recall"),
        (
            (
                f"{len(planted.inputs):,}",
                f"{told['embedding']:.0f} s",
                f"{told['seconds']:.0f} s",
                f"{share:.2f}",
                f"≤ {_SHARE:g}: {'met' if share <= _SHARE else 'missed'}",
                f"{told['grown']:.2f} GiB",
                f"{len(_recalled(planted, told)) / (count / _COPIED):.3f}",
            ),
        ),
    )


BENCHMARK = Benchmark("duplicates", "planted duplicates found, and at what cost", measure, "measured once")
