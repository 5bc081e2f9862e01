"""One contract for every kind of base: what is known without torch holds once the weights are loaded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.bases.catalogue import EMBEDDED, open_base
from headstart.bases.fold import fold_batchnorm
from headstart.bases.runtime import Choice, build, choose, remembered
from tests.bases.checkpoints import bert_folder, decoder_folder, timm_folder, vit_folder

FOLDERS = {"timm": timm_folder, "bert": bert_folder, "gpt2": decoder_folder, "vit": vit_folder}
CASES = [*EMBEDDED, *FOLDERS]


@pytest.fixture
def opened(request, tmp_path):
    kind = request.param
    if kind in EMBEDDED:
        return open_base(kind, EMBEDDED[kind].modality)
    modality = "text" if kind in ("bert", "gpt2") else "image"
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
    choice, run = choose(network, opened.identity, sample)
    with torch.inference_mode():
        expected = opened.network()(*network.example()).numpy()
    got = run(sample)
    cosine = (got * expected).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() >= 0.999
    assert remembered(opened.identity) == choice
    assert {m.name for m in choice.tried} >= {"torch-float32", "torch-bfloat16-folded"}


@pytest.mark.parametrize("opened", ["bert", "gpt2"], indirect=True)
def test_padding_changes_nothing(opened):
    run = build(Choice("torch-float32"), opened.network())
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
    from headstart.bases import runtime

    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    base = open_base(str(timm_folder(tmp_path / "t")), "image")
    real = runtime._build

    def build_wrong(name, network):
        run = real(name, network)
        return run if name == runtime.REFERENCE else lambda batch: run(batch)[:, ::-1].copy()

    monkeypatch.setattr(runtime, "_build", build_wrong)
    network = base.network()
    choice, _ = choose(network, base.identity, tuple(t.numpy() for t in network.example()))
    assert choice.name == runtime.REFERENCE
    assert all("below" in m.left_out or "Error" in m.left_out for m in choice.tried[1:])
