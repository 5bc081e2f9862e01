"""Augmentation of recordings: shift, gain, noise, SpecAugment and, where asked for, damage as after deployment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from headstart.errors import SettingError
from headstart.modalities.audio.damage import KINDS, damaged_sound, with_noise
from headstart.modalities.audio.front_end import AudioSpec, heard
from headstart.modalities.audio.sound import samples_of
from headstart.modalities.damage import STRENGTHS

_NOISE = (10.0, 40.0)  # decibels that a recording's power lies above the noise's
_NOISE_SHARE, _DAMAGE_SHARE = 0.5, 0.5
_TIME, _BANDS = 0.1, 0.15  # share of the frames, and of the bands, that one mask takes at most
_FEW = 20  # examples a class up to which the defaults are gentler


@dataclass(frozen=True)
class AudioAugmentation:
    """How a recording is changed at random, each time it is heard.

    Attributes:
        shift: share of its duration, 0 to below 1, by which it begins earlier or later at most; silence fills the gap.
        gain: decibels by which it is louder or quieter at most.
        noise: white noise, 10 to 40 dB below it, with probability 1/2.
        masks: stretches of time, and bands of frequency, that are blotted out (Park et al. 2019, "SpecAugment"): this
            many of each, of at most a tenth of the time and 15 % of the bands; of waveforms those of time alone.
        damage: one of noise, band limit, clipping and reverberation, of strength 1 to 5, with probability 1/2.

    Raises:
        SettingError: a value that is not allowed.
    """

    shift: float = 0.1
    gain: float = 6.0
    noise: bool = True
    masks: int = 2
    damage: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.shift < 1 or not 0 <= self.gain <= 60 or self.masks < 0:
            raise SettingError(
                f"shift {self.shift}, gain {self.gain} and masks {self.masks}: allowed are a share below 1, 0 to 60 "
                f"decibels, and 0 or more."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**values)


def augmented(value: Any, spec: AudioSpec, how: AudioAugmentation, seed: int) -> np.ndarray:
    """`Audio.decode` of ``value`` changed at random as ``how`` says, of the same shape; the same for the same ``seed``.

    Raises:
        Unreadable, SourceError: as `Audio.decode`.
    """
    rng = np.random.default_rng(seed)
    wave = _shifted(samples_of(value, spec.rate), how.shift, rng)
    wave = wave * np.float32(10 ** (rng.uniform(-how.gain, how.gain) / 20))
    if how.noise and rng.random() < _NOISE_SHARE:
        wave = with_noise(wave, rng.uniform(*_NOISE), rng)
    if how.damage and rng.random() < _DAMAGE_SHARE:
        kind, strength = KINDS[rng.integers(len(KINDS))], int(rng.choice(STRENGTHS))
        wave = damaged_sound(wave, spec.rate, kind, strength, int(rng.integers(2**32)))
    return np.stack([_masked(window, how.masks, rng) for window in heard(wave, spec)])


def audio_default(per_class: int, damage: bool = False) -> tuple[AudioAugmentation, str]:
    """The augmentation for classes with ``per_class`` examples each, and why, in words.

    With up to 20 examples a class one mask of each kind instead of two: heavier changes would outweigh what so few
    show, as with pictures.
    """
    few = per_class <= _FEW
    how = AudioAugmentation(masks=1 if few else 2, damage=damage)
    parts = [f"shifts of up to {how.shift:.0%} of the duration", f"louder or quieter by up to {how.gain:g} dB"]
    parts += ["noise on every second recording", f"{how.masks} masked stretch{'es' * (not few)} of time and of bands"]
    parts += ["noise, band limit, clipping or reverberation on every second recording"] * damage
    return how, ", ".join(parts) + (f"; gentle, because there are only {per_class} examples a class" if few else "")


def _shifted(wave: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """``wave`` later or earlier by up to ``share`` of its length, as long as before."""
    by = round(rng.uniform(-share, share) * len(wave))
    moved = np.zeros_like(wave)
    if by >= 0:
        moved[by:] = wave[: len(wave) - by]
    else:
        moved[:by] = wave[-by:]
    return moved


def _masked(window: np.ndarray, masks: int, rng: np.random.Generator) -> np.ndarray:
    """``window`` [frames, mels] or [samples] with ``masks`` stretches, and as many bands, at its mean."""
    changed, mean = window.copy(), window.mean()
    for _ in range(masks):
        start, end = _stretch(len(window), _TIME, rng)
        changed[start:end] = mean
        if window.ndim == 2:
            low, high = _stretch(window.shape[1], _BANDS, rng)
            changed[:, low:high] = mean
    return changed


def _stretch(length: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    """Beginning and end of a stretch of up to ``share`` of ``length``."""
    width = int(rng.integers(int(share * length) + 1))
    start = int(rng.integers(length - width + 1))
    return start, start + width
