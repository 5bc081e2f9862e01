"""Sound as a picture: the log-mel spectrogram, time from left to right, low frequencies at the bottom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

_SECONDS = 1.0  # longer clips are cut, shorter ones stand in the middle of silence
_WINDOW, _HOP, _BANDS = 256, 64, 64  # samples, samples, mel bands
_RANGE = 80.0  # dB below the loudest that are shown


def spectrogram(path: Path, side: int) -> Image.Image:
    """The first second of a WAV file as a grey picture of ``side`` x ``side`` pixels."""
    from scipy.io import wavfile
    from scipy.signal import stft

    rate, samples = wavfile.read(path)
    clip = np.zeros(int(rate * _SECONDS), np.float32)
    kept = samples[: len(clip)]
    start = (len(clip) - len(kept)) // 2
    clip[start : start + len(kept)] = kept
    _, _, spectrum = stft(clip, rate, nperseg=_WINDOW, noverlap=_WINDOW - _HOP, nfft=2 * _WINDOW)  # [bins, frames]
    power = mel_filters(rate, spectrum.shape[0]) @ np.abs(spectrum) ** 2  # [bands, frames]
    level = 10 * np.log10(np.maximum(power, 1e-10))
    shown = ((level - level.max()) / _RANGE + 1).clip(0, 1)
    pixels = (255 * shown[::-1]).astype(np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)


def mel_filters(rate: int, bins: int) -> np.ndarray:
    """Triangles evenly spaced in mel, [bands, bins]; mel = 2595 log10(1 + Hz / 700) (O'Shaughnessy 1987)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, _BANDS + 2) / 2595) - 1)  # Hz, [bands + 2]
    low, middle, high = (edges[i : i + _BANDS, None] for i in range(3))
    frequencies = np.linspace(0, rate / 2, bins)
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    return np.minimum(rising, falling).clip(0)
