"""Recordings of every sane kind are read alike, and all others refused with a reason in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.errors import SourceError
from headstart.modalities.audio import AudioSpec
from headstart.modalities.audio import sound as reading
from headstart.modalities.audio.modality import Audio
from headstart.modalities.audio.sound import read, resampled
from headstart.modalities.types import Unreadable

from .sounds import RATE, encoded, voice

pytest.importorskip("soundfile", reason="the extra 'audio' is not installed")
SPEC = AudioSpec("waveform", normalise=False)


def reason(value: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        Audio().decode(value, SPEC)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "subtype", "error"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "FLOAT", 0),
        ("FLAC", "PCM_24", 1e-6),
        ("OGG", "VORBIS", 0.1),
        ("MP3", None, 0.1),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_formats(kind: str, subtype: str | None, error: float, channels: int, tmp_path: Path) -> None:
    wave = voice()
    data = encoded(np.stack([wave] * channels, axis=1), RATE, kind, subtype)
    path = tmp_path / "renamed.wav"
    path.write_bytes(data)
    sound = read(path)
    assert (sound.rate, sound.channels, sound.samples.dtype) == (RATE, channels, np.float32)
    assert abs(len(sound.samples) - len(wave)) <= 2400  # mp3 may bring silence of a frame or two
    if kind != "MP3":
        assert np.abs(sound.samples - wave).max() <= error
    assert np.array_equal(read(data).samples, sound.samples)
    assert Audio().content_key(path) == Audio().content_key(data)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 192_000])
def test_any_rate_becomes_the_bases(rate: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    out = Audio().decode(encoded(tone, rate, "WAV", "FLOAT"), SPEC)[0]
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert out.shape == (RATE,)
    assert np.abs(out - expected)[500:-500].max() < 2e-3


def test_what_lies_above_half_the_new_rate_is_filtered_out() -> None:
    tone = np.sin(2 * np.pi * 15_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(resampled(tone, 48_000, RATE))[500:-500].max() < 2e-3


def test_twelve_channels_are_mixed() -> None:
    channels = np.random.default_rng(0).uniform(-1, 1, (4000, 12)).astype(np.float32)
    sound = read(encoded(channels, RATE, "WAV", "FLOAT"))
    assert sound.channels == 12
    assert np.allclose(sound.samples, channels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.float64])
def test_arrays_are_read_as_the_file_of_the_same_numbers(dtype: Any) -> None:
    if np.dtype(dtype).kind == "f":
        values, expected = voice().astype(dtype), voice()
    else:
        info = np.iinfo(dtype)
        values = np.linspace(info.min, info.max, 999).astype(dtype)
        expected = np.linspace(-1, 1, 999)
    found = read((values, RATE)).samples
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 0.02
    assert np.array_equal(read((np.stack([values, values]), RATE)).samples, found)  # channels first
    assert np.array_equal(read((np.stack([values, values], axis=1), RATE)).samples, found)


def test_keys_of_arrays_depend_on_values_rate_and_type() -> None:
    wave, audio = voice(), Audio()
    keys = {
        audio.content_key(one) for one in ((wave, RATE), (wave, 8000), (wave[::-1], RATE), (wave.astype("f8"), RATE))
    }
    assert len(keys) == 4
    assert audio.content_key((wave, RATE)) == audio.content_key([wave.copy(), np.int64(RATE)])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "empty file (0 bytes)"),
        (b"<html>404 not found</html>", "not a sound file: the file is text that starts with '<html>404"),
        (bytes(range(128, 256)) * 4, "no format that libsndfile knows"),
        (b"\0\0\0\x18ftypM4A " + bytes(40), "MPEG-4 audio (m4a, aac), which libsndfile does not read; convert it"),
        ("gone.wav", "no such file"),
        (voice(), "without its sample rate; give (array, rate)"),
        ((voice(), 0), "the sample rate is 0 Hz; allowed are 1,000 to 768,000"),
        ((voice(), 2_000_000_000), "the sample rate is 2,000,000,000 Hz"),
        ((voice(), 16_000.5), "it must be a whole number"),
        ((np.zeros(0), RATE), "no samples"),
        ((np.array([0.1, np.nan, np.inf]), RATE), "2 of 3 samples are no finite numbers"),
        ((np.zeros((3, 4, 5)), RATE), "samples of shape [3, 4, 5]"),
        ((np.zeros((100, 70)), RATE), "70 channels; allowed are 1 to 64"),
        ((np.zeros(100, complex), RATE), "samples of type complex128"),
    ],
)
def test_reasons(value: Any, words: str) -> None:
    assert words in reason(value)


def test_files_without_samples_or_with_nan() -> None:
    assert reason(encoded(np.zeros(0), RATE)) == "no samples in it"
    assert "1 of 2 samples are no finite" in reason(encoded(np.array([0.5, np.nan]), RATE, "WAV", "FLOAT"))


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "FLAC"])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.95])
def test_cut_off_file(kind: str, share: float) -> None:
    data = encoded(voice(), RATE, kind)
    assert reason(data[: int(len(data) * share)]).startswith(("truncated: ", "damaged or cut short: "))


def test_wav_of_a_program_that_did_not_know_the_end_is_read() -> None:
    data = bytearray(encoded(voice(), RATE))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert len(read(bytes(data)).samples) == RATE


def test_flac_of_a_program_that_did_not_know_the_end_is_refused_with_what_to_do() -> None:
    data = bytearray(encoded(voice(), RATE, "FLAC"))
    data[21] &= 0xF0  # the number of samples, 36 bits of STREAMINFO
    data[22:26] = bytes(4)
    assert reason(bytes(data)).startswith("the flac file does not say how many samples it has")


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "AIFF", "CAF"])
def test_flipped_bytes_are_read_or_refused_and_nothing_is_printed(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    whole, rng = encoded(voice(0.1), RATE, kind), np.random.default_rng(0)
    outcomes = set()
    for _ in range(100):
        data = bytearray(whole)
        data[int(rng.integers(min(len(data), 200)))] = int(rng.integers(256))
        try:
            outcomes.add(read(bytes(data)).samples.ndim)
        except Unreadable as error:
            outcomes.add("\n" in str(error))
    assert outcomes <= {1, False}
    assert capfd.readouterr().err == ""


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SAMPLES", 10_000)
    assert reason(encoded(voice(), RATE)).startswith("too long: 16,000 samples a channel, the limit is 10,000; cut it")
    assert reason((voice(), RATE)).startswith("too long")


def test_without_soundfile_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(SourceError, match=r"run: pip install 'headstart\[audio\]'") as caught:
        read(b"RIFF")
    assert "\n" not in str(caught.value)
    assert len(read((voice(), RATE)).samples) == RATE  # arrays need no library
