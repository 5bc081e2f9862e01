"""Rows that belong together count as what their units leave of them."""

import numpy as np
import pytest

from headstart.evaluation.abstain import NEVER, fit_abstain
from headstart.evaluation.bootstrap import paired_gain, score_interval
from headstart.evaluation.calibration import calibration_interval, confidence_gap, reliability
from headstart.evaluation.conformal import coverage, fit_conformal, fit_residuals
from headstart.evaluation.metrics import METRICS, for_task
from headstart.evaluation.per_class import per_class
from headstart.evaluation.units import Units, share_bounds

CLASSES = [metric.name for metric in for_task("classification", 3)]
NUMBERS = [metric.name for metric in for_task("regression", 1)]


def grouped(seed, units, rows, spread, classes=3):
    """Truth, probabilities and units: a unit's rows are all harder or easier by as much as ``spread`` makes them."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), rows)
    y = rng.integers(0, classes, units * rows)
    scores = rng.normal(size=(units * rows, classes))
    scores[np.arange(len(y)), y] += 1.5 + spread * rng.normal(size=units)[unit]
    e = np.exp(scores)
    return y, e / e.sum(axis=1, keepdims=True), unit


def width(interval):
    return interval.high - interval.low


@pytest.mark.parametrize("name", CLASSES)
def test_units_of_one_row_change_nothing(name):
    y, p, _ = grouped(0, 60, 1, 0.0)
    plain, named = (score_interval(name, y, p, units=units) for units in (None, np.arange(60)[::-1]))
    assert plain == named
    other = np.roll(p, 1, axis=0)
    assert paired_gain(name, y, p, other) == paired_gain(name, y, p, other, units=np.arange(60))


@pytest.mark.parametrize("name", CLASSES)
def test_rows_that_are_copies_count_once(name):
    """The interval of ten copies of each row is about that of the rows, not narrower by the root of ten."""
    y, p, _ = grouped(1, 80, 1, 0.0)
    often = np.repeat(np.arange(80), 10)
    once, wrong = score_interval(name, y, p), score_interval(name, y[often], p[often])
    right = score_interval(name, y[often], p[often], units=often)
    assert right.units == 80
    assert right.n == 800
    assert width(right) == pytest.approx(width(once), rel=0.25)
    assert width(wrong) < 0.6 * width(right)
    other = np.roll(p, 1, axis=0)
    once = paired_gain(name, y, p, other)
    right = paired_gain(name, y[often], p[often], other[often], units=often)
    assert width(right) == pytest.approx(width(once), rel=0.25)


@pytest.mark.parametrize("name", NUMBERS)
def test_copies_of_measured_rows_count_once(name):
    rng = np.random.default_rng(2)
    y = rng.normal(size=(60, 1))
    p, often = y + rng.normal(size=(60, 1)), np.repeat(np.arange(60), 8)
    once, right = score_interval(name, y, p), score_interval(name, y[often], p[often], units=often)
    assert width(right) == pytest.approx(width(once), rel=0.25)


def test_five_groups_all_right_or_all_wrong_say_little():
    right = np.repeat([1.0, 1.0, 1.0, 0.0, 0.0], 10)
    low, high = share_bounds(right, 0.95, Units.of(np.repeat(np.arange(5), 10), 50))
    assert low < 0.15
    assert high > 0.9


def test_one_group_bounds_nothing():
    y, p, _ = grouped(3, 1, 30, 0.0)
    for name in CLASSES:
        assert np.isnan(score_interval(name, y, p, units=np.zeros(30)).low)
        assert np.isnan(paired_gain(name, y, p, p[::-1], units=np.zeros(30)).low)
    assert np.isnan(calibration_interval(y, p, units=np.zeros(30)).low)
    assert np.isnan(confidence_gap(y, p, units=np.zeros(30)).low)


@pytest.mark.parametrize("name", CLASSES)
def test_few_units_get_wide_bounds(name):
    y, p, unit = grouped(4, 3, 30, 0.5)
    few, rows = score_interval(name, y, p, units=unit), score_interval(name, y, p)
    assert np.isnan(few.low) or width(few) > width(rows)


@pytest.mark.parametrize("share", ["all right", "all wrong"])
def test_units_that_never_differ_are_not_certain(share):
    """Where all rows are right nothing shows how mistakes go together, so each unit counts for one row."""
    hits = np.full(200, float(share == "all right"))
    grouped, alone = share_bounds(hits, 0.95, Units.of(np.repeat(np.arange(10), 20), 200)), share_bounds(hits, 0.95)
    assert grouped[1] - grouped[0] > 5 * (alone[1] - alone[0])


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "f1_macro", "auroc", "brier"])
def test_intervals_hold_the_truth_where_groups_differ(name):
    """Accuracy of a group varies with a standard deviation of some 0.15: by rows 70 to 80 % are held."""
    everything = grouped(5, 4000, 20, 1.0)
    truth = METRICS[name].function(*everything[:2])
    rng, held, naive = np.random.default_rng(0), 0, 0
    for _ in range(150):
        chosen = rng.choice(4000, 20, replace=False)
        rows = (chosen[:, None] * 20 + np.arange(20)).reshape(-1)
        y, p, unit = (part[rows] for part in everything)
        interval, plain = (score_interval(name, y, p, units=u, draws=200) for u in (unit, None))
        held += interval.low <= truth <= interval.high
        naive += plain.low <= truth <= plain.high
    assert held >= 135  # 95 % of 150 is 142.5, less three standard deviations of 2.7
    assert held > naive


def test_equal_models_are_seldom_told_apart_where_groups_differ():
    rng, told, naive = np.random.default_rng(1), 0, 0
    for draw in range(150):
        y, p, unit = grouped(100 + draw, 20, 20, 0.0)
        two = [p * np.exp(rng.normal(size=(20, 3)))[unit] for _ in range(2)]  # each model has its own view of a group
        for units in (unit, None):
            gain = paired_gain("accuracy", y, *two, units=units)
            apart = not gain.low <= 0 <= gain.high
            told, naive = told + (apart and units is not None), naive + (apart and units is None)
    assert told <= 16  # 5 % of 150 is 7.5, plus three standard deviations of 2.7
    assert naive > 2 * told


def test_sets_and_thresholds_of_groups_promise_less():
    y, p, unit = grouped(6, 60, 20, 1.0)
    assert fit_conformal(p, y, units=unit).threshold < fit_conformal(p, y).threshold
    plain, careful = fit_abstain(p, y, 0.3), fit_abstain(p, y, 0.3, units=unit)
    assert plain.threshold < careful.threshold <= NEVER
    assert not fit_conformal(p, y, units=np.zeros(len(y))).promises
    found = fit_conformal(p, y)
    assert width(coverage(found, p, y, units=unit)) > width(coverage(found, p, y))
    values = np.random.default_rng(0).normal(size=(60, 1))[unit]
    assert fit_residuals(values, 0 * values, units=unit).threshold > fit_residuals(values, 0 * values).threshold


def test_classes_bins_and_confidence_of_groups_are_less_sure():
    y, p, unit = grouped(7, 12, 25, 1.5)
    for one, plain in zip(per_class(y, p, units=unit), per_class(y, p), strict=True):
        assert one.recall.value == plain.recall.value
        assert (one.n, one.recall.units) == (plain.n, 12)
    assert np.mean([width(one.recall) for one in per_class(y, p, units=unit)]) > np.mean(
        [width(one.recall) for one in per_class(y, p)]
    )
    assert np.mean([one.high - one.low for one in reliability(y, p, units=unit)]) > np.mean(
        [one.high - one.low for one in reliability(y, p)]
    )
    assert width(calibration_interval(y, p, units=unit)) > width(calibration_interval(y, p))
    assert width(confidence_gap(y, p, units=unit)) > width(confidence_gap(y, p))


def test_every_row_needs_a_unit():
    with pytest.raises(ValueError, match="2 units were given for 3 rows"):
        Units.of(np.zeros(2), 3)


def test_the_worst_case_counts_as_half_a_row():
    """Rows that cancel within their unit show an effect of 0; of ten equal ones the half row is 1 / 21."""
    assert Units.of(np.repeat(np.arange(5), 2), 10).design_effect(np.tile([1.0, -1.0], 5)) == pytest.approx(2 / 21)
    assert Units.of(np.repeat(np.arange(5), 2), 10).design_effect(np.zeros(10)) == 2


def test_few_large_units_are_worth_fewer_than_their_number():
    assert Units.of(np.repeat(np.arange(5), 4), 20).effective == 5
    assert Units.of(np.array([0] * 100 + list(range(1, 21))), 120).effective == pytest.approx(1.437, abs=1e-3)


def test_rows_that_cancel_in_every_unit_leave_the_degrees_of_freedom_of_the_units():
    pairs = Units.of(np.repeat(np.arange(5), 2), 10)
    assert pairs.student(0.95, np.tile([1.0, -1.0], 5)) == pairs.student(0.95)
    y, scores = np.array([1, 0, 1, 0, 1, 1]), np.array([0.6, 0.6, 0.6, 0.6, 0.6, 0.6])
    other = np.array([0.7, 0.4, 0.7, 0.4, 0.4, 0.7])
    two = [np.column_stack([1 - one, one]) for one in (other, scores)]
    gain = paired_gain("auroc", y, *two, units=np.array([0, 0, 1, 1, 2, 2]))
    assert gain.low < gain.value < gain.high


def test_few_rows_that_carry_a_variance_are_few_degrees_of_freedom():
    every = Units.of(None, 1000)
    same = np.random.default_rng(0).normal(size=1000)
    assert every.student(0.95, same) == pytest.approx(1.962, abs=2e-3)
    assert every.student(0.95, np.where(np.arange(1000) < 2, same, 0.0)) > 2.7
    few = Units.of(np.repeat(np.arange(5), 200), 1000)
    assert few.student(0.95, same) >= few.student(0.95) == pytest.approx(2.776, abs=1e-3)
