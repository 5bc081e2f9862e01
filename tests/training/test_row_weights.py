"""Weights of rows and classes: from the settings to the loss of every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.data.memory import in_memory
from headstart.data.source import open_source, open_sources
from headstart.errors import ColumnError, LabelError, SettingError
from headstart.settings import SourceSettings
from headstart.training.phase import Phase
from headstart.training.run import train
from headstart.training.weights import check_class_weight, row_weights
from tests.toys import sentences
from tests.training.small import base_of, difference, job_of, linear

TEXTS, LABELS = sentences(5)
LABELLED = {"text": TEXTS, "label": LABELS}


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
def test_a_rows_loss_is_multiplied_by_its_weight(task):
    y = {"classification": np.array([0, 1, 2]), "multilabel": np.eye(3), "regression": np.ones((3, 3))}[task]
    scores = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    objective = linear(task, y, 3)
    loss, truth = objective.loss, objective.truth(y)
    each = [loss(scores[row : row + 1], truth[row : row + 1]) for row in range(3)]
    summed, count = loss(scores, truth, torch.tensor([2.0, 0.0, 0.5]))
    assert float(summed) == pytest.approx(float(2 * each[0][0] + 0.5 * each[2][0]), rel=1e-5)
    assert count == sum(own for _, own in each)


def test_rows_of_weight_0_teach_nothing(tmp_path):
    base = base_of("bert", tmp_path / "bert")
    job = job_of(base, Phase(thaw=1.0, epochs=2.0, least_steps=1), keep=tmp_path / "kept")
    weights = np.where(np.arange(24) < 12, 2.0, 0.0)
    first = train(replace(job, train=replace(job.train, weights=weights)))
    turned = replace(job.train, y=np.where(weights > 0, job.train.y, 1 - job.train.y), weights=weights)
    assert difference(first, train(replace(job, train=turned))) < 1e-5
    # ... and a run with weights does not go on from what one without came to
    assert difference(first, train(job)) > 1e-4


def test_mixed_rows_have_mixed_weights(tmp_path):
    base = base_of("bert", tmp_path / "bert")
    job = job_of(base, Phase(thaw=0.0, epochs=2.0, least_steps=1), mixup=0.5)
    even = replace(job, train=replace(job.train, weights=np.ones(24)))
    uneven = replace(job, train=replace(job.train, weights=np.tile([1.9, 0.1], 12)))
    assert difference(train(even), train(job)) < 1e-5
    assert difference(train(uneven), train(job)) > 1e-4


def test_weights_of_classes_and_rows_are_multiplied():
    y = np.array([0, 0, 0, 1])
    assert row_weights(y, ("a", "b"), None, None) is None
    assert row_weights(y, ("a", "b"), "none", None) is None
    np.testing.assert_allclose(row_weights(y, ("a", "b"), "balanced", None), [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(row_weights(y, ("a", "b"), {"b": 3}, None), np.array([1, 1, 1, 3]) * 4 / 6)
    np.testing.assert_allclose(
        row_weights(y, ("a", "b"), {"b": 3}, np.array([0, 1, 1, 1])), np.array([0, 1, 1, 3]) * 0.8
    )
    with pytest.raises(LabelError, match="every training row has the weight 0"):
        row_weights(y, ("a", "b"), {"b": 0}, np.array([0, 0, 0, 1]))


def test_class_weights_of_no_class_and_of_no_classes_are_refused():
    check_class_weight("none", "regression", ())
    check_class_weight({"pets": 2}, "classification", ("pets", "post"))
    with pytest.raises(SettingError, match=r"names the class 'pet'.*classes are pets, post\. Did you mean 'pets'"):
        check_class_weight({"pet": 2}, "classification", ("pets", "post"))
    with pytest.raises(SettingError, match="every class has the weight 0"):
        check_class_weight({"pets": 0, "post": 0}, "classification", ("pets", "post"))
    with pytest.raises(SettingError, match="the task is multilabel"):
        check_class_weight("balanced", "multilabel", ("pets", "post"))


def opened(weights, **settings):
    data = in_memory({**LABELLED, "weight": weights})
    return open_source(data, SourceSettings(weight="weight", **settings)).table


def test_a_column_of_weights_is_read_and_serves_as_nothing_else():
    table = opened([*range(10)])
    np.testing.assert_array_equal(table.weights, np.arange(10.0))
    assert table.targets.tolist() == LABELS
    np.testing.assert_array_equal(table.take(np.array([3, 1])).weights, [3, 1])


@pytest.mark.parametrize("odd", [-1, None, float("nan"), float("inf"), "much"])
def test_weights_that_are_none_are_refused_with_their_rows(odd):
    with pytest.raises(ColumnError, match=r"1 of 10 rows have no weight in column 'weight' \(dict\[2\]\)"):
        opened([1, 1, odd, 1, 1, 1, 1, 1, 1, 1])
    with pytest.raises(ColumnError, match="every weight in column 'weight' is 0"):
        opened([0] * 10)


def test_the_test_set_needs_no_weights_and_the_others_do():
    settings = SourceSettings(weight="weight")
    main, plain = in_memory({**LABELLED, "weight": [2] * 10}), in_memory(LABELLED)
    table = open_sources(main, test=plain, settings=settings).table
    np.testing.assert_array_equal(table.weights, [2.0] * 10 + [1.0] * 10)
    with pytest.raises(ColumnError, match="no column 'weight'"):
        open_sources(main, valid=plain, settings=settings)
    with pytest.raises(ColumnError, match="drop weight="):
        open_source(in_memory((TEXTS, LABELS)), settings)
