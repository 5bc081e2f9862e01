"""The single scores, ranks, judgements and made unknown inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.unknown_distance import SHRINKAGE, fit_axes, relative_mahalanobis
from headstart.evaluation.unknown_made import made_unknown
from headstart.evaluation.unknown_scores import (
    gen,
    joint_energy,
    judge_gain,
    judge_unknown,
    knn,
    max_softmax,
    share_below,
    surprise,
)
from headstart.tasks import Classification
from tests.evaluation.test_unknown import CENTRES, rows, strange


def test_gen_by_hand() -> None:
    p = np.array([[0.7, 0.2, 0.1]])
    assert gen(p)[0] == pytest.approx((0.7 * 0.3) ** 0.1 + (0.2 * 0.8) ** 0.1 + (0.1 * 0.9) ** 0.1)
    assert gen(p, top=2)[0] == pytest.approx((0.7 * 0.3) ** 0.1 + (0.2 * 0.8) ** 0.1)
    assert gen(np.array([[1.0, 0.0]]))[0] == 0


def test_gen_orders_two_classes_as_maximum_softmax() -> None:
    one = np.random.default_rng(0).uniform(size=50)
    p = np.stack([one, 1 - one], axis=1)
    assert (np.argsort(gen(p)) == np.argsort(max_softmax(p))).all()


def test_joint_energy_is_the_sum_of_softplus() -> None:
    logits = np.array([[-1.0, 2.0, 0.5]])
    assert joint_energy(1 / (1 + np.exp(-logits)))[0] == pytest.approx(-np.logaddexp(0, logits).sum())


def test_knn_against_sorting_and_without_own_copies() -> None:
    rng = np.random.default_rng(0)
    x, reference = rng.normal(size=(2_100, 4)), rng.normal(size=(7, 4))
    cosine = x @ reference.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(reference, axis=1)
    assert np.allclose(knn(x, reference, 3), 1 - np.sort(cosine, axis=1)[:, -3], atol=1e-5)
    itself = knn(reference, reference, 1, skip=np.arange(7) < 6)
    assert (itself[:6] > 1e-3).all()
    assert itself[6] == pytest.approx(0, abs=1e-6)
    assert np.allclose(knn(x[:2], reference[:1], 3), 1 - cosine[:2, 0], atol=1e-5)


def test_relative_mahalanobis_against_the_formula() -> None:
    x, y = rows(500, 0)
    fresh = rows(40, 1)[0]
    found, scores = fit_axes(x, y, fresh, np.full(40, -1), seed=0)
    means = np.stack([x[y == c].mean(axis=0) for c in range(len(CENTRES))])
    share = np.bincount(y) / len(y)
    residual = x - means[y]
    within = residual.T @ residual / (len(x) - len(means))
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    centred = means - x.mean(axis=0)
    total = within + (centred * share[:, None]).T @ centred
    to_class = [np.einsum("ni,ij,nj->n", fresh - m, np.linalg.inv(within), fresh - m) for m in means]
    to_all = np.einsum("ni,ij,nj->n", fresh - x.mean(axis=0), np.linalg.inv(total), fresh - x.mean(axis=0))
    assert found.axes.shape == (x.shape[1], len(means) - 1)
    assert np.allclose(scores, np.min(to_class, axis=0) - to_all, atol=1e-2)
    assert np.allclose(scores, relative_mahalanobis(fresh, found))


def test_shares_between_and_beyond_the_held_out_ones() -> None:
    held = np.array([0.0, 1.0, 1.0, 3.0])
    assert share_below(held, np.array([0.0, 1.0, 3.0, 2.0])) == pytest.approx([0.125, 0.5, 0.875, 0.6875])
    beyond = surprise(held, np.array([-9.0, -1.0, 3.0, 5.0, 1e6]))
    assert (np.diff(beyond) > 0).all()
    level = share_below(np.zeros(5), np.array([-1.0, 0.0, 1.0]))
    assert level == pytest.approx([0.5 / np.e, 0.5, 1 - 0.5 / np.e])


def test_auroc_by_hand_and_its_interval_where_all_pairs_are_in_order() -> None:
    assert judge_unknown(np.array([1.0, 2, 3]), np.array([2.0, 4]))[0] == pytest.approx(4.5 / 6)
    auroc, low, high = judge_unknown(np.arange(20.0), np.arange(20.0) + 100)
    assert auroc == high == 1
    assert 0.8 < low < 0.9


@pytest.mark.parametrize(("shift", "a", "b"), [(1.0, 60, 40), (2.5, 200, 30)])
def test_the_interval_covers_what_it_should(shift: float, a: int, b: int) -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    truth = norm.cdf(shift / np.sqrt(2))
    draws = [judge_unknown(rng.normal(size=a), rng.normal(shift, 1, b)) for _ in range(600)]
    covered = np.mean([low <= truth <= high for _, low, high in draws])
    assert 0.92 <= covered <= 0.985


def test_equal_scores_are_told_apart_as_rarely_as_promised() -> None:
    rng = np.random.default_rng(1)
    apart = 0
    for _ in range(500):
        known, unknown = rng.normal(size=80), rng.normal(1, 1, 80)
        noise = [(known + rng.normal(size=80), unknown + rng.normal(size=80)) for _ in range(2)]
        _, low, high = judge_gain(*noise[0], *noise[1])
        apart += not low <= 0 <= high
    assert apart <= 0.075 * 500


def test_judging_refuses_what_has_no_answer() -> None:
    with pytest.raises(SettingError, match="unknown inputs have no scores"):
        judge_unknown(np.ones(3), np.zeros(0))
    with pytest.raises(SettingError, match="known inputs have scores that are not finite"):
        judge_unknown(np.array([np.nan]), np.ones(2))
    with pytest.raises(SettingError, match="different inputs"):
        judge_gain(np.ones(3), np.ones(2), np.ones(4), np.ones(2))


def _means(x: np.ndarray, y: np.ndarray, k: int) -> Callable[[np.ndarray], np.ndarray]:
    """A head by distance to the class means."""
    means = np.stack([x[y == c].mean(axis=0) for c in range(k)])

    def answer(x: np.ndarray) -> np.ndarray:
        return Classification.probabilities(-np.square(x[:, None] - means).sum(axis=2))

    return answer


def test_classes_left_out_are_stranger() -> None:
    x, y = rows(600, 0)
    made = made_unknown(x, y, _means)
    assert sorted(c for one in made.left_out for c in one) == list(range(len(CENTRES)))
    assert len(made.unknown) == 600
    assert made.reason == ""
    assert judge_unknown(made.known, made.unknown)[1] > 0.9
    again = made_unknown(x, y, _means)
    assert np.array_equal(again.unknown, made.unknown)


def test_classes_of_noise_left_out_are_not_stranger() -> None:
    x, y = strange(600), np.random.default_rng(0).integers(0, 6, 600)
    made = made_unknown(x, y, _means)
    _, low, high = judge_unknown(made.known, made.unknown, level=0.999)
    assert low < 0.5 < high


def test_two_classes_or_few_rows_give_a_reason() -> None:
    x, y = rows(200, 0)
    assert made_unknown(x, y % 2, _means).reason.startswith("2 classes leave no choice")
    assert made_unknown(x[:20], np.arange(20) % 4, _means).reason.startswith("20 rows are too few")
