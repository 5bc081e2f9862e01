"""Metadata that give the label away: a small classifier on them against always saying the most frequent label.

Each property is judged by its out-of-fold answers (5 parts, copies and groups together) against the majority on the
same rows, with the paired interval of `headstart.evaluation.proportions`, corrected for the number of properties
(Bonferroni). It is a finding where the lower bound closes at least a tenth of the distance from the majority to
faultless: less than that, length or size are ordinary traits of a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.audit.finding import Finding, finding_id
from headstart.audit.metadata import Metadata, metadata
from headstart.data.table import Table
from headstart.evaluation.proportions import paired
from headstart.heads.folds import deal
from headstart.tasks import Classification, get

_PARTS = 5
_LEVEL = 0.95
_CLOSED = 0.1  # share of the distance from majority to faultless
_FEWEST = 20  # rows
_NAME = "file name"


@dataclass(frozen=True)
class Telling:
    """How well one property of the rows tells the label.

    Attributes:
        name: of the property.
        accuracy, majority: share of rows right by the property, and by the most frequent label.
        low, high: bounds of accuracy less majority.
        clues: for names, the words that tell most: word, label, share of the word's rows that have it, rows.
    """

    name: str
    accuracy: float
    majority: float
    low: float
    high: float
    clues: tuple[tuple[str, str, float, int], ...] = ()

    @property
    def gives_away(self) -> bool:
        """Whether it tells more of the label than an ordinary trait would."""
        return self.low >= _CLOSED * (1 - self.majority) and self.low > 0


def telling(known: Metadata, labels: np.ndarray, units: np.ndarray, seed: int = 0) -> list[Telling]:
    """How well each property in ``known`` tells ``labels`` [n] str; ``units`` [n] are held out together."""
    names, y = np.unique(labels, return_inverse=True)
    if len(y) < _FEWEST or len(names) < 2 or len(np.unique(units)) < _PARTS:
        return []
    parts = deal(y, Classification.name, _PARTS, seed=seed, groups=units)
    usual = _majority(y, parts)
    columns: dict[str, Any] = {name: x for name, x in known.numbers.items() if np.ptp(x, axis=0).any()}
    if known.words.shape[1]:
        columns[_NAME] = known.words.tocsr()
    level = 1 - (1 - _LEVEL) / max(1, len(columns))
    found = []
    for name, x in columns.items():
        right, plain = _answers(name, x, y, parts) == y, usual == y
        low, high = paired(float((right & ~plain).sum()), float((plain & ~right).sum()), len(y), level)
        clues = _clues(known, names, y) if name == _NAME else ()
        found.append(Telling(name, float(right.mean()), float(plain.mean()), low, high, clues))
    return found


def _majority(y: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    said = np.empty_like(y)
    for part in parts:
        said[part] = np.bincount(np.delete(y, part)).argmax()
    return said


def _answers(name: str, x: Any, y: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """[n] out-of-fold answers: naive Bayes on the (sparse) words of names, a small tree on numbers."""
    from sklearn.naive_bayes import BernoulliNB
    from sklearn.tree import DecisionTreeClassifier

    said = np.empty_like(y)
    for part in parts:
        known = np.setdiff1d(np.arange(len(y)), part)
        leaves = max(8, 2 * len(np.unique(y)))
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0)
        model: Any = BernoulliNB(alpha=0.1) if name == _NAME else tree
        said[part] = model.fit(x[known], y[known]).predict(x[part])
    return said


def _clues(known: Metadata, names: np.ndarray, y: np.ndarray, most: int = 3) -> tuple[tuple[str, str, float, int], ...]:
    """The words of file names with most rows beyond what their label's share of all rows would give.

    Args:
        names: the labels; ``y`` [n] their numbers.
    """
    found, share = [], np.bincount(y) / len(y)
    for word, start, end in zip(known.names, known.words.indptr, known.words.indptr[1:], strict=False):
        counts = np.bincount(y[known.words.indices[start:end]], minlength=len(names))
        best, rows = int(counts.argmax()), int(counts.sum())
        found.append((counts[best] - rows * share[best], (word, str(names[best]), float(counts[best] / rows), rows)))
    return tuple(clue for _, clue in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:most])


def find_giveaways(table: Table, units: np.ndarray, seed: int = 0) -> list[Finding]:
    """A finding for each property of the rows that gives the label away; none where a row has several labels.

    A regression's values count as above or not above their median.
    """
    if table.targets is None or get(table.task).several or get(table.task).each:
        return []
    labels = np.array(table.targets.tolist())
    if get(table.task).values:
        labels = np.where(labels > np.median(labels), "above the median", "not above the median")
    return [_finding(told) for told in telling(metadata(table), labels, units, seed) if told.gives_away]


def _finding(told: Telling) -> Finding:
    sentence = (
        f"{told.name} alone predicts the label of {told.accuracy:.0%} of the rows, where the most frequent label is "
        f"right for {told.majority:.0%} (gain {told.low:+.2f} to {told.high:+.2f})"
    )
    if told.clues:
        said = (f"{word!r} is {label!r} in {share:.0%} of {rows:,} rows" for word, label, share, rows in told.clues)
        sentence += f"; {', '.join(said)}"
    evidence = {
        "property": told.name,
        "accuracy": told.accuracy,
        "majority": told.majority,
        "low": told.low,
        "high": told.high,
        "clues": [list(clue) for clue in told.clues],
    }
    advice = (
        "ask how the classes were collected: a model can learn this difference instead of the subject, and fail where "
        "it is absent"
    )
    return Finding(finding_id("giveaway", [told.name]), "giveaway", "warning", sentence, advice, (), evidence)
