"""Checkpoints that are damaged, dangerous or of another kind: one clear line each, nothing half-loaded."""

from __future__ import annotations

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from headstart.bases.catalogue import open_base
from headstart.delivery.model import Model
from headstart.errors import BaseError
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder
from tests.bases.hub_server import point_to, served
from tests.bases.solving import solved

MAKERS = {"timm": timm_folder, "bert": bert_folder, "vit": vit_folder}
PART = {"timm": "layer4.0.", "bert": "layer.1.", "vit": "layer.1."}
EVERY = pytest.mark.parametrize("kind", list(MAKERS))


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    root = tmp_path_factory.mktemp("originals")
    return {kind: make(root / kind) for kind, make in MAKERS.items()}


@pytest.fixture
def folder(originals, kind, tmp_path):
    return shutil.copytree(originals[kind], tmp_path / kind)


def modality(kind):
    return "text" if kind == "bert" else "image"


def refused(folder, modality, **options):
    """The line with which it is refused, at opening or when its weights are loaded."""
    with pytest.raises(BaseError) as caught:
        open_base(str(folder), modality, **options).network()
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def change_tensors(folder, change):
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def inner(folder, kind):
    """A matrix of the body, by the name that it has in the file."""
    state = load_file(folder / "model.safetensors")
    return next(name for name, tensor in state.items() if PART[kind] in name and tensor.ndim > 1)


@EVERY
def test_a_tensor_is_missing(folder, kind):
    change_tensors(folder, lambda state: state.pop(inner(folder, kind)))
    assert "lacks 1 tensor (" in refused(folder, modality(kind))


@EVERY
def test_a_tensor_too_many(folder, kind):
    """Of a layer that the configuration does not have."""
    name = inner(folder, kind)
    more = name.replace(PART[kind], f"{PART[kind][:-2]}7.")
    change_tensors(folder, lambda state: state.update({more: state[name].clone()}))
    assert "has unexpected 1 tensor (" in refused(folder, modality(kind))


@EVERY
def test_a_tensor_of_another_shape(folder, kind):
    change_tensors(folder, lambda state: state.update({inner(folder, kind): torch.zeros(3, 5)}))
    assert "[3, 5]" in refused(folder, modality(kind))


@EVERY
def test_a_file_cut_short(folder, kind):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BaseError, match="damaged or cut short"):  # before any weights are loaded
        open_base(str(folder), modality(kind))


@EVERY
def test_a_pickle_with_code(folder, kind, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    state = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    (folder / "model.safetensors").unlink()
    torch.save({**state, "evil": Evil()}, folder / "pytorch_model.bin", pickle_module=pickle)
    message = refused(folder, modality(kind))
    assert "cannot be loaded safely" in message
    assert "a pickle that holds more than tensors (io.open)" in message
    assert "weights_only" not in message  # no advice to run it all the same
    assert not (tmp_path / "owned").exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert (tmp_path / "owned").exists()  # so it would have run


@EVERY
def test_an_index_that_lists_a_missing_shard(folder, kind):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert "(model-00002-of-00002.safetensors); download the rest" in refused(folder, modality(kind))


@pytest.mark.parametrize("kind", ["bert"])
@pytest.mark.parametrize(
    "index", ["no json", "{}", '{"weight_map": {"a": "../elsewhere.safetensors"}}', '{"weight_map": {"a": "b.bin"}}']
)
def test_an_index_that_is_none(folder, index):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    assert "is no list of weights" in refused(folder, "text")


@pytest.mark.parametrize("kind", ["bert"])
def test_a_pointer_in_place_of_weights(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    assert "git lfs pull" in refused(folder, "text")


def test_an_empty_folder(tmp_path):
    assert "no config.json" in refused(tmp_path, "text")


@pytest.mark.parametrize("kind", ["bert"])
@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_configuration_that_is_no_json(folder, content):
    (folder / "config.json").write_text(content)
    assert "config.json" in refused(folder, "text")


@pytest.mark.parametrize("kind", ["bert"])
def test_an_unknown_model_type(folder):
    change_config(folder, model_type="bertt")
    message = refused(folder, "text")
    assert "model_type 'bertt', which the installed transformers does not know" in message
    assert "'bert'" in message


@pytest.mark.parametrize("kind", ["timm"])
def test_an_unknown_architecture(folder):
    change_config(folder, architecture="resnet10tt")
    assert "timm cannot build" in refused(folder, "image")


@pytest.mark.parametrize("kind", ["timm"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "local-dir:elsewhere"}, "timm cannot build 'local-dir:elsewhere'"),
        ({"architecture": None}, "timm cannot build 'None'"),
        ({"model_args": {"checkpoint_path": "elsewhere.pth"}}, "model_args must not hold checkpoint_path"),
        ({"model_args": [1]}, "timm cannot build what"),
        ({"pretrained_cfg": {"crop_pct": "most"}}, "holds no preprocessing that can be used"),
        ({"pretrained_cfg": {"crop_pct": 0}}, "holds no preprocessing that can be used"),
        ({"pretrained_cfg": {"mean": [0.5], "std": [0.5]}}, "3 numbers each"),
        ({"pretrained_cfg": None}, "holds no preprocessing that can be used"),
    ],
)
def test_a_timm_configuration_that_asks_for_what_cannot_be(folder, changes, said):
    change_config(folder, **changes)
    assert said in refused(folder, "image")


@pytest.mark.parametrize("kind", ["vit"])
@pytest.mark.parametrize("values", [{"image_mean": 0.5}, {"size": "large"}, {"crop_size": 64}])
def test_a_processor_that_cannot_be_used(folder, values):
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    assert "holds no preprocessing that can be used" in refused(folder, "image")


@pytest.mark.parametrize("kind", ["bert"])
def test_adapters_are_no_base(folder):
    """transformers would load another base, the one that they name, and its weights would not be those recorded."""
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "else/where"}))
    assert "merge them first" in refused(folder, "text")


@pytest.mark.parametrize(("kind", "data"), [("bert", "image"), ("vit", "text"), ("timm", "text")])
def test_a_base_of_another_modality(folder, data):
    assert f"but the data are {data}; for {data} try" in refused(folder, data)


@pytest.mark.parametrize(
    ("config", "processor"),
    [
        ({"model_type": "wavlm", "hidden_size": 8}, {}),
        ({"model_type": "wav2vec2-bert", "hidden_size": 8}, {"feature_size": 80}),
        ({"model_type": "new-sound"}, {"sampling_rate": 16000}),
    ],
)
@pytest.mark.parametrize("data", ["image", "audio"])
def test_a_base_for_sounds_of_a_family_that_is_not_read(tmp_path, config, processor, data):
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    said = refused(tmp_path, data)
    assert f"takes audio (model_type {config['model_type']}), and headstart reads whisper, wav2vec2, hubert" in said


def test_a_model_of_pictures_and_texts(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip", "text_config": {}, "vision_config": {}}))
    (tmp_path / "tokenizer.json").write_text("{}")
    assert "for pictures choose a timm name" in refused(tmp_path, "image")


@pytest.mark.parametrize("kind", ["bert", "vit"])
def test_a_configuration_that_names_no_width(folder, kind):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({"model_type": config["model_type"]}))
    assert "no hidden_size" in refused(folder, modality(kind))


def test_a_head_is_no_extra_tensor_and_none_is_needed(tmp_path):
    """What checkpoints of whole models hold besides the body, and old buffers: nothing to refuse."""
    folder = bert_folder(tmp_path / "plain")
    plain = load_file(folder / "model.safetensors")
    with_head = {f"bert.{name}": tensor for name, tensor in plain.items() if "pooler" not in name}
    with_head |= {"cls.predictions.bias": torch.zeros(40), "bert.embeddings.position_ids": torch.arange(32)[None]}
    whole = shutil.copytree(folder, tmp_path / "whole")
    save_file(with_head, whole / "model.safetensors", metadata={"format": "pt"})
    ids = torch.tensor([[3, 4, 5]])
    one, two = (open_base(str(f), "text").network()(ids, torch.ones_like(ids)) for f in (folder, whole))
    torch.testing.assert_close(one, two)


@pytest.mark.parametrize("architecture", ["resnet10t", "mobilenetv3_small_050", "test_vit"])
def test_a_timm_base_without_classifier_has_its_true_width(tmp_path, architecture):
    folder = timm_folder(tmp_path / "t", architecture, num_features=1)

    def drop(state):
        for name in [name for name in state if name.startswith(("fc.", "classifier.", "head.weight", "head.bias"))]:
            del state[name]

    change_tensors(folder, drop)
    base = open_base(str(folder), "image")
    network = base.network()
    with torch.inference_mode():
        size = 160 if architecture == "test_vit" else 64
        assert network(torch.zeros((1, size, size, 3), dtype=torch.uint8)).shape == (1, base.width)


CODE = """
from pathlib import Path

from transformers import BertConfig, BertModel

Path({mark!r}).touch()


class OwnConfig(BertConfig):
    model_type = "own-bert"


class OwnModel(BertModel):
    config_class = OwnConfig
"""


@pytest.fixture
def with_code(originals, tmp_path):
    """A checkpoint that needs code of its own; that code leaves the file ``ran``."""
    folder = shutil.copytree(originals["bert"], tmp_path / "own")
    (folder / "own_model.py").write_text(CODE.format(mark=str(tmp_path / "ran")))
    auto_map = {"AutoConfig": "own_model.OwnConfig", "AutoModel": "own_model.OwnModel"}
    change_config(folder, model_type="own-bert", auto_map=auto_map)
    return folder


@pytest.fixture
def own_modules(tmp_path, monkeypatch):
    """Where transformers copies such code to before it is imported."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("sys.path", [*__import__("sys").path, str(tmp_path / "modules")])


def test_code_of_its_own_is_refused_with_the_flag_to_set(with_code, tmp_path):
    message = refused(with_code, "text")
    assert f"own_model.py of folder {with_code}" in message
    assert "--trust-remote-code (trust_remote_code=True in Python)" in message
    assert not (tmp_path / "ran").exists()


def test_code_that_is_allowed_runs_and_is_recorded(with_code, originals, tmp_path, own_modules):
    base = open_base(str(with_code), "text", remote_code=True)
    assert base.identity.remote_code
    assert not (tmp_path / "ran").exists()  # not before the weights are loaded
    ids = torch.tensor([[3, 4, 5]])
    one, two = (b.network()(ids, torch.ones_like(ids)) for b in (base, open_base(str(originals["bert"]), "text")))
    assert (tmp_path / "ran").exists()
    torch.testing.assert_close(one, two)
    assert not open_base(str(originals["bert"]), "text", remote_code=True).identity.remote_code
    (with_code / "own_model.py").write_text((with_code / "own_model.py").read_text() + "\n# changed\n")
    assert open_base(str(with_code), "text", remote_code=True).identity.weights != base.identity.weights


def test_code_of_another_repository_is_refused_even_so(with_code):
    change_config(with_code, auto_map={"AutoModel": "else/where--own_model.OwnModel"})
    assert "from another repository (else/where)" in refused(with_code, "text", remote_code=True)


def test_code_on_the_hub_is_fetched_only_where_it_is_allowed(with_code, tmp_path, monkeypatch, own_modules):
    with served() as hub:
        commit = hub.add("someone/own", with_code).commit
        point_to(hub, tmp_path / "hub", monkeypatch)
        with pytest.raises(BaseError) as caught:
            open_base("someone/own", "text")
        assert f"own_model.py of someone/own at {hub.address[7:]} at commit {commit}" in str(caught.value)
        assert not hub.asked("own_model.py")
        assert not hub.asked("model.safetensors")
        base = open_base("someone/own", "text", remote_code=True)
    assert base.identity.remote_code
    assert base.identity.weights == open_base(str(with_code), "text", remote_code=True).identity.weights
    assert base.network() is not None
    assert (tmp_path / "ran").exists()


def test_a_bundle_does_not_run_code_unasked(with_code, tmp_path, own_modules):
    base = open_base(str(with_code), "text", remote_code=True)
    solved(base).save(tmp_path / "bundle")
    (tmp_path / "ran").unlink(missing_ok=True)
    with pytest.raises(BaseError, match="--trust-remote-code"):
        Model.load(tmp_path / "bundle").embed(["the cat sat"])
    with pytest.raises(BaseError, match="--trust-remote-code"):
        open_base(str(tmp_path / "bundle"), "text")
    assert not (tmp_path / "ran").exists()
    allowed = Model.load(tmp_path / "bundle", trust_remote_code=True)
    assert allowed.base.identity == base.identity
