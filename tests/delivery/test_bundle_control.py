"""Bundles of a control: used like any model, though nothing is borrowed and no base is there."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tests.bases.checkpoints import bert_folder, vit_folder
from tests.toys import pictures, sentences

from headstart.bases.catalogue import open_base
from headstart.controls.panel import controls_for
from headstart.data.inputs import as_inputs
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.delivery.predictor import for_baseline
from headstart.errors import BundleError, SourceError
from headstart.progress import Progress
from headstart.tasks import get as get_task
from headstart.terminal.predicting import Wanted, predict_to
from headstart.training.features import extract

CONTROLS = ["image-majority", "image-pixels + linear", "text-majority", "text-TF-IDF + linear"]
TASKS = ("classification", "multilabel", "regression")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def targets_of(labels, task):
    if task == "multilabel":
        return [(label, "any") if number % 2 else (label,) for number, label in enumerate(labels)]
    return [float(number % 5) for number in range(len(labels))] if task == "regression" else labels


def fitted(name, task, tmp_path):
    """A bundle of the fitted control, inputs to answer, and the probabilities it gave before."""
    modality, _, kind = name.partition("-")
    base = open_base(str((vit_folder if modality == "image" else bert_folder)(tmp_path / "base")), modality)
    inputs, labels = (pictures if modality == "image" else sentences)(6)
    targets = targets_of(labels, task)
    coding = get_task(task).from_targets(targets)
    x = for_baseline(as_inputs(inputs), "image", base.preprocessing()).x if modality == "image" else inputs
    (control,) = (c for c in controls_for(modality, coding, coding.outputs) if c.name == kind)
    control.fit(x, coding.encode(targets), task, 0)
    bundle = Bundle.of_control(control, base, coding, {"name": "x"})
    shutil.rmtree(tmp_path / "base")  # never needed again
    return bundle, inputs, control.probabilities(x)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", CONTROLS)
def test_the_same_answers_from_a_saved_bundle(name, task, tmp_path):
    bundle, inputs, expected = fitted(name, task, tmp_path)
    bundle.save(tmp_path / "run" / "bundle")
    again = Model.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(inputs), expected.astype(bundle.task.precision))
    np.testing.assert_array_equal(Model(bundle).predict_proba(inputs), expected.astype(bundle.task.precision))
    assert list(again.predict(inputs)) == list(Model(bundle).predict(inputs))
    assert again.labels == bundle.task.labels
    assert again.predict(inputs[:0]).shape == (0,)


@pytest.mark.parametrize("name", CONTROLS)
def test_it_borrows_nothing(name, tmp_path):
    bundle, inputs, _ = fitted(name, "classification", tmp_path)
    bundle.save(tmp_path / "bundle")
    model = Model.load(tmp_path / "bundle")
    for ask in (lambda: model.embed(inputs), lambda: model.base):
        with pytest.raises(BundleError, match="uses no base") as said:
            ask()
        assert "\n" not in str(said.value)
    record = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert "base" not in record
    assert set(record["files"]) == {"control.safetensors", "control.json"}


def test_no_torch_is_loaded(tmp_path):
    bundle, inputs, _ = fitted("image-pixels + linear", "classification", tmp_path)
    bundle.save(tmp_path / "bundle")
    inputs[0].save(tmp_path / "a.png")
    code = (
        "import sys, headstart as hs; print(hs.load('bundle').predict(['a.png']), "
        "{'torch', 'timm', 'peft', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == f"['{Model(bundle).predict(inputs[:1])[0]}'] set()", done.stderr


@pytest.mark.parametrize("name", ["image-pixels + linear", "image-majority"])
def test_unreadable_pictures_are_listed(name, tmp_path):
    bundle, inputs, expected = fitted(name, "classification", tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    mixed = [inputs[0], str(tmp_path / "a.png"), inputs[1], inputs[0], b"no picture"]
    said = Model(bundle).predictions(mixed)
    assert set(said.rejected) == {1, 4}
    assert said.answers[1] is None
    assert np.isnan(said.probabilities[[1, 4]]).all()
    np.testing.assert_allclose(said.probabilities[[0, 2, 3]], expected[[0, 1, 0]], atol=1e-6)
    with pytest.raises(SourceError, match="input 1 "):
        Model(bundle).predict(mixed)


def test_blank_texts_are_listed(tmp_path):
    bundle, inputs, expected = fitted("text-TF-IDF + linear", "classification", tmp_path)
    said = Model(bundle).predictions([inputs[0], "  ", 7, inputs[1]])
    assert set(said.rejected) == {1, 2}
    np.testing.assert_array_equal(said.probabilities[[0, 3]], expected[:2].astype(np.float32))


def test_headstart_predict(tmp_path):
    bundle, inputs, expected = fitted("text-TF-IDF + linear", "classification", tmp_path)
    bundle.save(tmp_path / "run" / "bundle")
    out = tmp_path / "answers.csv"
    predict_to(tmp_path / "run", inputs[:3], wanted=Wanted(probabilities=True), out=out, progress=Progress())
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["input"] for row in rows] == inputs[:3]
    assert [row["label"] for row in rows] == list(Model(bundle).predict(inputs[:3]))
    assert float(rows[0]["p(pets)"]) == pytest.approx(expected[0, 0], abs=1e-4)


@pytest.mark.parametrize("name", ["control.safetensors", "control.json"])
def test_a_flipped_byte_is_found(tmp_path, name):
    bundle, _, _ = fitted("text-TF-IDF + linear", "classification", tmp_path)
    bundle.save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BundleError, match="is not what was saved"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize(
    "control", [None, {}, {"name": "none"}, {"name": "pixels + linear"}], ids=["null", "empty", "unknown", "image's"]
)
def test_a_damaged_record_is_refused(tmp_path, control):
    bundle, _, _ = fitted("text-majority", "classification", tmp_path)
    bundle.save(tmp_path)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "control": control}))
    with pytest.raises(BundleError, match=r"bundle\.json is damaged"):
        Bundle.load(tmp_path)


def test_classical_features_are_those_of_the_base_s_pass(tmp_path):
    base = open_base(str(vit_folder(tmp_path / "base")), "image")
    inputs, _ = pictures(3)
    seen = for_baseline(as_inputs(inputs), "image", base.preprocessing())
    passed = extract(base, inputs, classical=True)
    np.testing.assert_array_equal(seen.x, passed.classical)
    assert np.abs(seen.x).sum(1).min() > 0
