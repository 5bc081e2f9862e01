"""Near duplicates: pairs of rows that are the same input but for what does not change its meaning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.audit import near_images, near_texts
from headstart.audit.near_features import candidates
from headstart.audit.one_apart import one_apart
from headstart.audit.thumbnails import Thumbnails
from headstart.modalities import get

_BY_WORDS, _BY_LOOKS = 3, 5  # candidates a row; most of the texts' come from their words


@dataclass(frozen=True)
class Pairs:
    """Verified near-duplicate pairs of rows.

    Attributes:
        first, second: [m] int row numbers, first < second.
        similarity: [m] 0..1.
        how: [m] "content", "picture hash", "words" or "features".
        unlooked: candidate pairs that there was no time to verify, the least alike ones.
    """

    first: np.ndarray
    second: np.ndarray
    similarity: np.ndarray
    how: tuple[str, ...]
    unlooked: int = 0

    def __len__(self) -> int:
        return len(self.first)


def near_duplicates(
    inputs: Sequence[Any] | np.ndarray,
    modality: str,
    keys: np.ndarray,
    vectors: np.ndarray | None,
    labels: np.ndarray | None = None,
    *,
    shapes: np.ndarray | None = None,
    seconds: float | None = None,
) -> Pairs:
    """The pairs among ``inputs`` that are duplicates or near duplicates.

    Equal contents are chained, each row with the one before. Among different contents the nearest by features are
    verified: texts by their words, pictures by perceptual hash and the detail of their thumbnails.

    Args:
        inputs: n texts or pictures.
        modality: of texts and of pictures near ones are found, of others equal contents.
        keys: [n] content hashes, "" where an input cannot be read.
        vectors: [n, d] features; None: candidates come from the words or the shapes alone, which finds of texts only
            those of which one word makes the difference.
        labels: [n] classes, to learn from what is no duplicate.
        shapes: [n, d] small grey versions of pictures, flattened, such as the first 256 of their classical features;
            candidates then come from these, too, which features that know no such pictures would miss.
        seconds: that verifying may take; the most alike pairs come first.
    """
    until = None if seconds is None else time.perf_counter() + seconds
    same, distinct = _equal(np.asarray(keys))
    rows = _Rows([inputs[row] for row in distinct.tolist()], *(_some(a, distinct) for a in (vectors, shapes, labels)))
    near = _near(rows, modality, until)
    return Pairs(
        np.concatenate([same.first, distinct[near.first]]),
        np.concatenate([same.second, distinct[near.second]]),
        np.concatenate([same.similarity, near.similarity]),
        same.how + near.how,
        near.unlooked,
    )


def _equal(keys: np.ndarray) -> tuple[Pairs, np.ndarray]:
    """Pairs of rows of equal content, each with the one before, and the first row of each content."""
    last: dict[str, int] = {}
    first, second, distinct = [], [], []
    for row, key in enumerate(keys.tolist()):
        if not key:
            continue
        if key in last:
            first.append(last[key])
            second.append(row)
        else:
            distinct.append(row)
        last[key] = row
    found = Pairs(
        np.array(first, int), np.array(second, int), np.ones(len(first), np.float32), ("content",) * len(first)
    )
    return found, np.array(distinct, int)


@dataclass(frozen=True)
class _Rows:
    """Inputs of different contents with what is known of them."""

    inputs: list[Any]
    vectors: np.ndarray | None
    shapes: np.ndarray | None
    labels: np.ndarray | None


def _some(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """Those of different ``rows``, in order; not copied where these are all."""
    return values if values is None or len(rows) == len(values) else np.asarray(values)[rows]


def _near(rows: _Rows, modality: str, until: float | None) -> Pairs:
    own = get(modality)
    if own.tokenised:
        return _texts(rows, until)
    if own.classical is not None and own.classical.shapes:
        return _images(rows, until)
    return _pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32), [])


def _texts(rows: _Rows, until: float | None) -> Pairs:
    words = [near_texts.words(text) for text in rows.inputs]
    first, second = one_apart(words)
    if rows.vectors is not None:
        near = candidates(rows.vectors, rows.labels, _BY_WORDS).rows()
        first, second = _united((first, second), near, len(words))
    similarity, seen = near_texts.verified(words, first, second, until)
    return _pairs(first, second, similarity, ["words"] * len(first), len(first) - seen)


def _united(
    some: tuple[np.ndarray, np.ndarray], others: tuple[np.ndarray, np.ndarray], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """``some`` pairs of rows below ``n``, then those of ``others`` that are new, in their order."""
    numbers = np.concatenate([some[0] * n + some[1], others[0] * n + others[1]])
    new = np.sort(np.unique(numbers, return_index=True)[1])
    return numbers[new] // n, numbers[new] % n


def _images(rows: _Rows, until: float | None) -> Pairs:
    thumbnails = Thumbnails(rows.inputs)
    shapes = thumbnails.shapes() if rows.shapes is None and rows.vectors is None else rows.shapes
    known = [vectors for vectors in (_even(shapes), rows.vectors) if vectors is not None]
    near = [candidates(vectors, rows.labels, _BY_LOOKS).rows() for vectors in known]
    first, second = _united(near[0], near[-1], len(rows.inputs))
    similarity, how, seen = near_images.verified(thumbnails, known[-1], first, second, until)
    return _pairs(first, second, similarity, how, len(first) - seen)


def _even(shapes: np.ndarray | None) -> np.ndarray | None:
    """``shapes`` whatever their brightness."""
    return None if shapes is None else shapes - shapes.mean(axis=1, keepdims=True)


def _pairs(first: np.ndarray, second: np.ndarray, similarity: np.ndarray, how: list[str], unlooked: int = 0) -> Pairs:
    kept = np.flatnonzero(similarity > 0)
    return Pairs(first[kept], second[kept], similarity[kept], tuple(how[i] for i in kept), unlooked)
