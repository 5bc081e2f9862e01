"""Damage to recordings grows with its strength, is repeatable, and is what its name says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.modalities.audio.damage import AMOUNTS, KINDS, damaged_sound

STRENGTHS = range(1, 6)
RATE = 8000  # Hz
TIME = np.arange(RATE) / RATE
#: A second of a voice-like sound: tones over the whole band that swell and fade.
WAVE = (np.sin(np.pi * TIME) * sum(np.sin(2 * np.pi * f * TIME) / 8 for f in range(150, 4000, 350))).astype(np.float32)


def test_kinds() -> None:
    assert KINDS == ("noise", "band", "clipping", "reverberation")
    assert all(len(amounts) == 5 for amounts in AMOUNTS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_damage_grows_with_strength(kind: str) -> None:
    changed = [damaged_sound(WAVE, RATE, kind, strength, 0) for strength in STRENGTHS]
    assert all(c.shape == WAVE.shape and c.dtype == np.float32 for c in changed)
    differences = [float(np.abs(c - WAVE).mean()) for c in changed]
    assert differences[0] > 0
    assert np.all(np.diff(differences) > 0), differences


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_damage(kind: str) -> None:
    before = WAVE.copy()
    assert np.array_equal(damaged_sound(WAVE, RATE, kind, 3, 4), damaged_sound(WAVE, RATE, kind, 3, 4))
    assert np.array_equal(WAVE, before)
    seeds = {damaged_sound(WAVE, RATE, kind, 3, seed).tobytes() for seed in range(4)}
    assert len(seeds) == (4 if kind in ("noise", "reverberation") else 1)


def test_noise_lies_the_documented_way_below_the_recording() -> None:
    for strength, decibels in zip(STRENGTHS, AMOUNTS["noise"], strict=True):
        noise = damaged_sound(WAVE, RATE, "noise", strength, 0) - WAVE
        assert 10 * np.log10(np.mean(WAVE**2) / np.mean(noise**2)) == pytest.approx(decibels, abs=0.3)


def test_a_band_keeps_what_lies_below_and_nothing_above() -> None:
    frequency = np.fft.rfftfreq(len(WAVE), 1 / RATE)
    before = np.abs(np.fft.rfft(WAVE))
    for strength, share in zip(STRENGTHS, AMOUNTS["band"], strict=True):
        after = np.abs(np.fft.rfft(damaged_sound(WAVE, RATE, "band", strength, 0)))
        end = share * RATE / 2
        assert after[frequency > end].max() < 1e-3 * before.max()
        low = frequency < 0.75 * end
        assert np.allclose(after[low], before[low], atol=1e-3 * before.max())


def test_clipping_cuts_at_the_documented_share() -> None:
    for strength, share in zip(STRENGTHS, AMOUNTS["clipping"], strict=True):
        assert np.abs(damaged_sound(WAVE, RATE, "clipping", strength, 0)).max() == pytest.approx(
            share * np.abs(WAVE).max()
        )


def test_echoes_lie_the_documented_way_below_the_direct_sound_and_die_away() -> None:
    click = np.zeros(RATE, np.float32)
    click[0] = 1.0
    for strength, decibels in zip(STRENGTHS, AMOUNTS["reverberation"], strict=True):
        echoes = damaged_sound(click, RATE, "reverberation", strength, 0)[1:]
        assert -10 * np.log10(np.sum(echoes**2)) == pytest.approx(decibels, abs=0.1)
        early, late = np.sum(echoes[:800] ** 2), np.sum(echoes[800:1600] ** 2)  # tenths of a second: 12 dB apart
        assert 10 * np.log10(early / late) == pytest.approx(12, abs=2)
        assert np.abs(echoes[RATE // 2 :]).max() < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [0, 1, 7])
def test_short_and_silent_recordings(kind: str, length: int) -> None:
    silence = np.zeros(length, np.float32)
    assert np.array_equal(damaged_sound(silence, RATE, kind, 5, 0), silence)
    assert damaged_sound(WAVE[:length], RATE, kind, 5, 0).shape == (length,)


@pytest.mark.parametrize("strength", [0, 6, 2.5])
def test_strengths_that_do_not_exist(strength: Any) -> None:
    with pytest.raises(SettingError, match=r"must be a whole number from 1 to 5"):
        damaged_sound(WAVE, RATE, "band", strength, 0)


def test_kinds_that_do_not_exist() -> None:
    with pytest.raises(SettingError, match=r"'clip' is unknown; it may be noise, band, clipping, reverberation"):
        damaged_sound(WAVE, RATE, "clip", 1, 0)
