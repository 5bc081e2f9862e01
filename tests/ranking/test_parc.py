"""PARC by hand, by its definition, and what may not change it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from headstart.ranking.parc import parc
from tests.ranking.blobs import blobs


def by_definition(x, labels):
    x = x.astype(np.float64)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    pairs = np.triu_indices(len(x), 1)
    return spearmanr(*(np.round(np.corrcoef(a), 9)[pairs] for a in (x, labels))).statistic


def test_four_rows_by_hand():
    """Two features, so each row's Pearson correlation is +1 or -1 by which of its two is larger.

    Standardised, rows 0 and 1 have the first larger, 2 and 3 the second: distances 0 within, 2 across. With the classes
    the same way both distances rank alike: 1. With classes (0, 1, 0, 1) the pairs 01 and 23 are near but differ, 02 and
    13 far but equal, 03 and 12 far and differ: ranks (1.5, 1.5, 4.5 ...) against (4.5, 4.5, 1.5 ...) give -0.5.
    """
    x = np.array([[3.0, 0], [2, 0.5], [0, 3], [0.5, 2]])
    assert parc(x, np.array([0, 0, 1, 1])) == pytest.approx(1)
    assert parc(x, np.array([0, 1, 0, 1])) == pytest.approx(-0.5)


def test_classes_and_labels_equal_the_definition():
    x, y = blobs(60)
    assert parc(x, y) == pytest.approx(by_definition(x, np.eye(4)[y]), abs=1e-6)
    labels = (np.random.default_rng(0).random((60, 5)) < 0.5).astype(np.float32)
    labels[:, :2] = [1, 0]  # every row has a label, and lacks one
    assert parc(x, labels) == pytest.approx(by_definition(x, labels), abs=1e-6)


def test_rows_with_no_label_or_all_are_left_out():
    x, y = blobs(60)
    labels = np.eye(4)[y]
    kept = labels.copy()
    kept[:10], kept[10:20] = 0, 1
    assert parc(x, kept) == pytest.approx(parc(x[20:], labels[20:]), abs=0.05)
    assert np.isnan(parc(x, np.eye(2)[y * 0] * 0))


def test_scaling_or_moving_a_feature_changes_nothing():
    x, y = blobs(60)
    moved = x * np.geomspace(0.01, 100, 12).astype(np.float32) + 5
    assert parc(moved, y) == pytest.approx(parc(x, y), abs=1e-3)


def test_better_separated_classes_score_higher():
    scores = [parc(*blobs(spread=spread)) for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2]


def test_undefined_is_nan():
    x, y = blobs(20, 5)
    assert np.isnan(parc(np.ones((20, 5)), y))
    assert np.isnan(parc(x, np.zeros(20, int)))
    assert np.isnan(parc(x[:, :1], y))
    assert np.isnan(parc(x, x[:, 0]))
    assert np.isnan(parc(x[:2], np.array([0, 1])))


def test_a_feature_or_a_row_that_does_not_vary():
    x, y = blobs(30, 6)
    x[:, 0] = 1
    x[0] = x.mean(axis=0)
    assert -1 <= parc(x, y) <= 1
