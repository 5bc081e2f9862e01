"""What is told of a recording: a player of limited length, a spectrogram, properties in their units, headers."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.modalities.audio.looks import MOST_SECONDS, UNITS, headers, player, properties, spectrogram
from headstart.modalities.audio.sound import Sound, begins_as_sound, seconds_of

from .sounds import RATE, encoded, voice


def test_properties() -> None:
    square = np.where(np.arange(8000) % 20 < 10, 1.0, -1.0).astype(np.float32)
    quiet, silence = square / 10, np.zeros(80, np.float32)
    found = properties([(square, 8000), (quiet, 8000), (silence, 8000), b"nonsense"])
    assert list(found) == list(UNITS)
    np.testing.assert_allclose(found["duration"], [1.0, 1.0, 0.01, np.nan])
    np.testing.assert_allclose(found["loudness"], [0.0, -20.0, -120.0, np.nan], atol=1e-4)
    np.testing.assert_allclose(found["sample rate"], [8000, 8000, 8000, np.nan])


def test_headers_tell_what_is_known_without_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.FLAC"
    path.write_bytes(encoded(voice(0.5), RATE, "FLAC"))
    stereo = encoded(np.stack([voice(1.0), voice(1.0)], axis=1), 44_100)
    found = headers([str(path), stereo, (voice(), RATE), "gone.wav"])
    assert found["file size"][:, 0].tolist() == [path.stat().st_size, len(stereo), -1, -1]
    assert found["duration"][:, 0] == pytest.approx([0.5, RATE / 44_100, -1, -1])
    assert found["sample rate and channels"].tolist() == [[RATE, 1], [44_100, 2], [-1, -1], [-1, -1]]
    assert found["file type"].shape == (4, 3)
    assert found["file type"].sum(axis=1).tolist() == [1, 1, 1, 1]


def test_seconds_are_told_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(encoded(voice(1.5), RATE, "OGG"))
    assert seconds_of(path) == seconds_of(path.read_bytes()) == pytest.approx(1.5)
    assert seconds_of((voice(0.25), RATE)) == 0.25


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"])
def test_files_of_sound_are_known_by_how_they_begin(kind: str) -> None:
    assert begins_as_sound(encoded(voice(0.2), RATE, kind)[:16])
    assert not begins_as_sound(b"\x89PNG\r\n\x1a\n")
    assert not begins_as_sound(b"\xff")


@pytest.mark.parametrize(("seconds", "rate"), [(0.01, 8_000), (0.5, 44_100), (12.0, 8_000)])
def test_player_and_spectrogram(seconds: float, rate: int) -> None:
    sound = Sound(voice(seconds, rate), rate)
    played = min(seconds, MOST_SECONDS)
    with wave.open(io.BytesIO(player(sound))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() == pytest.approx(played * 16_000, abs=2)
    with Image.open(io.BytesIO(spectrogram(sound))) as picture:
        assert picture.size == (max(48, round(60 * played)), 64)
    assert len(player(sound)) <= 320_100
    assert len(spectrogram(sound)) < 50_000


def test_a_low_tone_is_dark_below_and_a_high_one_above() -> None:
    time = np.arange(RATE) / RATE
    for pitch, rows in ((300, range(44, 64)), (5000, range(20))):
        found = spectrogram(Sound(np.sin(2 * np.pi * pitch * time).astype(np.float32), RATE))
        with Image.open(io.BytesIO(found)) as picture:
            grey = np.asarray(picture)[:, 10:-10].mean(axis=1)
        assert int(np.argmin(grey)) in rows


def test_silence_and_values_beyond_one() -> None:
    assert spectrogram(Sound(np.zeros(100, np.float32), RATE))
    with wave.open(io.BytesIO(player(Sound(np.full(100, 3.0, np.float32), RATE)))) as file:
        assert np.frombuffer(file.readframes(100), "<i2").max() == 32767
