"""Extraction: one pass of what is new, however inputs repeat, fail or come back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headstart.bases import runtime
from headstart.bases.catalogue import open_base
from headstart.data.table import objects
from headstart.errors import SettingError
from headstart.modalities import get
from headstart.training import extraction
from headstart.training.features import extract
from tests.bases.checkpoints import bert_folder, timm_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def pictures(count: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (count, 8, 8, 3), dtype=np.uint8)
    return objects(np.kron(picture, np.ones((8, 8, 1), np.uint8)) for picture in noise)


def test_new_inputs_are_computed_and_known_ones_are_not(tmp_path):
    base = open_base(str(timm_folder(tmp_path / "t")), "image")
    inputs = pictures(40)
    cold = extract(base, inputs[:30], classical=True)
    more = extract(base, inputs, classical=True)
    warm = extract(base, inputs, classical=True)
    assert (cold.computed, more.computed, warm.computed) == (30, 10, 0)
    np.testing.assert_array_equal(warm.vectors, more.vectors)
    np.testing.assert_array_equal(warm.vectors[:30], cold.vectors)
    np.testing.assert_array_equal(warm.classical, more.classical)
    assert np.abs(warm.vectors).sum(1).min() > 0
    assert warm.runtime == ""


def test_equal_inputs_count_once_and_unreadable_ones_are_set_aside_together(tmp_path):
    base = open_base(str(bert_folder(tmp_path / "b")), "text")
    inputs = objects(["the cat sat", "", "the dog ran", "the cat sat", "", "my card is late"])
    got = extract(base, inputs)
    assert got.computed == 3
    assert set(got.rejected) == {1, 4}
    assert got.kept.tolist() == [True, False, True, True, False, True]
    np.testing.assert_array_equal(got.vectors[0], got.vectors[3])
    assert not np.array_equal(got.vectors[0], got.vectors[2])


def test_the_order_of_inputs_does_not_matter(tmp_path):
    base = open_base(str(bert_folder(tmp_path / "b")), "text")
    texts = objects([f"the {a} {b} on a mat" for a in ("cat", "dog", "parcel") for b in ("sat", "ran", "is late")])
    order = np.random.default_rng(0).permutation(len(texts))
    forth = extract(base, texts)
    np.testing.assert_array_equal(extract(base, texts[order]).vectors, forth.vectors[order])


def test_classical_features_alone_need_no_base(tmp_path, monkeypatch):
    base = open_base(str(timm_folder(tmp_path / "t")), "image")
    inputs = pictures(5)
    extract(base, inputs)
    monkeypatch.setattr(type(base), "network", lambda self: pytest.fail("the base was loaded"))
    got = extract(base, inputs, classical=True)
    assert got.computed == 0
    assert np.abs(got.classical).sum(1).min() > 0


def test_a_rate_measured_on_a_busy_machine_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_TELLING", 10)
    base = open_base(str(timm_folder(tmp_path / "t")), "image")
    extract(base, pictures(8, seed=1))
    file = runtime.measured_path(base, ".json")
    values = json.loads(file.read_text())
    for measured in values["tried"]:
        measured["rate"] /= 10_000
    file.write_text(json.dumps(values))
    extract(base, pictures(40, seed=2))
    assert runtime.remembered(base) is None
    extract(base, pictures(40, seed=3))
    assert runtime.remembered(base) is not None


def test_a_budget_that_is_over_is_said_though_nothing_readable_is_left():
    from types import SimpleNamespace

    base = SimpleNamespace(modality="text", identity=SimpleNamespace(name="toy"))
    half_done = SimpleNamespace(_until=0.0, _out=SimpleNamespace(read=None), _base=base, _modality=get("text"))
    with pytest.raises(SettingError, match=r"pass all 5 texts once through toy: about 3 would fit"):
        extraction.Extraction._check_time(half_done, 3, 5, 1.0, 2.0)
