"""Sounds made by arithmetic."""

from __future__ import annotations

import io

import numpy as np

RATE = 16_000


def voice(seconds: float = 1.0, rate: int = RATE, pitch: float = 140.0, seed: int = 0) -> np.ndarray:
    """Harmonics that swell and fade with a little noise, [n] float32 within -1..1."""
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time)) * 0.003
    tones = sum(np.sin(2 * np.pi * pitch * k * time) / (8 * k) for k in range(1, 12))
    return ((0.2 + np.sin(np.pi * time * 1.7) ** 2) * tones + noise).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """``samples`` [n] or [n, channels] as a file."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()
