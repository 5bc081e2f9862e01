"""Near-duplicate pictures: the same picture resized, re-compressed, cropped a little or lit anew."""

from __future__ import annotations

import time

import numpy as np

from headstart.audit.overlay import agreement
from headstart.audit.thumbnails import Thumbnails

#: Agreement of detail from which on two pictures may be one.
LEAST = 0.88
_ODDS = 0.125  # share of the disagreement of unlike pictures of the data that duplicates may have at most
_NEAR = 6  # bits in 64 up to which the hashes alone tell that pictures look the same
_FAR = 26  # bits from which on pictures look different
_SAMPLE = 100  # pairs that teach how far unlike pictures of the data agree
_RANK = 50  # neighbours nearer than this one may be duplicates
_BATCH = 256  # pairs between looks at the clock
_SEED = 0


def verified(
    thumbnails: Thumbnails,
    vectors: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    until: float | None = None,
) -> tuple[np.ndarray, list[str], int]:
    """Similarity [m] in 0..1 of pairs of pictures, 0 where a pair is no near duplicate; how; how many were seen.

    Pairs whose perceptual hashes are not far apart are laid over one another, and the detail of their thumbnails must
    agree: by at least 0.88, and in data whose pictures are all alike (digits, scans) by more than those agree that are
    near but no duplicates. Only pictures of the pairs, and of a sample where any agree, are decoded.

    Args:
        thumbnails: of n pictures.
        vectors: [n, d] features, which tell what is near.
        first, second: [m] rows.
        until: `time.perf_counter` at which to stop.
    """
    similarity, how, seen = np.zeros(len(first), np.float32), [""] * len(first), len(first)
    for start in range(0, len(first), _BATCH):
        a, b = first[start : start + _BATCH].tolist(), second[start : start + _BATCH].tolist()
        if not thumbnails.make(a + b, until) or (until is not None and time.perf_counter() > until):
            seen = start
            break
        for i, (x, y) in enumerate(zip(a, b, strict=True), start):
            similarity[i], how[i] = _compared(thumbnails, x, y)
    if similarity.any():
        similarity[similarity < _least(thumbnails, vectors)] = 0
    return similarity, how, seen


def _compared(thumbnails: Thumbnails, x: int, y: int) -> tuple[float, str]:
    a, b = thumbnails.picture(x), thumbnails.picture(y)
    if a is None or b is None:
        return 0.0, ""
    apart = int(np.count_nonzero(thumbnails.hash(x) != thumbnails.hash(y)))
    found = agreement(a, b) if apart < _FAR else 0.0
    return found if found >= LEAST else 0.0, "picture hash" if apart <= _NEAR else "features"


def _least(thumbnails: Thumbnails, vectors: np.ndarray) -> float:
    """Agreement that duplicates must reach in these data: from pairs that are near, but have many between them."""
    n = len(vectors)
    rows = np.random.default_rng(_SEED).permutation(n)[:_SAMPLE]
    rank = min(_RANK, n // 2)
    cosine = (vectors[rows] @ vectors.T) / np.maximum(
        np.linalg.norm(vectors, axis=1), 1e-12
    )  # but for the row's length
    others = np.argpartition(-cosine, rank, axis=1)[:, rank]
    thumbnails.make([*rows.tolist(), *others.tolist()])
    pairs = [(x, y) for x, y in zip(rows.tolist(), others.tolist(), strict=True) if x != y]
    pictures = [(thumbnails.picture(x), thumbnails.picture(y)) for x, y in pairs]
    alike = [agreement(a, b) for a, b in pictures if a is not None and b is not None]
    return max(LEAST, 1 - _ODDS * (1 - float(np.quantile(alike, 0.95)))) if alike else LEAST
