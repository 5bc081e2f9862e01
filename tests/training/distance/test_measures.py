"""All measures of a base together, and the warning that they may end in."""

from types import SimpleNamespace

import numpy as np
import pytest

import headstart.strategies.distance as ladder_distance
from headstart.bases.catalogue import open_base
from headstart.strategies import budget
from headstart.strategies.budget import Budget
from headstart.strategies.distance import distance
from headstart.training.distance.measured import Distance, untold
from headstart.training.distance.measures import distances, warning
from headstart.training.distance.own_answers import own_entropy
from headstart.training.features import extract
from headstart.training.rows import TrainRows
from tests.toys import pictures, sentences


def test_pictures_have_three_measures():
    base = open_base("efficientnet_lite0", "image")
    toys, _ = pictures(4)
    vectors = extract(base, toys).vectors
    entropy, statistics, reference = distances(base, toys, vectors)
    assert 0 < entropy.value < 1
    assert statistics.value > 0
    assert not reference.told
    assert reference.how == "not measured: there is no sample of what the base was trained on"
    rng = np.random.default_rng(0)
    known = rng.normal(size=(60, 1280)).astype(np.float32)
    like = rng.normal(size=(60, 1280)).astype(np.float32)
    assert distances(base, toys, like, reference=known)[2].value < 0.8
    assert distances(base, toys, like + 3, reference=known)[2].value == pytest.approx(2)
    assert not distances(base, toys, like[:3], reference=known)[2].told


def test_texts_have_three_measures(tiny_text_base):
    base = open_base(tiny_text_base, "text")
    texts, _ = sentences(5)
    found = distances(base, texts, np.zeros((10, 16), np.float32))
    assert [one.name for one in found] == ["token fragmentation", "masked-token loss", "proxy A-distance"]
    assert [one.told for one in found] == [True, False, False]


def test_the_entropy_is_one_for_features_that_say_nothing():
    base = open_base("efficientnet_lite0", "image")
    flat, loud = np.zeros((3, 1280), np.float32), np.full((3, 1280), 50, np.float32)
    assert own_entropy(base, flat).value == pytest.approx(1, abs=0.05)
    assert own_entropy(base, loud).value < 0.1


def test_a_base_without_a_classifier_is_not_told(tiny_image_base):
    base = open_base(tiny_image_base, "image")
    rows = TrainRows([""], np.array(["k"]), np.zeros(1, int), np.zeros((1, 16), np.float32))
    value, how = distance(base, rows)
    assert np.isnan(value)
    assert how == "not measured: the base has no classifier of its own"


@pytest.mark.parametrize(
    ("entropy", "statistics", "value", "said"),
    [
        (0.7, 4.0, 0.7, "undecided"),
        (0.7, 0.5, 0.5, "undecided; no farther, as BatchNorm statistics do not bear it out (0.50)"),
        (0.7, float("nan"), 0.7, "undecided"),  # a network without BatchNorm
        (0.4, None, 0.4, "undecided"),  # not asked where nothing hangs on it
    ],
)
def test_statistics_have_to_bear_out_that_pictures_are_far(monkeypatch, entropy, statistics, value, said):
    def of_statistics(base, inputs):
        assert statistics is not None
        assert len(inputs) == 64
        return Distance("BatchNorm statistics", statistics, "", 2.0)

    monkeypatch.setattr(ladder_distance, "own_entropy", lambda base, x: Distance("entropy", entropy, "undecided", 0.5))
    monkeypatch.setattr(ladder_distance, "batch_norm_distance", of_statistics)
    rows = TrainRows(["p"] * 90, np.array(["k"] * 90), np.zeros(90, int), np.zeros((90, 16), np.float32))
    assert distance(SimpleNamespace(modality="image", trainable=True), rows) == (value, said)


def test_a_warning_names_the_measures_that_are_far_and_only_those():
    near, far, unknown = Distance("a", 0.2, "", 0.5), Distance("b", 0.7, "", 0.5), untold("c", "no head")
    assert warning([near, unknown]) == ""
    assert "(b 0.70, different from 0.5 on)" in warning([near, far, unknown])


@pytest.mark.parametrize(
    ("seconds", "loaded", "told"), [(20.0, (), False), (20.0, ("torch",), True), (90.0, (), True), (None, (), True)]
)
def test_the_classifier_is_not_read_where_that_takes_half_of_the_time_that_is_left(monkeypatch, seconds, loaded, told):
    monkeypatch.setattr(ladder_distance, "own_entropy", lambda base, vectors: Distance("own", 0.3, "undecided", 0.5))
    monkeypatch.setattr(ladder_distance, "sys", SimpleNamespace(modules=loaded))
    monkeypatch.setattr(budget, "_waiting", lambda: 10.0)  # of ten threads one is at work
    rows = TrainRows([""], np.array(["k"]), np.zeros(1, int), np.zeros((1, 4), np.float32))
    base = SimpleNamespace(modality="image", trainable=True)
    value, how = distance(base, rows, Budget(seconds))
    assert (value == 0.3) is told
    assert how.startswith("undecided" if told else "not measured: reading the base's own classifier")
