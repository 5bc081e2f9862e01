from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from headstart.bases import own_head as own_head_module
from headstart.bases.catalogue import open_base
from headstart.bases.folder import open_folder
from headstart.bases.own_head import own_head
from headstart.errors import BaseError
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder


def pixels(size: int) -> torch.Tensor:
    return torch.randint(0, 256, (3, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def logits(base, head) -> np.ndarray:
    with torch.inference_mode():
        features = base.network()(pixels(base.spec.size)).numpy()
    return features @ head[0] + head[1]


def whole(base, model) -> np.ndarray:
    x = (pixels(base.spec.size) / 255.0 - torch.tensor(base.spec.mean)) / torch.tensor(base.spec.std)
    with torch.inference_mode():
        return model.eval()(x.permute(0, 3, 1, 2)).numpy()


def test_lite0_gives_the_original_logits():
    base = open_base("efficientnet_lite0", "image")
    head = own_head(base)
    assert head[0].shape == (1280, 1000)
    assert head[1].shape == (1000,)
    assert head[0].dtype == head[1].dtype == np.float32
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    given = torch.load(base.file, map_location="cpu", weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), given.values(), strict=True)))
    np.testing.assert_allclose(logits(base, head), whole(base, model), atol=1e-3)


@pytest.mark.parametrize(
    ("architecture", "size"),
    [("test_resnet", 64), ("test_convnext", 64), ("test_vit", 160), ("mobilenetv3_small_050", 64)],
)
def test_timm_folders_give_the_original_logits(tmp_path, architecture, size):
    folder = timm_folder(tmp_path / "base", architecture, pretrained_cfg={"input_size": [3, size, size]})
    base = open_folder(folder)
    head = own_head(base)
    assert head[1].shape == (7,)
    model = timm.create_model(architecture, pretrained=False, num_classes=7)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    np.testing.assert_allclose(logits(base, head), whole(base, model), atol=1e-3)


def rewritten(folder: Path, change) -> Path:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")
    return folder


def test_a_folder_without_a_classifier_has_none(tmp_path):
    def drop(state):
        del state["fc.weight"], state["fc.bias"]

    base = open_folder(rewritten(timm_folder(tmp_path / "base"), drop))
    base.network()
    assert own_head(base) is None


def test_a_classifier_of_another_width_is_none(tmp_path):
    def widen(state):
        state["fc.weight"] = torch.ones(7, 3)

    assert own_head(open_folder(rewritten(timm_folder(tmp_path / "base"), widen))) is None


def test_a_convolution_as_classifier_is_none(tmp_path):
    assert own_head(open_folder(timm_folder(tmp_path / "base", "resnetv2_18"))) is None


def test_a_matrix_that_does_not_give_the_logits_is_none(tmp_path, monkeypatch):
    base = open_folder(timm_folder(tmp_path / "base"))
    assert own_head(base) is not None
    monkeypatch.setattr(own_head_module, "_head", lambda weight, bias: (weight.numpy().T * 1.1, bias.numpy()))
    assert own_head(base) is None


def test_a_damaged_file_is_refused(tmp_path):
    folder = timm_folder(tmp_path / "base")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BaseError, match="cannot be loaded safely"):
        own_head(open_folder(folder))


def test_bases_without_a_classifier_have_none(tmp_path):
    assert own_head(open_folder(bert_folder(tmp_path / "bert"))) is None
    assert own_head(open_folder(vit_folder(tmp_path / "vit"))) is None
