"""What pages show of a recording: a player of limited length, a spectrogram, and measures in their units."""

from __future__ import annotations

import base64
import io
import wave

import numpy as np
import pytest
from PIL import Image

from headstart.modalities.audio.shown import MOST_SECONDS, UNITS, measures, shown
from headstart.modalities.audio.sound import Sound

from .sounds import RATE, voice


def content(uri: str, kind: str) -> io.BytesIO:
    head, _, data = uri.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data, validate=True))


def test_measures() -> None:
    square = np.where(np.arange(8000) % 20 < 10, 1.0, -1.0).astype(np.float32)
    assert measures(Sound(square, 8000)) == {"duration": 1.0, "loudness": pytest.approx(0.0), "sample rate": 8000.0}
    assert measures(Sound(square / 10, 8000))["loudness"] == pytest.approx(-20.0)
    assert measures(Sound(np.zeros(80, np.float32), 8000))["loudness"] == -120.0
    assert set(measures(Sound(square, 8000))) == set(UNITS)


@pytest.mark.parametrize(("seconds", "rate"), [(0.01, 8_000), (0.5, 44_100), (12.0, 8_000)])
def test_player_and_spectrogram(seconds: float, rate: int) -> None:
    found = shown(Sound(voice(seconds, rate), rate))
    played = min(seconds, MOST_SECONDS)
    with wave.open(content(found.player, "audio/wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() == pytest.approx(played * 16_000, abs=2)
    with Image.open(content(found.picture, "image/png")) as picture:
        assert picture.size == (max(48, round(60 * played)), 64)
    assert found.cut == (seconds > MOST_SECONDS)
    assert found.seconds == pytest.approx(seconds)
    assert len(found.player) < 430_000
    assert len(found.picture) < 60_000


def test_a_low_tone_is_dark_below_and_a_high_one_above() -> None:
    time = np.arange(RATE) / RATE
    for pitch, rows in ((300, slice(44, 64)), (5000, slice(0, 20))):
        found = shown(Sound(np.sin(2 * np.pi * pitch * time).astype(np.float32), RATE))
        with Image.open(content(found.picture, "image/png")) as picture:
            grey = np.asarray(picture)[:, 10:-10].mean(axis=1)
        assert rows.start <= int(np.argmin(grey)) < rows.stop


def test_silence_and_values_beyond_one() -> None:
    assert shown(Sound(np.zeros(100, np.float32), RATE)).picture
    with wave.open(content(shown(Sound(np.full(100, 3.0, np.float32), RATE)).player, "audio/wav")) as file:
        assert np.frombuffer(file.readframes(100), "<i2").max() == 32767
