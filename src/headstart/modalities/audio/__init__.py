"""Recordings: read at any rate, heard by a base in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.modalities.audio.damage import damaged_sound
from headstart.modalities.audio.front_end import AudioSpec, heard, padded
from headstart.modalities.audio.sound import Sound, content, read, samples_of
from headstart.modalities.modality import Modality

__all__ = ["Audio", "AudioSpec", "Sound", "padded", "read"]


class Audio(Modality):
    """Recordings: paths, encoded bytes (wav, flac, ogg, mp3 and what else libsndfile reads), and (array, rate)."""

    name = "audio"

    def content(self, value: Any) -> bytes:
        """A file's bytes; of (array, rate) the values and all that decides how they are read."""
        return content(value)

    def decode(self, value: Any, spec: AudioSpec) -> np.ndarray:
        """``value`` in windows: float32 [windows, frames, mels] or, of waveforms, [windows, samples].

        Channels are mixed, any rate becomes the base's, and what is shorter than the base needs is followed by zeros.
        Safe to call from several threads.

        Raises:
            Unreadable: with the reason in one line.
            SourceError: a file came and soundfile is not installed.
        """
        return heard(samples_of(value, spec.rate), spec)

    def damaged(self, value: Any, spec: AudioSpec, kind: str, strength: int, seed: int) -> np.ndarray:
        """`decode` of ``value`` with damage of ``kind``, one of `damage.KINDS`, and ``strength`` 1..5.

        Raises:
            Unreadable, SourceError: as `decode`.
            SettingError: an unknown kind or strength.
        """
        return heard(damaged_sound(samples_of(value, spec.rate), spec.rate, kind, strength, seed), spec)
