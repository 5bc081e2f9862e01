"""The library as a program uses it: fit, load, inspect, predict."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

import headstart as hs
from headstart.bases.runtime import PARITY
from headstart.errors import BaseError, BundleError, SettingError, SourceError
from tests.bases.checkpoints import vit_folder
from tests.toys import PATTERNS, image_folder, picture, pictures, sentences, text_table


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return image_folder(tmp_path_factory.mktemp("api") / "photos", 14)


@pytest.fixture(scope="module")
def image_run(photos, tiny_image_base, tmp_path_factory):
    return hs.fit(photos, base=tiny_image_base, out=tmp_path_factory.mktemp("runs") / "photos")


@pytest.fixture(scope="module")
def text_run(tiny_text_base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    return hs.fit(text_table(folder / "mail.csv", 30), base=tiny_text_base, out=folder / "run")


@pytest.fixture
def copied(image_run, tmp_path):
    """A run's folder that may be damaged."""
    return shutil.copytree(image_run.path, tmp_path / "copy")


# --- What fit gives ---------------------------------------------------------------------------


def test_the_result_is_what_the_file_says(image_run):
    assert json.loads((image_run.path / "result.json").read_text()) == image_run.result.to_dict()
    assert image_run.result.verdict.sentence in repr(image_run)


def test_the_run_goes_where_it_is_told(photos, tiny_image_base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hs.fit(photos, base=tiny_image_base).path == tmp_path / "runs" / "photos"
    assert hs.fit(photos, base=tiny_image_base, name="second").result.name == "second"
    with pytest.raises(hs.UserError, match="holds an earlier run"):
        hs.fit(photos, base=tiny_image_base)
    assert hs.fit(photos, base=tiny_image_base, overwrite=True).path == tmp_path / "runs" / "photos"


def test_an_unknown_option_is_refused(photos, tiny_image_base, tmp_path):
    with pytest.raises(SettingError, match="accuracy"):
        hs.fit(photos, base=tiny_image_base, out=tmp_path / "run", metric="acuracy")
    with pytest.raises(SettingError, match=r"'metrik' is no option.*Did you mean 'metric'"):
        hs.fit(photos, base=tiny_image_base, out=tmp_path / "run", metrik="accuracy")
    with pytest.raises(SettingError, match="'seed' is no option"):
        hs.inspect(photos, seed=1)
    assert not (tmp_path / "run").exists()


def test_the_same_seed_gives_the_same_run(photos, image_run, tiny_image_base, tmp_path):
    again = hs.fit(photos, base=tiny_image_base, out=tmp_path / "again")
    assert replace(again.result.test, opened_before=0) == replace(image_run.result.test, opened_before=0)
    assert again.result.transfer_gain == image_run.result.transfer_gain
    np.testing.assert_array_equal(again.model.bundle.head.weight, image_run.model.bundle.head.weight)


def test_inspect_says_what_fit_would_do(photos, image_run):
    seen = hs.inspect(photos)
    assert (seen.modality, seen.task, seen.rows) == ("image", "classification", 42)
    assert seen.labels == dict.fromkeys(PATTERNS, 14)
    assert seen.base == "efficientnet_lite0"
    assert seen.rows == image_run.result.data.rows
    with pytest.raises(SourceError, match="no such file or folder"):
        hs.inspect(photos / "nowhere")


# --- Data in memory ---------------------------------------------------------------------------


def test_a_frame_is_fitted_as_its_file_is(text_run, tiny_text_base, tmp_path, monkeypatch):
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    texts, labels = sentences(30)
    run = hs.fit(pd.DataFrame({"text": texts, "label": labels}), base=tiny_text_base)
    assert run.path == tmp_path / "runs" / "dataframe"
    assert run.result.data.source == "from memory: DataFrame of 60 rows"
    assert run.result.test.score == text_run.result.test.score
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    score = hs.evaluate(run.path, (texts, labels))
    assert (score.source, score.tested) == ("from memory: pair of list and list of 60 rows", run.result.test.n)
    assert hs.shift(run.path, texts).n == 60


def test_arrays_are_fitted_and_unreadable_ones_listed(tiny_image_base, tmp_path):
    inputs, labels = pictures(14)
    arrays = [np.asarray(one) for one in inputs]
    arrays[5] = arrays[5].transpose(2, 0, 1)
    run = hs.fit((arrays, labels), base=tiny_image_base, out=tmp_path / "run", valid_size=0.25)
    assert (run.result.data.rows, run.result.data.rejected) == (41, 1)
    assert (run.path / "rejected.csv").read_text().splitlines()[1].startswith("rows[5],")
    assert set(run.model.predict(arrays[:5])) <= set(PATTERNS)


def test_advice_and_ranking_give_a_line_of_python(tiny_text_base):
    pair = sentences(30)
    advice = hs.advise(pair, base=tiny_text_base)
    assert advice.source.startswith("from memory: pair")
    assert advice.next_step == f"headstart.fit(data, base={tiny_text_base!r})"
    ranking = hs.rank(pair, bases=[tiny_text_base], seed=3)
    assert ranking.next_step == f"headstart.fit(data, base={tiny_text_base!r}, seed=3)"


def test_an_audit_in_memory(tiny_text_base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts, labels = sentences(20)
    found = hs.audit(([*texts, texts[0]], [*labels, labels[0]]), base=tiny_text_base)
    assert found.source == "from memory: pair of list and list of 41 rows"
    assert {"rows[0]", "rows[40]"} <= {row for one in found.findings if one.kind == "duplicate" for row in one.rows}
    assert (tmp_path / "audit" / "rows" / "audit.html").is_file()


def test_an_empty_text_in_memory_is_a_row_and_none_of_the_options(tiny_text_base, tmp_path):
    texts, labels = sentences(30)
    run = hs.fit(([*texts, " "], [*labels, "pets"]), base=tiny_text_base, out=tmp_path / "run")
    assert run.result.data.rejected == 1
    with pytest.raises(SettingError, match="source is empty"):
        hs.fit("")


# --- The device and what is shown -------------------------------------------------------------


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:97", "", 3])
def test_a_device_that_is_not_there_is_refused(device, tmp_path):
    with pytest.raises(SettingError, match="device is"):
        hs.fit(sentences(3), device=device, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_device_is_chosen_for_the_call_alone(text_run, monkeypatch):
    from headstart.bases.device import device, device_name, using

    monkeypatch.setenv("HEADSTART_DEVICE", "mps")
    with using("cpu"):
        assert (device_name(), device().type) == ("cpu", "cpu")
    with using(None):
        assert device_name() == "mps"
    monkeypatch.delenv("HEADSTART_DEVICE")
    with pytest.raises(ZeroDivisionError), using("cpu"):
        1 / 0  # noqa: B018
    assert device_name() == "auto"
    assert hs.evaluate(text_run.path, sentences(5), device="cpu").n == 10


def test_progress_is_shown_where_it_is_asked_for(text_run, capsys):
    pair = sentences(5)
    hs.evaluate(text_run.path, ([*pair[0], ""], [*pair[1], "pets"]))
    assert capsys.readouterr().err == ""
    hs.evaluate(text_run.path, ([*pair[0], ""], [*pair[1], "pets"]), progress=True)
    assert "rows[10] (empty text)" in capsys.readouterr().err
    with pytest.raises(SettingError, match="progress is 'yes'"):
        hs.evaluate(text_run.path, pair, progress="yes")


# --- Predicting -------------------------------------------------------------------------------


def test_load_predicts_as_the_run_did(image_run, text_run):
    for run, inputs in ((image_run, pictures(4)[0]), (text_run, sentences(4)[0])):
        loaded = hs.load(run.path)
        assert loaded.labels == run.model.labels
        np.testing.assert_array_equal(loaded.predict_proba(inputs), run.model.predict_proba(inputs))
        assert list(loaded.predict(inputs)) == list(run.model.predict(inputs))
        assert list(hs.load(run.path / "bundle").predict(inputs)) == list(loaded.predict(inputs))


def test_predictions_are_right_and_probabilities_are_labels(image_run, text_run):
    for run, (inputs, labels) in ((image_run, pictures(10)), (text_run, sentences(20))):
        said, p = run.model.predict(inputs), run.model.predict_proba(inputs)
        assert np.mean(said == np.array(labels)) > 0.8
        np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
        assert [run.model.labels[i] for i in p.argmax(1)] == list(said)
        assert list(run.model.labels) == sorted(set(labels))


def test_a_picture_is_the_same_in_every_form(image_run, photos):
    path = photos / "rings" / "003.png"
    opened = Image.open(path)
    forms = [path, str(path), opened, np.asarray(opened), path.read_bytes()]
    vectors = image_run.model.embed(forms)
    np.testing.assert_allclose(vectors, np.tile(vectors[:1], (5, 1)), atol=1e-5)
    assert set(image_run.model.predict(forms)) == {"rings"}


def test_a_stack_of_arrays_is_as_many_pictures(image_run):
    stack = np.stack([np.asarray(picture(label, 5).resize((50, 40))) for label in PATTERNS])
    np.testing.assert_array_equal(image_run.model.embed(stack), image_run.model.embed(list(stack)))


def test_embedding_an_input_gives_its_training_features(photos, image_run, text_run, monkeypatch):
    import headstart.flow.preparation as preparing

    seen = []
    real = preparing.extract
    monkeypatch.setattr(
        preparing, "extract", lambda *args, **kw: seen.append((args[1], real(*args, **kw))) or seen[-1][1]
    )
    hs.fit(photos, base=image_run.result.base["source"].removeprefix("folder "), out=photos.parent / "again")
    ((inputs, features),) = seen
    got = image_run.model.embed(list(inputs))
    cosine = (got * features.vectors).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(features.vectors, axis=1)
    assert cosine.min() >= PARITY


def test_texts_come_in_any_sequence(text_run):
    import pandas as pd

    texts, _ = sentences(6)
    expected = text_run.model.predict_proba(texts)
    shuffled = pd.Series(texts, index=range(len(texts))[::-1])  # its [0] is not its first
    for form in (tuple(texts), np.array(texts), np.array(texts, dtype=object), shuffled, pd.DataFrame({"t": texts})):
        np.testing.assert_array_equal(text_run.model.predict_proba(form), expected)


def test_rows_of_a_series_are_not_mistaken(text_run):
    """New texts, so that the cache cannot hide which row was run."""
    import pandas as pd

    texts = ["cat dog cat no90001", "parcel late card no90002", "dog sat mat no90003"]
    crossed = text_run.model.embed(pd.Series(texts, index=[2, 0, 1]))
    alone = np.concatenate([text_run.model.embed([f"{text} "]) for text in texts])
    np.testing.assert_allclose(crossed, alone, atol=1e-4)


def test_no_inputs_give_no_answers(image_run, text_run):
    for run in (image_run, text_run):
        assert run.model.predict([]).shape == (0,)
        assert run.model.predict_proba([]).shape == (0, len(run.model.labels))


def test_an_unreadable_input_is_named(image_run, photos, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good = photos / "rings" / "000.png"
    with pytest.raises(SourceError, match=r"input 1 \(.*broken\.png\)"):
        image_run.model.predict([good, broken])
    with pytest.raises(SourceError, match=r"input 0 \(.*absent\.png\)"):
        image_run.model.predict([tmp_path / "absent.png"])
    with pytest.raises(SourceError, match=r"input 1 \(bytes\)"):
        image_run.model.embed([good.read_bytes(), b"GIF8"])


def test_a_blank_text_is_named(text_run):
    with pytest.raises(SourceError, match=r"input 2 .*empty text"):
        text_run.model.predict(["cat", "dog", "  "])
    with pytest.raises(SourceError, match=r"input 0 .*not a text"):
        text_run.model.predict([3])


def test_predictions_go_on_past_the_unreadable(image_run, photos):
    said = image_run.model.predictions([b"no picture", photos / "rings" / "001.png"])
    assert said.answers[0] is None
    assert said.answers[1] == "rings"
    assert np.isnan(said.probabilities[0]).all()
    assert set(said.rejected) == {0}


def lone_inputs():
    one = picture("rings", 1)
    buffer = io.BytesIO()
    one.save(buffer, "PNG")
    return {
        "path": "photo.png",
        "bytes": buffer.getvalue(),
        "picture": one,
        "array": np.asarray(one),
        "number": 3,
    }


@pytest.mark.parametrize("kind", lone_inputs())
def test_one_input_instead_of_a_list_is_refused(image_run, kind):
    with pytest.raises(SourceError, match="list"):
        image_run.model.predict(lone_inputs()[kind])
    with pytest.raises(SourceError, match="list"):
        image_run.model.predictions(lone_inputs()[kind])


def test_one_text_instead_of_a_list_is_refused(text_run):
    with pytest.raises(SourceError, match="put it into a list"):
        text_run.model.predict("the cat sat")
    with pytest.raises(SourceError, match="list"):
        text_run.model.predict({"text": "the cat sat"})


# --- Bundles that do not fit or are damaged ---------------------------------------------------


def test_a_bundle_holds_no_weights_of_the_base(image_run):
    names = {path.name for path in (image_run.path / "bundle").iterdir()}
    assert names == {"bundle.json", "card.md", "graph.json", "graph.onnx", "head.safetensors", "known.safetensors"}
    assert load_file(image_run.path / "bundle" / "head.safetensors").keys() == {"weight", "bias"}


def test_a_base_of_other_weights_is_refused(photos, tmp_path):
    base = vit_folder(tmp_path / "base")
    run = hs.fit(photos, base=str(base), out=tmp_path / "run")
    state = load_file(base / "model.safetensors")
    save_file({k: v + np.float32(0.01) for k, v in state.items()}, base / "model.safetensors", {"format": "pt"})
    model = hs.load(run.path)
    with pytest.raises(BundleError, match="other weights than in training"):
        model.predict([photos / "rings" / "000.png"])


def test_a_base_that_prepares_otherwise_is_refused(photos, tmp_path):
    base = vit_folder(tmp_path / "base")
    run = hs.fit(photos, base=str(base), out=tmp_path / "run")
    config = json.loads((base / "preprocessor_config.json").read_text())
    (base / "preprocessor_config.json").write_text(json.dumps({**config, "image_mean": [0.4] * 3}))
    with pytest.raises(BundleError, match="prepares inputs otherwise"):
        hs.load(run.path).predict([photos / "rings" / "000.png"])


def test_a_base_that_is_gone_is_named(photos, tmp_path):
    base = vit_folder(tmp_path / "base")
    run = hs.fit(photos, base=str(base), out=tmp_path / "run")
    shutil.rmtree(base)
    with pytest.raises(BaseError, match=str(base)):
        hs.load(run.path).predict([photos / "rings" / "000.png"])


@pytest.mark.parametrize("content", [b"", b"garbage", "half", "swapped", "renamed"])  # bytes: that instead
def test_damaged_weights_are_refused(copied, content):
    path = copied / "bundle" / "head.safetensors"
    tensors = load_file(path)
    if content == "half":
        path.write_bytes(path.read_bytes()[:-20])
    elif content == "swapped":
        save_file({"weight": np.ascontiguousarray(tensors["weight"].T), "bias": tensors["bias"]}, path)
    elif content == "renamed":
        save_file({"weights": tensors["weight"], "bias": tensors["bias"]}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(BundleError, match=r"head\.safetensors"):
        hs.load(copied)


@pytest.mark.parametrize(
    "change",
    [
        {"task": ["classification"]},
        {"task": {"task": "sorting", "labels": ["a", "b"]}},
        {"task": {"task": "classification", "labels": "ab"}},
        {"base": None},
        {"base": {"name": "x"}},
        {"head": []},
        {"schema": "1"},
    ],
)
def test_a_damaged_record_is_refused(copied, change):
    path = copied / "bundle" / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BundleError):
        hs.load(copied)


def test_a_newer_layout_is_refused(copied):
    path = copied / "bundle" / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))
    with pytest.raises(BundleError, match=r"layout 99.*upgrade headstart"):
        hs.load(copied)


def test_half_a_record_and_no_record_are_refused(copied, tmp_path):
    path = copied / "bundle" / "bundle.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BundleError, match="cannot be read"):
        hs.load(copied)
    with pytest.raises(BundleError, match="is not a run or bundle"):
        hs.load(tmp_path)
    with pytest.raises(BundleError, match="does not exist"):
        hs.load(tmp_path / "nowhere")


# --- The embedded bases, once each ------------------------------------------------------------


@pytest.mark.parametrize(
    "base",
    [
        "efficientnet_lite0",
        pytest.param("efficientnet_lite1", marks=pytest.mark.slow),
        pytest.param("efficientnet_lite2", marks=pytest.mark.slow),
    ],
)
def test_embedded_image_bases(photos, base, tmp_path):
    run = hs.fit(photos, base=base, out=tmp_path / "run")
    assert run.result.base["name"] == base
    assert run.result.base["licence"] == "Apache-2.0"
    inputs, labels = pictures(2)
    assert np.mean(hs.load(run.path).predict(inputs) == np.array(labels)) > 0.5


def test_the_embedded_text_base(tmp_path, toy_texts):
    run = hs.fit(toy_texts, out=tmp_path / "run")
    assert run.result.base["name"] == "all-MiniLM-L6-v2"
    assert list(hs.load(run.path).predict(["bake the bread", "a flight to the island"])) == ["food", "travel"]


# --- Weights ----------------------------------------------------------------------------------


def test_weights_of_rows_and_classes_go_into_a_run(tiny_text_base, tmp_path):
    import pandas as pd

    texts, labels = sentences(40)
    frame = pd.DataFrame({"text": texts[:60], "label": labels[:60], "w": np.linspace(0, 2, 60)})
    told = {"base": tiny_text_base, "weight": "w", "class_weight": {"post": 3}}
    run = hs.fit(frame, **told, out=tmp_path / "run")
    plain = hs.fit(frame, base=tiny_text_base, out=tmp_path / "plain")
    facts = {fact["what"]: fact for fact in run.result.data.facts}
    assert facts["row weights"]["reason"].startswith("from 0 to 2; 60 rows count as much as 45 of equal weight")
    assert facts["class weights"]["value"] == "post 3"
    assert (run.result.settings["class_weight"], run.result.settings["source"]["weight"]) == ({"post": 3.0}, "w")
    more = run.model.predict_proba(texts).mean(0) - plain.model.predict_proba(texts).mean(0)
    assert more[run.model.labels.index("post")] > 0
    with pytest.raises(SettingError, match="names the class 'posts'"):
        hs.fit(frame, base=tiny_text_base, class_weight={"posts": 2}, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()
