"""Bundles of an adapted base: only what changed, checked when it is read, the same answers again."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tests.bases.checkpoints import bert_folder, vit_folder
from tests.toys import pictures, sentences

import headstart.delivery.bundle as bundle_module
from headstart.bases.adapted import AdaptedBase, adapter_changes, changes_of, state_of
from headstart.bases.adapters import Lora, inject
from headstart.bases.catalogue import open_base
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BundleError, OutputError
from headstart.heads.linear import LinearHead
from headstart.tasks.classification import Classification

TASK = Classification(("a", "b"))
INPUTS = {"text": sentences(3)[0], "image": pictures(2)[0]}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=["image-layers", "text-layers", "text-dora"])
def adapted(request, tmp_path):
    """An adapted base of either modality, by changed tensors or by adapters."""
    modality, how = request.param.split("-")
    folder = (vit_folder if modality == "image" else bert_folder)(tmp_path / "base")
    base = open_base(str(folder), modality)
    network, lora = base.network(), Lora("dora", rank=2)
    before = state_of(network)
    torch.manual_seed(0)
    if how == "dora":
        inject(network, lora)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "layers.1" in name or "layer.1" in name or "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return AdaptedBase(base, adapter_changes(network, lora) if how == "dora" else changes_of(before, network))


def bundle_of(base):
    rng = np.random.default_rng(0)
    head = LinearHead(rng.normal(size=(base.width, 2)).astype(np.float32), np.zeros(2, np.float32), TASK.name, "ridge")
    return Bundle.of_base(base, "float32", TASK, head, {"name": "x"})


def test_the_same_answers_from_a_saved_bundle(adapted, tmp_path):
    bundle, inputs = bundle_of(adapted), INPUTS[adapted.modality]
    bundle.save(tmp_path / "bundle")
    here, again = Model(bundle, adapted), Model.load(tmp_path / "bundle")
    expected = here.predict_proba(inputs)
    np.testing.assert_allclose(again.predict_proba(inputs), expected, atol=1e-6)
    np.testing.assert_allclose(again.embed(inputs), here.embed(inputs), atol=1e-6)
    assert list(again.predict(inputs)) == list(here.predict(inputs))
    assert again.base.identity == adapted.identity
    assert again.bundle.changes.digest() == adapted.changes.digest()
    plain = Model(Bundle.of_base(adapted.base, "float32", TASK, bundle.head, {}), adapted.base)
    assert np.abs(plain.predict_proba(inputs) - expected).max() > 1e-3


def test_another_process_opens_the_same_model(adapted, tmp_path):
    bundle_of(adapted).save(tmp_path / "bundle")
    code = f"import headstart as hs; print(hs.load({str(tmp_path / 'bundle')!r}).base.identity.weights)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == adapted.identity.weights, done.stderr


def test_the_record_says_what_was_changed(adapted, tmp_path):
    bundle_of(adapted).save(tmp_path / "bundle")
    record = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    said, changes = record["changes"], adapted.changes
    assert record["schema"] == 5
    assert record["base"]["weights"] == adapted.base.identity.weights
    assert said["names"] == sorted(load_file(tmp_path / "bundle" / "changes.safetensors"))
    assert said["tensors"] == len(changes.tensors) == len(said["names"])
    total = sum(tensor.numel() for tensor in adapted.base.network().state_dict().values())
    assert said["share"] == pytest.approx(changes.numbers / total)
    assert 0 < said["share"] < 1
    assert said["lora"] == (changes.lora and changes.lora.to_dict())
    assert set(record["files"]) == {"head.safetensors", "changes.safetensors"}


@pytest.mark.parametrize("name", ["head.safetensors", "changes.safetensors"])
def test_a_flipped_byte_is_found(adapted, tmp_path, name):
    bundle_of(adapted).save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-3] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BundleError, match=r"is not what was saved \(its sha256 differs\)") as said:
        Bundle.load(tmp_path)
    assert name in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("adapted", ["text-dora"], indirect=True)
@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record["changes"]["lora"].update(alpha=3),
        lambda record: record["changes"]["lora"].update(kind="none"),
        lambda record: record["changes"]["lora"].update(more=1),
        lambda record: record["changes"].update(lora=None),
        lambda record: record.update(changes=[]),
        lambda record: record.pop("files"),
        lambda record: record.update(files={}),
        lambda record: record.update(control={"name": "majority"}),
    ],
)
def test_a_damaged_record_is_refused(adapted, tmp_path, damage):
    bundle_of(adapted).save(tmp_path)
    path = tmp_path / "bundle.json"
    record = json.loads(path.read_text())
    damage(record)
    path.write_text(json.dumps(record))
    with pytest.raises(BundleError, match="fit again"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_changes_that_are_gone_or_garbage_are_refused(adapted, tmp_path, content):
    bundle_of(adapted).save(tmp_path)
    path = tmp_path / "changes.safetensors"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(BundleError, match=r"changes\.safetensors"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize("adapted", ["text-layers"], indirect=True)
def test_a_base_of_other_weights_is_refused(adapted, tmp_path):
    bundle_of(adapted).save(tmp_path / "bundle")
    path = tmp_path / "base" / "model.safetensors"
    save_file({k: v + np.float32(0.01) for k, v in load_file(path).items()}, path, {"format": "pt"})
    with pytest.raises(BundleError, match="other weights than in training"):
        Model.load(tmp_path / "bundle").predict(INPUTS["text"])


@pytest.mark.parametrize("adapted", ["text-layers"], indirect=True)
def test_layout_1_still_loads(adapted, tmp_path):
    base = adapted.base
    bundle = bundle_of(base)
    bundle.save(tmp_path / "bundle")
    path = tmp_path / "bundle" / "bundle.json"
    record = json.loads(path.read_text())
    del record["files"]
    path.write_text(json.dumps({**record, "schema": 1}))
    again = Model.load(tmp_path / "bundle")
    assert again.bundle.changes is None
    assert again.base.identity == base.identity
    inputs = INPUTS["text"]
    np.testing.assert_allclose(again.predict_proba(inputs), Model(bundle, base).predict_proba(inputs), atol=1e-6)


@pytest.mark.parametrize("failing", ["head.safetensors", "changes.safetensors", "bundle.json"])
@pytest.mark.parametrize("adapted", ["text-dora"], indirect=True)
def test_half_a_bundle_is_none(adapted, tmp_path, monkeypatch, failing):
    write = bundle_module.write_atomically

    def full(path, content):
        if path.name == failing:
            raise OutputError(f"cannot write {path}: the disk is full; free some space or choose another folder.")
        write(path, content)

    monkeypatch.setattr(bundle_module, "write_atomically", full)
    with pytest.raises(OutputError, match="disk is full"):
        bundle_of(adapted).save(tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"not a run or bundle|does not exist"):
        Bundle.load(tmp_path / "bundle")


@pytest.mark.parametrize("adapted", ["text-dora"], indirect=True)
def test_a_bundle_written_over_half_way_is_not_taken_for_whole(adapted, tmp_path, monkeypatch):
    bundle_of(adapted).save(tmp_path)
    other = LinearHead(np.ones((adapted.width, 2), np.float32), np.zeros(2, np.float32), TASK.name, "lda")
    write = bundle_module.write_atomically

    def killed(path, content):
        if path.name == "bundle.json":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(bundle_module, "write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        Bundle.of_base(adapted, "float32", TASK, other, {}).save(tmp_path)
    with pytest.raises(BundleError, match="not what was saved"):
        Bundle.load(tmp_path)
