"""torchvision's weights by name: fetched once and checked, without their last layer, nothing but tensors loaded."""

from __future__ import annotations

import hashlib
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models._api import Weights, WeightsEnum

from headstart.bases import torchvision_base
from headstart.bases.catalogue import open_base
from headstart.bases.torchvision_base import TorchvisionBase
from headstart.errors import BaseError

NAME = "SqueezeNet1_1_Weights.IMAGENET1K_V1"


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """``served(builder, content)``: the URL of the builder's weights is this machine's; the requests so far."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *said):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(builder, content, name=None):
        weights = next(iter(models.get_model_weights(builder)))
        torch.save(content, tmp_path / "weights.pth")
        data = (tmp_path / "weights.pth").read_bytes()
        name = name or f"{builder}-{hashlib.sha256(data).hexdigest()[:8]}.pth"
        (folder / name).write_bytes(data)
        url = f"http://127.0.0.1:{server.server_address[1]}/{name}"
        changed = Weights(url=url, transforms=weights.value.transforms, meta=weights.value.meta)
        monkeypatch.setattr(weights, "_value_", changed)
        return str(weights), asked

    yield serve
    server.shutdown()
    server.server_close()


def model_of(builder, **told):
    torch.manual_seed(0)
    return models.get_model(builder, weights=None, **told).eval()


@pytest.mark.parametrize("builder", ["squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_features_are_what_the_last_layer_takes(served, builder):
    whole = model_of(builder)
    name, asked = served(builder, whole.state_dict())
    base = open_base(name, "image")
    last = [m for m in whole.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    taken = []
    last.register_forward_pre_hook(lambda module, inputs: taken.append(inputs[0]))
    network = base.network()
    pixels = torch.randint(0, 256, (2, base.spec.size, base.spec.size, 3), dtype=torch.uint8)
    with torch.inference_mode():
        found = network(pixels)
        whole(((pixels / 255 - torch.tensor(base.spec.mean)) / torch.tensor(base.spec.std)).permute(0, 3, 1, 2))
        expected = taken[0] if taken[0].ndim == 2 else taken[0].relu().mean((2, 3))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found.shape == (2, base.width)
    assert base.untrained()(pixels).shape == found.shape
    assert base.identity.name == name
    assert base.identity.source.startswith("torchvision http://127.0.0.1")
    assert (base.identity.licence, base.identity.trained_on) == ("BSD-3-Clause", "ImageNet-1k")
    assert open_base(name, "image").identity == base.identity
    assert len(asked) == 1


def test_preprocessing_is_the_weights_own(served):
    name, _ = served("squeezenet1_1", model_of("squeezenet1_1").state_dict())
    spec = open_base(name.replace("IMAGENET1K_V1", "DEFAULT"), "image").spec
    assert (spec.size, spec.resize, spec.interpolation, spec.mean) == (224, 256, "bilinear", (0.485, 0.456, 0.406))


@pytest.mark.parametrize("builder", ["inception_v3", "googlenet"])
def test_auxiliary_classifiers_are_left_out(builder, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(torchvision_base, "weights_file", lambda url, name, progress: tmp_path / "file")
    base = TorchvisionBase(str(next(iter(models.get_model_weights(builder)))))
    with torch.device("meta"):
        network = base._network(base._whole())
        pixels = torch.zeros((2, 3, base.spec.size, base.spec.size))
    assert not any("aux" in name.lower() for name, _ in network.named_parameters())
    for mode in (False, True):
        assert network.body.train(mode)(pixels).shape == (2, base.width)


def test_older_names_of_a_densenets_layers_are_read():
    body = model_of("densenet121")
    old = {name.replace("norm1", "norm.1").replace("conv2", "conv.2"): t for name, t in body.state_dict().items()}
    assert old.keys() != body.state_dict().keys()
    body.load_state_dict(torchvision_base._renamed(old, body))


def refused(name):
    with pytest.raises(BaseError) as said:
        open_base(name, "image").network()
    assert "\n" not in str(said.value)
    return str(said.value)


def test_a_wrong_hash_is_refused(served, tmp_path):
    name, _ = served("squeezenet1_1", {"a": torch.ones(1)}, "squeezenet1_1-00000000.pth")
    assert "is not the file of its name" in refused(name)
    cached = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-00000000.pth"
    assert not cached.exists()
    cached.write_bytes(b"something else")
    assert "its sha256 differs" in refused(name)


def test_a_pickle_with_code_is_not_run(served, tmp_path):
    name, _ = served("squeezenet1_1", {"a": _Runs(tmp_path / "ran")})
    assert "cannot be loaded safely" in refused(name)
    assert not (tmp_path / "ran").exists()


class _Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w')",)


def test_other_tensors_are_refused(served):
    name, _ = served("squeezenet1_1", {"a": torch.ones(1)})
    assert "cannot be loaded safely" in refused(name)


def test_offline_and_unreachable_are_explained(served, monkeypatch):
    name, _ = served("squeezenet1_1", {"a": torch.ones(1)})
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE forbids fetching them" in refused(name)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    weights = models.get_weight(name)
    gone = Weights(url=weights.url + "gone", transforms=weights.value.transforms, meta=weights.meta)
    monkeypatch.setattr(weights, "_value_", gone)
    assert "could not be fetched" in refused(name)


def test_unknown_names_and_other_tasks_are_refused():
    assert "Did you mean 'ResNet18_Weights.IMAGENET1K_V1'" in refused("ResNet18_Weights.IMAGENET1K_V9")
    assert "torchvision knows no weights" in refused("Nothing_Weights.DEFAULT")
    assert "not of a plain image classifier" in refused("FCN_ResNet50_Weights.DEFAULT")


def test_without_torchvision_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    assert "needs the package torchvision" in refused(NAME)


def test_swag_weights_are_not_commercial():
    weights = models.get_weight("ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1")
    assert isinstance(weights, WeightsEnum)
    assert torchvision_base._licence(weights.meta) == "CC-BY-NC-4.0"
    assert "SWAG" in torchvision_base._trained_on(weights.name)
