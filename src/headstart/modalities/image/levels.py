"""Which values count as black and white where pictures have more than 8 bits: one choice for a whole data set."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Levels = tuple[tuple[float, float], ...]

_LOW, _HIGH = 0.005, 0.995  # quantiles; beyond them lie hot pixels and gaps
_PIXELS = 4096  # of each picture that are looked at
_DIGITS = 4  # significant ones that are kept


def levels_of(pictures: Iterable[np.ndarray], channels: int) -> Levels:
    """(low, high) of each channel, or one pair for grey and colour, whose channels keep their balance.

    Floats that all lie in 0..1 (or else 0..255) of grey and colour keep that range. Else low and high are the quantiles
    0.5 % and 99.5 % of the finite values. One choice for all pictures, not one a picture, so that a darker picture
    stays darker.

    Args:
        pictures: a sample, each [h, w] or [h, w, channels]; of none there are no levels. One is held at a time.
        channels: 1, 3, or the number of bands.
    """
    parts = [_some(picture) for picture in pictures]
    if not parts:
        return ()
    values = np.concatenate(parts)  # [pixels, channels]
    if channels in (1, 3):
        return (_natural(values) or _quantiles(values),)
    return tuple(_quantiles(values[:, channel]) for channel in range(channels))


def _some(picture: np.ndarray) -> np.ndarray:
    """At most about 4,096 pixels, evenly spread: [pixels, channels] float64."""
    flat = picture.reshape(-1, picture.shape[2] if picture.ndim == 3 else 1)
    return flat[:: max(1, len(flat) // _PIXELS)].astype(np.float64)


def _natural(values: np.ndarray) -> tuple[float, float] | None:
    """0 to 1 or 0 to 255, where the values are fractions and lie there."""
    finite = values[np.isfinite(values)]
    if not finite.size or (finite == np.rint(finite)).all() or finite.min() < 0:
        return None
    return next(((0.0, float(top)) for top in (1, 255) if finite.max() <= top), None)


def _quantiles(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(f"{value:.{_DIGITS}g}") for value in np.quantile(finite, (_LOW, _HIGH)))
    return (low, high) if high > low else (low, low + 1.0)
