"""What features are kept under: all that they depend on, and nothing that they do not."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart import versions
from headstart.bases.adapted import AdaptedBase
from headstart.bases.adapters import Lora
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.changes import Changes
from headstart.bases.channels import ChannelsBase
from headstart.bases.resized import ResizedBase
from headstart.bases.runtime import graph_path
from headstart.bases.staged import StagedBase
from headstart.cli import main
from headstart.data.table import objects
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.errors import BundleError, HeadstartWarning
from headstart.estimators import TransferClassifier
from headstart.heads.linear import LinearHead
from headstart.tasks.classification import Classification
from headstart.training.features import extract
from headstart.training.phase import Phase
from headstart.training.run import _folder
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder
from tests.training.small import job_of

TASK = Classification(("a", "b"))
FOLDERS: dict[str, Callable[[Path], Path]] = {"bert": bert_folder, "vit": vit_folder, "timm": timm_folder}
#: Entries of config.json that leave every tensor and all preprocessing as they are, and give other features.
EDITS = {
    "bert": {"hidden_act": "relu"},
    "vit": {"hidden_act": "relu"},
    "timm": {"model_args": {"act_layer": "gelu"}},
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("headstart.bases.runtime.CANDIDATES", ())  # one precision, whatever is fastest here


def edit(folder: Path, **entries: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}, indent=7))


def modality(kind: str) -> str:
    return "text" if kind == "bert" else "image"


def inputs(kind: str) -> np.ndarray:
    if kind == "bert":
        return objects([f"the {a} {b} on a mat" for a in ("cat", "dog") for b in ("sat", "ran", "is late")])
    noise = np.random.default_rng(0).integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)
    return objects(np.kron(picture, np.ones((8, 8, 1), np.uint8)) for picture in noise)


@pytest.mark.parametrize("kind", FOLDERS)
def test_an_edited_configuration_is_another_base(tmp_path: Path, kind: str) -> None:
    folder, rows = FOLDERS[kind](tmp_path / "base"), inputs(kind)
    base = open_base(str(folder), modality(kind))
    before = extract(base, rows)
    assert graph_path(base).parent.exists()
    edit(folder, **EDITS[kind])
    edited = open_base(str(folder), modality(kind))
    assert edited.identity.weights == base.identity.weights
    assert graph_path(edited) != graph_path(base)
    after = extract(edited, rows)
    assert after.computed == len(rows)
    assert np.abs(after.vectors - before.vectors).max() > 1e-4
    for name in EDITS[kind]:  # and back
        original = {"hidden_act": "gelu", "model_args": {}}[name]
        edit(folder, **{name: original})
    again = extract(open_base(str(folder), modality(kind)), rows)
    if kind != "timm":  # which had no such entry
        assert again.computed == 0
    np.testing.assert_allclose(again.vectors, before.vectors, atol=1e-5)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_configuration_that_says_the_same_is_the_same(tmp_path: Path, kind: str) -> None:
    folder = FOLDERS[kind](tmp_path / "base")
    key = open_base(str(folder), modality(kind)).key()
    said = json.loads((folder / "config.json").read_text())
    turned = dict(reversed([*said.items(), ("_name_or_path", "elsewhere"), ("transformers_version", "0.0")]))
    (folder / "config.json").write_text(json.dumps(turned, indent=3))
    assert open_base(str(folder), modality(kind)).key() == key


def wrapped(base: Base) -> dict[str, Base]:
    changes = Changes({"body.x": np.ones(3, np.float32)})
    found: dict[str, Base] = {
        "itself": base,
        "adapted": AdaptedBase(base, changes),
        "adapters": AdaptedBase(base, replace(changes, lora=Lora("lora"))),
        "staged": StagedBase(AdaptedBase(base, changes), (1, 2)),
    }
    if base.modality == "image":
        found |= {"resized": ResizedBase(base, 96), "channels": ChannelsBase(base, 4)}
    return found


@pytest.mark.parametrize("kind", FOLDERS)
def test_whatever_is_laid_over_a_base_has_its_configuration_in_the_key(tmp_path: Path, kind: str) -> None:
    folder = FOLDERS[kind](tmp_path / "base")
    before = {name: base.key() for name, base in wrapped(open_base(str(folder), modality(kind))).items()}
    edit(folder, **EDITS[kind])
    after = {name: base.key() for name, base in wrapped(open_base(str(folder), modality(kind))).items()}
    assert len({*before.values(), *after.values()}) == 2 * len(before)


@pytest.mark.parametrize(
    ("kind", "library", "counts"),
    [
        *((kind, library, True) for kind in FOLDERS for library in ("torch", "onnxruntime")),
        ("bert", "transformers", True),
        ("bert", "tokenizers", True),
        ("bert", "timm", False),
        ("bert", "pillow", False),
        ("vit", "transformers", True),
        ("vit", "pillow", True),
        ("vit", "tokenizers", False),
        ("timm", "timm", True),
        ("timm", "transformers", False),
        ("timm", "scikit-learn", False),
    ],
)
def test_versions_of_what_computes_them_are_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, library: str, counts: bool
) -> None:
    base, own = open_base(str(FOLDERS[kind](tmp_path / "base")), modality(kind)), versions._version
    before = {name: one.key() for name, one in wrapped(base).items()}
    monkeypatch.setattr(versions, "_version", lambda name: "0.0.1" if name == library else own(name))
    for name, one in wrapped(base).items():
        assert (one.key() != before[name]) == counts, name


def test_our_own_version_is_in_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, rows = open_base(str(bert_folder(tmp_path / "base")), "text"), inputs("bert")
    extract(base, rows)
    assert extract(base, rows).computed == 0
    monkeypatch.setattr("headstart.bases.base.__version__", "99.0")
    assert extract(base, rows).computed == len(rows)


def test_keys_load_no_library(tmp_path: Path) -> None:
    folders = [str(bert_folder(tmp_path / "b")), str(timm_folder(tmp_path / "t"))]
    script = textwrap.dedent("""
        import sys
        from headstart.bases.catalogue import open_base
        for folder, modality in zip(sys.argv[1:], ("text", "image")):
            open_base(folder, modality).key()
        print(sorted({"torch", "timm", "transformers", "tokenizers", "onnxruntime"} & sys.modules.keys()))
    """)
    told = subprocess.run([sys.executable, "-c", script, *folders], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


def test_a_checkpoint_of_another_configuration_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path / "base")
    job = job_of(open_base(str(folder), "text"), Phase(thaw=1, epochs=1.0), keep=tmp_path / "kept")
    before = _folder(job, 1.0)
    edit(folder, **EDITS["bert"])
    assert _folder(replace(job, base=open_base(str(folder), "text")), 1.0) != before


def saved(base: Base, folder: Path, **about: Any) -> Path:
    head = LinearHead(np.ones((base.width, 2), np.float32), np.zeros(2, np.float32), TASK.name, "ridge")
    Bundle.of_base(base, "float32", TASK, head, {"name": "one", **about}).save(folder)
    return folder


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("how", ["itself", "adapted", "resized", "channels"])
def test_a_bundle_says_that_its_bases_configuration_changed(tmp_path: Path, kind: str, how: str) -> None:
    folder = FOLDERS[kind](tmp_path / "base")
    base = wrapped(open_base(str(folder), modality(kind))).get(how)
    if base is None:
        return  # texts have no size
    bundle = saved(base, tmp_path / "bundle")
    assert Model.load(bundle).base.identity.weights == base.identity.weights
    edit(folder, **EDITS[kind])
    for use in (lambda: Model.load(bundle).base, lambda: open_base(str(bundle), modality(kind))):
        with pytest.raises(BundleError, match=r"another config\.json than in training.*restore it") as said:
            use()
        assert "\n" not in str(said.value)


def test_a_bundle_that_tells_no_configuration_is_read(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path / "base")
    bundle = saved(open_base(str(folder), "text"), tmp_path / "bundle")
    record = json.loads((bundle / "bundle.json").read_text())
    del record["base"]["config"]
    (bundle / "bundle.json").write_text(json.dumps({**record, "schema": 4}))
    edit(folder, **EDITS["bert"])
    assert Model.load(bundle).base.width == 16


def test_a_bundle_of_other_releases_warns_once_and_answers(tmp_path: Path) -> None:
    base = open_base(str(bert_folder(tmp_path / "base")), "text")
    made = {**versions.versions(), "transformers": "1.2.3", "timm": "0.0.1"}  # timm has no part in a text base
    model = Model.load(saved(base, tmp_path / "bundle", versions=made))
    with pytest.warns(HeadstartWarning, match=r"made with transformers 1\.2\.3 \(here [\d.]+\), so its") as told:
        model.predict(["the cat sat", "a dog ran"])
    assert len(told) == 1
    model.predict(["the cat ran"])
    Model.load(saved(base, tmp_path / "same", versions=versions.versions())).predict(["the cat sat"])


def test_predict_refuses_in_one_line(tmp_path: Path, toy_texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, run = bert_folder(tmp_path / "base"), str(tmp_path / "run")
    fit = ["fit", str(toy_texts), "--base", str(folder), "--strategy", "probe", "--quiet", "--out", run]
    assert main(fit) == 0
    edit(folder, **EDITS["bert"])
    capsys.readouterr()
    assert main(["predict", run, "the cat sat"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "config.json" in line] == [line for line in lines if line.startswith("error: ")]
    assert len(lines) == 1


def test_an_estimator_checks_its_base_too(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path / "base")
    texts = [f"the {a} {b}" for a in ("cat", "dog", "log", "card") for b in ("sat", "ran", "is late", "was new")]
    fitted = TransferClassifier(str(folder)).fit(texts, ["a", "b"] * 8)
    fitted.predict(texts)
    edit(folder, **EDITS["bert"])
    with pytest.raises(BundleError, match=r"another config\.json"):
        fitted.predict(texts)
