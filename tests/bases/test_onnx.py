"""ONNX files as frozen bases: the same features as the model they came from, whatever their inputs and outputs."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import headstart as hs
from headstart.bases.catalogue import open_base
from headstart.bases.network import ImageNetwork
from headstart.bases.runtime import GIVEN, build, choose, remembered
from headstart.errors import BaseError, SettingError
from tests.bases.checkpoints import tokenizer_file
from tests.toys import image_folder, text_table

WIDTH = 6


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


class Maps(nn.Module):
    """Pictures to maps [batch, WIDTH, ., .]."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, 3, stride=2)

    def forward(self, x):
        return self.conv(x).relu()


class Averaged(Maps):
    """Pictures to vectors [batch, WIDTH]."""

    def forward(self, x):
        return super().forward(x).mean((2, 3))


class Swapped(Averaged):
    """Pictures with the channels last."""

    def forward(self, x):
        return super().forward(x.permute(0, 3, 1, 2))


class Words(nn.Module):
    """Ids and mask to states [batch, tokens, WIDTH], which a masked token does not touch."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, WIDTH)

    def forward(self, input_ids, attention_mask):
        return self.embed(input_ids).tanh() * attention_mask[:, :, None]


def export(model, example, path, names, free, outputs=("features",), **options):
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {i: f"{name}{i}" for i in free} for name in names} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), example, str(path), input_names=names, output_names=list(outputs), dynamic_axes=axes,
            dynamo=False, **options
        )  # fmt: skip
    return path


def image_file(folder, model=None, free=(0,), side=32, **options):
    model = model or Averaged()
    shape = (1, side, side, 3) if isinstance(model, Swapped) else (1, 3, side, side)
    return model, export(model, (torch.zeros(shape),), folder / "model.onnx", ["pixels"], free, **options)


def text_file(folder, free=(0, 1), tokens=5):
    model, ones = Words(), torch.ones((1, tokens), dtype=torch.int64)
    export(model, (ones, ones), folder / "model.onnx", ["input_ids", "attention_mask"], free)
    tokenizer_file(folder)
    return model, folder / "model.onnx"


def noise(count, side=32):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def expected(model, base, pixels):
    """By the torch model, normalised as the base says."""
    mean, std = torch.tensor(base.spec.mean), torch.tensor(base.spec.std)
    x = (torch.from_numpy(pixels) / 255 - mean) / std
    out = model(x if isinstance(model, Swapped) else x.permute(0, 3, 1, 2))
    return (out if out.ndim == 2 else out.mean((2, 3))).detach().numpy()


@pytest.mark.parametrize("free", [(0,), ()])
@pytest.mark.parametrize("model", [Averaged(), Maps(), Swapped()], ids=lambda model: type(model).__name__)
def test_pictures_give_the_models_features(tmp_path, model, free):
    model, path = image_file(tmp_path, model, free)
    base, pixels = open_base(str(path), "image"), noise(5)
    assert (base.width, base.spec.size, base.trainable) == (WIDTH, 32, False)
    np.testing.assert_allclose(base.run()((pixels,)), expected(model, base, pixels), atol=1e-5)
    network = base.network()
    assert isinstance(network, ImageNetwork)
    np.testing.assert_allclose(network(torch.from_numpy(pixels)).numpy(), expected(model, base, pixels), atol=1e-5)


@pytest.mark.parametrize(("free", "tokens"), [((0, 1), 5), ((), 7), ((0,), 7)])
def test_texts_give_the_mean_over_their_tokens(tmp_path, free, tokens):
    model, path = text_file(tmp_path, free, tokens)
    base = open_base(str(path), "text")
    assert base.spec.max_tokens == (256 if 1 in free else tokens)
    ids, mask = np.array([[3, 4, 5, 0], [6, 7, 8, 9]]), np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    states = model(torch.from_numpy(ids), torch.from_numpy(mask)).detach().numpy()
    wanted = states.sum(1) / mask.sum(1, keepdims=True)
    np.testing.assert_allclose(base.run()((ids, mask)), wanted, atol=1e-6)
    np.testing.assert_allclose(base.network()(torch.from_numpy(ids), torch.from_numpy(mask)), wanted, atol=1e-6)


def test_tensors_beside_the_file_count(tmp_path):
    import onnx

    model, path = image_file(tmp_path / "one")
    inside = open_base(str(path), "image").identity.weights
    outside = tmp_path / "two" / "model.onnx"
    outside.parent.mkdir()
    onnx.save_model(onnx.load(path), outside, save_as_external_data=True, location="model.data", size_threshold=0)
    base = open_base(str(outside), "image")
    np.testing.assert_allclose(base.run()((noise(2),)), expected(model, base, noise(2)), atol=1e-5)
    content = bytearray((outside.parent / "model.data").read_bytes())
    content[0] ^= 1
    (outside.parent / "model.data").write_bytes(content)
    assert len({inside, base.identity.weights, open_base(str(outside), "image").identity.weights}) == 3
    (outside.parent / "model.data").unlink()
    with pytest.raises(BaseError, match=r"keeps tensors in model\.data, which is not beside it"):
        open_base(str(outside), "image")


@pytest.mark.parametrize("place", ["graph", "function", "sparse"])
def test_tensors_elsewhere_are_not_followed(tmp_path, place):
    import onnx

    _, path = image_file(tmp_path)
    model = onnx.load(path)
    if place == "graph":
        tensor = model.graph.initializer[0]
    elif place == "function":
        tensor = model.functions.add(name="f", domain="d").node.add(op_type="Constant").attribute.add(name="value").t
    else:
        tensor = model.graph.sparse_initializer.add().values
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../other.data")
    onnx.save_model(model, path)
    with pytest.raises(BaseError, match="outside its own folder"):
        open_base(str(path), "image")


def fact(base, what):
    return next(one for one in base.facts if one.what.startswith(what))


def test_preprocessing_is_what_lies_beside_or_is_said_to_be_supposed(tmp_path):
    _, path = image_file(tmp_path, free=(0, 2, 3))
    plain = open_base(str(path), "image")
    assert (plain.spec.size, plain.spec.mean) == (224, (0.485, 0.456, 0.406))
    assert "supposed" in fact(plain, "preprocessing").reason
    given = {"pretrained_cfg": {"input_size": [3, 48, 48], "mean": [0.1] * 3, "std": [0.2] * 3, "crop_pct": 1.0}}
    (tmp_path / "config.json").write_text(json.dumps(given))
    timm = open_base(str(path), "image")
    assert (timm.spec.size, timm.spec.resize, timm.spec.mean) == (48, 48, (0.1, 0.1, 0.1))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 40, "image_std": [0.3] * 3}))
    processed = open_base(str(path), "image")
    assert (processed.spec.size, processed.spec.std) == (40, (0.3, 0.3, 0.3))
    assert "preprocessor_config.json beside the file says" in fact(processed, "preprocessing").reason
    image_file(tmp_path, side=32)
    fixed = open_base(str(path), "image")
    assert fixed.spec.size == 32
    assert "32 pixels that the graph takes" in fact(fixed, "preprocessing").reason
    assert len({base.preprocessing() for base in (plain, timm, processed, fixed)}) == 4
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 40, "image_std": [0.3]}))
    with pytest.raises(BaseError, match="holds no preprocessing"):
        open_base(str(path), "image")


def test_configuration_may_lie_above_a_folder_called_onnx(tmp_path):
    text_file(tmp_path / "onnx")
    tokenizer = (tmp_path / "onnx" / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    base = open_base(str(tmp_path / "onnx" / "model.onnx"), "text")
    assert base.tokenizer_file.resolve() == tokenizer.resolve()
    assert base.identity.licence == "mit"


def test_a_file_in_a_cache_of_links_keeps_its_own_name_and_folder(tmp_path, monkeypatch):
    """As the Hub's cache has it: names are links to content, which has no ending and lies elsewhere."""
    _, path = image_file(tmp_path / "content")
    (tmp_path / "snapshot" / "onnx").mkdir(parents=True)
    (tmp_path / "snapshot" / "onnx" / "model.onnx").symlink_to(path.rename(path.with_name("0123")))
    (tmp_path / "snapshot" / "README.md").write_text("---\nlicense: mit\n---\n")
    monkeypatch.chdir(tmp_path / "snapshot" / "onnx")
    base = open_base("model.onnx", "image")
    assert base.identity.licence == "mit"
    assert base.identity.source == f"onnx {tmp_path}/snapshot/onnx/model.onnx"


def test_a_classifiers_answers_are_told(tmp_path):
    _, path = image_file(tmp_path / "a", outputs=["logits"])
    assert "the last layer serves as features" in fact(open_base(str(path), "image"), "features").reason
    model = nn.Sequential(Averaged(), nn.Softmax(dim=1))
    _, path = image_file(tmp_path / "b", model)
    assert "rows add up to 1" in fact(open_base(str(path), "image"), "features").reason
    _, path = image_file(tmp_path / "c")
    assert "last layer" not in fact(open_base(str(path), "image"), "features").reason


def test_the_graph_is_run_as_it_is(tmp_path):
    _, path = image_file(tmp_path)
    base = open_base(str(path), "image")
    choice = choose(base.network(), base, (noise(2),), load=1.0)
    assert [one.name for one in choice.tried] == [GIVEN]
    assert remembered(base) == choice
    assert choice.sentence(choice.best(10)) == GIVEN
    np.testing.assert_array_equal(build(GIVEN, base, None)((noise(3),)), base.run()((noise(3),)))
    with pytest.raises(BaseError, match="cannot be made anew"):
        base.untrained()


def garbage(folder):
    (folder / "model.onnx").write_bytes(b"no model at all, just words")


def empty(folder):
    (folder / "model.onnx").write_bytes(b"")


def other_inputs(folder):
    export(nn.Linear(4, 2), (torch.zeros(1, 4),), folder / "model.onnx", ["x"], (0,))


def one_channel(folder):
    export(nn.Conv2d(1, 2, 3), (torch.zeros(1, 1, 8, 8),), folder / "model.onnx", ["x"], (0,))


def no_features(folder):
    export(nn.Flatten(0), (torch.zeros(1, 3, 8, 8),), folder / "model.onnx", ["x"], (0,))


def own_operator(folder):
    import onnx
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 3, 8, 8]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Mystery", ["x"], ["y"], domain="mine")], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("mine", 1)]), folder / "model.onnx")


def no_tokenizer(folder):
    text_file(folder)
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "there is no ONNX file"),
        (garbage, "is no ONNX model"),
        (empty, "is no ONNX model"),
        (other_inputs, "headstart runs graphs that take one float picture"),
        (one_channel, "headstart gives square ones of 3 channels"),
        (no_features, "gives no vector a row"),
        (own_operator, "with standard operators only"),
        (no_tokenizer, r"no tokenizer\.json beside it"),
    ],
)
def test_what_cannot_serve_is_refused_in_one_line(tmp_path, make, said):
    make(tmp_path)
    with pytest.raises(BaseError, match=said) as error:
        open_base(str(tmp_path / "model.onnx"), "image")
    assert "\n" not in str(error.value)


def test_another_modality_is_refused(tmp_path):
    _, path = image_file(tmp_path)
    with pytest.raises(BaseError, match="takes image inputs but the data are text"):
        open_base(str(path), "text")


def test_a_whole_run_on_pictures(tmp_path):
    _, path = image_file(tmp_path / "net")
    photos = image_folder(tmp_path / "photos", 12)
    run = hs.fit(photos, base=str(path), out=tmp_path / "run")
    assert [one.strategy for one in run.result.candidates] == ["probe"]
    assert {one.reason for one in run.result.ladder.rungs[1:]} == {
        f"base {str(path)!r} is a frozen graph: it has no stages and no weights to train"
    }
    assert run.result.features.runtime == GIVEN
    assert any("supposed" in one["reason"] for one in run.result.data.facts)
    for strategy in ("full", "lora", "head2toe"):
        with pytest.raises(SettingError, match="is a frozen graph; take --strategy probe or auto"):
            hs.fit(photos, base=str(path), strategy=strategy, out=tmp_path / "other")
    probe = hs.fit(photos, base=str(path), strategy="probe", out=tmp_path / "probe")
    inputs = [str(one) for one in sorted(photos.glob("*/*.png"))[::6]]
    again = hs.load(probe.path)
    np.testing.assert_allclose(again.predict_proba(inputs), probe.model.predict_proba(inputs), atol=1e-6)
    path.rename(path.with_name("moved.onnx"))
    with pytest.raises(BaseError, match=r"there is no ONNX file at .*put it back where it was"):
        hs.load(probe.path).predict(inputs)


def test_a_whole_run_on_texts(tmp_path):
    _, path = text_file(tmp_path / "net")
    run = hs.fit(text_table(tmp_path / "mail.csv", 20), base=str(path), strategy="probe", out=tmp_path / "run")
    assert run.result.base["source"] == f"onnx {path.resolve()}"
    assert run.result.test.score > 0.6
