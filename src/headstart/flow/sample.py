"""The rows by which bases are ranked: at most 2,000, drawn evenly, none of the test part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headstart.data.memory import Memory, Source
from headstart.data.split import assign
from headstart.data.strata import strata
from headstart.data.table import Table
from headstart.evaluation.wording import count
from headstart.flow.enough import FEWEST
from headstart.settings import SplitSettings
from headstart.training.features import content_keys

#: Most rows looked at.
MOST = 2000


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


def sample_of(table: Table, seed: int) -> Sample:
    """The rows to rank ``table`` by, after `check_enough`.

    A given test part is left out. Where none is given, the part that `fit` would draw with ``seed`` is, as far as it
    does not depend on near duplicates, which take all rows' features to find. Of equal inputs one is kept.

    Raises:
        SplitError, LabelError: no test part can be drawn.
    """
    keys = content_keys(table.inputs, table.modality)[0]
    given = bool((table.split == "test").any())
    readable = keys != ""
    known, known_keys = table.take(readable), keys[readable]
    parts = known.split if given else assign(known, SplitSettings(seed=seed), known_keys, known_keys)[0].split
    working = np.flatnonzero(parts != "test")
    distinct = working[np.sort(np.unique(known_keys[working].astype(str), return_index=True)[1])]
    rows = known.take(distinct)
    order = _spread(strata(rows), np.random.default_rng(seed))[:MOST]
    facts = []
    if not given:
        facts.append("no test set is given, so rows that `fit` with this seed would draw for it were left out")
    if len(distinct) < len(working):
        facts.append(
            f"{count(len(working) - len(distinct), 'row repeats', 'rows repeat')} another one's input, left out"
        )
    taken = rows.take(order)
    return Sample(
        replace(taken, split=np.full(len(taken), "", dtype="U5")),
        len(working),
        int((parts == "test").sum()),
        tuple(facts),
    )


def history_ids(source: Source, table: Table) -> np.ndarray:
    """What the task is remembered by: the ids of the rows outside a given test part; their contents' keys in memory.

    Rows in memory are called by their place alone, which those of any other data have too.
    """
    rows = table.take(table.split != "test")
    return content_keys(rows.inputs, rows.modality)[0] if isinstance(source, Memory) else rows.ids


def _spread(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All rows in random order, so that any beginning has of each stratum its share, and the first few of each first.

    A row that is the i-th of m drawn from its stratum stands at (i + ½)/m; the first five of each come before others.
    """
    order = rng.permutation(len(groups))
    place = np.empty(len(groups))
    early = np.zeros(len(groups), dtype=bool)
    by_stratum = order[np.argsort(groups[order], kind="stable")]
    for rows in np.split(by_stratum, np.flatnonzero(np.diff(groups[by_stratum])) + 1):
        place[rows] = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
        early[rows[:FEWEST]] = True
    return np.lexsort((place, ~early)) if len(groups) > MOST else np.argsort(place, kind="stable")
