"""A model is loaded once and answers many times: sessions made, threads, forks, read-only places, the same answers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tests.toys import image_folder, sentences, table

import headstart as hs
from headstart.delivery.answers import FILE, TEST, Answers
from headstart.delivery.model import Model


@pytest.fixture(scope="module")
def texts(tiny_text_base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("texts")
    source = table(home / "mail.csv", ["text", "label"], zip(*sentences(40), strict=True))
    return hs.fit(source, base=tiny_text_base, strategy="probe", out=home / "run").path


@pytest.fixture(scope="module")
def photos(tiny_image_base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("photos")
    return hs.fit(image_folder(home / "photos", 12), base=tiny_image_base, strategy="probe", out=home / "run").path


def inputs_of(run: Path) -> list[str]:
    if run.parent.name.startswith("texts"):
        return [f"the cat sat on mat {i}" for i in range(12)]
    return sorted(str(path) for path in (run.parent / "photos").rglob("*.png"))[:12]


@pytest.fixture(params=["texts", "photos"])
def run(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each session that is made."""
    own, counted = onnxruntime.InferenceSession, list[int]()

    def session(*given: object, **named: object) -> object:
        counted.append(1)
        return own(*given, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    return counted


def test_one_session_serves_every_call(run: Path, made: list[int]) -> None:
    model = hs.load(run)
    for one in inputs_of(run):
        model.predict([one])
    model.predict(inputs_of(run))
    assert len(made) == 1


def test_answers_one_by_one_are_those_of_a_batch_and_of_the_run(run: Path) -> None:
    model, inputs = hs.load(run), inputs_of(run)
    together = model.predict_proba(inputs)
    alone = np.concatenate([model.predict_proba([one]) for one in inputs])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    said = Answers.load(run / FILE).part_of(TEST)
    if run.parent.name.startswith("photos"):
        paths = [str(run.parent / "photos" / name) for name in said.ids]
        np.testing.assert_allclose(model.predict_proba(paths), said.probabilities, atol=1e-4)


def test_many_threads_open_it_once_and_answer_alike(run: Path, made: list[int]) -> None:
    model, inputs = hs.load(run), inputs_of(run) * 4
    with ThreadPoolExecutor(8) as pool:
        found = np.concatenate(list(pool.map(lambda one: model.predict_proba([one]), inputs)))
    assert len(made) == 1
    expected = np.concatenate([hs.load(run).predict_proba([one]) for one in inputs_of(run)])
    np.testing.assert_allclose(found, np.tile(expected, (4, 1)), atol=1e-6)


def test_nothing_is_measured_and_no_cache_is_needed(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = hs.load(run).predict_proba(inputs_of(run))
    (tmp_path / "file").write_text("no folder can be made below a file")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("headstart.training.extraction.choose", None)  # measuring would fail
    model = hs.load(run)
    np.testing.assert_allclose(model.predict_proba(inputs_of(run)), expected, atol=1e-6)
    many = inputs_of(run) * 4  # more than are answered outright
    with pytest.warns(hs.HeadstartWarning, match="answers are computed without it"):
        np.testing.assert_allclose(model.predict_proba(many), np.tile(expected, (4, 1)), atol=1e-5)


def test_torch_is_not_imported_for_an_answer(run: Path) -> None:
    code = "import sys, headstart as hs; hs.load(sys.argv[1]).predict(sys.argv[2:]); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, str(run), inputs_of(run)[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_opens_its_own(run: Path) -> None:
    model, one = hs.load(run), inputs_of(run)[:1]
    expected = model.predict_proba(one)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, pickle.dumps(model.predict_proba(one)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pickle.loads(pipe.read())  # what this very test wrote
    os.waitpid(child, 0)
    np.testing.assert_allclose(said, expected, atol=1e-6)


def test_it_goes_to_another_process_without_its_session(run: Path) -> None:
    model, one = hs.load(run), inputs_of(run)[:1]
    expected = model.predict_proba(one)
    again: Model = pickle.loads(pickle.dumps(model))  # made by this very test
    np.testing.assert_allclose(again.predict_proba(one), expected, atol=1e-6)


def test_threads_are_at_least_one(run: Path) -> None:
    with pytest.raises(hs.UserError, match="threads is 0"):
        hs.load(run, threads=0)


def test_a_device_that_is_not_there_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_DEVICE", "nonsense")
    with pytest.raises(hs.UserError, match="HEADSTART_DEVICE is 'nonsense'"):
        hs.load(run).predict(inputs_of(run)[:1])


def test_a_model_keeps_the_device_that_it_was_loaded_for(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, many = hs.load(run).predict_proba(inputs_of(run)), inputs_of(run) * 4
    with pytest.raises(hs.UserError, match=r"device is 'tpu'; write it as auto, cpu, cuda, cuda:1 or mps\."):
        hs.load(run, device="tpu")
    with pytest.raises(hs.UserError, match=r"^device is 'cuda:99'; this machine has"):
        hs.load(run, device="cuda:99")
    monkeypatch.setenv("HEADSTART_DEVICE", "nonsense")
    model = hs.load(run, device="cpu")
    again: Model = pickle.loads(pickle.dumps(model))  # made by this very test
    for one in (model, again):
        np.testing.assert_allclose(one.predict_proba(inputs_of(run)), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(many), np.tile(expected, (4, 1)), atol=1e-5)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: hs.load(run, device="cpu").predict_proba([one]), inputs_of(run)))
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)
    with pytest.raises(hs.UserError, match="HEADSTART_DEVICE is 'nonsense'"):  # which others go on minding
        hs.load(run).predict(inputs_of(run)[:1])


def test_vectors_need_no_cache(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = hs.embed(inputs_of(run), base=str(run))
    (tmp_path / "file").write_text("no folder can be made below a file")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(hs.HeadstartWarning, match="computed without it"):
        np.testing.assert_allclose(hs.embed(inputs_of(run), base=str(run)), expected, atol=1e-5)
