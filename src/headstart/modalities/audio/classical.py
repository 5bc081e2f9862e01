"""Classical features of a recording, for the baseline without pretraining: statistics of log mel energies and MFCCs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from headstart.modalities.audio.front_end import AudioSpec, heard
from headstart.modalities.audio.sound import Sound, resampled

#: To be raised whenever the features change: it is part of the key they are cached under.
AUDIO_CLASSICAL_VERSION = 1
_BANDS, _COEFFICIENTS, _PARTS = 40, 20, 3
#: Whatever the base takes: 25 ms frames at 16 kHz, all of them, worked on by stretches of 30 s.
_SPEC = AudioSpec("fbank", windows=10_000, mels=_BANDS, normalise=False)
_NOTHING = -15.5  # natural logarithm of the mean energy; -15.9 is the least there is, 4e-4 of full scale about -8
#: Length of the feature vector.
AUDIO_CLASSICAL_WIDTH = 2 * _BANDS + (1 + _PARTS + 2) * _COEFFICIENTS + 1


def classical(sound: Sound) -> np.ndarray:
    """Features [AUDIO_CLASSICAL_WIDTH] float32 of a recording.

    Means and standard deviations of 40 log mel energies; of 20 cepstral coefficients (Davis & Mermelstein 1980) their
    standard deviations, their means in each third of the time, and the standard deviations of their first and second
    differences; the logarithm of the seconds.
    """
    levels = heard(resampled(sound.samples, sound.rate, _SPEC.rate), _SPEC).reshape(-1, _BANDS)  # [frames, bands]
    cepstrum = levels @ _cosines()  # [frames, coefficients]
    thirds = [part.mean(axis=0) for part in _thirds(cepstrum)]
    changes = [_deviations(np.diff(cepstrum, order, axis=0)) for order in (1, 2)]
    parts = [levels.mean(axis=0), levels.std(axis=0), cepstrum.std(axis=0), *thirds, *changes]
    return np.concatenate([*parts, [np.log(sound.seconds)]]).astype(np.float32)


def silent(features: np.ndarray) -> np.ndarray:
    """[n] bool: of ``features`` [n, AUDIO_CLASSICAL_WIDTH] those of recordings in which nothing is to be heard."""
    loudest: np.ndarray = features[:, :_BANDS].max(axis=1)
    return loudest < _NOTHING


def _thirds(cepstrum: np.ndarray) -> list[np.ndarray]:
    """The frames in three parts of the time, none empty: of two frames, one counts in two of them."""
    count = len(cepstrum)
    starts = [count * part // _PARTS for part in range(_PARTS)]
    return [cepstrum[start : max(start + 1, count * (part + 1) // _PARTS)] for part, start in enumerate(starts)]


def _deviations(changes: np.ndarray) -> np.ndarray:
    """[coefficients]; zeros where a recording is too short to change."""
    return changes.std(axis=0) if len(changes) else np.zeros(changes.shape[1], np.float32)


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """The orthonormal cosine transform (DCT-II) of log energies, without the first coefficient, their sum."""
    band, order = np.arange(_BANDS) + 0.5, np.arange(1, _COEFFICIENTS + 1)
    return (np.sqrt(2 / _BANDS) * np.cos(np.pi / _BANDS * band[:, None] * order)).astype(np.float32)
