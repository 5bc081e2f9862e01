"""What an interval must be, and how often it must hold the truth."""

import numpy as np
import pytest
from scipy.stats import binom

from headstart.errors import SettingError
from headstart.evaluation.answers import Dense
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.proportions import paired, stratified_wilson, wilson
from tests.evaluation.simulate import answers, soft

#: Metrics whose answers are arrays; a task with others tests its own (tests/tasks/test_tag.py).
OF_ARRAYS = [name for name, one in METRICS.items() if {*one.tasks} & {"classification", "multilabel", "regression"}]
SEVERAL = 300  # simulated data sets a case; the standard error of 95 % is 1.3 points, of 5 % too


def example(name: str, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a fair model and a poorer one, for a metric's first task."""
    rng = np.random.default_rng(7)
    if METRICS[name].tasks[0] == "regression":
        y = rng.normal(size=(n, 1))
        return y, y + 0.3 * rng.normal(size=(n, 1)), y + 2.0 * rng.normal(size=(n, 1))
    if METRICS[name].tasks[0] == "multilabel":
        y = (rng.random((n, 4)) < 0.4).astype(np.float32)
        return y, np.clip(0.45 * y + 0.6 * rng.random((n, 4)), 0, 1), rng.random((n, 4))
    y = np.arange(n) % 8
    return y, soft(rng, y, 8, 2.5), soft(rng, y, 8, 0.2)


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_the_interval_holds_its_value_within_what_the_metric_can_be(name):
    y, p, _ = example(name)
    interval = score_interval(name, y, p, draws=300)
    assert interval.value == METRICS[name].function(y, p)
    assert interval.low < interval.value
    assert interval.value < interval.high or interval.value == 1
    assert (interval.level, interval.n) == (0.95, 60)
    if METRICS[name].higher_is_better:
        assert interval.high <= 1


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_the_better_model_has_the_positive_gain_whichever_way_the_metric_points(name):
    y, good, poor = example(name)
    gain = paired_gain(name, y, good, poor, draws=300)
    assert gain.low > 0
    back = paired_gain(name, y, poor, good, draws=300)
    assert back.value == -gain.value
    assert back.high < 0
    assert back.low == pytest.approx(-gain.high, abs=0.35 * (gain.high - gain.low))


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_the_same_seed_gives_the_same_interval(name):
    y, p, q = example(name)
    assert paired_gain(name, y, p, q, draws=100, seed=3) == paired_gain(name, y, p, q, draws=100, seed=3)


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_four_times_the_rows_halve_the_interval(name):
    y, _, p = example(name, 200)
    few = score_interval(name, y, p, draws=500)
    many = score_interval(name, np.concatenate([y] * 4), np.concatenate([p] * 4), draws=500)
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_a_higher_level_is_wider(name):
    y, p, _ = example(name)
    inner, outer = (score_interval(name, y, p, level=level, draws=500) for level in (0.8, 0.99))
    assert outer.low < inner.low
    assert outer.high > inner.high or outer.high == 1


ANSWERED = [name for name in OF_ARRAYS if METRICS[name].worst is not None]


@pytest.mark.parametrize("name", ANSWERED)
def test_a_perfect_score_is_not_certain(name):
    y, _, _ = example(name)
    perfect = np.eye(8)[y] if y.ndim == 1 else y
    interval = score_interval(name, y, perfect, draws=300)
    assert interval.high == 1
    assert 0.7 < interval.low < 0.97


@pytest.mark.parametrize("name", ANSWERED)
def test_two_models_that_never_differ_may_yet_differ(name):
    y, p, _ = example(name)
    gain = paired_gain(name, y, p, p, draws=300)
    assert gain.value == 0
    assert -0.2 < gain.low < -0.01
    assert 0.01 < gain.high < 0.2


@pytest.mark.parametrize("name", [name for name in OF_ARRAYS if name not in ANSWERED])
def test_sizes_of_errors_that_never_differ_give_no_bounds(name):
    y, p, _ = example(name)
    gain = paired_gain(name, y, p, p, draws=300)
    assert gain.value == 0
    assert np.isnan([gain.low, gain.high]).all()


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "f1_macro", "log_loss"])
def test_one_row_is_never_certain(name):
    interval = score_interval(name, np.array([1]), np.array([[0.2, 0.8]]))
    assert np.isnan(interval.low) or interval.low < 0.5


@pytest.mark.parametrize("name", ["accuracy", "auroc"])
def test_an_undefined_metric_has_no_interval(name):
    interval = score_interval(name, np.zeros(0, int), np.zeros((0, 2)))
    assert np.isnan([interval.value, interval.low, interval.high]).all()
    assert interval.n == 0


def test_a_class_with_one_row_does_not_make_balanced_accuracy_certain():
    many, rare = np.repeat([0, 1], [100, 100]), np.repeat([0, 1], [199, 1])
    low = [score_interval("balanced_accuracy", y, np.eye(2)[y]).low for y in (many, rare)]
    assert low[0] > 0.96
    assert 0.3 < low[1] < 0.65  # one row held between 0.21 and 1, by Wilson, is half of the mean


def test_settings_are_checked():
    y, p, _ = example("accuracy")
    with pytest.raises(SettingError, match="95"):
        score_interval("accuracy", y, p, level=95)
    with pytest.raises(SettingError, match="draws"):
        paired_gain("f1_macro", y, p, p, draws=10)


def test_wilson_is_the_published_interval():
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
    assert wilson(81 / 263, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0 / 20, 20, 0.95) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_one_stratum_is_about_the_plain_interval():
    hits = np.repeat([1.0, 0.0], [83, 17])
    plain, stratified = wilson(0.83, 100, 0.95), stratified_wilson(hits, np.zeros(100), 0.95)
    assert stratified == pytest.approx(plain, abs=0.003)


# --- coverage ---


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("truth", [0.6, 0.9, 0.98])
def test_the_accuracy_interval_holds_the_truth_as_often_as_it_says(n, truth):
    """Exact: every number of hits, weighted by its probability."""
    hits = np.arange(n + 1)
    bounds = np.array([wilson(hit / n, n, 0.95) for hit in hits])
    held = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
    assert 0.92 <= binom.pmf(hits, n, truth)[held].sum() <= 0.98


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("truth", [0.6, 0.9, 0.98])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_equal_models_are_seldom_called_different(n, truth, share):
    """Exact: models of one accuracy, answering independently on a ``share`` of the rows."""
    called = 0.0
    for apart in range(n + 1):
        likely = binom.pmf(apart, n, 2 * share * truth * (1 - truth))
        if likely > 1e-6:
            wins = np.arange(apart + 1)
            bounds = np.array([paired(win, apart - win, n, 0.95) for win in wins])
            out = (bounds[:, 0] > 0) | (bounds[:, 1] < 0)
            called += likely * binom.pmf(wins, apart, 0.5)[out].sum()
    assert called <= 0.052


def test_simulated_models_are_judged_as_the_exact_sums_say():
    rng = np.random.default_rng(0)
    differ = held = several = 0
    for n in (50, 200, 1000):
        for truth in (0.6, 0.9, 0.98):
            for _ in range(150):
                y = rng.integers(0, 3, n)
                a, b = answers(rng, y, 3, truth), answers(rng, y, 3, truth)
                gain, score = paired_gain("accuracy", y, a, b), score_interval("accuracy", y, a)
                differ += not gain.low <= 0 <= gain.high
                held += score.low <= truth <= score.high
                several += 1
    assert differ / several <= 0.055
    assert 0.93 <= held / several <= 0.97


SIZES = {
    "two": ([180, 20], [0.95, 0.7]),
    "rare": ([200, 50, 20, 8, 4], [0.95, 0.9, 0.8, 0.7, 0.6]),
    "tiny": ([3] * 20, [0.85] * 20),
    "single": ([100, 30, 2, 1], [0.95, 0.9, 0.8, 0.7]),
}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "mcc"])
def test_intervals_over_unequal_classes_hold_the_truth(name, sizes):
    counts, recall = SIZES[sizes]
    rng = np.random.default_rng(3)
    y, k = np.repeat(np.arange(len(counts)), counts), len(counts)
    several = SEVERAL if name == "balanced_accuracy" else 150
    truth = np.mean([METRICS[name].function(y, answers(rng, y, k, np.array(recall))) for _ in range(400)])
    held = differ = 0
    for seed in range(several):
        a, b = (answers(rng, y, k, np.array(recall)) for _ in range(2))
        score = score_interval(name, y, a, draws=200, seed=seed)
        gain = paired_gain(name, y, a, b, draws=200, seed=seed)
        held += score.low <= truth <= score.high
        differ += not gain.low <= 0 <= gain.high
    assert held / several >= 0.90
    assert differ / several <= 0.09


@pytest.mark.parametrize("name", ["log_loss", "brier", "auroc", "average_precision"])
def test_intervals_of_soft_scores_hold_the_truth(name):
    rng = np.random.default_rng(4)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        y = rng.integers(0, 3, n)
        return y, soft(rng, y, 3)

    truth = METRICS[name].function(*draw(200_000))
    held = 0
    for seed in range(100):
        interval = score_interval(name, *draw(100), draws=200, seed=seed)
        held += interval.low <= truth <= interval.high
    assert held >= 89


@pytest.mark.parametrize(("rows", "most"), [(1, 1.2), (2, 1.15)])
def test_macro_f1_of_few_rows_is_not_taken_to_vary_more_than_it_does(rows, most):
    rng, y = np.random.default_rng(5), np.repeat(np.arange(77), rows)
    found = [score_interval("f1_macro", y, answers(rng, y, 77, 0.8)) for _ in range(300)]
    spread = np.std([interval.value for interval in found])
    error = np.mean([interval.high - interval.low for interval in found]) / 2 / 1.96
    assert 0.93 < error / spread < most


def test_auroc_of_few_rows_is_not_taken_to_vary_as_a_proportion_does():
    rng, y = np.random.default_rng(6), np.repeat(np.arange(77), 5)
    found = [score_interval("auroc", y, soft(rng, y, 77, 3.5)) for _ in range(100)]
    spread = np.std([interval.value for interval in found])
    assert 1 < np.mean([interval.high - interval.low for interval in found]) / 2 / 1.96 / spread < 1.6


@pytest.mark.parametrize("name", ["auroc", "average_precision", "f1_macro"])
def test_equal_models_near_1_are_called_different_seldom_and_yet_at_times(name):
    """A test that never does cannot find a difference either."""
    rng, y, called, found = np.random.default_rng(7), np.repeat(np.arange(10), 30), 0, 0
    for _ in range(300):
        scores = rng.normal(size=(300, 10)) + 4.0 * np.eye(10)[y]
        a, b, worse = (scores + noise * rng.normal(size=scores.shape) for noise in (0.5, 0.5, 1.2))
        called += (lambda gain: not gain.low <= 0 <= gain.high)(paired_gain(name, y, a, b))
        found += paired_gain(name, y, a, worse).low > 0
    assert 2 <= called <= 28  # 5 % of 300 is 15, three standard deviations are 11
    assert found > 150


def test_rows_that_were_not_seen_lower_an_area_and_do_not_raise_it():
    """Where few rows carry the variance, as near 1, the bound below reaches further than the error alone does."""
    rng, y = np.random.default_rng(8), np.repeat(np.arange(20), 3)
    scores = rng.normal(size=(60, 20)) + 4.0 * np.eye(20)[y]
    near = score_interval("auroc", y, scores)
    auroc = METRICS["auroc"]
    moves = auroc.moves(auroc.prepare(Dense(y), Dense(scores)), np.ones(60))
    error = np.sqrt(np.square(moves).sum())
    assert near.value > 0.99
    plain = wilson(near.value, near.value * (1 - near.value) / error**2, 0.95)
    assert near.high == pytest.approx(plain[1])
    assert near.low < plain[0] - error


def test_a_value_that_no_row_moves_is_not_certain_on_either_side():
    """Of three classes each always taken for the next, MCC is −1/2 whatever their sizes: rounding is no movement."""
    y = np.repeat(np.arange(3), [11, 8, 11])
    found = score_interval("mcc", y, np.eye(3)[(y + 1) % 3])
    assert found.value == pytest.approx(-0.5)
    assert found.low < -0.6
    assert found.high > -0.3


def test_sizes_that_differ_by_rounding_give_no_bounds():
    y, units = np.zeros(30, int), np.repeat(np.arange(4), [7, 8, 9, 6])
    found = score_interval("log_loss", y, np.tile([0.3, 0.7], (30, 1)), units=units)
    assert found.value == pytest.approx(-np.log(0.3))
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("name", ["f1_macro", "mcc", "auroc"])
def test_a_perfect_class_of_one_row_makes_no_mean_of_classes_certain(name):
    y = np.repeat([0, 1], [199, 1])
    assert score_interval(name, y, np.eye(2)[y]).low < 0.65


def test_a_much_better_model_keeps_the_far_bound_of_its_gain_wide():
    """Rows of the worse model are bad by far more than those of the better: the far bound must allow for more such."""
    rng, y = np.random.default_rng(9), np.repeat(np.arange(10), 5)

    def two(rows):
        scores = rng.normal(size=(len(rows), 10)) + 2.75 * np.eye(10)[rows]
        return scores + 0.2 * rng.normal(size=scores.shape), scores + 0.8 * rng.normal(size=scores.shape)

    many = np.repeat(np.arange(10), 4000)
    truth = np.subtract(*(METRICS["auroc"].function(many, p) for p in two(many)))
    gains = [paired_gain("auroc", y, *two(y)) for _ in range(200)]
    assert np.mean([gain.low <= truth <= gain.high for gain in gains]) >= 0.92


def test_pairing_sharpens_the_gain():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    b = answers(rng, y, 4, 0.8)
    a = np.where(rng.random((400, 1)) < 0.2, np.eye(4)[y], b)  # mends some of b's errors, breaks nothing
    gain = paired_gain("accuracy", y, a, b)
    alone = score_interval("accuracy", y, a), score_interval("accuracy", y, b)
    assert gain.low > 0
    assert gain.high - gain.low < 0.6 * sum(i.high - i.low for i in alone)


def test_intervals_are_plain_values():
    y, p, _ = example("f1_macro")
    interval = score_interval("f1_macro", y, p, draws=100)
    assert [type(v) for v in (interval.value, interval.low, interval.high)] == [float] * 3
    assert interval == Interval(interval.value, interval.low, interval.high, 0.95, 60)


@pytest.mark.parametrize("metric", ["r2", "rmse", "mae", "spearman"])
@pytest.mark.parametrize(("by", "factor"), [(1.7e9, 40.0), (0.0, 1e-14), (0.0, 1e-60), (-5.0, 1e9)])
@pytest.mark.parametrize("together", [1, 4])
def test_a_targets_unit_changes_no_interval(metric: str, by: float, factor: float, together: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(120, 1))
    a, b = y + rng.normal(0, 0.5, y.shape), y + rng.normal(0, 0.6, y.shape)
    units = np.repeat(np.arange(120 // together), together)
    told = factor if metric in ("rmse", "mae") else 1.0

    def bounds(by: float, factor: float) -> list[float]:
        score = score_interval(metric, by + factor * y, by + factor * a, units=units)
        gain = paired_gain(metric, by + factor * y, by + factor * a, by + factor * b, units=units)
        return [score.value, score.low, score.high, gain.value, gain.low, gain.high]

    assert np.array(bounds(by, factor)) / told == pytest.approx(np.array(bounds(0.0, 1.0)), abs=1e-5)


def test_equal_models_of_any_unit_have_no_bounds() -> None:
    y = np.random.default_rng(0).normal(size=(60, 1)) * 1e-14
    gain = paired_gain("rmse", y, y + 1e-14, y + 1e-14)
    assert gain.value == 0
    assert np.isnan([gain.low, gain.high]).all()
