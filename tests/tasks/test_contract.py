"""What every task must do, whichever it is."""

import json
from collections import Counter
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from headstart.data.table import objects
from headstart.errors import BundleError, LabelError, SettingError
from headstart.evaluation.metrics import METRICS, evaluate
from headstart.tasks import Task, from_dict, get, tasks

TARGETS = {
    "classification": objects(["b", "a", "c", "a", "b", "c"]),
    "multilabel": objects([("a",), ("b", "a"), (), ("c",), ("c", "b"), ("b",)]),
    "regression": objects([1.5, -2.0, 0.25, 7.0, 3.0, 4.0]),
    "tag": objects([("O", "B-x"), ("O",), ("B-y", "I-y", "O"), ("B-x",), ("O", "O"), ("B-y",)]),
}
SHAPES = {
    "classification": ((6,), np.int64),
    "multilabel": ((6, 3), np.float32),
    "regression": ((6, 1), np.float64),
}


@pytest.fixture(params=sorted(tasks()))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def task(name: str) -> Task:
    return get(name).from_targets(TARGETS[name])


def perfect(task: Task, y: np.ndarray) -> np.ndarray:
    """Probabilities that say exactly what is true."""
    return np.eye(task.outputs)[y] if y.ndim == 1 else y.astype(float)


def test_every_task_has_an_example_here():
    assert set(TARGETS) == set(tasks())


def test_the_name_is_the_key(name):
    assert get(name).name == name


def test_targets_survive_encoding_and_decoding(task, name):
    decoded = task.decode(perfect(task, task.encode(TARGETS[name])))
    assert decoded.dtype == object
    expected = [tuple(sorted(t)) if isinstance(t, tuple) else t for t in TARGETS[name]]
    assert list(decoded) == expected


def test_encoding_has_its_shape_and_type(task, name):
    y = task.encode(TARGETS[name])
    assert (y.shape, y.dtype) == SHAPES[name]


def test_no_rows_encode_and_decode(task, name):
    y = task.encode(objects([]))
    assert len(y) == 0
    assert y.shape[1:] == SHAPES[name][0][1:]
    assert len(task.decode(np.zeros((0, task.outputs)))) == 0


def test_targets_are_the_inverse_of_encoding(task, name):
    y = task.encode(TARGETS[name])
    expected = [tuple(sorted(t)) if isinstance(t, tuple) else t for t in TARGETS[name]]
    assert list(task.targets(y)) == expected


def test_labels_are_those_of_the_counts(task, name):
    y, rows = task.encode(TARGETS[name]), task.labels_in(TARGETS[name])
    assert len(rows) == len(TARGETS[name])
    counts = Counter(label for row in rows for label in row)
    found = task.counts(y, task.outputs)
    assert (found is None) == task.values
    assert counts == ({} if found is None else dict(zip(task.labels, found.tolist(), strict=True)))


def test_abilities_do_not_contradict_each_other(task):
    assert task.graded != task.values
    assert task.graded == (task.exclusive != task.several)
    assert bool(task.labels) == task.graded
    assert task.judged_as() in tasks()
    assert np.issubdtype(task.target_type, np.integer) == task.exclusive


def test_only_wrong_answers_are_mistakes_and_the_surest_comes_first(task, name):
    y = task.encode(TARGETS[name])
    p = 0.9 * perfect(task, y) + 0.05 if task.graded else y.copy()
    assert not task.mistakes(y, p, p)[0].any()
    p[0], p[3] = 1 - p[0], (0.4 * p[3] + 0.3)[::-1] if task.exclusive else 1 - 0.7 * p[3]
    wrong, order = task.mistakes(y, p, p)
    assert set(np.flatnonzero(wrong)) == {0, 3}
    assert order.shape == (len(y),)
    assert np.isfinite(order[wrong]).all()


def test_a_mistake_is_told_by_the_labels_or_the_error(task, name):
    truth, answer = TARGETS[name][1], TARGETS[name][3]
    expected = {"classification": {}, "multilabel": {"missing": ("a", "b"), "too many": ("c",)}}
    assert task.difference(truth, answer) == expected.get(name, {"error": 9.0})


def test_losses_are_lowest_for_the_truth_and_of_chance_for_no_scores(task, name):
    y = task.encode(TARGETS[name])
    y = (y - y.mean()) / y.std() if task.values else y
    right = y if task.values else 9.0 * (2 * perfect(task, y) - 1)
    assert task.row_losses(right, y).max() < 0.01
    labels = task.outputs if task.several else 1
    known = task.row_losses(np.zeros((len(y), task.outputs)), y).mean() / labels
    assert known == pytest.approx(task.chance(task.outputs))


def test_what_a_doubtful_row_looks_like_is_told_in_words(task, name):
    y = task.encode(TARGETS[name])
    suggested, because = task.suggested(perfect(task, y)[3], y[1], TARGETS[name])
    expected = {"classification": "a", "multilabel": "c", "regression": "7"}
    assert suggested == expected[name]
    assert because


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_keep_shape_and_type_and_stay_finite(task, dtype):
    scores = np.array([[1e4] * task.outputs, [-1e4] * task.outputs, [0] * task.outputs], dtype=dtype)
    scores[:, 0] += 3
    p = task.probabilities(scores)
    assert (p.shape, p.dtype) == (scores.shape, dtype)
    assert np.isfinite(p).all()


def test_a_higher_score_gives_a_higher_probability(task):
    scores = np.zeros((2, task.outputs))
    scores[1, 0] = 1.0
    p = task.probabilities(scores)
    assert p[1, 0] > p[0, 0]


def test_the_default_metric_is_one_of_the_tasks_own(task, name):
    metric, reason = task.default_metric(task.encode(TARGETS[name]))
    assert name in METRICS[metric].tasks
    assert len(reason.split()) > 3


def test_perfect_probabilities_have_the_best_value_of_every_metric(task, name):
    y = task.encode(TARGETS[name])
    values = evaluate(name, y, perfect(task, y))
    best = {metric: 1.0 if METRICS[metric].higher_is_better else 0.0 for metric in values}
    assert values == pytest.approx(best, abs=1e-9)


def test_it_survives_a_bundle(task):
    assert from_dict(json.loads(json.dumps(task.to_dict()))) == task


def test_it_cannot_be_changed(task):
    with pytest.raises(FrozenInstanceError):
        task.labels = ("z",)


def test_no_targets_cannot_be_learnt_from(name):
    with pytest.raises(LabelError):
        get(name).from_targets(objects([]))


@pytest.mark.parametrize("bad", [None, 3 + 4j, b"a"])
def test_a_target_of_the_wrong_kind_is_named_with_its_row(name, bad):
    with pytest.raises(LabelError, match="row 7"):
        get(name).from_targets(objects([*TARGETS[name], bad]))


def test_another_tasks_record_is_refused(name):
    other = next(t for t in tasks() if t != name)
    with pytest.raises(BundleError):
        get(name).from_dict({"task": other, "labels": ["a", "b"]})


def test_an_unknown_task_is_refused_with_the_nearest_name():
    with pytest.raises(SettingError, match="Did you mean 'classification'"):
        get("clasification")
    with pytest.raises(BundleError, match="'segmentation'"):
        from_dict({"task": "segmentation"})
