"""The front ends give what the bases' own extractors give, window by window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.modalities.audio import AudioSpec, padded
from headstart.modalities.audio.front_end import fbank, heard, log_mel, waveform, windows_for
from headstart.modalities.audio.modality import Audio

from .sounds import RATE, voice

SIGNALS = {
    "noise": np.random.default_rng(0).standard_normal(16_001).astype(np.float32) * 0.1,
    "voice": voice(0.7),
    "short": voice(0.05),
    "silence": np.zeros(1000, np.float32),
    "tone": np.sin(np.arange(5000) / 5).astype(np.float32),
}
EVERY = pytest.mark.parametrize("name", SIGNALS)
FBANK = AudioSpec("fbank", mels=128, mean=-4.2677393, std=4.5689974)


@EVERY
@pytest.mark.parametrize("mels", [80, 128])
def test_log_mel_is_whispers(name: str, mels: int) -> None:
    from transformers import WhisperFeatureExtractor

    extractor: Any = WhisperFeatureExtractor(feature_size=mels)
    theirs = extractor(SIGNALS[name], sampling_rate=RATE, padding="do_not_pad", return_tensors="np").input_features[0]
    spec = AudioSpec("log_mel", mels=mels)
    ours = log_mel(SIGNALS[name], spec)
    assert ours.dtype == np.float32
    assert len(ours) == spec.frames(len(SIGNALS[name]))
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-4, atol=1e-4)


@EVERY
@pytest.mark.filterwarnings("ignore:At least one mel filter")
def test_fbank_is_asts(name: str) -> None:
    from transformers import ASTFeatureExtractor

    theirs = ASTFeatureExtractor()(SIGNALS[name], sampling_rate=RATE, return_tensors="np").input_values[
        0
    ]  # [1024, 128]
    ours = fbank(SIGNALS[name], FBANK)
    assert ours.dtype == np.float32
    assert len(ours) == FBANK.frames(len(SIGNALS[name]))
    np.testing.assert_allclose(ours, theirs[: len(ours)], rtol=1e-3, atol=3e-4)


@EVERY
@pytest.mark.parametrize("normalise", [True, False])
def test_waveform_is_wav2vecs(name: str, normalise: bool) -> None:
    from transformers import Wav2Vec2FeatureExtractor

    extractor = Wav2Vec2FeatureExtractor(do_normalize=normalise)
    theirs = extractor(SIGNALS[name], sampling_rate=RATE, return_tensors="np").input_values[0]
    ours = waveform(SIGNALS[name], AudioSpec("waveform", mels=0, normalise=normalise))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_short_recordings_are_followed_by_zeros() -> None:
    wave = voice(0.01)
    spec = AudioSpec("waveform", normalise=False)
    found = heard(wave, spec)
    assert found.shape == (1, spec.shortest)
    assert np.array_equal(found[0, : len(wave)], wave)
    assert not found[0, len(wave) :].any()
    for kind in ("log_mel", "fbank"):
        spec = AudioSpec(kind)
        assert heard(wave, spec).shape == (1, spec.frames(spec.shortest), 80)


def test_long_recordings_are_read_in_windows_of_one_length_that_cover_all() -> None:
    wave = voice(2.5)
    spec = AudioSpec("log_mel", longest=16_000, windows=9)
    found = heard(wave, spec)
    stretches = spec.stretches(len(wave))
    assert len(found) == len(stretches.starts) == 3
    assert stretches.unread == 0
    assert stretches.starts[0] == 0
    assert stretches.starts[-1] + stretches.width == len(wave)
    for window, start in zip(found, stretches.starts, strict=True):
        assert np.array_equal(window, log_mel(wave[start : start + stretches.width], spec))


def test_what_no_window_reads_is_told() -> None:
    spec = AudioSpec("waveform", longest=16_000, windows=2)
    assert heard(voice(4.0), spec).shape == (2, 16_000)
    assert spec.stretches(64_000).unread == 32_000


@pytest.mark.parametrize("kind", ["log_mel", "fbank", "waveform"])
@pytest.mark.parametrize("seconds", [0.01, 0.5, 3.3])
def test_size_is_what_all_windows_take(kind: str, seconds: float) -> None:
    spec = AudioSpec(kind, longest=16_000, silence=1_000)
    assert spec.size(int(seconds * RATE)) == heard(voice(seconds), spec).shape[0] * heard(voice(seconds), spec).shape[1]


def test_windows_that_five_minutes_take() -> None:
    assert windows_for(480_000, RATE) == 12
    spec = AudioSpec("log_mel", windows=windows_for(480_000, RATE))
    assert spec.stretches(300 * RATE).unread == 0


def test_batches_are_padded_and_the_mask_tells_what_is_there() -> None:
    spec = AudioSpec("log_mel")
    one, other = (heard(voice(seconds), spec) for seconds in (0.3, 0.5))
    signal, mask = padded([one, other])
    assert signal.shape == (2, 50, 80)
    assert mask.sum(axis=1).tolist() == [30, 50]
    assert np.array_equal(signal[0, :30], one[0])
    assert not signal[0, 30:].any()
    windows = heard(voice(0.9), AudioSpec("log_mel", longest=6_400))
    signal, mask = padded([one, windows])
    assert signal.shape == (2, 3, 33, 80)
    assert mask.any(axis=2).tolist() == [[True, False, False], [True, True, True]]


def test_rates_other_than_the_bases_are_resampled_before_the_front_end() -> None:
    spec = AudioSpec("log_mel")
    assert Audio().decode((voice(1.0, 48_000), 48_000), spec).shape == (1, 100, 80)


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "mfcc"}, {"shortest": 0}, {"longest": 10}, {"windows": 0}, {"mels": 0}, {"hop": 500}, {"std": 0.0}],
)
def test_specs_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        AudioSpec(**{"kind": "fbank", **wrong})


def test_spec_survives_a_dict() -> None:
    assert AudioSpec.from_dict(FBANK.to_dict()) == FBANK


def test_silence_is_put_around_every_window_and_counts_in_its_length() -> None:
    wave = voice(2.0)
    spec = AudioSpec("waveform", longest=16_000, silence=2_000, normalise=False)
    found = heard(wave, spec)
    starts = spec.stretches(len(wave)).starts
    assert found.shape[1] <= 16_000
    for window, start in zip(found, starts, strict=True):
        assert not window[:2000].any()
        assert not window[-2000:].any()
        assert np.array_equal(window[2000:-2000], wave[start : start + len(window) - 4000])
    with pytest.raises(SettingError):
        AudioSpec("waveform", longest=1_000, silence=400)
