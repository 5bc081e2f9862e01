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
    "reverberation": (12, 8, 4, 0, -4),  # decibels that the direct sound's power lies above its echoes'
}
KINDS = tuple(AMOUNTS)

_ROLL_OFF = 0.2  # share of the kept band over which a cosine falls from 1 to 0; a sheer edge would ring
_FADING = 0.5  # seconds in which the echoes of a room fall by 60 decibels
_FIRST = 0.005  # seconds from the direct sound to its first echo


def damaged_sound(wave: np.ndarray, rate: int, kind: str, strength: int, seed: int) -> np.ndarray:
    """``wave`` [n] float32 of ``rate`` Hz with damage of ``kind``, one of `KINDS`, and ``strength`` 1..5; same shape.

    The same for the same ``seed``; strengths of one seed differ in amount alone. Silence stays silence: noise goes by
    the recording's own power. Loudness is kept but for what the damage itself takes or adds, so values may leave
    -1..1 where noise comes on top.

    Raises:
        SettingError: an unknown kind or strength.
    """
    amount = amount_of(AMOUNTS, kind, strength)
    if not wave.size:
        return wave.copy()
    rng = np.random.default_rng(seed)
    if kind == "reverberation":
        return _reverberation(wave, amount, rate, rng).astype(np.float32)
    return _DAMAGES[kind](wave, amount, rng).astype(np.float32)


def with_noise(wave: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """``wave`` [n] float32 and white noise whose power lies ``decibels`` below its own."""
    power = float(np.mean(np.square(wave, dtype=np.float64)))
    sigma = np.sqrt(power / 10 ** (decibels / 10))
    noisy: np.ndarray = wave + np.float32(sigma) * rng.standard_normal(len(wave), np.float32)
    return noisy


def _reverberation(wave: np.ndarray, decibels: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """``wave`` in a room: noise that falls off as its echoes (Polack 1988); what rings on after the end is cut off."""
    from scipy.signal import fftconvolve

    time = np.arange(int(_FADING * rate)) / rate
    echoes = rng.standard_normal(len(time)) * 10 ** (-3 * time / _FADING) * (time >= _FIRST)
    echoes *= np.sqrt(10 ** (-decibels / 10) / max(float(np.sum(echoes**2)), 1e-12))
    wet: np.ndarray = wave + fftconvolve(wave.astype(np.float64), echoes)[: len(wave)]
    return wet


def _band(wave: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(wave)
    place = np.linspace(0, 1, len(spectrum)) / share  # 1: the end of the band
    fall = np.clip((place - (1 - _ROLL_OFF)) / _ROLL_OFF, 0, 1)
    return np.fft.irfft(spectrum * (1 + np.cos(np.pi * fall)) / 2, len(wave))


def _clipping(wave: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    limit = share * float(np.abs(wave).max())
    return wave.clip(-limit, limit)


_DAMAGES: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    "noise": with_noise,
    "band": _band,
    "clipping": _clipping,
}
