"""Augmentation changes what is heard, by no more than it says, and the same way for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.modalities.audio import AudioSpec
from headstart.modalities.audio.augment import AudioAugmentation, audio_default, augmented
from headstart.modalities.audio.modality import Audio

from .sounds import RATE, voice

WAVE = (voice(), RATE)
SPECS = {"log_mel": AudioSpec("log_mel"), "fbank": AudioSpec("fbank"), "waveform": AudioSpec("waveform")}
PLAIN = AudioSpec("waveform", normalise=False)
NOTHING = AudioAugmentation(shift=0, gain=0, noise=False, masks=0)


@pytest.mark.parametrize("kind", SPECS)
def test_same_seed_same_sound_and_no_change_where_none_is_asked_for(kind: str) -> None:
    spec, how = SPECS[kind], AudioAugmentation(damage=True)
    plain = Audio().decode(WAVE, spec)
    assert np.array_equal(augmented(WAVE, spec, NOTHING, 3), plain)
    seen = [augmented(WAVE, spec, how, seed) for seed in range(8)]
    assert all(one.shape == plain.shape and one.dtype == np.float32 and np.isfinite(one).all() for one in seen)
    assert np.array_equal(seen[5], augmented(WAVE, spec, how, 5))
    assert len({one.tobytes() for one in seen}) == len(seen)


def test_shift_moves_the_sound_and_leaves_silence() -> None:
    how = AudioAugmentation(shift=0.25, gain=0, noise=False, masks=0)
    moved = [augmented(WAVE, PLAIN, how, seed)[0] for seed in range(20)]
    shifts = []
    for one in moved:
        found = np.flatnonzero(one)
        at = int(found[0])
        begins = int(np.flatnonzero(np.isclose(WAVE[0], one[at]))[0])
        shifts.append(at - begins)
        assert np.array_equal(one[at : at + 1000], WAVE[0][begins : begins + 1000])
    assert min(shifts) < 0 < max(shifts)
    assert max(np.abs(shifts)) <= 0.25 * RATE


def test_gain_is_within_its_decibels() -> None:
    how = AudioAugmentation(shift=0, gain=6, noise=False, masks=0)
    gains = [20 * np.log10(augmented(WAVE, PLAIN, how, s)[0].std() / WAVE[0].std()) for s in range(20)]
    assert max(np.abs(gains)) <= 6.001
    assert max(gains) > 2
    assert min(gains) < -2


def test_noise_is_on_every_second_recording_within_its_bounds() -> None:
    how = AudioAugmentation(shift=0, gain=0, noise=True, masks=0)
    noise = [augmented(WAVE, PLAIN, how, seed)[0] - WAVE[0] for seed in range(60)]
    there = [10 * np.log10(np.mean(WAVE[0] ** 2) / np.mean(one**2)) for one in noise if one.any()]
    assert 15 <= len(there) <= 45
    assert 9.5 <= min(there) < 25 < max(there) <= 40.5


def test_masks_blot_out_stretches_and_bands_at_the_mean() -> None:
    plain = Audio().decode(WAVE, SPECS["log_mel"])[0]
    how = AudioAugmentation(shift=0, gain=0, noise=False, masks=1)
    widest, highest = 0, 0
    for seed in range(30):
        changed = augmented(WAVE, SPECS["log_mel"], how, seed)[0] != plain
        rows, columns = changed.all(axis=1).sum(), changed.all(axis=0).sum()
        assert changed.sum() == rows * 80 + columns * 100 - rows * columns
        widest, highest = max(widest, rows), max(highest, columns)
    assert 5 < widest <= 10
    assert 6 < highest <= 12
    wave = augmented(WAVE, SPECS["waveform"], how, 1)[0]
    assert 0 < (wave != Audio().decode(WAVE, SPECS["waveform"])[0]).sum() <= 0.1 * RATE


def test_silence_and_very_short_recordings() -> None:
    for samples in (np.zeros(RATE, np.float32), voice(0.002)):
        for spec in SPECS.values():
            for seed in range(5):
                assert np.isfinite(augmented((samples, RATE), spec, AudioAugmentation(damage=True), seed)).all()


@pytest.mark.parametrize("wrong", [{"shift": 1.0}, {"shift": -0.1}, {"gain": -1}, {"gain": 100}, {"masks": -1}])
def test_values_that_are_not_allowed(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="allowed are"):
        AudioAugmentation(**wrong)


def test_defaults_are_gentler_for_few_examples_and_say_so() -> None:
    few, why = audio_default(10)
    many, words = audio_default(100, damage=True)
    assert (few.masks, many.masks, many.damage) == (1, 2, True)
    assert "only 10 examples a class" in why
    assert "reverberation" in words
    assert AudioAugmentation.from_dict(many.to_dict()) == many
