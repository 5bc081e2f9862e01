"""What every strategy keeps to, from the source to the bundle, on a base of pictures and one of texts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.delivery.model import Model
from headstart.flow.fit.fit import Run
from headstart.strategies.names import STRATEGIES
from tests.cli.running import call, refused
from tests.strategies import data
from tests.strategies.whole import check, fit, repeated, surely_taken

MODALITIES = ("image", "text")
Fitted = Callable[[str, str], Run]


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    surely_taken(monkeypatch)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("sources")
    return {"image": data.pictures(home / "pictures", 80), "text": data.texts(home / "texts.csv", 80)}


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory, settled_bases: dict[str, str], sources: dict[str, Path]) -> Fitted:
    """``fitted(strategy, modality)``: a run, made once."""
    home, made = tmp_path_factory.mktemp("runs"), {}

    def run(strategy: str, modality: str) -> Run:
        if (strategy, modality) not in made:
            out = home / f"{strategy}-{modality}"
            made[strategy, modality] = fit(sources[modality], out, settled_bases[modality], strategy)[0]
        return made[strategy, modality]

    return run


def unseen(modality: str, folder: Path) -> list[Any]:
    if modality == "text":
        return ["my card was late", "the cat sat on a mat", "no word of these is known"]
    return sorted(data.pictures(folder / "unseen", 6, seed=9).rglob("*.png"))


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_parts_of_the_result_agree(fitted: Fitted, strategy: str, modality: str) -> None:
    run = fitted(strategy, modality)
    check(run)
    assert [rung.strategy for rung in run.result.ladder.rungs] == [strategy]
    assert run.result.ladder.rungs[0].decision == "start"
    folds = strategy in ("probe", "head2toe")  # which cost little
    assert run.result.ladder.held_out == ("3 folds" if folds else "the validation set")
    assert run.result.chosen.strategy in (strategy, "probe")
    assert run.result.chosen.head
    assert len(run.result.controls) == 2
    trained = STRATEGIES[strategy].recipe is not None
    assert [record.strategy for record in run.result.training] == ([strategy] if trained else [])


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_bundle_answers_as_the_runs_model(fitted: Fitted, tmp_path: Path, strategy: str, modality: str) -> None:
    run, inputs = fitted(strategy, modality), unseen(modality, tmp_path)
    own = run.model.predict_proba(inputs)
    assert own.shape == (len(inputs), 2)
    assert np.allclose(own.sum(1), 1, atol=1e-4)
    loaded = Model.load(run.path)
    assert np.allclose(loaded.predict_proba(inputs), own, atol=2e-3)
    assert list(loaded.predict(inputs)) == list(run.model.predict(inputs))
    assert loaded.labels == run.model.labels


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same(
    fitted: Fitted,
    tmp_path: Path,
    settled_bases: dict[str, str],
    sources: dict[str, Path],
    strategy: str,
    modality: str,
) -> None:
    first = fitted(strategy, modality)
    again, _ = fit(sources[modality], tmp_path / "again", settled_bases[modality], strategy)
    assert repeated(again.result) == repeated(first.result)
    for file in (first.path / "bundle").glob("*.safetensors"):
        assert (again.path / "bundle" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("strategy", "modality"), [(name, MODALITIES[i % 2]) for i, name in enumerate(STRATEGIES)])
def test_predict_on_the_command_line(
    capsys: pytest.CaptureFixture[str], fitted: Fitted, tmp_path: Path, strategy: str, modality: str
) -> None:
    inputs = unseen(modality, tmp_path)
    said = call(capsys, "predict", fitted(strategy, modality).path, *inputs, "--quiet")
    assert said.code == 0, said
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == len(inputs)
    assert said.err == ""


def test_training_moves_only_what_its_strategy_says(fitted: Fitted) -> None:
    thawed = {name: fitted(name, "text").result.training[0] for name, one in STRATEGIES.items() if one.recipe}
    share = {name: record.thawed / record.weights for name, record in thawed.items()}
    assert share["norm"] < share["partial"] < share["full"] <= 1
    assert thawed["partial"].prefix
    assert not thawed["full"].prefix
    assert share["scratch"] == share["full"]


def test_lora_on_convolutions_only_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.bases.checkpoints import timm_folder
    from tests.cli.running import decide_runtime

    monkeypatch.chdir(tmp_path)
    base = timm_folder(tmp_path / "convolutions", "test_resnet")
    decide_runtime(base, "image")
    photos = data.pictures(tmp_path / "photos", 60)
    error = refused(capsys, "fit", photos, "--base", base, "--strategy", "lora", "--quiet")
    assert "linear layer" in error
    assert error.endswith("use partial, norm or full instead.")
