"""The Hub, against a small server that speaks its protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from headstart.bases.catalogue import open_base
from headstart.delivery.model import Model
from headstart.errors import BaseError
from headstart.progress import Progress, Track
from tests.bases.checkpoints import audio_folder, bert_folder, timm_folder
from tests.bases.hub_server import point_to, served
from tests.bases.solving import solved

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = bert_folder(tmp_path_factory.mktemp("checkpoint") / "bert")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\ndatasets:\n- wikipedia\n- bookcorpus\n---\n# Tiny\n")
    return folder


@pytest.fixture(scope="module")
def server():
    with served() as hub:
        yield hub


@pytest.fixture
def hub(server, bert, tmp_path, monkeypatch):
    """The server as new, with ``someone/bert``, and an empty cache."""
    server.repos.clear()
    server.requests.clear()
    server.broken.clear()
    server.corrupt.clear()
    server.reset, server.silent = False, 0.0
    server.add("someone/bert", bert)
    point_to(server, tmp_path / "hub", monkeypatch)
    return server


def cached(tmp_path):
    """Complete files in the cache, by the names they have in the repository."""
    return {path.name for path in (tmp_path / "hub").glob("models--*/snapshots/*/*")}


def fails(name="someone/bert", modality="text", **options):
    with pytest.raises(BaseError) as caught:
        open_base(name, modality, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Listener(Progress):
    def __init__(self):
        self.lines, self.labels, self.steps, self.total = [], [], 0, 0

    def say(self, line=""):
        self.lines.append(line)

    @contextmanager
    def track(self, label, total):
        self.labels.append(label)
        self.total = total
        track = Track()
        track.advance = self._advance
        yield track

    def _advance(self, steps=1):
        self.steps += steps


@pytest.mark.parametrize("kind", ["whisper", "ast"])
def test_a_base_of_sounds_is_opened_with_its_extractor(hub, tmp_path, kind):
    hub.add("someone/sounds", audio_folder(tmp_path / kind, kind))
    base = open_base("someone/sounds", "audio")
    assert base.spec == open_base(str(tmp_path / kind), "audio").spec
    assert base.network().example()[0].shape[2] == base.spec.mels
    assert "takes audio inputs but the data are text" in fails("someone/sounds", "text")


def test_a_download_is_the_folder_it_was_made_from(hub, bert, capfd):
    base = open_base("someone/bert", "text")
    identity = base.identity
    assert identity.revision == hub.repos["someone/bert"].commit
    assert identity.weights == open_base(str(bert), "text").identity.weights
    assert (identity.licence, identity.trained_on) == ("apache-2.0", "wikipedia, bookcorpus")
    assert identity.source == f"hub someone/bert at {hub.address.removeprefix('http://')}"
    assert not identity.remote_code
    assert base.network() is not None
    assert capfd.readouterr() == ("", "")


def test_the_hub_s_own_address_is_not_told(hub, monkeypatch):
    open_base("someone/bert", "text")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "https://huggingface.co")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert open_base("someone/bert", "text").identity.source == "hub someone/bert"


def test_a_branch_is_resolved_to_its_commit(hub, bert):
    commit = hub.add("someone/bert", bert, "v1").commit
    assert open_base("someone/bert@v1", "text").identity.revision == commit
    hub.requests.clear()
    assert open_base(f"someone/bert@{commit}", "text").identity.revision == commit
    assert hub.requests == []  # a commit that is cached needs no question


def test_only_what_is_needed_is_downloaded(hub, bert, tmp_path):
    files = hub.repos["someone/bert"].files
    files |= {"pytorch_model.bin": b"x" * 99, "onnx/model.safetensors": b"x", "modeling.py": b"x", "tf_model.h5": b"x"}
    files |= {"model.fp16.safetensors": b"x"}
    open_base("someone/bert", "text")
    assert cached(tmp_path) == {"README.md", "config.json", WEIGHTS, "tokenizer.json"}
    assert not {path.name for path in (tmp_path / "hub").rglob("*.safetensors") if path.parent.name == "onnx"}


def test_progress_is_told_in_megabytes(hub):
    files = hub.repos["someone/bert"].files
    files[WEIGHTS] = padded(files[WEIGHTS], 6_000_000)
    listener = Listener()
    open_base("someone/bert", "text", progress=listener)
    assert listener.lines == ["Downloading base 'someone/bert' from the Hub: 6 MB."]
    assert listener.labels == ["downloading someone/bert (MB)"]
    assert listener.steps == listener.total == 6
    again = Listener()
    open_base("someone/bert", "text", progress=again)
    assert (again.lines, again.labels) == ([], [])


def padded(content: bytes, size: int) -> bytes:
    """The safetensors file with a tensor more, so that it has about ``size`` bytes."""
    import numpy as np
    from safetensors.numpy import load, save

    return save({**load(content), "classifier.weight": np.zeros(size // 4, np.float32)}, metadata={"format": "pt"})


@pytest.mark.parametrize("reset", [False, True])
def test_a_broken_connection_is_resumed(hub, bert, monkeypatch, reset):
    size = len(hub.repos["someone/bert"].files[WEIGHTS])
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 4096)  # what came in whole chunks is kept
    hub.broken[WEIGHTS], hub.reset = size // 2, reset
    base = open_base("someone/bert", "text")
    assert base.identity.weights == open_base(str(bert), "text").identity.weights
    first, second = hub.asked(WEIGHTS)
    assert first == ""
    assert reset or 0 < int(second.removeprefix("bytes=").rstrip("-")) <= size // 2


def test_a_file_that_differs_is_refused_and_the_next_try_starts_clean(hub, bert, tmp_path):
    hub.corrupt.add(WEIGHTS)
    message = fails()
    assert "is not as it is on the Hub" in message
    assert "sha256" in message
    assert WEIGHTS not in cached(tmp_path)
    sizes = {path.stat().st_size for path in (tmp_path / "hub").rglob("*") if path.is_file() and not path.is_symlink()}
    assert (bert / WEIGHTS).stat().st_size not in sizes
    hub.corrupt.clear()
    assert open_base("someone/bert", "text").identity.weights == open_base(str(bert), "text").identity.weights


def test_a_small_file_that_differs_is_refused_too(hub):
    hub.corrupt.add("tokenizer.json")
    assert "tokenizer.json of base 'someone/bert' is not as" in fails()


def test_a_cached_file_that_was_damaged_since_is_refused(hub, tmp_path):
    open_base("someone/bert", "text")
    [path] = (tmp_path / "hub").glob(f"models--*/snapshots/*/{WEIGHTS}")
    content = path.read_bytes()
    path.resolve().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "try again" in fails()
    open_base("someone/bert", "text")


def test_content_that_the_cache_shares_between_repositories_is_fine(hub, tmp_path):
    open_base("someone/bert", "text")
    [path] = (tmp_path / "hub").glob(f"models--*/snapshots/*/{WEIGHTS}")
    blob, shared = path.resolve(), tmp_path / ("0" * 64)
    blob.rename(shared)
    blob.symlink_to(shared)
    open_base("someone/bert", "text")


def test_gated_names_the_page_and_the_token(hub):
    hub.repos["someone/bert"].refuse = (401, "GatedRepo")
    assert f"gated on the Hub: accept its terms at {hub.address}/someone/bert and set HF_TOKEN" in fails()
    hub.repos["someone/bert"].refuse = (403, "GatedRepo")
    assert "your token's account has no access yet" in fails()


def test_other_refusals(hub):
    repo = hub.repos["someone/bert"]
    assert "is not on the Hub" in fails("someone/none")
    assert "Did you mean 'BAAI/bge-small-en-v1.5'" in fails("BAAI/bge-smal-en-v1.5")
    assert "neither a folder here nor a name on the Hub" in fails("no/such/folder")
    repo.refuse = (401, "RepoNotFound")  # what the Hub says to those who are not logged in
    assert "is private and HF_TOKEN is not set" in fails()
    repo.refuse = None
    assert "has no revision 'v9'" in fails("someone/bert@v9")
    repo.refuse = (403, "")
    assert "answered 403: HF_TOKEN is wrong" in fails()
    repo.refuse = (500, "")
    assert "answered 500" in fails()


def test_a_repository_without_a_file_says_which(hub):
    del hub.repos["someone/bert"].files["config.json"]
    assert "no config.json" in fails()


def test_pickles_are_not_downloaded(hub, tmp_path):
    files = hub.repos["someone/bert"].files
    files["pytorch_model.bin"] = files.pop(WEIGHTS)
    assert "no safetensors weights" in fails()
    assert not hub.asked("pytorch_model.bin")


def test_an_index_that_lists_a_missing_shard_is_refused_before_the_download(hub):
    files = hub.repos["someone/bert"].files
    files["model-00001-of-00002.safetensors"] = files.pop(WEIGHTS)
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    files["model.safetensors.index.json"] = json.dumps({"weight_map": shards}).encode()
    assert "lacks 1 of the 2 weights files" in fails()
    assert not hub.asked("model-00001-of-00002.safetensors")


def test_another_modality_is_refused_before_the_download(hub):
    assert "takes text inputs but the data are image" in fails(modality="image")
    assert not hub.asked(WEIGHTS)


def test_offline_the_cache_serves_without_a_request(hub, tmp_path, monkeypatch):
    expected = open_base("someone/bert", "text").identity
    hub.requests.clear()
    point_to(hub, tmp_path / "hub", monkeypatch, offline=True)
    assert open_base("someone/bert", "text").identity == expected
    assert "HF_HUB_OFFLINE is set and it is not in the local cache" in fails("someone/other")
    assert hub.requests == []


def test_a_bundle_finds_its_base_again_offline(hub, tmp_path, monkeypatch):
    base = open_base("someone/bert", "text")
    solved(base).save(tmp_path / "bundle")
    hub.requests.clear()
    point_to(hub, tmp_path / "hub", monkeypatch, offline=True)
    again = Model.load(tmp_path / "bundle").base
    assert (again.identity.revision, again.identity.weights) == (base.identity.revision, base.identity.weights)
    assert hub.requests == []


def test_offline_an_unfinished_download_is_refused(hub, tmp_path, monkeypatch):
    fails(modality="image")  # its small files only
    point_to(hub, tmp_path / "hub", monkeypatch, offline=True)
    assert "HF_HUB_OFFLINE is set and it is not in the local cache" in fails()


def test_the_cache_serves_where_the_server_is_down(hub, monkeypatch):
    expected = open_base("someone/bert", "text").identity
    hub.repos["someone/bert"].refuse = (503, "")
    assert open_base("someone/bert", "text").identity == expected


def test_no_server_is_one_line(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "address", "http://127.0.0.1:9")
    point_to(hub, tmp_path / "hub", monkeypatch)
    assert "no network" in fails()


def test_a_dead_server_is_given_up(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.3)
    hub.silent = 2.0
    assert "did not answer in time" in fails()  # had it been waited for, it would have answered


def test_a_timm_name_goes_the_same_way(hub, tmp_path):
    hub.add("timm/resnet10t.c3_in1k", timm_folder(tmp_path / "t", "resnet10t"))
    base = open_base("resnet10t", "image")
    assert base.identity.source.startswith("hub timm/resnet10t.c3_in1k")
    assert base.identity.revision == hub.repos["timm/resnet10t.c3_in1k"].commit


def test_as_a_user_sets_it_up(hub, tmp_path):
    """HF_ENDPOINT and the rest in the environment of a process of its own, online and then offline."""
    code = (
        "from headstart.bases.catalogue import open_base; i = open_base('someone/bert', 'text').identity; "
        "print(i.source, i.revision)"
    )
    env = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    expected = f"hub someone/bert at {hub.address.removeprefix('http://')} {hub.repos['someone/bert'].commit}\n"
    for offline in ("0", "1"):
        env["HF_HUB_OFFLINE"] = offline
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
        assert (done.stdout, done.stderr) == (expected, "")
