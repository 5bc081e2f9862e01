"""The control's picture features: their form, and that they see what they are for."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.modalities.image.classical import CLASSICAL_WIDTH, classical

GRADIENTS = slice(16 * 16 + 3 * 8 * 8, 16 * 16 + 3 * 8 * 8 + 9 * 8 * 8)


def stripes(size: int, axis: int, shift: float = 0.0) -> np.ndarray:
    wave = 127 + 120 * np.sin(np.arange(size) * 16 * np.pi / size + shift)
    picture = np.broadcast_to(np.expand_dims(wave, 1 - axis), (size, size))
    return np.repeat(picture[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("size", [32, 64, 224, 260])
def test_form(size: int) -> None:
    features = classical(stripes(size, 0))
    assert features.shape == (CLASSICAL_WIDTH,)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert CLASSICAL_WIDTH <= 1200


def test_flat_pictures_have_finite_features_and_no_gradient() -> None:
    features = classical(np.full((224, 224, 3), 90, np.uint8))
    assert np.isfinite(features).all()
    assert features[GRADIENTS].max() < 0.01  # rounding alone
    assert np.allclose(features[: 16 * 16], 90 / 255, atol=1e-3)


def test_gradients_tell_directions_and_not_phases() -> None:
    across, shifted, down = (classical(p)[GRADIENTS] for p in (stripes(224, 0), stripes(224, 0, 1.0), stripes(224, 1)))
    assert np.linalg.norm(across - shifted) < 0.3 * np.linalg.norm(across - down)


def test_size_hardly_matters() -> None:
    assert np.abs(classical(stripes(128, 0)) - classical(stripes(256, 0))).mean() < 0.02


def test_colour_histogram_counts_colours() -> None:
    red = np.zeros((224, 224, 3), np.uint8)
    red[..., 0] = 255
    colours = classical(red)[-64:]
    assert colours.argmax() == 3 * 16
    assert np.isclose((colours**2).sum(), 1)
