"""A control that is shown to beat the borrowed model on held-out rows is handed over in its place."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.delivery.model import Model
from headstart.errors import BundleError
from headstart.flow.choosing import preferred_control
from headstart.terminal.summary import summary
from tests import toys
from tests.strategies.made_up import candidate, ground
from tests.strategies.whole import check, fit


def rough_pictures(folder: Path, count: int) -> Path:
    """Two classes of one brightness: in the one, single pixels differ more from one another."""
    rng = np.random.default_rng(0)
    for i in range(count):
        label, spread = (("fine", 12), ("rough", 22))[i % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        level = rng.uniform(60, 190, 3)
        pixels = rng.normal(level, spread, (32, 32, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{i:04}.png", compress_level=1)
    return folder


def unknown_words(path: Path, count: int) -> Path:
    """Texts without a word that the tiny base's tokenizer knows."""
    rng = np.random.default_rng(0)
    words = {"sea": ["wave", "boat", "salt", "tide"], "sky": ["cloud", "wing", "star", "wind"]}
    names = list(words) * (count // 2)
    rows = [[" ".join([*rng.choice(words[name], 5), f"no{i}"]), name] for i, name in enumerate(names)]
    return toys.table(path, ["text", "label"], rows)


@pytest.fixture
def planted(tmp_path: Path) -> dict[str, Path]:
    return {"image": rough_pictures(tmp_path / "rough", 120), "text": unknown_words(tmp_path / "unknown.csv", 120)}


@pytest.mark.parametrize("modality", ["image", "text"])
def test_a_better_control_is_handed_over(
    settled_bases: dict[str, str], planted: dict[str, Path], tmp_path: Path, modality: str
) -> None:
    run, _ = fit(planted[modality], tmp_path / "run", settled_bases[modality], "auto")
    check(run)
    result = run.result
    assert result.chosen.base == ""
    assert result.chosen.head == ""
    assert result.chosen.strategy in {control.name for control in result.controls}
    assert result.chosen.strategy != "majority"
    assert run.model.bundle.control is not None
    said = summary(run)
    assert f"Handed over: the control {result.chosen.strategy}" in said
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert "It borrows nothing, and did better than" in report
    loaded = Model.load(run.path)
    told = next(control.score for control in result.controls if control.name == result.chosen.strategy)
    assert loaded.bundle.about["test"]["score"] == told != result.test.score
    given = ["the tide and a wave"] if modality == "text" else sorted((planted["image"]).rglob("*.png"))[:3]
    assert np.allclose(loaded.predict_proba(given), run.model.predict_proba(given))
    with pytest.raises(BundleError, match="borrows nothing"):
        loaded.embed(given)


def test_a_strategy_asked_for_is_handed_over_though_a_control_beats_it(
    settled_bases: dict[str, str], planted: dict[str, Path], tmp_path: Path
) -> None:
    run, _ = fit(planted["text"], tmp_path / "run", settled_bases["text"], "probe")
    assert (run.result.chosen.base, run.result.chosen.strategy) == (settled_bases["text"], "probe")
    assert run.model.bundle.control is None
    assert run.result.verdict.outcome == "hurt"


def test_a_control_that_is_no_better_is_not(settled_bases: dict[str, str], tmp_path: Path) -> None:
    run, _ = fit(toys.text_table(tmp_path / "toys.csv", 40), tmp_path / "run", settled_bases["text"], "auto")
    assert run.result.chosen.base == settled_bases["text"]


@pytest.mark.parametrize(
    ("right", "distance", "handed"), [(32, 0.6, True), (32, 0.4, False), (32, math.nan, False), (30, 0.6, False)]
)
def test_far_from_the_base_it_is_enough_that_the_control_did_better(
    monkeypatch: pytest.MonkeyPatch, right: int, distance: float, handed: bool
) -> None:
    on = ground(held=40)
    y = on.rows.y

    class Planned:
        """A control that is right on the first ``right`` held-out rows, however it is fitted."""

        name = "planned"

        def fit(self, *_: Any) -> None: ...

        def probabilities(self, rows: np.ndarray) -> np.ndarray:
            return np.asarray(np.eye(2)[np.where(rows < 40 + right, y[rows], 1 - y[rows])])

    class Working(SimpleNamespace):
        def __len__(self) -> int:
            return len(y)

    working = Working(y=y, control_inputs=lambda: np.arange(len(y)))
    monkeypatch.setattr("headstart.flow.choosing._panel", lambda rows, task: [Planned()])
    climb = SimpleNamespace(best=candidate(on, "probe", 30), record=SimpleNamespace(distance=distance))
    prepared: Any = SimpleNamespace(working=lambda: working)
    climbed: Any = SimpleNamespace(ground=on, climb=climb)
    found = preferred_control(prepared, climbed)
    assert (found is not None) == handed
    assert found is None or found.gain.low < 0 < found.gain.value
