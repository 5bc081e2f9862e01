"""How the rows are spread over classes and parts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from headstart.audit.finding import Finding, finding_id
from headstart.data.naming import counted, some
from headstart.data.strata import count_labels, labels_of
from headstart.data.table import PARTS, Table
from headstart.tasks import get

_FEW = 10  # rows of a class under which neither learning nor judging it is sure
_RATIO = 10  # largest to smallest class from which accuracy mostly tells about the largest


def find_imbalance(table: Table) -> list[Finding]:
    """Findings on the classes or labels of ``table``, or on a regression target that does not vary."""
    if table.targets is None:
        return []
    if get(table.task).values:
        return _constant_target(table)
    labels = labels_of(table)
    counts = count_labels(labels)
    if len(counts) < 2:
        return [_one_class(table, counts)]
    return [*_rare(table, labels, counts), *_uneven(counts), *_absent(table, labels, counts)]


def _constant_target(table: Table) -> list[Finding]:
    values = np.array(table.targets, dtype=float)
    if np.ptp(values) > 0:
        return []
    sentence = f"the target is {values[0]:.15g} in all {len(values):,} rows"
    return [_finding("constant", "error", sentence, "no model can be trained on it; name another target")]


def _one_class(table: Table, counts: Counter[str]) -> Finding:
    sentence = f"only one class, {some(map(repr, counts)) or 'no label at all'}, in {len(table):,} rows"
    return _finding("one class", "error", sentence, "training needs examples of two or more classes")


def _rare(table: Table, labels: list[tuple[str, ...]], counts: Counter[str]) -> list[Finding]:
    rare = sorted((label for label, count in counts.items() if count < _FEW), key=lambda name: (counts[name], name))
    if not rare:
        return []
    ids = [str(table.ids[row]) for row, own in enumerate(labels) if set(own) & set(rare)]
    sentence = (
        f"{counted(len(rare), 'class has', 'classes have')} fewer than {_FEW} rows: "
        f"{some(f'{name} {counts[name]}' for name in rare)}"
    )
    advice = "add examples, or merge the class with another: so few are enough neither to train nor to evaluate"
    return [_finding("rare", "warning", sentence, advice, ids, {"counts": {name: counts[name] for name in rare}})]


def _uneven(counts: Counter[str]) -> list[Finding]:
    (large, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
    if most < _RATIO * least:
        return []
    sentence = f"the largest class, {large}, has {most:,} rows, {most / least:.0f} times those of the smallest, {small}"
    advice = "judge by a metric that counts classes alike, such as balanced_accuracy or f1_macro"
    return [_finding("uneven", "note", sentence, advice, evidence={"largest": most, "smallest": least})]


def _absent(table: Table, labels: list[tuple[str, ...]], counts: Counter[str]) -> list[Finding]:
    """Classes without a row in a given part; in training that is an error, as nothing can learn them."""
    found = []
    given = np.where(table.split == "", "train", table.split) if (table.split != "").any() else table.split
    for part in PARTS:
        inside = given == part
        if not inside.any():
            continue
        here = count_labels(own for own, is_in in zip(labels, inside, strict=True) if is_in)
        absent = sorted(counts.keys() - here.keys())
        if absent:
            sentence = f"{counted(len(absent), 'class', 'classes')} without a row in {part}: {some(absent)}"
            severity = "error" if part == "train" else "warning"
            advice = f"give {part} rows of every class, or leave the class out of the data"
            found.append(_finding(f"absent {part}", severity, sentence, advice, evidence={"classes": absent}))
    return found


def _finding(
    about: str,
    severity: str,
    sentence: str,
    suggestion: str,
    rows: list[str] | None = None,
    evidence: dict | None = None,
) -> Finding:
    ident = finding_id("balance", [about])
    return Finding(ident, "balance", severity, sentence, suggestion, tuple(rows or ()), evidence or {})
