"""A model of other channels, values or sizes than its base's, from its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.bases.checkpoints import timm_folder, vit_folder
from tests.modalities.arrays import bands

from headstart.bases.adapted import AdaptedBase
from headstart.bases.catalogue import open_base
from headstart.bases.changes import Changes
from headstart.controls.features_linear import FeaturesLinear
from headstart.data.table import Table, objects
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BaseError, SourceError
from headstart.heads.linear import LinearHead
from headstart.modalities import get as get_modality
from headstart.tasks import get as get_task
from headstart.training.features import extract
from headstart.training.reading import read_as

LABELS = ["crop", "forest"] * 6


def inputs(channels: int, dtype: Any) -> list[np.ndarray]:
    scale = {np.uint8: 1 / 16, np.float32: 1 / 4000, np.uint16: 1}[dtype]
    return [(bands(channels, seed) * scale).astype(dtype) for seed in range(12)]


@pytest.mark.parametrize(
    ("kind", "channels", "dtype", "size"),
    [
        ("timm", 5, np.uint16, None),
        ("timm", 2, np.uint8, 48),
        ("timm", 3, np.float32, None),
        ("timm", 1, np.uint16, None),
        ("transformers", 13, np.float32, 64),
        ("transformers", 3, np.uint8, 16),
    ],
)
def test_the_bundle_gives_the_same_numbers(
    kind: str, channels: int, dtype: Any, size: int | None, tmp_path: Path
) -> None:
    folder = (timm_folder if kind == "timm" else vit_folder)(tmp_path / "base")
    rows = inputs(channels, dtype)
    table = Table(np.arange(12).astype(str), objects(rows), None, np.full(12, ""), "image")
    base = read_as(open_base(str(folder), "image", size=size), table)
    features = extract(base, rows, classical=True)
    assert not features.rejected
    task = get_task("classification").from_targets(objects(LABELS))
    weight = np.random.default_rng(0).normal(size=(base.width, 2)).astype(np.float32)
    head = LinearHead(weight, np.zeros(2, np.float32), "classification", "ridge", {})
    Bundle.of_base(base, features.dtype, task, head, {}).save(tmp_path / "bundle")
    model = Model.load(tmp_path / "bundle")
    again = model.base.network()
    pixels = torch.from_numpy(np.stack([get_modality("image").decode(row, base.spec) for row in rows]))
    with torch.no_grad():
        torch.testing.assert_close(again(pixels), base.network()(pixels), rtol=0, atol=0)
    np.testing.assert_allclose(model.predict_proba(rows), head.probabilities(features.vectors), rtol=1e-4, atol=1e-5)

    control = FeaturesLinear(2, "pixels + linear")
    assert features.classical is not None
    control.fit(features.classical, task.encode(objects(LABELS)), "classification", 0)
    Bundle.of_control(control, base, task, {}).save(tmp_path / "control")
    found = Model.load(tmp_path / "control").predict_proba(rows)
    np.testing.assert_allclose(found, control.probabilities(features.classical), rtol=1e-5, atol=1e-6)


def test_a_picture_of_other_channels_is_set_aside_or_refused_in_one_line(tmp_path: Path) -> None:
    folder, rows = timm_folder(tmp_path / "base"), inputs(5, np.uint16)
    table = Table(np.arange(12).astype(str), objects(rows), None, np.full(12, ""), "image")
    base = read_as(open_base(str(folder), "image"), table)
    task = get_task("classification").from_targets(objects(LABELS))
    head = LinearHead(np.ones((base.width, 2), np.float32), np.zeros(2, np.float32), "classification", "ridge", {})
    model = Model(Bundle.of_base(base, "float32", task, head, {}), base)
    said = model.predictions([rows[0], bands(4), rows[1]])
    assert said.rejected == {1: "4 channels, where 5 are expected"}
    with pytest.raises(SourceError, match=r"input 0 .* cannot be read: 4 channels, where 5 are expected"):
        model.predict([bands(4)])


def test_what_training_changed_travels_too_and_can_be_the_next_base(tmp_path: Path) -> None:
    folder, rows = timm_folder(tmp_path / "base"), inputs(5, np.uint16)
    table = Table(np.arange(12).astype(str), objects(rows), None, np.full(12, ""), "image")
    base = read_as(open_base(str(folder), "image", size=48), table)
    state = base.network().state_dict()
    first = next(name for name, tensor in state.items() if tensor.ndim == 4 and tensor.shape[1] == 5)
    adapted = AdaptedBase(base, Changes({first: state[first].numpy() * 1.5}, total=1))
    task = get_task("classification").from_targets(objects(LABELS))
    head = LinearHead(np.ones((base.width, 2), np.float32), np.zeros(2, np.float32), "classification", "ridge", {})
    Bundle.of_base(adapted, "float32", task, head, {}).save(tmp_path / "bundle")
    for again in (Model.load(tmp_path / "bundle").base, read_as(open_base(str(tmp_path / "bundle"), "image"), table)):
        assert again.spec == base.spec
        torch.testing.assert_close(again.network().state_dict()[first], state[first] * 1.5)
    with pytest.raises(BaseError, match="leave the size out"):
        open_base(str(tmp_path / "bundle"), "image", size=96)
