"""Classical features tell sounds apart by pitch and course, whatever their rate, and are of one width."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.modalities.audio.classical import AUDIO_CLASSICAL_WIDTH, classical, silent
from headstart.modalities.audio.sound import Sound

from .sounds import RATE, voice


@pytest.mark.parametrize("seconds", [0.0001, 0.026, 0.036, 0.05, 0.4, 3.0, 70.0])
def test_one_width_for_every_duration(seconds: float) -> None:
    found = classical(Sound(voice(max(seconds, 1 / RATE)), RATE))
    assert found.shape == (AUDIO_CLASSICAL_WIDTH,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_silence_is_finite_and_known() -> None:
    waves = [np.zeros(RATE), np.full(RATE, 0.3), voice() * 1e-3, voice()]
    found = np.stack([classical(Sound(wave.astype(np.float32), RATE)) for wave in waves])
    assert np.isfinite(found).all()
    assert silent(found).tolist() == [True, True, False, False]


def test_a_sound_is_the_same_at_another_rate() -> None:
    one, other = (classical(Sound(voice(1.0, rate, seed=9), rate)) for rate in (16_000, 48_000))
    far = classical(Sound(voice(1.0, pitch=330), RATE))
    assert np.linalg.norm(one - other) < 0.5 * np.linalg.norm(one - far)


def test_the_course_in_time_counts() -> None:
    rising = np.concatenate([voice(0.5, pitch=120), voice(0.5, pitch=400)])
    one, other = classical(Sound(rising, RATE)), classical(Sound(rising[::-1].copy(), RATE))
    still = 2 * 40 + 20  # means and deviations over the whole time
    assert np.abs(one[:still] - other[:still]).max() < 0.5
    thirds = one[still : still + 60].reshape(3, 20), other[still : still + 60].reshape(3, 20)
    assert np.abs(thirds[0][0] - thirds[1][0]).max() > 2
    assert np.abs(thirds[0][0] - thirds[1][2]).max() < 0.5


def test_cepstrum_is_the_orthonormal_cosine_transform() -> None:
    from scipy.fft import dct

    from headstart.modalities.audio.classical import _cosines

    levels = np.random.default_rng(0).standard_normal((5, 40)).astype(np.float32)
    np.testing.assert_allclose(levels @ _cosines(), dct(levels, norm="ortho")[:, 1:21], atol=1e-5)
