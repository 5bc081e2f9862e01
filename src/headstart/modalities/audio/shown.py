"""How a recording is told and shown: its measures for slices, a player and a spectrogram for pages."""

from __future__ import annotations

import base64
import io
import wave as wav_file
from dataclasses import dataclass

import numpy as np
from PIL import Image as pil

from headstart.modalities.audio.front_end import AudioSpec, log_mel
from headstart.modalities.audio.sound import Sound, resampled

#: Measure -> its unit, and the digits behind the point that it is shown with.
UNITS = {"duration": ("seconds", 2), "loudness": ("dBFS", 0), "sample rate": ("Hz", 0)}
#: Seconds that a page plays and shows of a recording; 320 kB a recording.
MOST_SECONDS = 10.0
_RATE = 16_000  # Hz, of the player: 16 bits, one channel
_SILENCE = -120.0  # dBFS, of silence
_SHOWN = AudioSpec("log_mel", _RATE, mels=64, normalise=False)
_PIXELS_A_SECOND, _LEAST_WIDTH, _HEIGHT = 60, 48, 64


@dataclass(frozen=True)
class Shown:
    """A recording for a page.

    Attributes:
        player: a data URI of its beginning as wav.
        picture: a data URI of the spectrogram of that as PNG, loud parts dark, low frequencies below.
        seconds: of the whole recording.
        cut: whether it goes on after what is played.
    """

    player: str
    picture: str
    seconds: float
    cut: bool


def measures(sound: Sound) -> dict[str, float]:
    """The measures of `UNITS`: seconds, loudness (root mean square, 0 dBFS being a full square wave), and Hz."""
    power = float(np.mean(np.square(sound.samples, dtype=np.float64)))
    loudness = max(_SILENCE, 10 * np.log10(power)) if power > 0 else _SILENCE
    return {"duration": sound.seconds, "loudness": float(loudness), "sample rate": float(sound.rate)}


def shown(sound: Sound) -> Shown:
    """``sound`` for a page: at most its first `MOST_SECONDS`."""
    heard = sound.samples[: int(MOST_SECONDS * sound.rate)]
    samples = resampled(heard, sound.rate, _RATE)
    return Shown(
        _uri("audio/wav", _wav(samples)),
        _uri("image/png", spectrogram(samples)),
        sound.seconds,
        len(heard) < len(sound.samples),
    )


def spectrogram(samples: np.ndarray) -> bytes:
    """A grey PNG of the log mel spectrogram of ``samples`` [n] at 16 kHz, 64 pixels high and 60 wide a second."""
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


def _wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with wav_file.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(np.rint(samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
