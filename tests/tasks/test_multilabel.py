import numpy as np
import pytest
from scipy.special import expit

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks import Multilabel


def test_a_bare_text_is_not_taken_apart():
    with pytest.raises(LabelError, match="row 2 is 'cat'"):
        Multilabel.from_targets(objects([("dog",), "cat"]))


def test_rows_without_any_label_cannot_be_learnt_from():
    with pytest.raises(LabelError, match="no row"):
        Multilabel.from_targets(objects([(), ()]))


def test_rows_with_all_the_same_labels_cannot_be_learnt_from():
    with pytest.raises(LabelError, match="same labels"):
        Multilabel.from_targets(objects([("a", "b"), ("b", "a")]))


def test_unseen_labels_are_listed():
    task = Multilabel.from_targets(objects([("a",), ("b",)]))
    with pytest.raises(LabelError, match="'z' did not occur"):
        task.encode(objects([("a", "z")]))


def test_probabilities_are_logistic():
    scores = np.linspace(-50, 50, 21)[:, None]
    np.testing.assert_allclose(Multilabel(("a",)).probabilities(scores), expit(scores), atol=1e-15)


def test_a_probability_of_one_half_gives_the_label():
    decoded = Multilabel(("a", "b", "c")).decode(np.array([[0.5, 0.49, 0.9], [0.1, 0.2, 0.3]]))
    assert list(decoded) == [("a", "c"), ()]
