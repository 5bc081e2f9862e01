"""What a run, its model and those who use it say of texts that are longer than the base takes at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from headstart.bases import runtime
from headstart.bases.bundle_record import RECORD
from headstart.delivery.model import Model
from tests import toys
from tests.bases.checkpoints import bert_folder
from tests.cli.running import call, fitted, refused

FILLER = ["sat", "on", "a", "mat", "ran", "log"]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(runtime, "CANDIDATES", ())  # plain float32, whatever is fastest on this machine
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return str(bert_folder(tmp_path_factory.mktemp("base") / "tiny-bert"))  # takes 32 tokens


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Texts of 40 to 60 words that differ in the last few."""
    rng = np.random.default_rng(0)

    def text(label: str) -> str:
        return " ".join([*rng.choice(FILLER, rng.integers(40, 50)), *[("card", "dog")[label == "pets"]] * 8])

    labels = ["pets", "post"] * 30
    rows = [(text(label), label) for label in labels]
    return toys.table(tmp_path_factory.mktemp("data") / "late.csv", ["text", "label"], rows)


def fit(capsys, data, base, out, *options):
    return fitted(capsys, data, "--base", base, "--strategy", "probe", "--out", out, "--overwrite", *options)


def test_what_stands_behind_the_first_window_is_learnt_from(capsys, data, base, tmp_path):
    cut = fit(capsys, data, base, tmp_path / "cut", "--windows", "1")
    whole = fit(capsys, data, base, tmp_path / "whole")
    assert whole["test"]["score"] == 1
    assert cut["test"]["score"] < 0.9
    assert (whole["reading"]["long"], whole["reading"]["cut"]) == (60, 0)
    assert (cut["reading"]["long"], cut["reading"]["cut"]) == (60, 60)
    assert cut["reading"]["unread"] == pytest.approx(1 - 32 / 52, abs=0.03)


def test_a_run_that_cuts_says_so_and_does_not_blame_the_base(capsys, data, base, tmp_path):
    said = call(capsys, "fit", data, "--base", base, "--strategy", "probe", "--windows", "1", "--out", tmp_path / "run")
    assert said.code == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    sentence = result["reading"]["sentence"]
    assert "60 of 60 texts have more than the 32 tokens that the base is given at once" in sentence
    assert "they are cut there" in sentence
    assert sentence.rstrip(".") in said.err
    found = {one["name"]: one for one in result["diagnosis"]}
    assert "wrong base" not in found
    assert "TF-IDF + linear read all of every text, so it saw more than the base" in found["texts cut"]["sentence"]
    assert "--windows 1" in found["texts cut"]["suggestion"]
    for place in (said.out, *((tmp_path / "run" / name).read_text() for name in ("report.html", "bundle/card.md"))):
        assert "saw more than the base" in place
    told = call(capsys, "predict", tmp_path / "run", data)
    assert "60 of 60 texts have more than the 32 tokens" in told.err
    assert "are cut there" in told.err
    judged = call(capsys, "evaluate", tmp_path / "run", data)
    assert "60 of 60 texts have more than the 32 tokens" in judged.out
    assert json.loads(call(capsys, "evaluate", tmp_path / "run", data, "--json").out)["reading"]["cut"] == 60


def test_windows_are_said_by_the_run_the_card_and_predict(capsys, data, base, tmp_path):
    said = call(capsys, "fit", data, "--base", base, "--strategy", "probe", "--out", tmp_path / "run")
    sentence = "60 of 60 texts have more than the 32 tokens"
    assert sentence in said.err
    assert sentence in (tmp_path / "run" / "bundle" / "card.md").read_text()
    assert "read in overlapping windows" in (tmp_path / "run" / "report.html").read_text()
    assert "read in overlapping windows" in call(capsys, "predict", tmp_path / "run", data).err
    assert "more than the" not in call(capsys, "predict", tmp_path / "run", "my card").err


def test_a_model_reads_as_it_was_fitted(capsys, data, base, tmp_path):
    for name, options in {"more": ("--max-tokens", "16", "--windows", "3"), "cut": ("--windows", "1")}.items():
        fit(capsys, data, base, tmp_path / name, *options)
        model = Model.load(tmp_path / name)
        assert (model.base.spec.max_tokens, model.base.spec.windows) == ((16, 3) if name == "more" else (32, 1))
    text = "sat on a mat " * 8 + "card " * 30
    cut = Model.load(tmp_path / "cut")
    np.testing.assert_array_equal(cut.predict_proba([text]), cut.predict_proba(["sat on a mat " * 8]))


def test_a_bundle_from_before_windows_cuts_as_it_did(capsys, data, base, tmp_path):
    fit(capsys, data, base, tmp_path / "run", "--windows", "1")
    record = json.loads((tmp_path / "run" / "bundle" / RECORD).read_text())
    assert "windows" not in record["preprocessing"]  # so its features are those that caches have had so far
    assert Model.load(tmp_path / "run").predict(["cat"]).shape == (1,)


def test_a_run_on_a_run_reads_as_that_did_unless_asked(capsys, data, base, tmp_path):
    fit(capsys, data, base, tmp_path / "first", "--max-tokens", "16")
    again = fit(capsys, data, tmp_path / "first", tmp_path / "second")
    assert again["reading"]["max_tokens"] == 16
    wider = fit(capsys, data, tmp_path / "first", tmp_path / "third", "--max-tokens", "24")
    assert wider["reading"]["max_tokens"] == 24
    assert Model.load(tmp_path / "third").base.spec.max_tokens == 24


@pytest.mark.slow
def test_trained_strategies_read_in_windows_too(capsys, data, base, tmp_path):
    for strategy in ("head2toe", "partial", "lora"):
        out = tmp_path / strategy
        result = fitted(capsys, data, "--base", base, "--strategy", strategy, "--no-scratch-baseline", "--out", out)
        assert result["test"]["score"] == 1
        said = Model.load(out).predict(["sat on a mat " * 12 + "dog " * 8, "sat on a mat " * 12 + "card " * 8])
        assert said.tolist() == ["pets", "post"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-tokens", "33"), "takes from 8 to 32 tokens at once"),
        (("--max-tokens", "0"), "takes from 8 to 32 tokens at once"),
        (("--windows", "0"), "it is at least 1"),
    ],
)
def test_more_than_the_base_takes_is_refused(options, said, capsys, data, base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, "fit", data, "--base", base, *options)


def test_pictures_have_no_tokens(capsys, tmp_path, monkeypatch, tiny_image_base):
    toys.image_folder(tmp_path / "pictures", 4)
    monkeypatch.chdir(tmp_path)
    for options in (("--max-tokens", "64"), ("--windows", "4")):
        assert "takes no texts" in refused(capsys, "fit", "pictures", "--base", tiny_image_base, *options)


def test_one_huge_text_is_read_in_bounded_work(base, tmp_path, capsys):
    rows = [(text, label) for text, label in zip(*toys.sentences(20), strict=True)]
    rows += [("my card is late " * 60_000, "post"), ("cat" * 200_000, "pets")]
    path = toys.table(Path(tmp_path) / "huge.csv", ["text", "label"], rows)
    result = fit(capsys, path, base, tmp_path / "run")
    assert result["data"]["rows"] == 42
    assert (result["reading"]["cut"], result["reading"]["longest"]) == (1, 240_000)
