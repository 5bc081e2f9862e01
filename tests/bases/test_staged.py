"""All stages of a base as features: the stages' own outputs, known widths, every way of running them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase, changes_of, state_of
from headstart.bases.catalogue import open_base
from headstart.bases.runtime import ONNX, REFERENCE, remembered
from headstart.bases.staged import StagedBase
from headstart.bases.stages import Stages
from headstart.data.table import objects
from headstart.errors import BaseError
from headstart.training.features import extract
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder

FOLDERS = {"timm": timm_folder, "vit": vit_folder, "bert": bert_folder}
TEXTS = objects(["the cat sat", "my card is late", "the dog ran on a mat", "new parcel lost"])


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=FOLDERS)
def base(request, tmp_path):
    return open_base(str(FOLDERS[request.param](tmp_path / "base")), "text" if request.param == "bert" else "image")


def inputs_of(base):
    noise = np.random.default_rng(0).integers(0, 255, (4, 6, 6, 3), dtype=np.uint8)
    return TEXTS if base.modality == "text" else objects(np.kron(one, np.ones((8, 8, 1), np.uint8)) for one in noise)


def no_loading(monkeypatch, base):
    monkeypatch.setattr(type(base), "network", lambda self: pytest.fail("the base was loaded"))


def test_it_is_the_base_under_a_hash_of_its_own(base):
    staged = StagedBase(base)
    assert staged.identity.weights != base.identity.weights
    assert len(staged.identity.weights) == 64
    assert (staged.identity.name, staged.identity.source) == (base.identity.name, base.identity.source)
    assert (staged.modality, staged.spec) == (base.modality, base.spec)
    assert staged.preprocessing() == base.preprocessing()
    assert staged.tokenizer_file == base.tokenizer_file


def test_features_are_the_outputs_of_the_stages_and_end_with_the_bases_own(base):
    staged, network = StagedBase(base), base.network()
    batch = network.example()
    with torch.inference_mode():
        out, own, every = staged.network()(*batch), network(*batch), Stages(network).every(batch)
    assert out.shape == (2, staged.width)
    assert out.dtype == torch.float32
    assert staged.parts[-1] == base.width
    torch.testing.assert_close(out[:, -base.width :], own)
    *lower, last = out.split(staged.parts, 1)
    for part in every:
        assert any(piece.shape == part.shape and torch.allclose(piece, part) for piece in (*lower, last))
    assert not any(piece.shape == last.shape and torch.allclose(piece, last) for piece in lower)
    with torch.inference_mode():
        assert staged.untrained()(*batch).shape == out.shape


@pytest.mark.parametrize("base", ["bert"], indirect=True)
def test_under_mean_pooling_the_last_block_counts_once(base):
    assert len(StagedBase(base).parts) == len(Stages(base.network()).stages) - 1


def test_features_pass_through_extraction_and_the_cache(base, monkeypatch):
    inputs, staged = inputs_of(base), StagedBase(base)
    plain, found = extract(base, inputs), extract(staged, inputs)
    assert found.vectors.shape == (4, staged.width)
    assert found.computed == 4
    rounding = 0.05 if "bfloat16" in (found.dtype, plain.dtype) else 1e-5
    np.testing.assert_allclose(found.vectors[:, -base.width :], plain.vectors, atol=rounding)
    tried = {m.name: m for m in remembered(staged).tried}
    assert not tried[ONNX].left_out, tried[ONNX]
    assert tried[REFERENCE].load >= next(m.load for m in remembered(base).tried if m.name == REFERENCE)
    no_loading(monkeypatch, base)
    again = extract(StagedBase(base), inputs)
    assert again.computed == 0
    np.testing.assert_array_equal(again.vectors, found.vectors)


@pytest.mark.parametrize("base", ["bert"], indirect=True)
def test_padding_changes_no_stage(base):
    network = StagedBase(base).network()
    ids = torch.tensor([[3, 4, 5]])
    padded = torch.tensor([[3, 4, 5, 0, 0], [6, 7, 8, 9, 10]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [1] * 5])
    with torch.inference_mode():
        torch.testing.assert_close(network(padded, mask)[:1], network(ids, torch.ones_like(ids)), atol=1e-5, rtol=0)


def test_widths_are_remembered_so_that_no_weights_are_needed(base, monkeypatch):
    parts = StagedBase(base).parts
    no_loading(monkeypatch, base)
    assert StagedBase(base).parts == parts
    assert StagedBase(base, parts).width == sum(parts)


def test_stages_of_other_widths_than_in_training_are_refused(base):
    with pytest.raises(BaseError, match="in training"):
        StagedBase(base, (3, base.width)).network()


@pytest.mark.parametrize("base", ["bert"], indirect=True)
def test_an_adapted_base_has_stages_of_its_own(base):
    network = base.network()
    before = state_of(network)
    with torch.no_grad():
        weight = network.body.encoder.layer[1].output.dense.weight
        weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    adapted = AdaptedBase(base, changes_of(before, network))
    staged, plain = StagedBase(adapted), StagedBase(base)
    assert staged.identity.weights not in (adapted.identity.weights, plain.identity.weights)
    with torch.inference_mode():
        ours, theirs = (one.network()(*network.example()) for one in (staged, plain))
    below = sum(staged.parts[:-1])
    torch.testing.assert_close(ours[:, :below], theirs[:, :below])
    assert (ours[:, below:] - theirs[:, below:]).abs().max() > 1e-2
    assert extract(staged, TEXTS).vectors.shape == (4, staged.width)


@pytest.mark.parametrize(("name", "modality"), [("efficientnet_lite0", "image"), ("all-MiniLM-L6-v2", "text")])
def test_the_embedded_bases_have_stages(name, modality):
    base = open_base(name, modality)
    staged = StagedBase(base)
    found = extract(staged, inputs_of(base))
    assert len(staged.parts) >= 7
    assert found.vectors.shape == (4, sum(staged.parts))
    assert {m.name for m in remembered(staged).usable} >= {REFERENCE, ONNX}
