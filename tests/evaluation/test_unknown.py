"""What is known, and how strange inputs look beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.errors import BundleError, SettingError
from headstart.evaluation.unknown import (
    MOST_REFERENCE,
    THRESHOLD,
    Known,
    fit_known,
    plainly,
    separate_scores,
    unknown_scores,
)
from headstart.evaluation.unknown_scores import judge_gain, judge_unknown, max_softmax
from headstart.heads.solve import solve
from headstart.tasks import Classification

K, D = 6, 24
CENTRES = np.random.default_rng(7).normal(0, 1.2, (K, D))


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, D] about the classes' centres, and the classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, n)
    return (CENTRES[y] + rng.normal(0, 0.6, (n, D))).astype(np.float32), y


def answers(x: np.ndarray) -> np.ndarray:
    """Probabilities [n, K] by distance to the centres."""
    scores = -0.5 * np.square(x[:, None] - CENTRES).sum(axis=2)
    return Classification.probabilities(scores.astype(np.float32))


def strange(n: int, seed: int = 5) -> np.ndarray:
    """Features about centres that no class has."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1.5, (n, D)).astype(np.float32)


@pytest.fixture(scope="module")
def known() -> Known:
    x, y = rows(600, 0)
    held, _ = rows(400, 1)
    return fit_known(x, y, answers(held), held)


def test_known_inputs_score_evenly_and_strange_ones_high(known: Known) -> None:
    fresh, odd = rows(2_000, 2)[0], strange(300)
    scores = unknown_scores(known, answers(fresh), fresh)
    assert abs((scores > THRESHOLD).mean() - 0.05) < 0.03
    assert abs(np.median(scores) - 0.5) < 0.08
    assert scores.min() > 0
    assert scores.max() <= 1
    assert judge_unknown(scores, unknown_scores(known, answers(odd), odd))[1] > 0.95


def test_together_beats_maximum_softmax(known: Known) -> None:
    fresh, odd = rows(1_000, 2)[0], strange(300)
    p, q = answers(fresh), answers(odd)
    ours = unknown_scores(known, p, fresh), unknown_scores(known, q, odd)
    assert judge_gain(*ours, max_softmax(p), max_softmax(q))[1] > 0


def test_one_far_score_is_heeded_where_the_others_say_nothing(known: Known) -> None:
    far = np.full((1, D), 50.0, np.float32)
    far[0, ::2] = -50
    sure = np.eye(K, dtype=np.float32)[:1] * 0.98 + 0.02 / K
    assert unknown_scores(known, sure, far)[0] > THRESHOLD


def test_training_rows_held_out_in_turn_are_scored_without_themselves() -> None:
    x, y = rows(60, 3)  # few rows of many features: each is near itself only
    known = fit_known(x, y, answers(x), x)
    fresh, _ = rows(3_000, 4)
    alarms = (unknown_scores(known, answers(fresh), fresh) > THRESHOLD).mean()
    assert alarms < 0.15  # 5 % wanted, of 60 rows; 32 % where they are compared with themselves
    own = separate_scores(known, answers(x), x)["neighbours"]
    assert known.held["neighbours"].mean() > own.mean() * 1.05


def test_the_greatest_probability_alone_orders_as_it_does_and_keeps_the_rows(known: Known) -> None:
    plain, fresh = plainly(known, answers(rows(400, 1)[0])), rows(500, 2)[0]
    p = answers(fresh)
    assert plain.method == "greatest probability"
    found = unknown_scores(plain, p, fresh)
    order = np.argsort(max_softmax(p), kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert (found > THRESHOLD).mean() == pytest.approx(0.05, abs=0.04)
    assert (plain.vectors == known.vectors).all()  # a shift is told from them
    saved = Known.from_tensors(plain.to_tensors())
    assert (unknown_scores(saved, p, fresh) == found).all()


def test_survives_saving(known: Known) -> None:
    fresh, _ = rows(50, 2)
    again = Known.from_tensors(known.to_tensors())
    assert np.allclose(unknown_scores(again, answers(fresh), fresh), unknown_scores(known, answers(fresh), fresh))
    assert again.task == "classification"
    assert again.method == "GEN + k-NN + relative Mahalanobis"
    with pytest.raises(BundleError, match="not complete"):
        Known.from_tensors({"rows": known.rows})


def test_what_is_kept_is_small_and_gives_the_rows_back() -> None:
    x = np.random.default_rng(0).normal(2, 1, (2_500, 1_280)).astype(np.float32)
    y = np.random.default_rng(0).integers(0, 3, len(x))
    known = fit_known(x, y, np.full((9, 3), 1 / 3), x[:9] + 1)
    assert len(known.rows) == MOST_REFERENCE
    assert known.rows.dtype == np.float16
    assert sum(tensor.nbytes for tensor in known.to_tensors().values()) <= 6_000_000
    places = [int(np.argmin(np.square(x - row).sum(axis=1))) for row in known.vectors[:5]]
    assert np.allclose(known.vectors[:5], x[places], atol=0.01)
    assert (known.y[:5] == y[places]).all()


def test_without_features_the_probabilities_serve() -> None:
    held, fresh = answers(rows(300, 1)[0]), answers(rows(300, 2)[0])
    known = Known.from_tensors(fit_known(None, None, held, None).to_tensors())
    assert known.method == "GEN"
    even = unknown_scores(known, np.full((1, K), 1 / K), None)
    assert even[0] > unknown_scores(known, fresh, None).max() * 0.99


def test_multilabel_has_joint_energy_and_neighbours() -> None:
    x, y = rows(300, 0)
    labels = np.eye(K)[y]
    known = fit_known(x, labels, np.clip(labels[:200], 0.1, 0.9), x[:200], task="multilabel")
    assert known.method == "joint energy + k-NN"
    assert known.y.shape == (300, K)
    none, one = np.full((1, K), 0.1), np.clip(labels[:1], 0.1, 0.9)
    assert unknown_scores(known, none, x[:1]) > unknown_scores(known, one, x[:1])


def test_regression_has_its_features_only() -> None:
    x, _ = rows(300, 0)
    known = fit_known(x, None, np.full((200, 1), 1e6), x[:200], task="regression")
    assert known.method == "k-NN"
    assert unknown_scores(known, np.zeros((1, 1)), strange(1) * 9)[0] > THRESHOLD
    bare = fit_known(None, None, np.zeros((5, 1)), None, task="regression")
    assert np.isnan(unknown_scores(bare, np.zeros((2, 1)), None)).all()


def test_two_rows_and_equal_rows_are_enough() -> None:
    x, y = np.ones((2, 3), np.float32), np.array([0, 1])
    known = fit_known(x, y, np.full((2, 2), 0.5), x)
    scores = unknown_scores(known, np.array([[0.5, 0.5], [np.nan, np.nan]]), np.array([[1, 1, 1], [1, -1, 5.0]]))
    assert 0 <= scores[0] <= 1
    assert np.isnan(scores[1])


@pytest.mark.parametrize(
    ("p", "x", "said"),
    [
        (np.zeros((0, 2)), np.zeros((0, 3)), "have shape"),
        (np.array([[np.nan, 1.0]]), np.zeros((1, 3)), "not finite"),
        (np.array([[0.5, 0.5]]), np.full((1, 3), np.nan), "not finite"),
        (np.array([[0.5, 0.5]]), np.zeros((2, 3)), "one for each"),
    ],
)
def test_refuses_what_it_cannot_learn_from(p: np.ndarray, x: np.ndarray, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        fit_known(np.eye(3), np.arange(3), p, x)


def test_features_must_come_and_fit(known: Known) -> None:
    with pytest.raises(SettingError, match=rf"\[n, {D}\]"):
        unknown_scores(known, np.full((1, K), 1 / K), None)
    with pytest.raises(SettingError, match=r"shape \(1, 3\)"):
        unknown_scores(known, np.full((1, K), 1 / K), np.zeros((1, 3)))


@pytest.mark.slow
def test_out_of_scope_requests_of_clinc150(real_data: Callable[[str], Path]) -> None:
    from headstart.bases.catalogue import open_base
    from headstart.training.features import extract

    with (real_data("clinc150") / "utterances.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    split = np.array([row["split"] for row in found])
    _, y = np.unique([row["intent"] for row in found], return_inverse=True)
    train = np.flatnonzero(split == "train")[::5]  # 20 a class
    used = np.isin(split, ("test", "oos_test"))
    used[train] = True
    x = np.zeros((len(found), 384), np.float32)
    x[used] = extract(open_base(None, "text"), [row["text"] for row in np.array(found)[used]]).vectors
    classes, numbers = np.unique(y[train], return_inverse=True)
    solved = solve(x[train], numbers, "classification", outputs=len(classes))
    held = np.isfinite(solved.scores).all(axis=1)
    known = fit_known(x[train], numbers, Classification.probabilities(solved.scores[held]), x[train][held])
    own, far = x[split == "test"], x[split == "oos_test"]
    p, q = solved.head.probabilities(own), solved.head.probabilities(far)
    scores = unknown_scores(known, p, own), unknown_scores(known, q, far)
    assert judge_unknown(*scores)[0] >= 0.96  # of a fifth of the training rows; 0.978 of all, see the benchmark
    assert judge_gain(*scores, max_softmax(p), max_softmax(q))[1] > 0.02
