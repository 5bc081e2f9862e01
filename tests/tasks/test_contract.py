"""What every task must do, whichever it is."""

import json
from collections import Counter
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from headstart.data.table import objects
from headstart.errors import BundleError, LabelError, SettingError
from headstart.evaluation.metrics import METRICS
from headstart.ragged import Ragged, flat, shaped
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
    "tag": ((10,), np.int64),
}


@pytest.fixture(params=sorted(tasks()))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def task(name: str) -> Task:
    return get(name).from_targets(TARGETS[name])


def perfect(task: Task, y: Any) -> Any:
    """Probabilities that say exactly what is true."""
    values = flat(y)
    return shaped(np.eye(task.outputs)[values] if values.ndim == 1 else values.astype(float), y)


def expected(task: Task) -> list[Any]:
    """The targets as they come back: labels of which a row has any number are sorted."""
    return [tuple(sorted(t)) if task.several else t for t in TARGETS[task.name]]


def test_every_task_has_an_example_here():
    assert set(TARGETS) == set(tasks())


def test_the_name_is_the_key(name):
    assert get(name).name == name


def test_targets_survive_encoding_and_decoding(task, name):
    decoded = task.decode(perfect(task, task.encode(TARGETS[name])))
    assert decoded.dtype == object
    assert list(decoded) == expected(task)


def test_encoding_has_its_shape_and_type(task, name):
    y = task.encode(TARGETS[name])
    assert isinstance(y, Ragged) == bool(task.each)
    assert (flat(y).shape, flat(y).dtype) == SHAPES[name]
    assert len(y) == len(TARGETS[name])
    if task.each:
        assert y.counts.tolist() == [len(target) for target in TARGETS[name]]


def test_encoded_targets_are_restored_from_their_numbers(task, name):
    y = task.encode(TARGETS[name])
    bare = Ragged(y.values, y.offsets) if task.each else y
    again = task.restored(bare)
    assert list(task.targets(again)) == expected(task)
    assert all(
        metric.function(again, perfect(task, y)) == metric.function(y, perfect(task, y)) for metric in task.metrics()
    )


def test_no_rows_encode_and_decode(task, name):
    y = task.encode(objects([]))
    assert len(y) == 0
    assert flat(y).shape[1:] == SHAPES[name][0][1:]
    assert len(task.decode(shaped(np.zeros((0, task.outputs)), y))) == 0


def test_targets_are_the_inverse_of_encoding(task, name):
    y = task.encode(TARGETS[name])
    assert list(task.targets(y)) == expected(task)


def test_labels_are_those_of_the_counts(task, name):
    y, rows = task.encode(TARGETS[name]), task.labels_in(TARGETS[name])
    assert len(rows) == len(TARGETS[name])
    found = task.counts(y, task.outputs)
    assert (found is None) == (task.values or bool(task.each))
    if task.each:
        assert rows == [tuple(dict.fromkeys(target)) for target in TARGETS[name]]
        return
    counts = Counter(label for row in rows for label in row)
    assert counts == ({} if found is None else dict(zip(task.labels, found.tolist(), strict=True)))


def test_abilities_do_not_contradict_each_other(task):
    assert (task.graded + task.values) == (0 if task.each else 1)
    assert task.graded == (task.exclusive != task.several)
    assert bool(task.labels) == (task.graded or bool(task.each))
    assert task.judged_as() in tasks()
    assert bool(task.each) == bool(task.item) == bool(task.items) == (task.readout != "pooled")
    item = get(task.each or task.name)
    assert not item.each
    assert task.target_type == item.target_type
    assert np.issubdtype(task.target_type, np.integer) == item.exclusive


def test_only_wrong_answers_are_mistakes_and_the_surest_comes_first(task, name):
    y = task.encode(TARGETS[name])
    p = shaped(flat(y).copy() if task.values else 0.9 * flat(perfect(task, y)) + 0.05, y)
    assert not task.mistakes(y, p, p)[0].any()
    p[0][:], p[3][:] = 1 - p[0], (0.4 * p[3] + 0.3)[..., ::-1] if task.exclusive or task.each else 1 - 0.7 * p[3]
    wrong, order = task.mistakes(y, p, p)
    assert set(np.flatnonzero(wrong)) == {0, 3}
    assert order.shape == (len(y),)
    assert np.isfinite(order[wrong]).all()


def test_a_mistake_is_told_by_the_labels_or_the_error(task, name):
    truth, answer = TARGETS[name][1], TARGETS[name][3]
    if task.each:
        truth, answer = TARGETS[name][2], ("O", "O", "B-x")
    named = {
        "classification": {},
        "multilabel": {"missing": ("a", "b"), "too many": ("c",)},
        "regression": {"error": 9.0},
        "tag": {
            "missed": ("word 1 word 2 (y)",),
            "spurious": ("word 3 (x)",),
            "wrong type": (),
            "wrong boundary": (),
        },
    }
    assert task.difference(truth, answer) == named[name]


def test_targets_and_answers_are_written_for_people(task, name):
    written = [task.written(target, "one two three") for target in TARGETS[name][:3]]
    named = {
        "classification": ["b", "a", "c"],
        "multilabel": ["a", "b; a", ""],
        "regression": ["1.5", "-2.0", "0.25"],
        "tag": ["two (x)", "no entity", "one two (y)"],
    }
    assert written == named[name]


def test_losses_are_lowest_for_the_truth_and_of_chance_for_no_scores(task, name):
    y = task.encode(TARGETS[name])
    y = (y - y.mean()) / y.std() if task.values else y
    right = y if task.values else shaped(9.0 * (2 * flat(perfect(task, y)) - 1), y)
    assert task.row_losses(right, y).max() < 0.01
    assert task.row_losses(right, y).shape == (len(flat(y)),)
    labels = task.outputs if task.several else 1
    known = task.row_losses(shaped(np.zeros((len(flat(y)), task.outputs)), y), y).mean() / labels
    assert known == pytest.approx(task.chance(task.outputs))


def test_what_a_doubtful_row_looks_like_is_told_in_words(task, name):
    y = task.encode(TARGETS[name])
    suggested, because = task.suggested(perfect(task, y)[3], y[1], TARGETS[name])
    named = {"classification": "a", "multilabel": "c", "regression": "7", "tag": ""}
    assert suggested == named[name]
    assert bool(because) == bool(suggested)


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
    assert METRICS[metric] in task.metrics()
    assert len(reason.split()) > 3


def test_perfect_probabilities_have_the_best_value_of_every_metric(task, name):
    y = task.encode(TARGETS[name])
    values = {metric.name: metric.function(y, perfect(task, y)) for metric in task.metrics()}
    assert len(values) > 1
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
