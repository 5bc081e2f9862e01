"""BatchNorm statistics by hand, and what other pictures do to them."""

import numpy as np
import pytest
import torch
from torch import nn

from headstart.bases.catalogue import open_base
from headstart.bases.folder import open_folder
from headstart.bases.network import ImageNetwork
from headstart.modalities.image import ImageSpec
from headstart.training.distance.statistics import batch_norm_distance
from tests.bases.checkpoints import timm_folder
from tests.toys import pictures


class Made:
    """A base of one BatchNorm layer on the pixels."""

    modality = "image"
    spec = ImageSpec(size=8, resize=8, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)

    def __init__(self, mean, variance, eps=0.0):
        self.layer = nn.BatchNorm2d(3, eps=eps)
        self.layer.running_mean[:] = torch.tensor(mean)
        self.layer.running_var[:] = torch.tensor(variance)

    def network(self):
        body = nn.Sequential(self.layer, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return ImageNetwork(body, self.spec)


def halves(low, high, count=4):
    """Pictures that are ``low`` in one half and ``high`` in the other: mean their middle, deviation half the gap."""
    picture = np.full((8, 8, 3), low, np.uint8)
    picture[:4] = high
    return [picture] * count


def test_one_layer_by_hand():
    """Pixels of 51 and 153 of 255: mean 0.4, variance 0.04; remembered 0.2 and 0.01.

    ½ ((0.04 + 0.04) / 0.01 + (0.01 + 0.04) / 0.04 - 2) = ½ (8 + 1.25 - 2) = 3.625.
    """
    assert batch_norm_distance(Made([0.4] * 3, [0.04] * 3), halves(51, 153)).value == pytest.approx(0, abs=1e-5)
    assert batch_norm_distance(Made([0.2] * 3, [0.01] * 3), halves(51, 153)).value == pytest.approx(3.625, rel=1e-4)
    mixed = batch_norm_distance(Made([0.2, 0.4, 0.4], [0.01, 0.04, 0.04]), halves(51, 153))
    assert mixed.value == pytest.approx(3.625 / 3, rel=1e-4)


def test_epsilon_keeps_a_channel_that_never_varies_finite():
    found = batch_norm_distance(Made([0.2] * 3, [0.0] * 3, eps=0.01), halves(51, 51))
    assert found.value == pytest.approx(0, abs=1e-5)


def test_batches_add_up():
    """Twenty pictures take two batches; pictures differ, so that means of batches differ too."""
    given = [picture for low in range(20) for picture in halves(low, low * 12, 1)]
    pixels = np.stack(given).reshape(-1, 3) / 255
    made = Made(pixels.mean(axis=0).tolist(), pixels.var(axis=0).tolist())
    assert batch_norm_distance(made, given).value == pytest.approx(0, abs=1e-5)


def test_statistics_stored_of_some_pictures_are_nearer_to_them_than_to_others(tmp_path):
    """A network whose layers remember pictures of one kind."""
    base, kept = open_folder(timm_folder(tmp_path / "base")), {}
    own, _ = pictures(6, ("rings",))
    network = base.network()

    def learn(layer, given):
        kept[layer] = given[0].detach()

    layers = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for layer in layers:
        layer.register_forward_pre_hook(learn)
    network.train()(torch.stack([torch.from_numpy(np.array(p.resize((64, 64)))) for p in own]))
    for layer in layers:
        layer.running_mean[:] = kept[layer].mean((0, 2, 3))
        layer.running_var[:] = kept[layer].var((0, 2, 3), correction=0)
        layer._forward_pre_hooks.clear()
    base.network = lambda: network
    near = batch_norm_distance(base, own).value
    far = batch_norm_distance(base, halves(0, 0)).value
    assert near < 0.2 * far


def test_photo_like_pictures_are_nearer_than_blank_ones_to_a_base_of_photos():
    base = open_base("efficientnet_lite0", "image")
    toys, _ = pictures(2)
    some, blank = batch_norm_distance(base, toys), batch_norm_distance(base, halves(255, 255, 6))
    assert 0 < some.value < blank.value
    assert some.how.startswith("how unlike those of its training data the statistics of the base's 49 BatchNorm")


def test_bases_without_batchnorm_and_pictures_that_cannot_be_read(tiny_image_base, tiny_text_base, tmp_path):
    for base in (open_base(tiny_image_base, "image"), open_base(tiny_text_base, "text")):
        found = batch_norm_distance(base, halves(0, 255))
        assert np.isnan(found.value)
        assert found.how == "not measured: the base has no BatchNorm"
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    assert batch_norm_distance(Made([0.0] * 3, [1.0] * 3), [str(bad)]).how == "not measured: no picture can be read"
