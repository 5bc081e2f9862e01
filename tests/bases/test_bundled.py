"""An earlier run as the base of the next: specialised features, one step more behind them, and nothing left behind."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase, adapter_changes, changes_of, flattened, state_of
from headstart.bases.adapters import Lora, inject
from headstart.bases.catalogue import open_base
from headstart.bases.identity import chain
from headstart.bases.staged import StagedBase
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BaseError, BundleError
from headstart.heads.linear import LinearHead
from headstart.tasks.classification import Classification
from tests.bases.checkpoints import bert_folder, vit_folder

TASK = Classification(("a", "b"))
FOLDERS = {"text": bert_folder, "image": vit_folder}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def adapted(base, how, seed):
    """``base`` after a training that moved layers, or adapters beside them."""
    network, lora = base.network(), Lora("lora", rank=2)
    before = state_of(network)
    torch.manual_seed(seed)
    if how == "lora":
        inject(network, lora)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_" in name or (
                how == "layers" and f"layer{'s' if base.modality == 'image' else ''}.{seed}." in name
            ):
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return AdaptedBase(base, adapter_changes(network, lora) if how == "lora" else changes_of(before, network))


def saved(base, folder, name="first"):
    head = LinearHead(np.ones((base.width, 2), np.float32), np.zeros(2, np.float32), TASK.name, "ridge")
    Bundle.of_base(base, "float32", TASK, head, {"name": name, "created": "today", "data": "bees"}).save(folder)
    return folder


def features(base):
    """Of a few inputs, by torch as it is: [3, width]."""
    random = torch.Generator().manual_seed(0)
    if base.modality == "text":
        batch = torch.randint(2, 20, (3, 6), generator=random), torch.ones((3, 6), dtype=torch.int64)
    else:
        size = base.spec.size
        batch = (torch.randint(0, 256, (3, size, size, 3), generator=random, dtype=torch.uint8),)
    network = base.network()
    with torch.inference_mode():
        return network(*batch).numpy()


@pytest.fixture(params=["text", "image"])
def root(request, tmp_path):
    return open_base(str(FOLDERS[request.param](tmp_path / "root")), request.param)


@pytest.mark.parametrize("first", ["layers", "lora"])
@pytest.mark.parametrize("second", ["layers", "lora"])
def test_two_steps_are_one_bundle(root, tmp_path, first, second):
    one = adapted(root, first, 0)
    base = open_base(str(saved(one, tmp_path / "one")), root.modality)
    np.testing.assert_allclose(features(base), features(one), atol=1e-5)
    two = adapted(base, second, 1)
    expected = features(two)
    assert np.abs(expected - features(one)).max() > 1e-2
    saved(two, tmp_path / "two", "second")
    shutil.rmtree(tmp_path / "one")
    again = Model.load(tmp_path / "two").base
    np.testing.assert_allclose(features(again), expected, atol=1e-5)
    assert again.identity.lineage == base.identity.lineage
    assert flattened(again)[0].identity.weights == root.identity.weights
    third = open_base(str(tmp_path / "two"), root.modality)
    name = root.identity.name
    assert chain(third.identity) == f"{name} → first → second → yours"


def test_a_specialised_base_has_weights_of_its_own_and_the_roots_name(root, tmp_path):
    one = adapted(root, "layers", 0)
    base = open_base(str(saved(one, tmp_path / "one")), root.modality)
    assert base.identity.name == root.identity.name
    assert base.identity.source == root.identity.source
    assert base.identity.weights == one.identity.weights != root.identity.weights
    oldest, step = base.identity.lineage
    assert (oldest.name, oldest.weights) == (root.identity.name, root.identity.weights)
    assert (step.name, step.source, step.weights, step.trained_on) == (
        "first",
        "run first",
        one.identity.weights,
        "bees",
    )
    assert base.facts[-1].value == f"{root.identity.name} → first"
    assert "numbers are the run's own" in base.facts[-1].reason


@pytest.mark.parametrize("root", ["image"], indirect=True)
def test_a_root_named_by_a_relative_path_is_told_once(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(adapted(open_base("root", "image"), "layers", 0), tmp_path / "one")
    base = open_base("one", "image")
    assert base.identity.name == "root"
    assert chain(base.identity) == "root → first → yours"


def test_a_probes_base_is_the_root_with_one_step_more(root, tmp_path):
    base = open_base(str(saved(root, tmp_path / "one")), root.modality)
    assert base.identity.weights == root.identity.weights
    assert [one.name for one in base.identity.lineage] == [root.identity.name, "first"]
    assert "nothing is specialised" in base.facts[-1].reason


def test_a_head_on_all_stages_leaves_the_plain_base(root, tmp_path):
    base = open_base(str(saved(StagedBase(root), tmp_path / "one")), root.modality)
    assert not isinstance(base, StagedBase)
    assert base.width == root.width


@pytest.mark.parametrize("root", ["image"], indirect=True)
def test_a_damaged_bundle_is_no_base(root, tmp_path):
    folder = saved(adapted(root, "layers", 0), tmp_path / "one")
    content = bytearray((folder / "changes.safetensors").read_bytes())
    content[-3] ^= 1
    (folder / "changes.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match="is not what was saved"):
        open_base(str(folder), "image")
    record = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**record, "base": [1]}))
    with pytest.raises(BundleError, match="is damaged"):
        open_base(str(folder), "image")


def test_a_controls_bundle_is_no_base(tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps({"schema": 4, "control": {"name": "majority"}}))
    with pytest.raises(BaseError, match="the baseline 'majority', which uses no base") as said:
        open_base(str(tmp_path), "image")
    assert "\n" not in str(said.value)
