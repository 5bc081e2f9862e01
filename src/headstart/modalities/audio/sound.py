"""Recordings: files, bytes and arrays of every sane rate and number of channels to one channel of samples."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.errors import SourceError
from headstart.modalities.image.file import read as read_file
from headstart.modalities.types import Unreadable

#: Sample rates that are believed, Hz; others come of damaged headers or mistaken units.
RATES = (1_000, 768_000)
#: Samples a channel at most: an hour and a half at 48 kHz, 1 GiB in memory.
MOST_SAMPLES = 2**28
#: Channels at most.
MOST_CHANNELS = 64
_BLOCK = 2**20  # samples a channel that are read at once
_ESTIMATED = {"MP3"}  # formats whose header need not tell the number of samples
_UNKNOWN = (0, 0xFFFFFFFF)  # sizes that programs write which do not know the end yet
_ENDLESS = 2**62  # samples that libsndfile tells of where the header tells none; it cannot read to such an end
_STARTS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b".snd")  # of files that libsndfile reads

#: What begins files that libsndfile does not read.
_OTHERS = (
    (b"\x1aE\xdf\xa3", 0, "WebM or Matroska"),
    (b"ftyp", 4, "MPEG-4 audio (m4a, aac)"),
    (b"\x30\x26\xb2\x75", 0, "Windows Media audio (wma)"),
    (b"#!AMR", 0, "AMR"),
)


@dataclass(frozen=True)
class Sound:
    """A recording in memory.

    Attributes:
        samples: [n] float32, the mean of all channels, -1..1 but for files of floats that go beyond.
        rate: samples a second, Hz.
        channels: it had before they were mixed.
    """

    samples: np.ndarray
    rate: int
    channels: int = 1

    @property
    def seconds(self) -> float:
        """Its duration."""
        return len(self.samples) / self.rate


def content(value: Any) -> bytes:
    """The bytes of a file; of (array, rate) the rate, dtype, shape and values.

    Raises:
        Unreadable: it is neither.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | os.PathLike):
        return read_file(value)
    samples, rate = _pair(value)
    return f"{rate} {samples.dtype.str} {samples.shape} ".encode() + np.ascontiguousarray(samples).tobytes()


def read(value: Any) -> Sound:
    """A recording from a path, a file's bytes, or (array, rate).

    Args:
        value: arrays are [n] or [n, channels] (or [channels, n]: the shorter axis holds the channels) of float, int16,
            int32 or uint8 as wav files hold them.

    Raises:
        Unreadable: with the reason in one line.
        SourceError: a file came and soundfile is not installed.
    """
    if isinstance(value, str | os.PathLike | bytes | bytearray | memoryview):
        return _from_file(content(value))
    samples, rate = _pair(value)
    _check(rate, samples.shape[1] if samples.ndim == 2 else 1, len(samples))
    mono = _scaled(samples)
    channels = 1
    if mono.ndim == 2:
        channels, mono = mono.shape[1], mono.mean(axis=1, dtype=np.float32)
    return Sound(_sane(mono), rate, channels)


def resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """``samples`` [n] float32 of ``rate`` at the rate ``wanted``, both Hz, by polyphase filtering (Kaiser window)."""
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, wanted)
    found: np.ndarray = resample_poly(samples, wanted // common, rate // common)
    return found.astype(np.float32, copy=False)


def samples_of(value: Any, rate: int) -> np.ndarray:
    """The samples [n] float32 of whatever `read` takes, at ``rate`` Hz; it raises what that does."""
    sound = read(value)
    return resampled(sound.samples, sound.rate, rate)


def soundfile() -> Any:
    """The library that reads sound files.

    Raises:
        SourceError: it is not installed.
    """
    try:
        import soundfile as library
    except (ImportError, OSError) as error:  # OSError: the package is there, libsndfile is not
        raise SourceError(
            "sound files are read by the package soundfile, which is not installed here; run: "
            "pip install 'headstart[audio]'"
        ) from error
    return library


def _pair(value: Any) -> tuple[np.ndarray, int]:
    """Samples [n] or [n, channels], and their rate."""
    if isinstance(value, np.ndarray):
        raise Unreadable("an ndarray of samples without its sample rate; give (array, rate)")
    if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[0], np.ndarray):
        raise Unreadable(f"not a sound but {type(value).__name__}; allowed are a path, bytes, or (array, rate)")
    samples, rate = value
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating) or rate != int(rate):
        raise Unreadable(f"the sample rate is {rate!r}; it must be a whole number of samples a second")
    if samples.ndim not in (1, 2):
        raise Unreadable(f"samples of shape {list(samples.shape)}; allowed are [samples] and [samples, channels]")
    if samples.ndim == 2 and samples.shape[0] < samples.shape[1]:
        samples = samples.T
    return samples, int(rate)


def _scaled(samples: np.ndarray) -> np.ndarray:
    """Float32, whole numbers laid on -1..1."""
    kind = samples.dtype
    if kind.kind == "f":
        return samples.astype(np.float32, copy=False)
    if kind == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if kind in (np.int16, np.int32):
        return samples.astype(np.float32) / np.float32(-float(np.iinfo(kind).min))
    raise Unreadable(f"samples of type {kind}; allowed are float, int16, int32 and uint8")


def _check(rate: int, channels: int, samples: int) -> None:
    low, high = RATES
    if not low <= rate <= high:
        raise Unreadable(f"the sample rate is {rate:,} Hz; allowed are {low:,} to {high:,}")
    if channels > MOST_CHANNELS:
        raise Unreadable(f"{channels} channels; allowed are 1 to {MOST_CHANNELS}")
    if samples > MOST_SAMPLES:
        raise Unreadable(
            f"too long: {samples:,} samples a channel, the limit is {MOST_SAMPLES:,}; cut it into shorter recordings"
        )


def _sane(samples: np.ndarray) -> np.ndarray:
    """``samples``, of which there are some, all of them finite."""
    if not samples.size:
        raise Unreadable("no samples in it")
    wrong = int(samples.size - np.isfinite(samples).sum())
    if wrong:
        raise Unreadable(f"{wrong:,} of {samples.size:,} samples are no finite numbers (NaN or infinite)")
    return samples


def seconds_of(value: Any) -> float:
    """The duration of whatever `read` takes, of files by their headers.

    Raises:
        Unreadable, SourceError: as `read`.
    """
    if not isinstance(value, str | os.PathLike | bytes | bytearray | memoryview):
        samples, rate = _pair(value)
        return len(samples) / rate if rate > 0 else 0.0
    with opened(value) as file:
        return float(file.frames / file.samplerate) if file.frames < _ENDLESS else 0.0


@contextmanager
def opened(value: Any) -> Iterator[Any]:
    """A sound file (path or bytes) with its header read, of a path without the rest of it.

    Raises:
        Unreadable, SourceError: as `read`.
    """
    library = soundfile()
    is_path = isinstance(value, str | os.PathLike)
    try:
        with library.SoundFile(os.fspath(value) if is_path else _Bytes(bytes(value))) as file:
            yield file
    except library.LibsndfileError as error:
        raise Unreadable(_reason(b"" if is_path else bytes(value), str(error.error_string))) from error
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise Unreadable(f"damaged: {' '.join(str(error).split())}") from error


def begins_as_sound(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a format that libsndfile reads."""
    return start.startswith(_STARTS) or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0)


def _from_file(data: bytes) -> Sound:
    library = soundfile()
    if not data:
        raise Unreadable("empty file (0 bytes)")
    _refuse_short(data)
    try:
        with library.SoundFile(_Bytes(data)) as file:
            return _sound(file)
    except library.LibsndfileError as error:
        raise Unreadable(_reason(data, str(error.error_string))) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise Unreadable(f"damaged: {' '.join(str(error).split())}") from error


class _Bytes(io.BytesIO):
    """A file in memory that stays where it is when a damaged header sends libsndfile to before its beginning.

    An error there cannot reach us through libsndfile, and is printed with its traceback instead.
    """

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _sound(file: Any) -> Sound:
    _check(file.samplerate, file.channels, 0)
    if file.frames >= _ENDLESS:
        raise Unreadable(
            f"the {file.format.lower()} file does not say how many samples it has, as one that was written to a pipe; "
            f"write it to a file again (ffmpeg -i OLD NEW)"
        )
    parts: list[np.ndarray] = []
    count = 0
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        count += len(block)
        _check(file.samplerate, file.channels, count)
        parts.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32))
    if count < file.frames and file.format not in _ESTIMATED:
        raise Unreadable(f"truncated: {count:,} of {file.frames:,} samples a channel are there")
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return Sound(_sane(np.ascontiguousarray(samples)), int(file.samplerate), int(file.channels))


def _refuse_short(data: bytes) -> None:
    """Refuse wav, aiff and au files that end before their header says so; libsndfile takes them as shorter ones."""
    start, size = data[:4], int.from_bytes(data[4:8], "big")
    if start == b"RIFF" and data[8:12] == b"WAVE":
        at, size = _wav_sound(data)
    elif start == b"FORM":
        at = 8
    elif start == b".snd":
        at, size = size, int.from_bytes(data[8:12], "big")
    else:
        return
    there = max(0, len(data) - at)
    if size not in _UNKNOWN and size > there:
        raise Unreadable(f"truncated: {there:,} of {size:,} bytes of sound are there")


def _wav_sound(data: bytes) -> tuple[int, int]:
    """Where the samples of a wav file begin, and how many bytes they take by its header."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data":
            return at + 8, size
        at += 8 + size + size % 2
    raise Unreadable(f"truncated: the wav file of {len(data):,} bytes ends before its sound begins")


def _reason(data: bytes, said: str) -> str:
    """Why libsndfile could not read a file, in words."""
    for start, at, name in _OTHERS:
        if data[at : at + len(start)] == start:
            return f"{name}, which libsndfile does not read; convert it to wav, flac, ogg or mp3"
    try:
        text = data[:40].decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if text and (text.isprintable() or text.split()) and "\0" not in text:
        return f"not a sound file: the file is text that starts with {text!r}"
    said = " ".join(said.split()).rstrip(".")
    if data.startswith(_STARTS):
        return f"damaged or cut short: {said}"
    return f"not a sound file: {len(data):,} bytes of no format that libsndfile knows ({said})"
