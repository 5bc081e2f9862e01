"""Slices that nobody named: properties of inputs, such as the length of a text, and clusters of features.

Numbers are cut into thirds, so that a slice has rows enough to be judged; the cut points are those of these rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.slices import LEAST_ROWS

_PARTS = 3
_LEAST = _PARTS * LEAST_ROWS  # rows under which no third could have an interval
_CLUSTERS, _CLUSTER_ROWS = 8, 30  # clusters at most, and rows for each on average at least


def properties(
    told: Mapping[str, np.ndarray],
    units: Mapping[str, tuple[str, int]],
    vectors: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Column -> [n] str, ready for `headstart.evaluation.slices.by_slice`.

    Columns that do not tell rows apart are left out; under 15 rows there are none.

    Args:
        told: property -> [n] float (nan where it cannot be told) or str.
        units: property -> its unit, and the digits behind the point that it is shown with.
        vectors: [n, d] features to cluster, or None.
        names: [n] true labels, by which clusters are told apart for the reader, or None.

    Raises:
        SettingError: ``vectors`` that are not finite.
    """
    if min((len(values) for values in told.values()), default=_LEAST) < _LEAST:
        return {}
    columns = {name: binned(values, *units.get(name, ("", 2))) for name, values in told.items()}
    if vectors is not None and len(vectors) >= 2 * _CLUSTER_ROWS:
        columns["cluster"] = clusters(vectors, names, seed=seed)
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def binned(values: np.ndarray, unit: str = "", digits: int = 2) -> np.ndarray:
    """[n] str: text as it is, numbers as the third they lie in, such as "1–34 characters".

    Equal numbers share a bin, so there may be fewer than three; nan becomes "not known".
    """
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        return values.astype(str)
    known = np.isfinite(values.astype(float))
    out = np.full(len(values), "not known", dtype=object)
    if known.any():
        out[known] = _thirds(values[known].astype(float), unit, digits)
    return out.astype(str)


def clusters(vectors: np.ndarray, names: Sequence[str] | None = None, *, seed: int = 0) -> np.ndarray:
    """[n] str: the k-means cluster of every row of ``vectors`` [n, d] on the sphere, at most eight of them.

    With ``names`` [n], each is told by its two most frequent ones, as in "2: ants, bees"; else by its number.

    Raises:
        SettingError: ``vectors`` that are not finite.
    """
    from scipy.cluster.vq import kmeans2

    vectors = np.asarray(vectors, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise SettingError("features to cluster hold values that are not finite numbers; compute them anew.")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    k = int(np.clip(min(len(vectors) // _CLUSTER_ROWS, _distinct(vectors, _CLUSTERS)), 1, _CLUSTERS))
    _, which = kmeans2(vectors / np.maximum(length, 1e-12), k, minit="++", seed=np.random.default_rng(seed))
    titles = {int(number): _title(int(number), which, names) for number in np.unique(which)}
    return np.array([titles[int(number)] for number in which], dtype=str)


def _distinct(vectors: np.ndarray, most: int) -> int:
    """How many different rows there are, counted up to ``most``."""
    seen: set[bytes] = set()
    for row in vectors:
        seen.add(row.tobytes())
        if len(seen) == most:
            break
    return len(seen)


def _thirds(values: np.ndarray, unit: str, digits: int) -> np.ndarray:
    """The bin of every value by the least and the greatest value in it, as shown."""
    shown = np.round(values, digits)
    edges = np.unique(np.quantile(shown, np.arange(1, _PARTS) / _PARTS, method="lower"))
    which = np.searchsorted(edges, shown, side="left")
    out = np.empty(len(values), dtype=object)
    for part in np.unique(which):
        rows = which == part
        low, high = (f"{bound:.{digits}f}" for bound in (shown[rows].min(), shown[rows].max()))
        between = "–" if shown.min() >= 0 else " to "  # a dash before a minus sign cannot be read
        out[rows] = f"{low if low == high else f'{low}{between}{high}'} {unit}".rstrip()
    return out


def _title(number: int, which: np.ndarray, names: Sequence[str] | None) -> str:
    if names is None:
        return str(number + 1)
    counts = Counter(str(name) for name, own in zip(names, which, strict=True) if own == number)
    common = sorted(counts, key=lambda name: (-counts[name], name))
    return f"{number + 1}: {', '.join(common[:2])}{' …' if len(common) > 2 else ''}"
