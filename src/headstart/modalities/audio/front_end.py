"""What a base hears: windows of samples, or their mel spectrograms as its makers computed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from headstart.errors import SettingError
from headstart.modalities.windows import Windows, windows_of

#: The front ends: Whisper's spectrogram, Kaldi's (AST), and the samples themselves (wav2vec 2.0, HuBERT).
KINDS = ("log_mel", "fbank", "waveform")
#: Seconds of a recording that are read at least, where it is so long; what lies beyond is between the windows.
SECONDS = 300
_FLOOR = 1e-10  # Whisper's least power
_RANGE = 8.0  # powers of ten below the loudest that Whisper keeps
_KALDI_FLOOR = 1.1920929e-07  # float32's epsilon
_KALDI_LOW = 20.0  # Hz
_PREEMPHASIS = 0.97
_VARIANCE = 1e-7  # added by wav2vec 2.0's extractor before it divides


@dataclass(frozen=True)
class AudioSpec:
    """Preprocessing of an audio base.

    Attributes:
        kind: "log_mel" (Whisper, Radford et al. 2022), "fbank" (Kaldi's, as AST takes it, Gong et al. 2021) or
            "waveform" (wav2vec 2.0, HuBERT).
        rate: samples a second that the base takes, Hz.
        longest: samples of one window, what the base takes at once; longer recordings are read in windows.
        shortest: samples that the base needs; shorter recordings are followed by zeros.
        silence: zeros put before and after each window, samples, for bases that were trained on sounds with silence
            around them; of ``longest`` they are a part.
        windows: most windows that a recording is read in, its features being their mean.
        mels: bands of the spectrogram; 0 of waveforms.
        frame: samples of one frame of the spectrogram.
        hop: samples from one frame to the next.
        normalise: waveforms: each window to mean 0 and variance 1; fbank: by ``mean`` and ``std``.
        mean, std: of fbank; values are (value - mean) / (2 std), as AST's makers have it.

    Raises:
        SettingError: a value that is not allowed.
    """

    kind: str
    rate: int = 16_000
    longest: int = 480_000
    shortest: int = 400
    silence: int = 0
    windows: int = 12
    mels: int = 80
    frame: int = 400
    hop: int = 160
    normalise: bool = True
    mean: float = 0.0
    std: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"front end {self.kind!r} is unknown; it may be {', '.join(KINDS)}.")
        if not 1 <= self.shortest <= self.room or min(self.windows, self.rate) < 1 or self.silence < 0:
            raise SettingError(
                f"rate {self.rate}, shortest {self.shortest}, longest {self.longest}, silence {self.silence} and "
                f"windows {self.windows}: 1 <= shortest <= longest - 2 silence is needed, and rate and windows above 0."
            )
        if self.spectral and not (self.mels > 0 and 0 < self.hop <= self.frame <= self.shortest and self.std > 0):
            raise SettingError(
                f"mels {self.mels}, hop {self.hop}, frame {self.frame}, shortest {self.shortest} and std {self.std}: "
                f"0 < hop <= frame <= shortest is needed, and mels and std above 0."
            )

    @property
    def side(self) -> int:
        """See `headstart.modalities.types.Spec`."""
        return 0

    @property
    def channels(self) -> int:
        """See `headstart.modalities.types.Spec`."""
        return 0

    @property
    def spectral(self) -> bool:
        """Whether the base takes spectrograms."""
        return self.kind != "waveform"

    @property
    def room(self) -> int:
        """Samples of a recording that one window holds, the silence around them not counted."""
        return self.longest - 2 * self.silence

    def frames(self, samples: int) -> int:
        """Frames of ``samples``, silence included; of waveforms the samples."""
        if self.kind == "log_mel":
            return samples // self.hop
        return (samples - self.frame) // self.hop + 1 if self.spectral else samples

    def stretches(self, samples: int) -> Windows:
        """Where a recording of ``samples`` at the base's rate is read, and how many samples are in no window."""
        return windows_of(max(samples, self.shortest), self.room, self.windows)

    def size(self, samples: int) -> int:
        """Frames (or samples) of all windows of a recording of ``samples``, silence included."""
        found = self.stretches(samples)
        return len(found.starts) * self.frames(found.width + 2 * self.silence)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**values)


def windows_for(longest: int, rate: int) -> int:
    """Windows of ``longest`` samples, overlapping by an eighth, that `SECONDS` take."""
    return max(1, -(-SECONDS * rate * 8 // (longest * 7)))


def heard(samples: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """``samples`` [n] float32 at the base's rate as the base takes them, window by window.

    All windows are of one length, so that none needs padding (`windows_of`).

    Returns:
        float32 [windows, frames, mels] or, of waveforms, [windows, samples].
    """
    if len(samples) < spec.shortest:
        samples = np.pad(samples, (0, spec.shortest - len(samples)))
    cut = np.pad(spec.stretches(len(samples)).of(samples), ((0, 0), (spec.silence, spec.silence)))
    return np.stack([_FRONT_ENDS[spec.kind](window, spec) for window in cut])


def padded(items: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What `heard` gives of several recordings as one batch: signal float32 and mask bool, zeros where there is none.

    Returns:
        [batch, longest(, mels)] and [batch, longest] of one window each; else [batch, most windows, longest(, mels)]
        and [batch, most windows, longest].
    """
    most, longest = max(len(one) for one in items), max(one.shape[1] for one in items)
    signal = np.zeros((len(items), most, longest, *items[0].shape[2:]), np.float32)
    mask = np.zeros((len(items), most, longest), bool)
    for i, one in enumerate(items):
        signal[i, : len(one), : one.shape[1]], mask[i, : len(one), : one.shape[1]] = one, True
    return (signal[:, 0], mask[:, 0]) if most == 1 else (signal, mask)


def example(spec: AudioSpec) -> tuple[np.ndarray, np.ndarray]:
    """Signal and mask of two short sounds, as `padded` gives them, for tracing."""
    return _noise(spec, 2, 4)


def sample(spec: AudioSpec) -> tuple[np.ndarray, np.ndarray]:
    """The same of three sounds, longer than `example`, the last one shorter than the others."""
    signal, mask = _noise(spec, 3, 7)
    end = spec.frames(min(spec.longest, 4 * spec.shortest))
    signal[2, end:], mask[2, end:] = 0, False
    return signal, mask


def _noise(spec: AudioSpec, rows: int, times: int) -> tuple[np.ndarray, np.ndarray]:
    """``rows`` signals ``times`` as long as the base needs."""
    frames = spec.frames(min(spec.longest, times * spec.shortest))
    shape = (rows, frames, spec.mels) if spec.spectral else (rows, frames)
    signal = np.random.default_rng(times).uniform(-1, 1, shape).astype(np.float32)
    return signal, np.ones((rows, frames), bool)


def log_mel(samples: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Whisper's spectrogram of ``samples`` [n]: [n // hop, mels] float32, log10 of power, at most 8 below the loudest.

    Of the recording alone, not of 30 s with silence after it (Radford et al. 2022, arXiv:2212.04356, 2.2).
    """
    half = spec.frame // 2
    around = np.pad(samples, (half, half), mode="reflect")
    frames = _frames(around, spec)[:-1] * np.hanning(spec.frame + 1)[:-1].astype(np.float32)
    power = _power(frames, spec.frame)
    levels = np.log10(np.maximum(_banded(power, _slaney(spec.rate, spec.frame, spec.mels)), np.float32(_FLOOR)))
    return (np.maximum(levels, levels.max() - np.float32(_RANGE)) + np.float32(4)) / np.float32(4)


def fbank(samples: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """Kaldi's log mel filter bank energies of ``samples`` [n]: [frames, mels] float32, natural logarithms.

    Frames lie within the recording; each has its mean taken out and its high frequencies raised.
    """
    frames = _frames(samples, spec)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = np.hanning(spec.frame).astype(np.float32)
    size = 1 << (spec.frame - 1).bit_length()
    power = _power((frames - np.float32(_PREEMPHASIS) * before) * window, size)
    levels = np.log(np.maximum(_banded(power, _kaldi(spec.rate, size, spec.mels)), np.float32(_KALDI_FLOOR)))
    return (levels - np.float32(spec.mean)) / np.float32(2 * spec.std) if spec.normalise else levels


def waveform(samples: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """``samples`` [n], to mean 0 and variance 1 where the base was trained so."""
    if not spec.normalise:
        return samples
    return ((samples - samples.mean()) / np.sqrt(samples.var() + _VARIANCE)).astype(np.float32)


_FRONT_ENDS = {"log_mel": log_mel, "fbank": fbank, "waveform": waveform}


def _frames(samples: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """[frames, frame] of ``samples``, a view."""
    return np.lib.stride_tricks.sliding_window_view(samples, spec.frame)[:: spec.hop]


def _power(frames: np.ndarray, size: int) -> np.ndarray:
    """[frames, size // 2 + 1] float32, of frames followed by zeros up to ``size``."""
    found = np.fft.rfft(frames, size)
    return found.real**2 + found.imag**2


def _banded(power: np.ndarray, filters: Any) -> np.ndarray:
    """[frames, mels] of ``power`` [frames, bins]; sparse: threads of BLAS would fight those that decode."""
    found: np.ndarray = (filters @ np.ascontiguousarray(power.T)).T
    return found


@lru_cache(maxsize=8)
def _slaney(rate: int, size: int, mels: int) -> Any:
    """Slaney's mel filters from 0 Hz to 8 kHz, each of one area, [mels, bins], as librosa makes them."""
    step, start = np.log(6.4) / 27, 1000.0  # linear below 1 kHz, logarithmic above
    points = np.linspace(0.0, 15 + np.log(8000 / start) / step, mels + 2)
    edges = np.where(points < 15, points * 200 / 3, start * np.exp(step * (points - 15)))
    filters = _triangles(np.linspace(0, rate // 2, size // 2 + 1), edges) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return _sparse(filters)


@lru_cache(maxsize=8)
def _kaldi(rate: int, size: int, mels: int) -> Any:
    """Kaldi's mel filters from 20 Hz to half the rate, triangles on the mel scale, [mels, bins]."""

    def mel(frequency: np.ndarray) -> np.ndarray:
        return 1127 * np.log(1 + frequency / 700)

    low, high = mel(np.array([_KALDI_LOW, rate // 2]))
    return _sparse(_triangles(mel(rate / size * np.arange(size // 2 + 1)), np.linspace(low, high, mels + 2)))


def _triangles(places: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """[bands, places]: band i rises from edge i to edge i + 1 and falls to edge i + 2."""
    gaps = np.diff(edges)
    away = edges[:, None] - places  # [edges, places]
    rise, fall = -away[:-2] / gaps[:-1, None], away[2:] / gaps[1:, None]
    return np.maximum(0, np.minimum(rise, fall))


def _sparse(filters: np.ndarray) -> Any:
    from scipy.sparse import csr_array

    return csr_array(filters.astype(np.float32))
