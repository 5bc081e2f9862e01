from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from timm.models import adapt_input_conv

from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.channels import ChannelsBase
from headstart.bases.own_head import own_head
from headstart.bases.refitted import as_recorded, with_channels
from headstart.bases.runtime import REFERENCE, choose
from headstart.bases.stages import Stages
from headstart.errors import BaseError, SettingError
from headstart.modalities.image import ImageSpec
from tests.bases.checkpoints import timm_folder, vit_folder


def opened(kind: str, folder: Path, **asked: int) -> Base:
    if kind == "embedded":
        return open_base("efficientnet_lite0", "image", size=64, **asked)
    path = folder / "base"
    if not path.exists():
        (timm_folder if kind == "timm" else vit_folder)(path)
    return open_base(str(path), "image", **asked)


def pixels(base: Base, channels: int) -> torch.Tensor:
    assert isinstance(base.spec, ImageSpec)
    shape = (3, base.spec.size, base.spec.size, channels)
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("kind", ["embedded", "timm", "transformers"])
def test_the_channels_of_a_grey_picture_give_the_features_of_grey(kind: str, tmp_path: Path) -> None:
    base = opened(kind, tmp_path)
    grey = pixels(base, 1)
    with torch.no_grad():
        expected = base.network()(grey.repeat(1, 1, 1, 3))
        for channels in (6, 12):  # each colour equally often, so that repeating and scaling changes nothing
            found = opened(kind, tmp_path, channels=channels).network()(grey.repeat(1, 1, 1, channels))
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [2, 4, 5, 13])
def test_each_channel_counts(channels: int, tmp_path: Path) -> None:
    base = opened("timm", tmp_path, channels=channels)
    network, batch = base.network(), pixels(base, channels)
    with torch.no_grad():
        before = network(batch)
        for channel in range(channels):
            other = batch.clone()
            other[..., channel] = 255 - other[..., channel]
            assert not torch.allclose(network(other), before, atol=1e-5)
    assert before.shape == (3, base.width)


def test_grey_copied_to_three_channels_is_what_summing_the_weights_gives(tmp_path: Path) -> None:
    network = opened("timm", tmp_path).network()
    layer = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    grey = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    copied = torch.nn.functional.conv2d(grey.repeat(1, 3, 1, 1), layer.weight)
    summed = torch.nn.functional.conv2d(grey, adapt_input_conv(1, layer.weight))
    torch.testing.assert_close(copied, summed, rtol=1e-4, atol=1e-5)


def test_identity_preprocessing_and_random_weights_are_its_own(tmp_path: Path) -> None:
    base, same = opened("timm", tmp_path), opened("timm", tmp_path, channels=3)
    five, six = opened("timm", tmp_path, channels=5), opened("timm", tmp_path, channels=6)
    assert same.identity == base.identity
    assert same.preprocessing() == base.preprocessing()
    assert len({b.identity.weights for b in (base, five, six)}) == 3
    assert five.identity.name == base.identity.name
    levelled = with_channels(base, 3, ((0.0, 4000.0),))
    assert levelled.identity.weights != base.identity.weights
    with torch.no_grad():
        assert five.untrained()(pixels(five, 5)).shape == (3, five.width)


@pytest.mark.parametrize("kind", ["timm", "transformers"])
def test_stages_and_runtimes_work_as_for_three(kind: str, tmp_path: Path) -> None:
    base, five = opened(kind, tmp_path), opened(kind, tmp_path, channels=5)
    network = five.network()
    assert Stages(network).cuts == Stages(base.network()).cuts
    choice = choose(network, five, (pixels(five, 5).numpy(),), 1.0)
    used = {measured.name: measured.left_out for measured in choice.tried}
    assert used[REFERENCE] == ""
    assert used["onnxruntime"] == ""
    assert used["torch-float32-folded"] == ""


def test_what_was_recorded_is_opened_again(tmp_path: Path) -> None:
    base = opened("timm", tmp_path)
    fitted = with_channels(open_base(str(tmp_path / "base"), "image", size=96), 5, ((0.0, 10.0),) * 5)
    again = as_recorded(base, fitted.preprocessing())
    assert again.identity == fitted.identity
    assert again.preprocessing() == fitted.preprocessing()


def test_its_own_classifier_is_the_bases(tmp_path: Path) -> None:
    base = opened("timm", tmp_path)
    expected, found = own_head(base), own_head(opened("timm", tmp_path, channels=5))
    assert expected is not None
    assert found is not None
    np.testing.assert_array_equal(found[0], expected[0])


def test_what_cannot_be_adapted_is_refused(tmp_path: Path) -> None:
    five = opened("timm", tmp_path, channels=5)
    with pytest.raises(BaseError, match="takes pictures of 5 channels, and the data have 13"):
        ChannelsBase(five, 13)
    with pytest.raises(SettingError, match="2 to 64"):
        opened("timm", tmp_path, channels=200)
