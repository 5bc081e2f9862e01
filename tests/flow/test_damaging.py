"""The damage suite: which rows, how often they are read, what is recorded, and that it repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from headstart.delivery.answers import Answers
from headstart.delivery.model import Model
from headstart.errors import SettingError
from headstart.flow.corruption import damage_suite
from headstart.modalities import get, image
from headstart.modalities.image import damage as image_damage
from headstart.modalities.text import TextSpec
from headstart.progress import Progress, Track
from tests.toys import pictures, sentences


class Fake:
    """A model that says class 1 with what ``sees`` makes of an input, and remembers what it was asked."""

    def __init__(self, modality: str, sees: Any, spec: Any = None) -> None:
        spec = spec or (image.ImageSpec(64, 64) if modality == "image" else TextSpec(64))
        self.bundle = SimpleNamespace(modality=modality, preprocessing=json.dumps(spec.to_dict()))
        self.sees, self.asked = sees, cast(list[list[Any]], [])

    def predict_proba(self, inputs: list[Any]) -> np.ndarray:
        self.asked.append(inputs)
        one = np.array([self.sees(value) for value in inputs], dtype=float)
        return np.stack([1 - one, one], axis=1)


class Heard(Progress):
    def __init__(self) -> None:
        self.said, self.total, self.done = "", 0, 0

    def say(self, line: str = "") -> None:
        self.said += line

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        self.total = total
        yield cast(Track, SimpleNamespace(advance=self.advance))

    def advance(self, steps: int) -> None:
        self.done += steps


def held(metric: str = "accuracy", n: int = 60) -> Answers:
    rng = np.random.default_rng(0)
    truth, sure = np.arange(n) % 2, rng.uniform(0.5, 1, n)
    one = np.where(truth == 1, sure, 1 - sure)
    p = np.stack([1 - one, one], axis=1).astype(np.float32)
    names, zero = np.array([f"{i:04}" for i in range(n)]), np.zeros(n, int)
    return Answers(np.full(n, "held"), names, names, truth, p, zero, ("a", "b"), "classification", metric)


def suite(model: Fake, inputs: Any, y: np.ndarray, *args: Any, **options: Any) -> list[Any]:
    return damage_suite(cast(Model, model), inputs, y, *args, **{"held": held(), **options})


def long_words(text: str) -> float:
    """Certain of the letters that are left of a text of class 1."""
    return min(1.0, len(text) / 30)


def test_every_kind_and_strength_of_the_rows_drawn() -> None:
    texts, labels = sentences(40)
    y = (np.array(labels) == "post").astype(int)
    model, heard = Fake("text", long_words), Heard()
    found = suite(model, texts, y, rows=25, progress=heard)
    assert [(r.kind, r.strength) for r in found] == [
        (k, s) for k in get("text").damage(TextSpec(256)).kinds for s in range(1, 6)
    ]
    assert all(len(asked) == 25 for asked in model.asked)
    assert heard.done == heard.total == 25 * 15
    assert "25 rows × 3 kinds (typos, case, truncation) × 5 strengths, 375 forward passes" in heard.said
    for record in found:
        assert record.n == 25
        assert record.low <= record.score <= record.high
        assert 0 <= record.ece <= 1
        assert 0 <= record.estimated <= 1


def test_the_score_is_that_of_the_damaged_rows_and_their_own_truth() -> None:
    texts = [f"{'word ' * 8}{i}" for i in range(30)]
    y = np.arange(30) % 2
    model = Fake("text", lambda text: float(int(text.split()[-1]) % 2) if text.split()[-1].isdigit() else 0.0)
    clean, cut = suite(model, texts, y, ["case", "truncation"], [5], rows=20)
    assert clean.score == 1
    assert 0 < cut.score < 1


def test_the_same_seed_gives_the_same_and_another_seed_other_rows() -> None:
    texts, labels = sentences(40)
    y = (np.array(labels) == "post").astype(int)
    first, again, other = (Fake("text", long_words) for _ in range(3))
    assert suite(first, texts, y, rows=10, seed=3) == suite(again, texts, y, rows=10, seed=3)
    suite(other, texts, y, rows=10, seed=4)
    assert first.asked == again.asked
    assert first.asked != other.asked


def test_a_rows_damage_does_not_depend_on_how_many_are_drawn() -> None:
    texts, labels = sentences(10)
    few, all_of_them = Fake("text", long_words), Fake("text", long_words)
    y = (np.array(labels) == "post").astype(int)
    suite(few, texts, y, ["typos"], [5], rows=5)
    suite(all_of_them, texts, y, ["typos"], [5], rows=20)
    assert set(few.asked[0]) < set(all_of_them.asked[0])


def test_each_picture_drawn_is_read_once_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(value: Any, need: Any) -> Any:
        read.append(value)
        return image.plain(value, need)

    monkeypatch.setattr(image_damage, "plain", counted)
    shown, labels = pictures(10, ["rings", "stripes"])
    large = np.asarray(shown[0].resize((1000, 700)))
    inputs: list[Any] = [large, *shown[1:], "no such file.png"]
    y = np.array([*(np.array(labels) == "stripes"), False]).astype(int)
    model = Fake("image", lambda pixels: pixels.mean() / 255)
    found = suite(model, inputs, y, ["blur", "noise"], [1, 3], rows=21)
    assert len(read) == 21
    assert {record.n for record in found} == {20}
    assert all(pixels.dtype == np.uint8 for pixels in model.asked[0])
    assert model.asked[0][0].shape == (384, 549, 3)
    assert model.asked[0][1].shape[:2] == shown[1].size[::-1]


def test_another_metric_is_scored_but_not_estimated() -> None:
    texts, labels = sentences(10)
    y = (np.array(labels) == "post").astype(int)
    (record,) = suite(Fake("text", long_words), texts, y, ["typos"], [1], held=held("balanced_accuracy"))
    assert np.isfinite(record.score)
    assert np.isnan(record.estimated)


@pytest.mark.parametrize(
    ("inputs", "kinds", "rows", "said"),
    [
        (["a b c"], ["typo"], 5, "'typo' is unknown; it may be typos, case, truncation"),
        (["a b c"], ["typos"], 0, "0 of 1 rows were to be corrupted"),
        ([], ["typos"], 5, "5 of 0 rows"),
    ],
)
def test_what_cannot_be_damaged(inputs: list[str], kinds: list[str], rows: int, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        suite(Fake("text", long_words), inputs, np.zeros(len(inputs), int), kinds, rows=rows)


def test_pictures_none_of_which_can_be_read() -> None:
    with pytest.raises(SettingError, match="none of the 2 rows"):
        suite(Fake("image", float), ["no.png", "nor this.png"], np.zeros(2, int))


def test_pictures_of_many_channels_are_refused() -> None:
    many = Fake("image", float, image.ImageSpec(64, 64, mean=(0.5,) * 5, std=(0.5,) * 5, channels=5))
    with pytest.raises(SettingError, match="images of 5 channels cannot be corrupted"):
        suite(many, ["a.png"], np.zeros(1, int))
