"""Damage that recordings meet after deployment, in five strengths of each kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headstart.modalities.damage import amount_of

#: What each kind does at strengths 1 to 5.
AMOUNTS: dict[str, tuple[float, ...]] = {
    "noise": (30, 20, 14, 8, 2),  # white, decibels that the recording's mean power lies above the noise's
    "band": (0.6, 0.4, 0.27, 0.18, 0.12),  # share of the frequencies that is kept, from 0 Hz up
    "clipping": (0.5, 0.3, 0.18, 0.1, 0.05),  # share of the greatest amplitude at which the wave is cut off
}
KINDS = tuple(AMOUNTS)

_ROLL_OFF = 0.2  # share of the kept band over which a cosine falls from 1 to 0; a sheer edge would ring


def damaged_sound(wave: np.ndarray, kind: str, strength: int, seed: int) -> np.ndarray:
    """``wave`` [n] float32 with damage of ``kind``, one of `KINDS`, and ``strength`` 1..5; same shape and dtype.

    The same for the same ``seed``; strengths of one seed differ in amount alone. Silence stays silence: noise goes by
    the recording's own power. Loudness is kept but for what the damage itself takes or adds, so values may leave
    -1..1 where noise comes on top.

    Raises:
        SettingError: an unknown kind or strength.
    """
    amount = amount_of(AMOUNTS, kind, strength)
    if not wave.size:
        return wave.copy()
    return _DAMAGES[kind](wave, amount, np.random.default_rng(seed)).astype(np.float32)


def _noise(wave: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    power = float(np.mean(np.square(wave, dtype=np.float64)))
    sigma = np.sqrt(power / 10 ** (decibels / 10))
    noisy: np.ndarray = wave + np.float32(sigma) * rng.standard_normal(len(wave), np.float32)
    return noisy


def _band(wave: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(wave)
    place = np.linspace(0, 1, len(spectrum)) / share  # 1: the end of the band
    fall = np.clip((place - (1 - _ROLL_OFF)) / _ROLL_OFF, 0, 1)
    return np.fft.irfft(spectrum * (1 + np.cos(np.pi * fall)) / 2, len(wave))


def _clipping(wave: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    limit = share * float(np.abs(wave).max())
    return wave.clip(-limit, limit)


_DAMAGES: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    "noise": _noise,
    "band": _band,
    "clipping": _clipping,
}
