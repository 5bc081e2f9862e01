"""Damage to pictures grows with its strength, is repeatable, and is what its name says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.modalities.image.damage import AMOUNTS, KINDS, damaged

from .pictures import photo

PIXELS = np.asarray(photo(120, 90))
STRENGTHS = range(1, 6)


def difference(changed: np.ndarray, clean: np.ndarray = PIXELS) -> float:
    return float(np.abs(changed.astype(int) - clean).mean())


def test_kinds() -> None:
    assert KINDS == ("blur", "noise", "jpeg", "light", "crop", "rotation")
    assert all(len(amounts) == 5 for amounts in AMOUNTS.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_damage_grows_with_strength(kind: str, seed: int) -> None:
    changed = [damaged(PIXELS, kind, strength, seed) for strength in STRENGTHS]
    assert all(c.shape == PIXELS.shape and c.dtype == np.uint8 for c in changed)
    differences = [difference(c) for c in changed]
    assert differences[0] > 0
    assert np.all(np.diff(differences) > 0), differences


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_damage(kind: str) -> None:
    before = PIXELS.copy()
    for strength in STRENGTHS:
        assert np.array_equal(damaged(PIXELS, kind, strength, 4), damaged(PIXELS, kind, strength, 4))
    assert np.array_equal(PIXELS, before)
    seeds = {damaged(PIXELS, kind, 3, seed).tobytes() for seed in range(8)}
    assert len(seeds) == {"blur": 1, "jpeg": 1, "rotation": 2}.get(kind, 8)


def test_noise_has_the_documented_spread() -> None:
    grey = np.full((100, 100, 3), 128, np.uint8)
    for strength, sigma in zip(STRENGTHS, AMOUNTS["noise"], strict=True):
        assert damaged(grey, "noise", strength, 0).std() == pytest.approx(sigma, rel=0.05)


def test_low_light_is_dark_and_has_the_noise_of_few_photons() -> None:
    bright, dim = (np.full((100, 100, 3), level, np.uint8) for level in (240, 60))
    for strength, share in zip(STRENGTHS, AMOUNTS["light"], strict=True):
        dark, darker = (damaged(p, "light", strength, 0).astype(float) for p in (bright, dim))
        assert dark.mean() == pytest.approx(240 * share, rel=0.03)
        assert dark.std() / darker.std() == pytest.approx(2, rel=0.1)  # the square root of 240 / 60


def test_blur_goes_by_the_size_of_the_picture() -> None:
    def smoothness(side: int) -> float:
        """Width of the blurred edge between a black and a white half, as a share of the side."""
        halves = np.zeros((side, side, 3), np.uint8)
        halves[:, side // 2 :] = 255
        row = damaged(halves, "blur", 5, 0)[0, :, 0]
        return float(((row > 25) & (row < 230)).mean())

    assert smoothness(100) == pytest.approx(smoothness(400), abs=0.015)


def test_a_crop_keeps_the_documented_share() -> None:
    down, across = np.mgrid[:200, :200]
    places = np.stack([across, down, down], -1).astype(np.uint8)
    for strength, share in zip(STRENGTHS, AMOUNTS["crop"], strict=True):
        seen = damaged(places, "crop", strength, 3)
        assert float(np.ptp(seen[..., 0])) * float(np.ptp(seen[..., 1])) / 200**2 == pytest.approx(share, abs=0.03)


def test_corners_of_a_turned_picture_have_its_mean_colour() -> None:
    for seed in range(4):
        corner = damaged(PIXELS, "rotation", 5, seed)[0, 0]
        assert np.abs(corner - PIXELS.mean((0, 1))).max() <= 1


@pytest.mark.parametrize("strength", [0, 6, 2.5, -1])
def test_strengths_that_do_not_exist(strength: Any) -> None:
    with pytest.raises(SettingError, match=r"must be a whole number from 1 to 5"):
        damaged(PIXELS, "blur", strength, 0)


def test_kinds_that_do_not_exist() -> None:
    with pytest.raises(SettingError, match=r"'blurr' is unknown; it may be blur, noise.*Did you mean 'blur'"):
        damaged(PIXELS, "blurr", 1, 0)
