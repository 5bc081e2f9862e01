"""Features in their principal axes: what makes every solver here cheap.

With Z = (x - centre) @ axes the weighted scatter ZᵀWZ is diagonal, so ridge is a division, LDA a diagonal
plus a term of rank k, and logistic regression well conditioned after scaling each axis. An orthogonal
rotation leaves every L2 penalty as it was, and where there are more features than rows the solutions lie in
the span of the rows (representer theorem), so n axes are enough and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads.linear import LinearHead

#: Rows handled at a time where float64 copies are made.
CHUNK = 4096
#: Axes whose power is below this share of the largest are rounding noise of the float32 features.
NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class Rotation:
    """n rows in r principal axes, scaled as a whole so that the mean squared length of a row is 1.

    Attributes:
        rows: [n, r] float32.
        weights: [n] float64, mean 1: what each row counts for.
        power: [r] float64, descending: the diagonal of ZᵀWZ.
        axes: [d, r] float32: rows = (x - centre) @ axes.
        centre: [d] float64: the weighted mean of the features.
        dim: number of features that vary; the dimension in which covariances are shrunk.
    """

    rows: np.ndarray
    weights: np.ndarray
    power: np.ndarray
    axes: np.ndarray
    centre: np.ndarray
    dim: int

    def head(self, weight: np.ndarray, bias: np.ndarray, task: str, kind: str, settings: dict) -> LinearHead:
        """The head on plain features equal to ``rows @ weight + bias`` ([r, outputs], [outputs])."""
        plain = self.axes.astype(np.float64) @ weight
        offset = bias - self.centre @ plain
        return LinearHead(plain.astype(np.float32), offset.astype(np.float32), task, kind, settings)


def rotate(x: np.ndarray, weights: np.ndarray | None = None) -> Rotation:
    """``x`` [n, d] float32 in its principal axes; ``weights`` [n] count rows, default 1 each."""
    n, d = x.shape
    w = np.ones(n) if weights is None else weights * (n / weights.sum())
    centre = _mean(x, w)
    centred = x - centre.astype(np.float32)
    power, axes, varying = _primal(centred, w) if d <= n else _dual(centred, w)
    scale = (power.sum() / n or 1.0) ** -0.5
    axes = (axes * scale).astype(np.float32)
    return Rotation(centred @ axes, w, power * scale**2, axes, centre, max(varying, 1))


def _mean(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The weighted mean row [d], summed in float64 without a float64 copy of ``x``."""
    total = np.zeros(x.shape[1])
    for start in range(0, len(x), CHUNK):
        total += w[start : start + CHUNK] @ x[start : start + CHUNK].astype(np.float64)
    return total / w.sum()


def _primal(centred: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Power [r], axes [d, r] and the number of varying features, by the d x d scatter's eigenvectors."""
    scatter = np.zeros((centred.shape[1],) * 2)
    for start in range(0, len(centred), CHUNK):
        part = centred[start : start + CHUNK].astype(np.float64)
        part *= np.sqrt(w[start : start + CHUNK, None])
        scatter += part.T @ part
    varying = int((np.diag(scatter) > 0).sum())
    power, axes = np.linalg.eigh(scatter)
    keep = _kept(power)
    return power[keep], axes[:, keep], varying


def _dual(centred: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The same by the eigenvectors of the n x n Gram matrix, for n < d."""
    wide = centred.astype(np.float64) * np.sqrt(w)[:, None]
    power, left = np.linalg.eigh(wide @ wide.T)
    keep = _kept(power)
    power = np.maximum(power[keep], 0.0)
    root = np.sqrt(power)
    axes = wide.T @ (left[:, keep] / np.where(root > 0, root, 1.0))
    return power, axes, int(wide.any(axis=0).sum())


def _kept(power: np.ndarray) -> np.ndarray:
    """Indices of the axes that carry anything, strongest first; the strongest always stays."""
    order = np.argsort(power)[::-1]
    kept = order[power[order] > NEGLIGIBLE * max(power[order[0]], 0.0)]
    return kept if len(kept) else order[:1]
