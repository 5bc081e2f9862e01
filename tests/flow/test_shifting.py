"""Unlabelled inputs against a run: what is said, what is left unsaid, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.delivery.answers import FILE, Answers
from headstart.delivery.caution import Caution
from headstart.delivery.model import Predictions, Reference
from headstart.errors import BundleError, SourceError
from headstart.flow.shift import shift as shifting
from headstart.flow.shift.shift import Shift, known_error, shift
from headstart.tasks import get
from headstart.terminal.shifting import shift_text
from tests.toys import image_folder, table

PLACES = np.array([[3.0, 0.0], [-3.0, 0.0]])  # of the two classes, in the first two of four features


def vectors_of(text: str) -> np.ndarray:
    """Features as a text names its class, off by what it says: "pets 0 no12", "post 2 no13"."""
    label, off, name = text.split()
    noise = np.random.default_rng(int(name[2:])).normal(size=4)
    return noise + np.concatenate([PLACES[int(label == "post")], [float(off), 0.0]])


class Fake:
    """A model of texts whose head looks at the first feature."""

    def __init__(self, reference: bool = True, task: str = "classification") -> None:
        self.bundle = SimpleNamespace(modality="text", task=get(task), caution=Caution(), like=None)
        self.labels = ("pets", "post")
        rows = [f"{label} 0 no{5000 + i}" for i in range(60) for label in self.labels]
        known = np.stack([vectors_of(row) for row in rows]).astype(np.float32)
        self.reference = Reference(known, np.arange(120) % 2) if reference else None

    def embed(self, inputs: np.ndarray) -> np.ndarray:
        return np.stack([vectors_of(text) for text in inputs]).astype(np.float32)

    def predictions(self, inputs: np.ndarray, progress: Any = None) -> Predictions:
        n = len(inputs)
        rejected = {row: "blank text" for row, text in enumerate(inputs) if text.startswith("broken")}
        p, unknown = np.full((n, 2), np.nan, np.float32), np.full(n, np.nan)
        vectors = np.zeros((n, 4), np.float32)
        for row in set(range(n)) - set(rejected):
            x = vectors[row] = vectors_of(inputs[row])
            p[row, 0] = 1 / (1 + np.exp(-x[0]))
            p[row, 1] = 1 - p[row, 0]
            unknown[row] = 0.99 if x[2] > 3 else 0.5
        return Predictions(np.full(n, None, object), p, unknown, np.ones(n, bool), rejected, vectors=vectors)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with its answers and its result; `shifting.Model` loads `Fake`."""
    folder = tmp_path / "run"
    folder.mkdir()
    answers().save(folder / FILE)
    (folder / "result.json").write_text('{"shift": null}')
    _serve(monkeypatch, Fake())
    return folder


def _serve(monkeypatch: pytest.MonkeyPatch, model: Fake) -> None:
    monkeypatch.setattr(shifting, "Model", SimpleNamespace(load=lambda path, trust_remote_code: model))


def answers(task: str = "classification", part: str = "held") -> Answers:
    n = 200
    truth = np.arange(n) % 2
    texts = np.array([f"{'post' if y else 'pets'} 0 no{i}" for i, y in enumerate(truth)])
    p = Fake().predictions(texts).probabilities
    names, zero = np.array([f"{i:04}" for i in range(n)]), np.zeros(n, int)
    if task == "regression":
        values = p[:, :1]
        return Answers(np.full(n, part), names, names, values, values, zero, (), task, "mae")
    return Answers(np.full(n, part), names, names, truth, p, zero, ("pets", "post"), task, "accuracy")


def new_texts(path: Path, n: int, off: float = 0.0, first: int = 9000) -> Path:
    rows = [f"{label} {off} no{first + i}" for i in range(n // 2) for label in ("pets", "post")]
    return table(path, ["text"], [[row] for row in rows])


def test_like_inputs_are_not_told_apart(run: Path, tmp_path: Path) -> None:
    found = shift(run, new_texts(tmp_path / "new.csv", 100))
    assert (found.n, found.rejected, found.unknown) == (100, 0, 0)
    assert found.distance is not None
    assert found.estimate is not None
    assert not found.distance.shifted
    assert found.estimate.value == pytest.approx(found.estimate.plain, abs=0.05)
    assert all(d.drift.low < 0.1 for d in found.drifts)
    first, *others = found.sentences
    assert first.startswith(f"Expect accuracy about {found.estimate.value:.3f} [")
    assert first.endswith(f"on 200 held-out rows it was {found.estimate.plain:.3f}.")
    assert any(line.startswith("No significant difference from the known inputs") for line in others)


def test_moved_inputs_look_different_and_unknown(run: Path, tmp_path: Path) -> None:
    found = shift(run, new_texts(tmp_path / "new.csv", 100, off=5.0))
    assert found.distance is not None
    assert found.distance.shifted
    assert found.unknown > 0.9
    assert {d.label for d in found.drifts if d.drift.low > 0} == {"pets", "post"}
    short = " ".join(shift_text(found).split())
    assert short.startswith("Most of the inputs look like none of the model's classes.")
    assert "accuracy not estimated" in short
    assert f"`headstart evaluate {run} LABELLED`" in short
    text = " ".join(shift_text(found, verbose=True).split())
    assert "They look different from the known inputs: proxy A-distance 1.9" in text
    assert "No accuracy is estimated: " in text
    assert "most look like none of the model's 2 classes" in text
    assert "headstart evaluate" in text
    assert "Expect accuracy" not in text
    assert found.estimate is None
    assert found.to_dict()["why_not"] == found.why_not
    assert "Classes whose inputs lie elsewhere" in text


def test_some_unknown_inputs_leave_an_estimate_for_the_others(run: Path, tmp_path: Path) -> None:
    rows = [[f"pets 0 no{7000 + i}"] for i in range(70)] + [[f"pets 6 no{8000 + i}"] for i in range(30)]
    found = shift(run, table(tmp_path / "new.csv", ["text"], rows))
    assert found.unknown == pytest.approx(0.3, abs=0.02)
    assert found.estimate is not None
    assert found.sentences[0].endswith("so what follows holds at most for the others.")


def test_unreadable_inputs_are_counted_and_left_out(run: Path, tmp_path: Path) -> None:
    rows = [[f"pets 0 no{i}"] for i in range(40)] + [[f"broken {i}"] for i in range(3)]
    found = shift(run, table(tmp_path / "new.csv", ["text"], rows))
    assert (found.n, found.rejected) == (40, 3)
    assert "40 inputs, 3 not readable" in " ".join(shift_text(found).split())


def test_it_is_plain_json_and_repeats(run: Path, tmp_path: Path) -> None:
    source = new_texts(tmp_path / "new.csv", 60)
    found = shift(run, source)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["sentences"] == found.sentences
    assert record["known_error"] is None
    assert record["drifts"][0]["label"] in ("pets", "post")
    assert shift(run, source).to_dict() == found.to_dict()


def _all(found: Shift) -> str:
    return " ".join(shift_text(found, verbose=True).split())


def test_the_error_on_known_damage_is_shown_where_it_was_measured(run: Path, tmp_path: Path) -> None:
    damage = [{"estimated": 0.8, "score": 0.7}, {"estimated": 0.5, "score": 0.52}, {"estimated": None, "score": 0.5}]
    (run / "result.json").write_text(json.dumps({"shift": {"damage": damage}}))
    assert known_error(run) == pytest.approx(0.06)
    assert "were off by 0.060 on average" in _all(shift(run, new_texts(tmp_path / "new.csv", 60)))


def test_where_it_was_not_measured_the_way_to_is_told(run: Path, tmp_path: Path) -> None:
    assert "A fit with --corruptions measures" in _all(shift(run, new_texts(tmp_path / "new.csv", 60)))


def test_too_few_wrong_held_out_rows_are_pointed_out(run: Path, tmp_path: Path) -> None:
    source = new_texts(tmp_path / "new.csv", 60)
    assert "wrong, too few to show" in " ".join(shift_text(shift(run, source)).split())
    kept = answers()
    swapped = np.where(np.arange(200) < 20, 1 - kept.truth, kept.truth)
    replace(kept, truth=swapped).save(run / FILE)
    assert "too few to show" not in " ".join(shift_text(shift(run, source), verbose=True).split())


def test_without_features_only_the_accuracy_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, Fake(reference=False))
    found = shift(run, new_texts(tmp_path / "new.csv", 60))
    assert found.distance is None
    assert found.drifts == ()
    assert found.estimate is not None
    assert "not known: the run keeps no features" in " ".join(shift_text(found).split())


def test_regression_has_no_accuracy(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers("regression").save(run / FILE)
    _serve(monkeypatch, Fake(task="regression"))
    found = shift(run, new_texts(tmp_path / "new.csv", 60))
    assert found.estimate is None
    assert found.drifts == ()
    assert "and this is regression" in found.sentences[0]


def test_without_held_out_answers_no_accuracy_is_told(run: Path, tmp_path: Path) -> None:
    answers(part="test").save(run / FILE)
    found = shift(run, new_texts(tmp_path / "new.csv", 60))
    assert found.estimate is None
    assert "the run keeps no held-out answers" in found.sentences[0]


def test_few_inputs_are_said_to_be_few(run: Path, tmp_path: Path) -> None:
    found = shift(run, new_texts(tmp_path / "new.csv", 6))
    assert "cannot be seen from 6 inputs" in " ".join(shift_text(found).split())
    assert found.sentences[-1] == "With 6 inputs, all this depends on single ones; give more."


def test_inputs_of_another_modality(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds other inputs than the texts that this model takes"):
        shift(run, image_folder(tmp_path / "pictures", 2))


def test_nothing_readable(run: Path, tmp_path: Path) -> None:
    source = table(tmp_path / "new.csv", ["text"], [[f"broken {i}"] for i in range(3)])
    with pytest.raises(SourceError, match=r"none of 3 inputs is readable \(blank text\)"):
        shift(run, source)


def test_a_run_without_answers(run: Path, tmp_path: Path) -> None:
    (run / FILE).unlink()
    with pytest.raises(BundleError, match="keeps no answers"):
        shift(run, new_texts(tmp_path / "new.csv", 60))


def test_a_damaged_result(run: Path) -> None:
    (run / "result.json").write_text("{")
    with pytest.raises(BundleError, match=r"result\.json cannot be read"):
        known_error(run)
