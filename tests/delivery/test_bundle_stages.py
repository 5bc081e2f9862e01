"""Bundles whose head acts on the features of all stages: recorded, checked, the same answers again."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tests.bases.checkpoints import bert_folder, vit_folder
from tests.toys import pictures, sentences

from headstart.bases.adapted import AdaptedBase, changes_of, state_of
from headstart.bases.catalogue import open_base
from headstart.bases.staged import StagedBase
from headstart.data.table import objects
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BundleError
from headstart.heads.selecting import solve_selected
from headstart.tasks.classification import Classification
from headstart.training.features import extract


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=["image", "text", "text-adapted"])
def fitted(request, tmp_path):
    """A staged base, its inputs, and the bundle of a head solved on them."""
    modality = request.param.partition("-")[0]
    base = open_base(str((vit_folder if modality == "image" else bert_folder)(tmp_path / "base")), modality)
    if "adapted" in request.param:
        network = base.network()
        before = state_of(network)
        with torch.no_grad():
            weight = network.body.encoder.layer[1].output.dense.weight
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
        base = AdaptedBase(base, changes_of(before, network))
    values, labels = pictures(8) if modality == "image" else sentences(8)
    task, staged = Classification(tuple(sorted(set(labels)))), StagedBase(base)
    inputs = objects(values)
    x, y = extract(staged, inputs).vectors, task.encode(objects(labels))
    head = solve_selected(x, y, task.name, parts=staged.parts).head
    return staged, inputs, Bundle.of_base(staged, "float32", task, head, {"name": "x"})


def test_the_same_answers_from_a_saved_bundle(fitted, tmp_path):
    staged, inputs, bundle = fitted
    bundle.save(tmp_path / "bundle")
    here, again = Model(bundle, staged), Model.load(tmp_path / "bundle")
    expected = here.predict_proba(inputs)
    np.testing.assert_allclose(again.predict_proba(inputs), expected, atol=1e-6)
    assert list(again.predict(inputs)) == list(here.predict(inputs))
    assert again.embed(inputs).shape == (len(inputs), staged.width)
    assert again.base.identity == staged.identity
    assert again.bundle.stages == staged.parts
    assert again.bundle.head.settings == bundle.head.settings


def test_the_record_says_what_the_head_acts_on(fitted, tmp_path):
    staged, _, bundle = fitted
    bundle.save(tmp_path)
    record = json.loads((tmp_path / "bundle.json").read_text())
    plain = staged.base.base if isinstance(staged.base, AdaptedBase) else staged.base
    assert (record["features"], record["stages"]) == ("stages", list(staged.parts))
    assert record["base"]["weights"] == plain.identity.weights
    assert ("changes" in record) == isinstance(staged.base, AdaptedBase)


def test_widths_come_with_the_bundle_and_need_no_weights(fitted, tmp_path, monkeypatch):
    staged, _, bundle = fitted
    bundle.save(tmp_path / "bundle")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "empty"))
    plain = staged.base.base if isinstance(staged.base, AdaptedBase) else staged.base
    monkeypatch.setattr(type(plain), "network", lambda self: pytest.fail("the base was loaded"))
    assert Model.load(tmp_path / "bundle").base.width == staged.width


@pytest.mark.parametrize("fitted", ["image"], indirect=True)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda record: record.update(stages=[3, 4]), "takes"),
        (lambda record: record.update(features="pooled"), "takes"),
        (lambda record: record.update(features="half"), "is damaged"),
        (lambda record: record.update(stages=None), "is damaged"),
        (lambda record: record.pop("stages"), "is damaged"),
    ],
)
def test_a_record_of_other_features_is_refused(fitted, tmp_path, damage, words):
    _, inputs, bundle = fitted
    bundle.save(tmp_path / "bundle")
    path = tmp_path / "bundle" / "bundle.json"
    record = json.loads(path.read_text())
    damage(record)
    path.write_text(json.dumps(record))
    with pytest.raises(BundleError, match=words):
        Model.load(tmp_path / "bundle").predict(inputs)


@pytest.mark.parametrize("fitted", ["text"], indirect=True)
def test_a_record_that_says_nothing_means_the_pooled_features(fitted, tmp_path):
    staged, inputs, bundle = fitted
    rows = bundle.head.weight[-staged.base.width :]
    head = type(bundle.head)(rows, bundle.head.bias, bundle.task.name, "ridge", {})
    pooled = Bundle.of_base(staged.base, "float32", bundle.task, head, {})
    pooled.save(tmp_path / "bundle")
    path = tmp_path / "bundle" / "bundle.json"
    record = json.loads(path.read_text())
    assert record.pop("features") == "pooled"
    path.write_text(json.dumps(record))
    again = Model.load(tmp_path / "bundle")
    assert again.bundle.stages == ()
    np.testing.assert_allclose(again.predict_proba(inputs), Model(pooled, staged.base).predict_proba(inputs), atol=1e-6)
