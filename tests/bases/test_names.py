"""From names to bases, and the one line where that fails."""

from __future__ import annotations

import json

import pytest

from headstart.bases.catalogue import open_base
from headstart.errors import BaseError
from tests.bases.checkpoints import bert_folder, timm_folder


def test_the_modality_picks_the_default():
    assert open_base(None, "image").identity.name == "efficientnet_lite0"
    assert open_base(None, "text").identity.name == "all-MiniLM-L6-v2"


def test_opening_an_embedded_base_needs_no_torch():
    import subprocess
    import sys

    code = (
        "import sys; from headstart.bases.catalogue import open_base; open_base(None, 'image'); "
        "open_base(None, 'text'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(BaseError, match="efficientnet_lite0"):
        open_base("eficientnet_lite0", "image")


def test_a_base_of_another_modality_is_refused():
    with pytest.raises(BaseError, match=r"takes text inputs but the data are image"):
        open_base("all-MiniLM-L6-v2", "image")


@pytest.mark.parametrize(
    ("name", "takes", "data"),
    [
        ("google-bert/bert-base-uncased", "text", "image"),
        ("google-bert/bert-base-uncased@main", "text", "image"),
        ("openai/whisper-tiny", "audio", "text"),
        ("resnet50.a1_in1k", "image", "text"),
    ],
)
def test_a_known_base_of_another_modality_is_refused_without_the_hub(name, takes, data):
    with pytest.raises(BaseError, match=f"takes {takes} inputs but the data are {data}"):
        open_base(name, data)


@pytest.mark.parametrize("name", ["resnet18", "someone/some-model"])
def test_a_hub_name_without_network_is_one_line(name):
    with pytest.raises(BaseError, match="could not be fetched from the Hub"):
        open_base(name, "image")


def test_weights_of_another_architecture_are_refused(tmp_path):
    folder = timm_folder(tmp_path / "t", architecture="resnet10t")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architecture": "resnet18"}))
    with pytest.raises(BaseError):
        open_base(str(folder), "image").network()


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_says_which(tmp_path, missing):
    folder = bert_folder(tmp_path / "b")
    (folder / missing).unlink()
    with pytest.raises(BaseError, match=r"config\.json|weights|tokenizer\.json"):
        open_base(str(folder), "text")


def hub_cache(root, repo, folder):
    """What the Hub's own cache looks like after a download of ``folder`` as ``repo``."""
    import shutil

    place = root / f"models--{repo.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    return commit


def test_a_hub_id_in_the_local_cache_opens_offline_at_its_commit(tmp_path, monkeypatch):
    folder = bert_folder(tmp_path / "b")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    commit = hub_cache(tmp_path / "hub", "someone/tiny-bert", folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    base = open_base("someone/tiny-bert", "text")
    assert base.identity.revision == commit
    assert base.identity.source == "hub someone/tiny-bert"
    assert base.identity.licence == "apache-2.0"
    assert base.identity.weights == open_base(str(folder), "text").identity.weights


def test_a_timm_name_is_found_under_its_hub_id(tmp_path, monkeypatch):
    hub_cache(tmp_path / "hub", "timm/resnet10t.c3_in1k", timm_folder(tmp_path / "t", "resnet10t"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    base = open_base("resnet10t", "image")
    assert base.identity.source == "hub timm/resnet10t.c3_in1k"
    assert base.width == 512


def test_pickles_from_the_hub_are_refused(tmp_path, monkeypatch):
    folder = bert_folder(tmp_path / "b")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    hub_cache(tmp_path / "hub", "someone/pickled", folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(BaseError, match="no safetensors weights"):
        open_base("someone/pickled", "text")
