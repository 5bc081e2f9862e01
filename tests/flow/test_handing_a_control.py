"""A control that is shown to beat the borrowed model on held-out rows is handed over in its place."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.delivery.model import Model
from headstart.errors import BundleError
from headstart.flow.selection import Preferred, compared_controls, preferred_control
from headstart.strategies.budget import Budget
from headstart.terminal.summary import summary
from tests import toys
from tests.strategies.made_up import answers, candidate, ground
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
    assert re.search(r"selected +the baseline " + re.escape(f"{result.chosen.strategy}, which did better than"), said)
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert ", which did better than" in report
    loaded = Model.load(run.path)
    told = next(control.score for control in result.controls if control.name == result.chosen.strategy)
    assert loaded.bundle.about["test"]["score"] == told != result.test.score
    given = ["the tide and a wave"] if modality == "text" else sorted((planted["image"]).rglob("*.png"))[:3]
    assert np.allclose(loaded.predict_proba(given), run.model.predict_proba(given))
    with pytest.raises(BundleError, match="uses no base"):
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


class Planned:
    """A control that is right on the first ``right`` held-out rows, however it is fitted."""

    left_out = ""

    def __init__(self, right: int, y: np.ndarray) -> None:
        self.name, self.right, self.y = f"right on {right}", right, y

    def fit(self, *_: Any, weights: Any = None) -> None: ...

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        y = self.y[rows]
        return np.asarray(np.eye(2)[np.where(rows < len(self.y) // 2 + self.right, y, 1 - y)])


class Working(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.y)


def preferred(
    monkeypatch: pytest.MonkeyPatch,
    held: int,
    right: int,
    controls: list[int],
    distance: float = math.nan,
    drawn_back: int | None = None,
) -> Preferred | None:
    """What is preferred to a probe that is ``right`` on so many rows, or that was drawn back to so many."""
    on = ground(held=held)
    y = on.rows.y
    working = Working(y=y, weights=None, control_inputs=lambda: np.arange(len(y)))
    monkeypatch.setattr("headstart.flow.selection._panel", lambda rows, task: [Planned(one, y) for one in controls])
    climb = SimpleNamespace(best=candidate(on, "probe", right), record=SimpleNamespace(distance=distance))
    prepared: Any = SimpleNamespace(working=lambda: working)
    final = SimpleNamespace(held=None if drawn_back is None else answers(on, drawn_back), adapted=False)
    climbed: Any = SimpleNamespace(ground=on, climb=climb, final=final)
    return preferred_control(prepared, climbed, compared_controls(prepared, climbed, Budget(None)))


def test_the_best_of_several_controls_has_to_be_clearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is shown to be worse is no candidate for the best, and changes nothing."""
    right = next(right for right in range(100, 200) if preferred(monkeypatch, 200, 100, [right]))
    assert preferred(monkeypatch, 200, 100, [right, right]) is None
    assert preferred(monkeypatch, 200, 100, [right, 10]) is not None
    assert preferred(monkeypatch, 200, 100, [right + 10, right + 10]) is not None


def test_a_control_is_held_against_the_model_as_it_was_drawn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert preferred(monkeypatch, 200, 150, [150]) is None
    assert preferred(monkeypatch, 200, 150, [150], drawn_back=100) is not None


@pytest.mark.parametrize(
    ("right", "distance", "handed"), [(32, 0.6, True), (32, 0.4, False), (32, math.nan, False), (30, 0.6, False)]
)
def test_far_from_the_base_it_is_enough_that_the_control_did_better(
    monkeypatch: pytest.MonkeyPatch, right: int, distance: float, handed: bool
) -> None:
    found = preferred(monkeypatch, 40, 30, [right], distance)
    assert (found is not None) == handed
    assert found is None or found.gain.low < 0 < found.gain.value
