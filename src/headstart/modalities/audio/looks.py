"""What is told of recordings without a base: player and spectrogram for pages, properties to slice by, headers."""

from __future__ import annotations

import io
import os
import wave as wav_file
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image as pil

from headstart.modalities.audio.front_end import AudioSpec, log_mel
from headstart.modalities.audio.sound import Sound, opened, read, resampled
from headstart.modalities.types import Unreadable

#: Property -> its unit, and the digits behind the point that it is shown with.
UNITS = {"duration": ("s", 1), "loudness": ("dBFS", 0), "sample rate": ("Hz", 0)}
#: Seconds that a page plays and shows of a recording; 320 kB a recording.
MOST_SECONDS = 10.0
_RATE = 16_000  # Hz, of the player: 16 bits, one channel
_SILENCE = -120.0  # dBFS, of silence
_SHOWN = AudioSpec("log_mel", _RATE, mels=64, normalise=False)
_PIXELS_A_SECOND, _LEAST_WIDTH, _HEIGHT = 60, 48, 64
_UNKNOWN = -1.0


def player(sound: Sound) -> bytes:
    """A wav file of the first `MOST_SECONDS` of ``sound``: 16 kHz, 16 bits, one channel."""
    return _wav(_beginning(sound))


def spectrogram(sound: Sound) -> bytes:
    """A grey PNG of what `player` plays, 64 pixels high and 60 wide a second: loud is dark, low frequencies below."""
    samples = _beginning(sound)
    if len(samples) < _SHOWN.shortest:
        samples = np.pad(samples, (0, _SHOWN.shortest - len(samples)))
    levels = log_mel(samples, _SHOWN).T[::-1]  # [mels, frames], high frequencies first
    low, high = float(levels.min()), float(levels.max())
    share = (levels - low) / max(high - low, 1e-6)
    picture = pil.fromarray(np.rint(255 * (1 - share)).astype(np.uint8))
    width = max(_LEAST_WIDTH, round(len(samples) / _RATE * _PIXELS_A_SECOND))
    buffer = io.BytesIO()
    picture.resize((width, _HEIGHT), pil.Resampling.BILINEAR).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def properties(inputs: Sequence[Any]) -> dict[str, np.ndarray]:
    """The properties of `UNITS` of each: seconds, loudness, Hz; nan for what cannot be read.

    Loudness is the root mean square in decibels below a full square wave, -120 of silence.
    """
    with ThreadPoolExecutor() as pool:  # libsndfile decodes without holding other threads up
        measured = np.array(list(pool.map(_measured, inputs)), dtype=float).reshape(-1, len(UNITS))
    return dict(zip(UNITS, measured.T, strict=True))


def headers(inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
    """File size, file type, duration and format; recordings are not decoded, only their headers are read."""
    told = [_header(value) for value in inputs]
    kinds = {kind: number for number, kind in enumerate(sorted({kind for *_, kind in told}))}
    size, seconds, rate, channels, kind = (np.array(column) for column in zip(*told, strict=True))
    return {
        "file size": size[:, None].astype(float),
        "file type": np.eye(len(kinds))[[kinds[name] for name in kind]],
        "duration": seconds[:, None].astype(float),
        "sample rate and channels": np.column_stack([rate, channels]).astype(float),
    }


def _beginning(sound: Sound) -> np.ndarray:
    return resampled(sound.samples[: int(MOST_SECONDS * sound.rate)], sound.rate, _RATE)


def _wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with wav_file.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(np.rint(samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _measured(value: Any) -> tuple[float, float, float]:
    try:
        sound = read(value)
    except Unreadable:
        return float("nan"), float("nan"), float("nan")
    power = float(np.mean(np.square(sound.samples, dtype=np.float64)))
    loudness = max(_SILENCE, 10 * float(np.log10(power))) if power > 0 else _SILENCE
    return sound.seconds, loudness, float(sound.rate)


def _header(value: Any) -> tuple[float, float, float, float, str]:
    """Bytes, seconds, Hz, channels, and the file's ending, format and coding; unknown ones are -1."""
    is_path = isinstance(value, str | os.PathLike)
    try:
        size = float(os.path.getsize(value) if is_path else len(value))
        with opened(value) as file:
            seconds = file.frames / file.samplerate
            ending = os.path.splitext(os.fspath(value))[1].lower() if is_path else ""
            kind = f"{ending} {file.format} {file.subtype}"
            return size, seconds, float(file.samplerate), float(file.channels), kind
    except (Unreadable, OSError, TypeError):  # arrays, which have no file; rows that matter were read before
        return _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, "unknown"
