"""The rows by which bases are ranked: at most 2,000, drawn evenly, none of the test part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headstart.data.split import assign
from headstart.data.strata import count_labels, labels_of, strata
from headstart.data.table import Table
from headstart.errors import LabelError
from headstart.settings import SplitSettings
from headstart.training.features import content_keys

#: Most rows looked at.
MOST = 2000
#: Fewest examples of each class, and fewest rows of other tasks.
FEWEST, FEWEST_ROWS = 5, 20


@dataclass(frozen=True)
class Sample:
    """Rows to rank by.

    Attributes:
        table: the rows, in a random order in which every stratum is spread evenly.
        available: rows outside the test part, unreadable ones included.
        set_aside: rows of the test part.
        facts: what should be known of the draw.
    """

    table: Table
    available: int
    set_aside: int
    facts: tuple[str, ...]


def check_rows(table: Table) -> None:
    """Refuse tables that are too small to tell bases apart.

    Raises:
        LabelError: no labels, one class only, or a class of too few examples outside a given test part.
    """
    if table.targets is None:
        raise LabelError("the examples have no labels; name the target column with --target.")
    known = table.take(table.split != "test")
    if table.task != "classification":
        if len(known) < FEWEST_ROWS:
            raise LabelError(
                f"there are {len(known)} labelled rows outside the test part; ranking bases takes at least "
                f"{FEWEST_ROWS}. Add labelled rows, or fit with the default base."
            )
        return
    counts = count_labels(labels_of(known))
    if len(counts) < 2:
        raise LabelError(f"only one class was found ({', '.join(counts) or 'none'}); ranking needs two or more.")
    label, count = min(counts.items(), key=lambda pair: (pair[1], pair[0]))
    if count < FEWEST:
        few = sum(1 for value in counts.values() if value < FEWEST)
        raise LabelError(
            f"{few} of {len(counts)} classes have fewer than {FEWEST} examples outside the test part, the smallest "
            f"{label!r} with {count}; ranking bases takes at least {FEWEST} of each. Label more, or fit with the "
            "default base."
        )


def sample_of(table: Table, seed: int) -> Sample:
    """The rows to rank ``table`` by, after `check_rows`.

    A given test part is left out. Where none is given, the part that `fit` would draw with ``seed`` is, as far as it
    does not depend on near duplicates, which take all rows' features to find. Of equal inputs one is kept.

    Raises:
        SplitError, LabelError: no test part can be drawn.
    """
    keys = content_keys(table.inputs, table.modality)[0]
    given = bool((table.split == "test").any())
    readable = keys != ""
    known, known_keys = table.take(readable), keys[readable]
    parts = known.split if given else assign(known, SplitSettings(seed=seed), keys=known_keys)[0].split
    working = np.flatnonzero(parts != "test")
    distinct = working[np.sort(np.unique(known_keys[working].astype(str), return_index=True)[1])]
    rows = known.take(distinct)
    order = _spread(strata(rows), np.random.default_rng(seed))[:MOST]
    facts = []
    if not given:
        facts.append("no test part is given, so rows that `fit` with this seed would draw for it were left out")
    if len(distinct) < len(working):
        facts.append(f"{len(working) - len(distinct):,} rows repeat another one's input and were left out")
    taken = rows.take(order)
    return Sample(
        replace(taken, split=np.full(len(taken), "", dtype="U5")),
        len(working),
        int((parts == "test").sum()),
        tuple(facts),
    )


def _spread(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All rows in random order, so that any beginning has of each stratum its share, and the first few of each first.

    A row that is the i-th of m drawn from its stratum stands at (i + ½)/m; the first five of each come before others.
    """
    order = rng.permutation(len(groups))
    place = np.empty(len(groups))
    early = np.zeros(len(groups), dtype=bool)
    for stratum in np.unique(groups):
        rows = order[groups[order] == stratum]
        place[rows] = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
        early[rows[:FEWEST]] = True
    return np.lexsort((place, ~early)) if len(groups) > MOST else np.argsort(place, kind="stable")
