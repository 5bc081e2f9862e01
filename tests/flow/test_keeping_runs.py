"""What whole runs keep of the base: the limit on forgetting, and inputs to remember."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.delivery.answers import HELD, Answers
from headstart.errors import UserError
from headstart.settings import TrainingSettings
from tests import toys
from tests.strategies import data
from tests.strategies.whole import check, fit, surely_taken

FAST = TrainingSettings(epochs=4, rate=0.003, body_rate=1.0, augment="none", scratch_control=False)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return data.texts(tmp_path / "texts.csv", 120)


def test_a_limit_of_0_hands_over_the_base(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surely_taken(monkeypatch)
    free, _ = fit(texts, tmp_path / "free", settled_bases["text"], "full", FAST)
    assert free.result.forgetting is not None
    assert free.result.forgetting.error > 0
    assert free.result.chosen.strategy == "full"
    run, told = fit(texts, tmp_path / "run", settled_bases["text"], "full", replace(FAST, max_forgetting=0.0), folds=2)
    check(run)
    record = run.result.forgetting
    assert record is not None
    assert (record.error, record.kept, record.limit) == (0.0, 0.0, 0.0)
    assert run.result.chosen.strategy == "probe"
    assert any("drawn back to 0% of the way from the base" in line for line in told)
    probe, _ = fit(texts, tmp_path / "probe", settled_bases["text"], "probe", folds=2)
    inputs = ["my card was late", "the cat sat on a mat"]
    assert np.allclose(run.model.predict_proba(inputs), probe.model.predict_proba(inputs), atol=1e-5)


@pytest.mark.parametrize("strategy", ["full", "lora"])
def test_the_limit_is_kept_in_what_is_handed_over(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, strategy: str
) -> None:
    run, _ = fit(texts, tmp_path / "run", settled_bases["text"], strategy, replace(FAST, max_forgetting=0.1))
    check(run)
    record = run.result.forgetting
    assert record is not None
    assert record.error <= 0.1
    if 0 < record.kept < 1:
        bundle = json.loads((run.path / "bundle" / "bundle.json").read_text(encoding="utf-8"))
        assert "lora" not in bundle.get("changes", {}) or bundle["changes"]["lora"] is None


def test_what_is_handed_over_is_what_is_calibrated(settled_bases: dict[str, str], texts: Path, tmp_path: Path) -> None:
    """Drawn back part of the way, the held-out answers, and so the temperature, are those of the model drawn back."""
    free, _ = fit(texts, tmp_path / "free", settled_bases["text"], "full", FAST)
    assert free.result.forgetting is not None
    limit = free.result.forgetting.error / 2
    back, _ = fit(texts, tmp_path / "back", settled_bases["text"], "full", replace(FAST, max_forgetting=limit))
    assert back.result.forgetting is not None
    assert 0 < back.result.forgetting.kept < 1
    runs = [Answers.load(run.path).part_of(HELD).probabilities for run in (free, back)]
    assert np.abs(runs[0] - runs[1]).max() > 1e-3
    told = [run.result.calibration for run in (free, back)]
    assert told[0] is not None
    assert told[1] is not None
    assert told[0].temperature != pytest.approx(told[1].temperature, abs=1e-4)


def test_retained_inputs_are_what_is_compared(settled_bases: dict[str, str], texts: Path, tmp_path: Path) -> None:
    kept = toys.table(tmp_path / "kept.csv", ["text"], [[text] for text in toys.sentences(20)[0]])
    run, _ = fit(texts, tmp_path / "run", settled_bases["text"], "full", replace(FAST, retain=str(kept)))
    assert run.result.forgetting is not None
    assert run.result.forgetting.how == "nearest neighbours among retained inputs"


def test_replay_keeps_more_of_the_base(settled_bases: dict[str, str], texts: Path, tmp_path: Path) -> None:
    kept = toys.table(tmp_path / "kept.csv", ["text"], [[text] for text in toys.sentences(20)[0]])
    errors = []
    for strength in (0.0, 100.0):
        told = replace(FAST, retain=str(kept), replay=strength)
        run, _ = fit(texts, tmp_path / f"run{strength}", settled_bases["text"], "full", told)
        assert run.result.forgetting is not None
        errors.append(run.result.forgetting.error)
    assert errors[1] < errors[0]


def test_what_is_no_source_to_retain(settled_bases: dict[str, str], texts: Path, tmp_path: Path) -> None:
    empty, void = tmp_path / "empty.csv", tmp_path / "void"
    empty.write_text("text\n", encoding="utf-8")
    void.mkdir()
    pictures = data.pictures(tmp_path / "pictures", 4)
    for path, expected in (
        (pictures, f"--retain {pictures} holds images, but base '{settled_bases['text']}' takes texts"),
        (tmp_path / "nowhere.csv", "nowhere.csv"),
        (empty, "empty.csv"),
        (void, "void"),
    ):
        with pytest.raises(UserError) as error:
            fit(texts, tmp_path / "run", settled_bases["text"], "full", replace(FAST, retain=str(path)))
        assert expected in str(error.value)
        assert "\n" not in str(error.value)
        assert not (tmp_path / "run").exists()
