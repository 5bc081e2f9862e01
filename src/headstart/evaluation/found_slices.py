"""Slices that nobody named: size, shape and brightness of pictures, length and script of texts, clusters of features.

Numbers are cut into thirds, so that a slice has rows enough to be judged; the cut points are those of these rows.
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.slices import LEAST_ROWS

#: Property -> its unit, and the digits behind the point that it is shown with.
UNITS = {
    "size": ("megapixels", 2),
    "aspect": ("width / height", 2),
    "brightness": ("of white", 2),
    "length": ("characters", 0),
}
_PARTS = 3
_LEAST = _PARTS * LEAST_ROWS  # rows under which no third could have an interval
_CLUSTERS, _CLUSTER_ROWS = 8, 30  # clusters at most, and rows for each on average at least
_SIDE = 64  # pixels to which pictures are reduced to tell their brightness
_ROTATED = range(5, 9)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112


def properties(
    inputs: Sequence[Any],
    modality: str,
    vectors: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Column -> [n] str, ready for `headstart.evaluation.slices.by_slice`.

    Columns that do not tell rows apart are left out; under 15 rows there are none.

    Args:
        inputs: [n] as in a table: pictures as path, bytes, PIL image or array [h, w(, c)]; texts.
        modality: "image" or "text".
        vectors: [n, d] features to cluster, or None.
        names: [n] true labels, by which clusters are told apart for the reader, or None.

    Raises:
        SettingError: ``vectors`` that are not finite.
    """
    if len(inputs) < _LEAST:
        return {}
    columns = {name: binned(name, values) for name, values in measured(inputs, modality).items()}
    if vectors is not None and len(vectors) >= 2 * _CLUSTER_ROWS:
        columns["cluster"] = clusters(vectors, names, seed=seed)
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def measured(inputs: Sequence[Any], modality: str) -> dict[str, np.ndarray]:
    """Property -> [n] float (nan where it cannot be told) or str, for inputs of ``modality`` "image" or "text"."""
    if modality == "image":
        with ThreadPoolExecutor() as pool:  # Pillow decodes without holding other threads up
            measured = np.array(list(pool.map(_picture, inputs)), dtype=float).reshape(-1, 3)
        return dict(zip(("size", "aspect", "brightness"), measured.T, strict=True))
    if modality == "text":
        return {
            "length": np.array([len(text) for text in inputs], dtype=float),
            "script": np.array([script(text) for text in inputs], dtype=object),
        }
    return {}


def binned(name: str, values: np.ndarray) -> np.ndarray:
    """[n] str: text as it is, numbers as the third they lie in, such as "1–34 characters" for ``name`` "length".

    Equal numbers share a bin, so there may be fewer than three; nan becomes "not known".
    """
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        return values.astype(str)
    known = np.isfinite(values.astype(float))
    out = np.full(len(values), "not known", dtype=object)
    if known.any():
        out[known] = _thirds(values[known].astype(float), *UNITS.get(name, ("", 2)))
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


def script(text: str) -> str:
    """The writing system of most letters of ``text``, such as "Latin", "Cyrillic" or "Cjk"; "none" without letters.

    It is the first word of the letters' Unicode names: which language is written, it does not tell.
    """
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return min(counts, key=lambda name: (-counts[name], name)) if counts else "none"


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "other").split()[0].split("-")[0].title()


def _thirds(values: np.ndarray, unit: str, digits: int) -> np.ndarray:
    """The bin of every value by the least and the greatest value in it, as shown."""
    shown = np.round(values, digits)
    edges = np.unique(np.quantile(shown, np.arange(1, _PARTS) / _PARTS, method="lower"))
    which = np.searchsorted(edges, shown, side="left")
    out = np.empty(len(values), dtype=object)
    for part in np.unique(which):
        rows = which == part
        low, high = (f"{bound:.{digits}f}" for bound in (shown[rows].min(), shown[rows].max()))
        out[rows] = f"{low if low == high else f'{low}–{high}'} {unit}".rstrip()
    return out


def _title(number: int, which: np.ndarray, names: Sequence[str] | None) -> str:
    if names is None:
        return str(number + 1)
    counts = Counter(str(name) for name, own in zip(names, which, strict=True) if own == number)
    common = sorted(counts, key=lambda name: (-counts[name], name))
    return f"{number + 1}: {', '.join(common[:2])}{' …' if len(common) > 2 else ''}"


def _picture(item: Any) -> tuple[float, float, float]:
    """Megapixels, width over height as shown, and mean brightness from 0 to 1; nan for what cannot be read."""
    from PIL import Image

    try:
        if isinstance(item, np.ndarray):
            return _array(item)
        if isinstance(item, Image.Image):
            return _measured(item)
        with Image.open(io.BytesIO(item) if isinstance(item, bytes) else item) as picture:
            return _measured(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return float("nan"), float("nan"), float("nan")


def _measured(picture: Any) -> tuple[float, float, float]:
    width, height = picture.size
    if picture.getexif().get(_ORIENTATION) in _ROTATED:
        width, height = height, width
    picture.draft("L", (_SIDE, _SIDE))  # a JPEG is decoded at a fraction of its size
    grey = np.asarray(picture.convert("L").resize((_SIDE, _SIDE)))
    return width * height / 1e6, width / height, float(grey.mean()) / 255


def _array(pixels: np.ndarray) -> tuple[float, float, float]:
    height, width = pixels.shape[:2]
    whole = 255.0 if np.issubdtype(pixels.dtype, np.integer) else 1.0
    return (
        width * height / 1e6,
        width / height,
        float(pixels[..., :3].mean() if pixels.ndim == 3 else pixels.mean()) / whole,
    )
