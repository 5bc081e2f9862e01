import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from headstart.evaluation.per_class import confusion
from tests.evaluation.simulate import answers


def test_it_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 200)
    p = answers(rng, y, 4, 0.6)
    found = confusion(y, p)
    precision, recall, _, support = precision_recall_fscore_support(y, p.argmax(axis=1))
    np.testing.assert_array_equal(found.matrix, confusion_matrix(y, p.argmax(axis=1)))
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_array_equal(found.support, support)


def test_what_is_undefined_is_nan():
    found = confusion(np.array([0, 1]), np.eye(4)[[0, 2]])
    np.testing.assert_array_equal(found.matrix.sum(), 2)
    np.testing.assert_array_equal(found.precision, [1, np.nan, 0, np.nan])
    np.testing.assert_array_equal(found.recall, [1, 0, np.nan, np.nan])


def test_no_rows_give_an_empty_matrix():
    found = confusion(np.zeros(0, int), np.zeros((0, 3)))
    assert found.matrix.shape == (3, 3)
    assert found.matrix.sum() == 0
    assert np.isnan(found.recall).all()
