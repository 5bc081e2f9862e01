import numpy as np
import pytest
from scipy.special import softmax

from headstart.data.table import objects
from headstart.errors import BundleError, LabelError
from headstart.tasks import Classification


def test_labels_sort_as_numbers_where_all_are_integers():
    assert Classification.from_targets(["10", "9", "-1", "9"]).labels == ("-1", "9", "10")
    assert Classification.from_targets(["10", "9", "x"]).labels == ("10", "9", "x")


def test_labels_that_are_one_number_stay_apart():
    assert Classification.from_targets(["1", "01"]).labels == ("01", "1")


def test_one_class_is_refused_by_name():
    with pytest.raises(LabelError, match="only 'cat'"):
        Classification.from_targets(["cat", "cat"])


@pytest.mark.parametrize("blank", ["", "  ", None, 3])
def test_a_label_that_is_no_text_is_refused(blank):
    with pytest.raises(LabelError, match="row 2"):
        Classification.from_targets(objects(["a", blank]))


def test_unseen_labels_are_all_listed():
    task = Classification.from_targets(["a", "b"])
    with pytest.raises(LabelError, match=r"'x', 'y' did not occur.*'a', 'b'"):
        task.encode(["a", "y", "x", "y"])


def test_many_unseen_labels_are_counted():
    with pytest.raises(LabelError, match="and 95 more"):
        Classification.from_targets(["a", "b"]).encode([str(i) for i in range(100)])


def test_probabilities_are_the_softmax():
    scores = np.random.default_rng(0).normal(size=(20, 4)) * 30
    task = Classification.from_targets(list("abcd"))
    np.testing.assert_allclose(task.probabilities(scores), softmax(scores, axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("counts", "metric"),
    [
        ((50, 50), "accuracy"),
        ((299, 100), "accuracy"),
        ((300, 100), "balanced_accuracy"),
        ((60, 50, 50, 50, 19), "accuracy"),  # 3 times the smallest, yet near the mean
        ((200, 50, 50), "balanced_accuracy"),
    ],
)
def test_the_default_metric_follows_the_class_sizes(counts, metric):
    y = np.repeat(np.arange(len(counts)), counts)
    task = Classification(tuple(map(str, range(len(counts)))))
    found, reason = task.default_metric(y)
    assert found == metric
    assert str(max(counts)) in reason
    assert ("hardly counts" in reason) == (found == "accuracy" and max(counts) >= 3 * min(counts))


def test_a_small_class_among_large_ones_is_not_said_to_be_like_them():
    y = np.repeat(np.arange(5), (1000, 1000, 990, 980, 69))
    metric, reason = Classification(tuple("abcde")).default_metric(y)
    assert metric == "accuracy"
    assert "like size" not in reason
    assert "none outweighs" not in reason
    assert "the smallest is 1.7 % of the examples and hardly counts; `--metric balanced_accuracy`" in reason


@pytest.mark.parametrize("labels", [None, "ab", ["a"], ["a", "a"], ["a", 1]])
def test_a_broken_record_is_refused(labels):
    with pytest.raises(BundleError):
        Classification.from_dict({"task": "classification", "labels": labels})
