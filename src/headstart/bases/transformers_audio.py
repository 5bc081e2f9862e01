"""An audio model of transformers: Whisper's encoder, wav2vec 2.0, HuBERT, the Audio Spectrogram Transformer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.base import Base
from headstart.bases.checks import read_json, telling_preprocessing
from headstart.bases.identity import Identity
from headstart.bases.transformers_body import load_transformer, untrained_transformer
from headstart.bases.weight_files import weight_files
from headstart.errors import BaseError
from headstart.modalities.audio.front_end import AudioSpec, windows_for

if TYPE_CHECKING:
    from torch import nn

    from headstart.bases.network import Network

_WHISPER, _SPECTROGRAM = "whisper", "audio-spectrogram-transformer"
_RATE = 16_000  # Hz, of all that were published
_WAVE_SECONDS = 15  # of a waveform at once: its first convolution alone gives 100 MB for them
_AST_MEAN, _AST_STD = -4.2677393, 4.5689974  # of AudioSet, where nothing else is told


class TransformersAudioBase(Base):
    """An audio encoder of transformers; of Whisper the encoder alone.

    Features are the mean of the last states over the sound, of the Audio Spectrogram Transformer its two class tokens.
    """

    modality = "audio"
    libraries = (*Base.libraries, "transformers")
    spec: AudioSpec

    def __init__(self, folder: Path, config: dict[str, Any], identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        self.kind = str(config.get("model_type"))
        self.width = int(config.get("d_model" if self.kind == _WHISPER else "hidden_size") or 0)
        if not self.width:
            raise BaseError(
                f"base {identity.name!r}: config.json names no hidden_size, so its features have no known width."
            )
        with telling_preprocessing(f"the configuration of base {identity.name!r}"):
            self.spec = _SPECS.get(self.kind, _wave_spec)(config, _extractor(folder))

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """Those of the folder."""
        return tuple(weight_files(self.folder, self.identity.name))

    def network(self) -> Network:
        """Load the weights through transformers."""
        return self._network(load_transformer(self.folder, self.identity))

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        return self._network(untrained_transformer(self.folder, self.identity))

    def _network(self, model: nn.Module) -> Network:
        from headstart.bases.audio_body import AudioBody, SpectrogramBody, Wav2VecBody, WhisperBody
        from headstart.bases.network import AudioNetwork

        body: AudioBody
        if self.kind == _WHISPER:
            body = WhisperBody(model.encoder)
        elif self.kind == _SPECTROGRAM:
            spec = self.spec
            body = SpectrogramBody(model, -spec.mean / (2 * spec.std) if spec.normalise else 0.0)
        else:
            body = Wav2VecBody(model)
        return AudioNetwork(body, self.spec).eval()


def _extractor(folder: Path) -> dict[str, Any]:
    """The configuration of the feature extractor; newer versions keep it within the processor's."""
    own = read_json(folder / "preprocessor_config.json")
    found = own if own is not None else (read_json(folder / "processor_config.json") or {}).get("feature_extractor")
    return dict(found or {})


def whisper_spec(mels: int, positions: int, rate: int = _RATE, frame: int = 400, hop: int = 160) -> AudioSpec:
    """Preprocessing of a Whisper of ``positions``, each of two frames, 30 s in all.

    A quarter of a second of silence on each side, as it was trained on speech with silence after it. Of 3,000 trimmed
    spoken digits, linear classifiers then tell six speakers by digits that they were not fitted on with an accuracy of
    0.90 instead of 0.82, and digits as before, 0.98 (docs/log.md).
    """
    longest, silence = positions * 2 * hop, min(rate // 4, positions * hop // 4)
    windows = windows_for(longest - 2 * silence, rate)
    return AudioSpec("log_mel", rate, longest, frame, silence, windows, mels, frame, hop, normalise=False)


def _whisper_spec(config: dict[str, Any], given: dict[str, Any]) -> AudioSpec:
    mels = int(config.get("num_mel_bins", 80))
    told = int(given.get("feature_size", mels))
    if told != mels:
        raise ValueError(f"its extractor makes {told} mel bands, its config.json asks for {mels}")
    rate, frame, hop = given.get("sampling_rate", _RATE), given.get("n_fft", 400), given.get("hop_length", 160)
    return whisper_spec(mels, int(config.get("max_source_positions", 1500)), int(rate), int(frame), int(hop))


def _spectrogram_spec(config: dict[str, Any], given: dict[str, Any]) -> AudioSpec:
    rate = int(given.get("sampling_rate", _RATE))
    frame, hop = rate * 25 // 1000, rate // 100
    longest = (int(config.get("max_length", 1024)) - 1) * hop + frame
    return AudioSpec(
        "fbank",
        rate,
        longest,
        shortest=frame,
        windows=windows_for(longest, rate),
        mels=int(config.get("num_mel_bins", 128)),
        frame=frame,
        hop=hop,
        normalise=bool(given.get("do_normalize", True)),
        mean=float(given.get("mean", _AST_MEAN)),
        std=float(given.get("std", _AST_STD)),
    )


def _wave_spec(config: dict[str, Any], given: dict[str, Any]) -> AudioSpec:
    rate = int(given.get("sampling_rate", _RATE))
    longest = _WAVE_SECONDS * rate
    field, step = 1, 1  # samples that one position sees, and from one position to the next
    kernels = config.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2))
    for kernel, stride in zip(kernels, config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2)), strict=True):
        field, step = field + (int(kernel) - 1) * step, step * int(stride)
    normalise = bool(given.get("do_normalize", True))
    windows = windows_for(longest, rate)
    return AudioSpec("waveform", rate, longest, field, windows=windows, mels=0, normalise=normalise)


_SPECS = {_WHISPER: _whisper_spec, _SPECTROGRAM: _spectrogram_spec}
