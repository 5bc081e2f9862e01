"""Features are the same from a cold cache, a warm one, and every runtime in use."""

from __future__ import annotations

import numpy as np
import pytest

import headstart.training.extraction as extraction
from headstart.bases.catalogue import open_base
from headstart.bases.runtime import PARITY, build, remembered
from headstart.training.features import extract
from tests.toys import pictures, sentences


@pytest.fixture(params=["image", "text"])
def material(request, tiny_image_base, tiny_text_base, tmp_path, monkeypatch):
    """A base, inputs for it, and a cache that has nothing yet."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cold"))
    if request.param == "image":
        return open_base(tiny_image_base, "image"), pictures(12)[0]
    return open_base(tiny_text_base, "text"), sentences(40)[0]


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_warm_is_cold(material):
    base, inputs = material
    cold = extract(base, inputs, classical=True)
    warm = extract(base, inputs, classical=True)
    assert (cold.computed, warm.computed) == (len(inputs), 0)
    np.testing.assert_array_equal(warm.vectors, cold.vectors)
    assert warm.dtype == cold.dtype
    if base.modality == "image":
        np.testing.assert_array_equal(warm.classical, cold.classical)


def test_a_second_cold_run_gives_the_same(material, tmp_path, monkeypatch):
    base, inputs = material
    first = extract(base, inputs)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))
    second = extract(base, inputs)
    assert second.computed == len(inputs)
    assert cosines(first.vectors, second.vectors).min() >= PARITY


def test_only_what_is_new_is_computed(material):
    base, inputs = material
    known = extract(base, inputs[:-5])
    every = extract(base, [inputs[-1], *inputs])  # the first one twice
    assert (known.computed, every.computed) == (len(inputs) - 5, 5)
    np.testing.assert_array_equal(every.vectors[1:-5], known.vectors)
    np.testing.assert_array_equal(every.vectors[0], every.vectors[-1])


def test_order_and_company_change_nothing(material, tmp_path, monkeypatch):
    base, inputs = material
    together = extract(base, inputs)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))
    turned = extract(base, inputs[::-1])
    assert cosines(together.vectors, turned.vectors[::-1]).min() >= PARITY
    alone = np.concatenate(
        [extract(base, [f"{one} "] if isinstance(one, str) else [one]).vectors for one in inputs[:4]]
    )
    assert cosines(together.vectors[:4], alone).min() >= PARITY


def test_every_runtime_gives_the_features_of_training(material, monkeypatch):
    """On the real inputs through the whole stream, not on an example."""
    base, inputs = material
    reference = extract(base, inputs).vectors
    usable = [measured.name for measured in remembered(base).usable]
    assert "onnxruntime" in usable
    assert len(usable) >= 2
    network = base.network()
    for name in usable:
        run = build(name, base, None if name == "onnxruntime" else network)
        monkeypatch.setattr(extraction.FeatureCache, "get", nothing)
        monkeypatch.setattr(extraction, "build", lambda *_, run=run: run)
        again = extract(base, inputs)
        assert again.computed == len(inputs)
        assert cosines(again.vectors, reference).min() >= PARITY, name


def nothing(cache, keys):
    """An empty cache's answer."""
    return np.zeros(len(keys), dtype=bool), np.zeros((len(keys), cache.space.width), np.float32)
