"""What makes recordings a modality."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from headstart.modalities.audio import sound
from headstart.modalities.audio.augment import AudioAugmentation, audio_default, augmented
from headstart.modalities.audio.classical import AUDIO_CLASSICAL_VERSION, AUDIO_CLASSICAL_WIDTH, classical, silent
from headstart.modalities.audio.damage import KINDS, damaged_sound
from headstart.modalities.audio.front_end import AudioSpec, heard, padded, sample
from headstart.modalities.audio.looks import UNITS, headers, player, properties, spectrogram
from headstart.modalities.audio.reading import reading_advice, reading_of
from headstart.modalities.damage import Damage
from headstart.modalities.feed import RaggedFeed, Rows
from headstart.modalities.modality import Modality
from headstart.modalities.stream import (
    WINDOW,
    Ahead,
    Piece,
    Pieces,
    accelerated,
    asked,
    in_windows,
    threads,
    window,
    within_budget,
)
from headstart.modalities.types import Classical, Reads, Reject, Shown, Unreadable
from headstart.records import ReadingRecord

# The last four are read by no library here; files of them are set aside with what to do.
_ENDINGS = ".wav .wave .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .caf .w64 .rf64 .m4a .aac .wma .amr"
#: Seconds of sound, padding included, that pass through a base together.
_TOGETHER = 30
_CHUNK = 128 * 2**20  # bytes of decoded recordings among which batches of like length are made


class Audio(Modality):
    """Recordings: paths, encoded bytes (wav, flac, ogg, mp3 and what else libsndfile reads), and (array, rate)."""

    name = "audio"
    noun, plural, example = "recording", "recordings", "new.wav"
    files = frozenset(_ENDINGS.split())
    readers = ("soundfile", "scipy")
    libraries = ("torch", "transformers", "headstart.training.run")
    sample, tried, times = 16, 4, 2
    long = masked = True
    unit, input_unit = "s", "per second"
    baseline = "MFCC + linear"
    classical = Classical(AUDIO_CLASSICAL_WIDTH, AUDIO_CLASSICAL_VERSION)
    units: ClassVar = UNITS

    def takes(self, value: Any) -> bool:
        """Paths that end as recordings' do, files' bytes that begin so, and (array, rate)."""
        if isinstance(value, str | os.PathLike):
            return self.named(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return sound.begins_as_sound(bytes(value[:16]))
        return isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], np.ndarray)

    def cell(self, value: Any) -> Any:
        """Also as datasets decodes recordings: an array with its sampling rate."""
        if isinstance(value, dict) and value.get("sampling_rate") and value.get("array") is not None:
            return np.asarray(value["array"]), int(value["sampling_rate"])
        return super().cell(value)

    def content(self, value: Any) -> bytes:
        """A file's bytes; of (array, rate) the values and all that decides how they are read."""
        return sound.content(value)

    def decode(self, value: Any, spec: AudioSpec) -> np.ndarray:
        """``value`` in windows: float32 [windows, frames, mels] or, of waveforms, [windows, samples].

        Channels are mixed, any rate becomes the base's, and what is shorter than the base needs is followed by zeros.
        Safe to call from several threads.

        Raises:
            Unreadable: with the reason in one line.
            SourceError: a file came and soundfile is not installed.
        """
        return heard(sound.samples_of(value, spec.rate), spec)

    def spec(self, values: dict[str, Any]) -> AudioSpec:
        """See `Modality.spec`."""
        return AudioSpec.from_dict(values)

    def stream(
        self,
        inputs: Sequence[Any] | np.ndarray,
        base: Reads,
        for_base: np.ndarray,
        for_classical: np.ndarray,
        reject: Reject,
        reader: Any = None,
    ) -> Pieces:
        """See `Modality.stream`."""
        return audio_pieces(inputs, base.spec, for_base, for_classical, reject)

    def feed(self, base: Reads, rows: Rows, augmentation: Any, seed: int) -> RaggedFeed:
        """See `Modality.feed`."""
        return _AudioFeed(base, rows, augmentation, seed)

    def probe(self, spec: AudioSpec) -> tuple[np.ndarray, ...]:
        """Noise, one recording shorter than the others."""
        return sample(spec)

    def lengths(self, inputs: Sequence[Any] | np.ndarray, base: Reads) -> np.ndarray:
        """Samples at the base's rate, and those of them that are in no window."""
        spec: AudioSpec = base.spec
        return np.array([_read(int(one), spec) for one in _samples(inputs, spec)], np.float32).reshape(-1, 2)

    def maybe_long(self, inputs: Sequence[Any] | np.ndarray, spec: AudioSpec) -> np.ndarray:
        """All of them: how long each is, is kept beside its features, which is quicker than to read headers again."""
        return np.ones(len(inputs), bool)

    def reading(self, spec: AudioSpec, read: np.ndarray) -> ReadingRecord:
        """See `headstart.modalities.audio.reading`."""
        return reading_of(spec, read)

    def reading_advice(self, spec: AudioSpec, reading: ReadingRecord, most: int | None) -> str:
        """See `headstart.modalities.audio.reading`."""
        return reading_advice(reading)

    def damage(self, spec: AudioSpec) -> Damage:
        """See `Modality.damage`."""
        return Damage(KINDS, sound.read, _damaged)

    def augmentation(
        self, asked: str, labels: tuple[str, ...], per_class: int, spec: AudioSpec
    ) -> tuple[AudioAugmentation, str]:
        """See `audio_default`."""
        return audio_default(per_class, asked == "corruption")

    def show(self, value: Any) -> Shown:
        """The first 10 s, to be played, and their spectrogram."""
        try:
            found = sound.read(value)
        except Unreadable:
            return Shown()
        return Shown(picture=spectrogram(found), sound=player(found))

    def properties(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Duration, loudness and sample rate."""
        return properties(inputs)

    def headers(self, inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
        """Size and type of the file, duration, sample rate and channels."""
        return headers(inputs)

    def blank(self, inputs: Sequence[Any] | np.ndarray, classical: np.ndarray | None) -> tuple[list[int], str]:
        """Recordings in which nothing is to be heard."""
        return [] if classical is None else np.flatnonzero(silent(classical)).tolist(), "of silence"


def _damaged(found: sound.Sound, kind: str, strength: int, seed: int) -> tuple[np.ndarray, int]:
    return damaged_sound(found.samples, found.rate, kind, strength, seed), found.rate


def _read(samples: int, spec: AudioSpec) -> tuple[int, int]:
    """The length of a recording of so many samples, and how many of them are in no window."""
    return samples, spec.stretches(samples).unread


def _samples(inputs: Sequence[Any] | np.ndarray, spec: AudioSpec) -> np.ndarray:
    """[n] int, samples at the base's rate by the headers; 0 where one cannot be read."""

    def samples(value: Any) -> int:
        try:
            return round(sound.seconds_of(value) * spec.rate)
        except Unreadable:
            return 0

    with ThreadPoolExecutor(threads()) as pool:
        return np.array(list(pool.map(samples, inputs)), dtype=int).reshape(-1)


def audio_pieces(
    inputs: Sequence[Any] | np.ndarray,
    spec: AudioSpec,
    for_base: np.ndarray,
    for_classical: np.ndarray,
    reject: Reject,
) -> Pieces:
    """Recordings decoded on threads, in batches of like length; of long ones, a window a row of the batch."""
    groups = [rows for rows, _ in asked(for_base, for_classical)]

    def decode(row: int) -> _Heard | Unreadable:
        try:
            found = sound.read(inputs[row])
        except Unreadable as error:
            return error
        samples = sound.resampled(found.samples, found.rate, spec.rate)
        signal = heard(samples, spec) if for_base[row] else None
        return _Heard(row, _read(len(samples), spec), signal, classical(found) if for_classical[row] else None)

    ahead = Ahead(decode, [int(row) for rows in groups for row in rows], window(4 * spec.longest))

    def pieces() -> Iterator[Piece]:
        for rows in groups:
            chunk: list[_Heard] = []
            size = 0
            for _ in rows:
                row, found = next(ahead)
                if isinstance(found, Unreadable):
                    reject(row, str(found))
                    continue
                chunk.append(found)
                size += 0 if found.signal is None else found.signal.nbytes
                if len(chunk) == WINDOW or size > _CHUNK:
                    yield from _batches(chunk, spec)
                    chunk, size = [], 0
            yield from _batches(chunk, spec)

    return Pieces(pieces(), ahead)


@dataclass(frozen=True)
class _Heard:
    """One recording: how much of it is read, and, as far as it was asked for, its signal and classical features."""

    row: int
    read: tuple[int, int]
    signal: np.ndarray | None
    features: np.ndarray | None


def _batches(chunk: list[_Heard], spec: AudioSpec) -> Iterator[Piece]:
    """Recordings for which the same was asked, in batches, the shortest first."""
    signals = [one.signal for one in chunk if one.signal is not None]
    if not signals:
        if chunk:
            yield Piece(np.array([one.row for one in chunk]), None, _features(chunk), _reads(chunk))
        return
    widths, windows = [one.shape[1] for one in signals], [len(one) for one in signals]
    order = np.lexsort((windows, widths)).tolist()
    budget = spec.frames(_TOGETHER * spec.rate) * accelerated()
    for members in within_budget(order, widths, windows, budget):
        some, rows = [signals[i] for i in members], np.array([chunk[i].row for i in members])
        own, counts = [chunk[i] for i in members], [len(one) for one in some]
        features, read = _features(own), _reads(own)
        if max(counts) == 1:
            yield Piece(rows, padded(some), features, read)
            continue
        batch = padded([one[None] for whole in some for one in whole])
        together = max(1, budget // batch[0].shape[1])
        yield Piece(rows, batch, features, read, *in_windows(counts), together=together)


def _reads(chunk: list[_Heard]) -> np.ndarray:
    return np.array([one.read for one in chunk], np.float32)


def _features(chunk: list[_Heard]) -> np.ndarray | None:
    found = [one.features for one in chunk if one.features is not None]
    return np.stack(found) if found else None


class _AudioFeed(RaggedFeed):
    """Recordings, decoded on threads ahead of the compute."""

    def __init__(self, base: Reads, rows: Rows, augmentation: Any, seed: int) -> None:
        super().__init__(base, rows, augmentation, seed)
        spec: AudioSpec = base.spec
        self.at_once = spec.frames(10 * _TOGETHER * spec.rate)
        self.lengths = np.array([spec.size(int(one)) for one in _samples(rows.inputs, spec)], dtype=int)

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """Signal and mask, [batch, longest(, mels)] and [batch, longest], or with an axis for windows; see `padded`."""
        spec: AudioSpec = self.base.spec

        how: AudioAugmentation | None = self.augmentation

        def decode(row: int) -> np.ndarray:
            if view is not None and how is not None:
                return augmented(self.rows.inputs[row], spec, how, self.view_seed(row, view))
            return heard(sound.samples_of(self.rows.inputs[row], spec.rate), spec)

        ahead = Ahead(decode, [int(row) for rows in batches for row in rows], window(4 * spec.longest))
        try:
            for rows in batches:
                yield padded([next(ahead)[1] for _ in rows])
        finally:
            ahead.close()
