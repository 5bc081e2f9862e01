"""Copies as findings: leaks across given parts, copies whose labels differ, and plain repetition."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.audit.clusters import clusters
from headstart.audit.duplicates import Pairs
from headstart.audit.finding import Finding, finding_id, label_text, shown
from headstart.data.naming import counted, some
from headstart.data.table import PARTS, Table
from headstart.tasks import get as get_task

_APART = 0.1  # standard deviations of a regression target by which values of one content may differ


def find_copies(table: Table, keys: np.ndarray, pairs: Pairs) -> list[Finding]:
    """A finding for each set of copies, and another one where the labels in the set differ.

    Args:
        table: n rows.
        keys: [n] content hashes.
        pairs: verified copies among them.
    """
    cluster = clusters(pairs, len(table))
    links: dict[int, list[int]] = {}
    for link, number in enumerate(cluster[pairs.first].tolist()):
        links.setdefault(number, []).append(link)
    found = []
    for rows in sets_of(cluster):
        facts = _facts(table, rows, pairs, links[int(cluster[rows[0]])])
        exact = len(set(keys[rows])) == 1
        found.append(_leak(table, rows, facts, exact) or _copy(table, rows, facts, exact))
        if _labels_differ(table, rows, exact):
            found.append(_contradiction(table, rows, facts, exact))
    return found


def sets_of(cluster: np.ndarray) -> list[np.ndarray]:
    """The rows of each number of ``cluster`` [n] that more than one row has, in the order of the rows."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order])) + 1
    return sorted((rows for rows in np.split(order, starts) if len(rows) > 1), key=lambda rows: int(rows[0]))


def _facts(table: Table, rows: np.ndarray, pairs: Pairs, links: list[int]) -> dict[str, Any]:
    return {
        "examples": shown(table, rows),
        "similarity": round(float(pairs.similarity[links].min()), 4),
        "how": sorted({pairs.how[link] for link in links}),
    }


def _leak(table: Table, rows: np.ndarray, facts: dict[str, Any], exact: bool) -> Finding | None:
    """Copies in more than one given part; rows without a part will be drawn so that they stay together."""
    parts = [part for part in PARTS if (table.split[rows] == part).any()]
    if (table.split[rows] == "").any() and parts and "train" not in parts:
        parts.insert(0, "train")  # what no part is given to is trained on once another part is
    if len(parts) < 2:
        return None
    same = "the same input" if exact else "near-identical inputs"
    return Finding(
        finding_id("leak", table.ids[rows]),
        "leak",
        "error",
        f"{same} in {' and '.join(parts)}: {some(table.ids[rows], 4)}",
        "keep such rows in one split only; --apply drops them from training and leaves the test set as it is",
        tuple(table.ids[rows].tolist()),
        facts | {"parts": parts, "held_out": int(np.isin(table.split[rows], PARTS[1:]).sum())},
    )


def _copy(table: Table, rows: np.ndarray, facts: dict[str, Any], exact: bool) -> Finding:
    kind = "duplicate" if exact else "near-duplicate"
    what = "with the same content" if exact else f"nearly alike (similarity {facts['similarity']:.2f})"
    keep = "keep one of them; --apply does" if exact else "look, and keep one where they show the same thing"
    return Finding(
        finding_id(kind, table.ids[rows]),
        kind,
        "note",
        f"{counted(len(rows), 'row')} {what}: {some(table.ids[rows], 4)}",
        f"{keep}; a drawn split keeps them on one side either way",
        tuple(table.ids[rows].tolist()),
        facts,
    )


def _labels_differ(table: Table, rows: np.ndarray, exact: bool) -> bool:
    if table.targets is None:
        return False
    task = get_task(table.task)
    if task.each:  # those with as many words are compared: near duplicates may be split otherwise
        tags = {tuple(table.targets[row]) for row in rows}
        return len(tags) > len({len(one) for one in tags})
    if task.values:
        values = np.array(table.targets, dtype=float)
        return exact and float(np.ptp(values[rows])) > _APART * float(values.std())
    return len({_as_set(table.targets[row]) for row in rows}) > 1


def _as_set(target: Any) -> frozenset[str]:
    return frozenset(target) if isinstance(target, tuple) else frozenset([target])


def _contradiction(table: Table, rows: np.ndarray, facts: dict[str, Any], exact: bool) -> Finding:
    labels = list(dict.fromkeys(label_text(table, row) for row in rows))
    same = "the same input" if exact else "nearly the same input"
    _, first = np.unique([label_text(table, row) for row in rows], return_index=True)
    return Finding(
        finding_id("label", ["copies", *table.ids[rows]]),
        "label",
        "error" if exact else "warning",
        f"{same} is labelled {some(map(repr, labels), 4)}: {some(table.ids[rows], 4)}",
        "at most one of these labels is right; correct the others",
        tuple(table.ids[rows].tolist()),
        facts | {"given": labels, "because": "copies", "examples": shown(table, rows[np.sort(first)])},
    )
