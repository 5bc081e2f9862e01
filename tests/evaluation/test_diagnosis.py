from dataclasses import replace

import numpy as np
import pytest

from headstart.evaluation.diagnosis import CurvePoint, Symptoms, diagnose

NAN = float("nan")
FALLING = (1.5, 0.8, 0.5, 0.35, 0.28, 0.25, 0.24, 0.238)
CLIMBING = (0.5, 0.7, 0.8, 0.85, 0.88, 0.9, 0.91, 0.915)
OPTIONS = ("--strategy", "--augment", "--max-forgetting", "--retain", "--budget", "more data", "--base")


def curve(train, valid, scores=None) -> tuple[CurvePoint, ...]:
    scores = CLIMBING[: len(train)] if scores is None else scores
    rows = zip(train, valid, scores, strict=True)
    return tuple(CurvePoint(10 * i, float(i), t, v, s, 1e-3) for i, (t, v, s) in enumerate(rows, start=1))


HEALTHY = Symptoms(
    curve=curve(FALLING, [loss + 0.1 for loss in FALLING]),
    train_score=0.95,
    valid_score=0.915,
    higher_is_better=True,
    metric="accuracy",
    forgetting=0.1,
    rollbacks=0,
    n_train=900,
    classes=3,
    stopped_early=False,
)


def names(s: Symptoms) -> list[str]:
    found = diagnose(s)
    assert all(f.sentence.endswith(".") and any(option in f.suggestion for option in OPTIONS) for f in found)
    assert not any("nan" in f.sentence.split() for f in found)
    return [f.name for f in found]


def test_a_good_run_is_healthy_and_says_by_what_numbers():
    assert names(HEALTHY) == ["healthy"]
    sentence = diagnose(HEALTHY)[0].sentence
    assert "0.950 on training rows" in sentence
    assert "0.915 on held-out rows" in sentence
    assert "8 evaluations" in sentence


@pytest.mark.parametrize("points", [(), HEALTHY.curve[:1], HEALTHY.curve[:2]])
def test_a_short_curve_shows_no_course_and_that_is_said(points):
    s = replace(HEALTHY, curve=points, train_score=None)
    assert names(s) == ["healthy"]
    assert "cannot show a trend" in diagnose(s)[0].sentence


# --- Over-fitting ---------------------------------------------------------------------------------

LEARNT_BY_HEART = (1.0, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02, 0.01)
RISING = (1.1, 0.8, 0.7, 0.72, 0.78, 0.85, 0.9, 0.95)
OVER = replace(HEALTHY, curve=curve(LEARNT_BY_HEART, RISING), train_score=1.0, valid_score=0.75)


def test_over_fitting_needs_and_shows_both_gap_and_rise():
    assert names(OVER) == ["over-fitting"]
    found = diagnose(OVER)[0]
    for number in ("1.000", "0.750", "0.700 to 0.950", "0.400 to 0.010", "epoch 3"):
        assert number in found.sentence
    assert "--augment" in found.suggestion


@pytest.mark.parametrize(
    "change",
    [
        {"valid_score": 0.95},  # the loss rises, but the score does not suffer
        {"train_score": None},  # not measured
        {"train_score": NAN},
        {"curve": curve(LEARNT_BY_HEART, (1.1, 0.8, 0.7, 0.65, 0.62, 0.61, 0.605, 0.6))},  # a gap, but no rise
        {"curve": curve(LEARNT_BY_HEART, (1.1, 0.8, 0.7, 0.69, 0.68, 0.67, 0.66, 0.95))},  # one bad look at the end
        {"curve": curve(LEARNT_BY_HEART, (1.1, 0.8, 0.7, 0.71, 0.72, 0.73, 0.74, 0.75))},  # a rise of 7 %
        {"curve": curve((1.0, 0.6, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), RISING)},  # the train loss rises too
    ],
)
def test_half_of_over_fitting_is_not_over_fitting(change):
    assert "over-fitting" not in names(replace(OVER, **change))


def test_few_rows_a_class_ask_for_data_first():
    few = replace(OVER, n_train=60)
    assert diagnose(few)[0].suggestion.startswith("Label more data: 20 rows a class")
    number = replace(few, metric="r2", classes=1)
    assert "60 rows are few" in diagnose(number)[0].suggestion


@pytest.mark.parametrize(
    ("metric", "classes", "train", "valid", "over"),
    [
        ("log_loss", 3, 0.01, 0.95, True),
        ("log_loss", 3, 0.5, 0.55, False),
        ("mae", 1, 1.0, 2.0, True),  # no scale: judged by the share
        ("mae", 1, 1.0, 1.1, False),
        ("mae", 1, 1.0, 0.5, False),
    ],
)
def test_metrics_that_are_losses_turn_round(metric, classes, train, valid, over):
    s = replace(OVER, metric=metric, classes=classes, train_score=train, valid_score=valid, higher_is_better=False)
    assert ("over-fitting" in names(s)) == over


def test_r2_may_be_negative():
    s = replace(OVER, metric="r2", classes=1, train_score=0.9, valid_score=-0.2)
    assert names(s) == ["over-fitting"]
    assert "−0.200" in diagnose(s)[0].sentence


# --- Under-fitting --------------------------------------------------------------------------------

STEEP = (2.0, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3)
UNDER = replace(
    HEALTHY,
    curve=curve(STEEP, [loss + 0.05 for loss in STEEP], (0.34, 0.36, 0.38, 0.4, 0.42, 0.44, 0.46, 0.48)),
    train_score=0.5,
    valid_score=0.48,
)


def test_a_low_train_score_with_a_falling_loss_is_under_fitting():
    assert names(UNDER) == ["under-fitting"]
    assert "only 0.500" in diagnose(UNDER)[0].sentence
    assert "13 %" in diagnose(UNDER)[0].sentence  # from 1.5 to 1.3
    assert "--strategy full" in diagnose(UNDER)[0].suggestion


def test_the_budget_is_named_where_it_ended_training():
    assert "--budget" in diagnose(replace(UNDER, out_of_budget=True))[0].suggestion
    good = replace(UNDER, train_score=0.95, out_of_budget=True)
    assert names(good) == ["under-fitting"]  # the validation loss was still falling
    assert "validation loss was still falling" in diagnose(good)[0].sentence
    assert names(replace(UNDER, curve=UNDER.curve[:1], out_of_budget=True)) == ["under-fitting"]


@pytest.mark.parametrize(
    "s",
    [
        replace(UNDER, train_score=0.95),  # it fits
        replace(UNDER, train_score=None),
        replace(HEALTHY, train_score=0.5),  # low, but the loss no longer falls
        replace(HEALTHY, out_of_budget=True),  # the budget ended it, but nothing was left to gain
        replace(UNDER, metric="mae", higher_is_better=False, classes=1),  # no saying whether 0.5 is low
    ],
)
def test_half_of_under_fitting_is_not_under_fitting(s):
    assert "under-fitting" not in names(s)


# --- Plateau --------------------------------------------------------------------------------------

STUCK = (0.5, 0.7, 0.8, 0.8, 0.8, 0.802, 0.799, 0.8)
FLAT = (1.2, 0.8, 0.6, 0.5, 0.5, 0.498, 0.499, 0.5)
PLATEAU = replace(HEALTHY, curve=curve(FALLING, FLAT, STUCK), train_score=0.85, valid_score=0.8)


def test_a_last_half_without_improvement_is_a_plateau():
    assert names(PLATEAU) == ["plateau"]
    assert "0.800 by epoch 4 and no better by epoch 8" in diagnose(PLATEAU)[0].sentence
    low = replace(PLATEAU, train_score=0.55)
    assert "--strategy full" in diagnose(low)[0].suggestion
    assert names(replace(low, stopped_early=True)) == ["plateau"]  # stopped on a score that did not even fit


def test_errors_have_plateaus_too():
    errors = tuple(10 - 8 * score for score in STUCK)
    s = replace(PLATEAU, metric="mae", higher_is_better=False, classes=1, valid_score=3.6, train_score=3.5)
    s = replace(s, curve=curve(FALLING, FLAT, errors))
    assert names(s) == ["plateau"]
    assert "3.600 by epoch 4" in diagnose(s)[0].sentence
    better = tuple(10 - 8 * score for score in CLIMBING)
    assert names(replace(s, curve=curve(FALLING, FLAT, better))) == ["healthy"]


@pytest.mark.parametrize(
    "s",
    [
        replace(PLATEAU, stopped_early=True),  # waiting for improvement is how early stopping ends
        replace(PLATEAU, valid_score=0.995),  # as good as it gets
        replace(PLATEAU, curve=PLATEAU.curve[:5]),
        replace(PLATEAU, curve=curve(FALLING, FLAT, (*STUCK[:7], 0.82))),  # the score still rises
        replace(PLATEAU, curve=curve(FALLING, (1.2, 0.8, 0.6, 0.5, 0.47, 0.45, 0.43, 0.42), STUCK)),  # the loss falls
        replace(PLATEAU, curve=curve(FALLING, FLAT, (*STUCK[:7], NAN))),
    ],
)
def test_what_is_not_a_plateau(s):
    assert "plateau" not in names(s)


# --- Forgetting -----------------------------------------------------------------------------------


def test_forgetting_is_found_beyond_the_limit_that_was_set():
    broken = diagnose(replace(HEALTHY, forgetting=0.2, max_forgetting=0.1))[0]
    assert broken.name == "forgetting"
    assert "20 %" in broken.sentence
    assert "the limit is 10 %" in broken.sentence
    assert "--retain" in broken.suggestion


@pytest.mark.parametrize(
    ("forgetting", "limit"), [(0.9, None), (None, None), (NAN, None), (0.45, 0.5), (0.1, 0.1), (None, 0.1)]
)
def test_forgetting_within_the_limit_is_none(forgetting, limit):
    assert names(replace(HEALTHY, forgetting=forgetting, max_forgetting=limit)) == ["healthy"]


# --- Instability ----------------------------------------------------------------------------------


def test_a_rollback_is_instability():
    assert names(replace(HEALTHY, rollbacks=1)) == ["instability"]
    assert "diverged once" in diagnose(replace(HEALTHY, rollbacks=1))[0].sentence
    assert "diverged 3 times" in diagnose(replace(HEALTHY, rollbacks=3))[0].sentence


def test_a_loss_that_swings_is_instability():
    s = replace(HEALTHY, curve=curve(FALLING, (1.0, 0.5, 1.2, 0.4, 0.9, 0.4, 0.5, 0.35)))
    assert names(s) == ["instability"]
    assert "jumped 2 times in 8 evaluations" in diagnose(s)[0].sentence
    assert "from 0.500 to 1.200" in diagnose(s)[0].sentence


def test_a_loss_that_is_no_number_is_instability():
    broken = (*HEALTHY.curve[:4], replace(HEALTHY.curve[4], train_loss=NAN), *HEALTHY.curve[5:])
    assert names(replace(HEALTHY, curve=broken)) == ["instability"]
    first = replace(HEALTHY.curve[0], step=0, train_loss=NAN)  # before the first step there is no train loss
    assert names(replace(HEALTHY, curve=(first, *HEALTHY.curve))) == ["healthy"]


@pytest.mark.parametrize(
    "valid",
    [
        (1.0, 0.5, 1.2, 0.4, 0.4, 0.38, 0.37, 0.35),  # one jump
        (1.0, 0.8, 0.9, 0.75, 0.85, 0.7, 0.8, 0.7),  # a wobble
        (1.0, 0.5, 0.001, 0.002, 0.001, 0.002, 0.001, 0.001),  # large shares of nothing
    ],
)
def test_a_wobble_is_not_instability(valid):
    assert "instability" not in names(replace(HEALTHY, curve=curve(FALLING, valid)))


def test_noise_on_a_healthy_run_is_rarely_taken_for_anything():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        train, valid = (np.array(FALLING) * rng.normal(1, 0.04, 8) for _ in range(2))
        found += names(replace(HEALTHY, curve=curve(train, valid + 0.1)))
    assert found.count("healthy") >= 195


def test_the_worst_comes_first():
    s = replace(OVER, rollbacks=2, forgetting=0.6, max_forgetting=0.1)
    assert names(s) == ["instability", "forgetting", "over-fitting"]


@pytest.mark.parametrize("metric", ["accuracy", "auroc", "brier", "top5", "mae", "unheard of"])
def test_every_metric_can_be_diagnosed(metric):
    higher = metric not in ("brier", "mae")
    assert names(replace(HEALTHY, metric=metric, higher_is_better=higher, train_score=0.9, valid_score=0.9))


def test_losses_that_are_nearly_nothing_are_not_told_as_nothing():
    tiny = replace(OVER, curve=curve([loss / 2000 for loss in LEARNT_BY_HEART], RISING))
    assert "the training loss fell from 0.0002 to 5e−06" in diagnose(tiny)[0].sentence
