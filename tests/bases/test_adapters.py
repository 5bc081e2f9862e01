"""Adapters: beside the linear layers that count, nothing before training, folded away without a trace."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from torch import nn

from headstart.bases.adapters import KINDS, Lora, adapter_tensors, inject, linear_layers, load_adapter, merge
from headstart.bases.catalogue import open_base
from headstart.bases.network import AudioNetwork
from headstart.errors import BaseError, SettingError
from tests.bases.checkpoints import audio_folder, bert_folder, decoder_folder, timm_folder, vit_folder

FOLDERS = {
    "bert": (bert_folder, "text"),
    "gpt2": (decoder_folder, "text"),
    "vit": (vit_folder, "image"),
    "whisper": (audio_folder, "audio"),
    "wav2vec2": (partial(audio_folder, kind="wav2vec2"), "audio"),
    "ast": (partial(audio_folder, kind="ast"), "audio"),
}


@pytest.fixture(params=FOLDERS)
def network(request, tmp_path):
    make, modality = FOLDERS[request.param]
    return open_base(str(make(tmp_path / request.param)), modality).network()


#: Linear layers of bodies that have other than twelve.
COUNTS = {"GPT2Model": 8, "WhisperBody": 18, "Wav2VecBody": 19, "SpectrogramBody": 18}


def batch_of(network):
    """A batch that tells a wrong merge: no two tokens or pixels alike, and padding."""
    torch.manual_seed(1)
    if isinstance(network, AudioNetwork):
        return network.sample()
    if len(network.example()) == 1:
        return (torch.randint(0, 255, (3, network.size, network.size, 3), dtype=torch.uint8),)
    mask = torch.ones((3, 9), dtype=torch.int64)
    mask[1, 5:] = 0
    return torch.randint(2, 18, (3, 9)), mask


def answer(network):
    with torch.no_grad():
        return network(*batch_of(network))


def trained(network):
    """As after training: every adapter moved."""
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_merging_keeps_the_function_and_leaves_plain_modules(network, kind):
    names, types = list(network.state_dict()), [type(m) for m in network.modules()]
    plain = answer(network)
    inject(network, Lora(kind, rank=4, alpha=8))
    torch.testing.assert_close(answer(network), plain, atol=1e-6, rtol=0)
    trained(network)
    tuned = answer(network)
    assert (tuned - plain).abs().max() > 0.01
    merge(network)
    torch.testing.assert_close(answer(network), tuned, atol=1e-5, rtol=0)
    assert list(network.state_dict()) == names
    assert [type(m) for m in network.modules()] == types
    assert not hasattr(network, "peft_config")
    assert all(p.requires_grad for p in network.parameters())


def test_only_adapters_are_trained(network):
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    inject(network, Lora(rank=2))
    moving = [name for name, p in network.named_parameters() if p.requires_grad]
    assert moving
    assert all("lora_" in name for name in moving)
    assert len(moving) == 2 * len(linear_layers_of(network)) == len(adapter_tensors(network))
    merge(network)
    assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())


def linear_layers_of(network):
    return [m for m in network.modules() if type(m).__module__.startswith("peft") and hasattr(m, "base_layer")]


def test_every_linear_layer_of_the_body_but_no_unused_pooler(network):
    from transformers.pytorch_utils import Conv1D

    network.body.train()
    every = {name for name, m in network.named_modules() if isinstance(m, (nn.Linear, Conv1D))}
    unused = {name for name in every if "pooler" in name}
    assert set(linear_layers(network)) == every - unused
    assert len(every - unused) == COUNTS.get(type(network.body).__name__, 12)
    assert network.body.training


def test_adapters_are_carried_over(network, tmp_path):
    import copy

    other = copy.deepcopy(network)
    lora = Lora("dora", rank=3)
    inject(network, lora)
    trained(network)
    inject(other, lora)
    load_adapter(other, adapter_tensors(network))
    assert torch.equal(answer(other), answer(network))


def test_adapters_of_another_rank_or_network_are_refused(network):
    inject(network, Lora(rank=3))
    tensors = adapter_tensors(network)
    merge(network)
    inject(network, Lora(rank=4))
    with pytest.raises(BaseError, match="do not fit the base"):
        load_adapter(network, tensors)
    with pytest.raises(BaseError, match="do not fit the base"):
        load_adapter(network, dict(list(adapter_tensors(network).items())[1:]))


def test_a_frozen_network_has_the_same_layers(network):
    layers = linear_layers(network)
    network.requires_grad_(False)
    assert linear_layers(network) == layers


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet"])
def test_convolutions_alone_are_refused(name, tmp_path):
    base = str(timm_folder(tmp_path / "r")) if name == "resnet" else name
    network = open_base(base, "image").network()
    with pytest.raises(SettingError, match=r"LoRA needs linear layers: use partial, norm or full instead\.$") as said:
        inject(network, Lora())
    assert type(network.body).__name__ in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("wrong", [{"kind": "dorra"}, {"rank": 0}, {"alpha": 0}, {"dropout": 1.0}])
def test_settings_that_are_not_allowed(wrong):
    with pytest.raises(SettingError):
        Lora(**wrong)


def test_settings_survive_json():
    lora = Lora("rslora", 8, 4, 0.1)
    assert Lora.from_dict(json.loads(json.dumps(lora.to_dict()))) == lora
