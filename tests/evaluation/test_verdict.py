import numpy as np
import pytest
from benchmarks.choices import verdicts

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.verdict import judge, rows_needed, strict_level
from tests.evaluation.simulate import answers

NAN = float("nan")
SCORE = Interval(0.935, 0.884, 0.966, 0.95, 153)
PIXELS = "pixel features + linear"


def gain(value: float, low: float, high: float, n: int = 153) -> Interval:
    return Interval(value, low, high, 0.95, n)


def test_helped_says_by_how_much():
    verdict = judge(SCORE, "accuracy", {PIXELS: gain(0.2225, 0.143, 0.301), "majority": gain(0.4, 0.3, 0.5)})
    assert verdict.outcome == "helped"
    assert verdict.sentence == (
        "Transfer learning improved accuracy: 0.935 [0.884, 0.966] against 0.713 for "
        "pixel features + linear; gain +0.223 [+0.143, +0.301]."
    )


def test_the_best_control_decides():
    gains = {"majority": gain(0.4, 0.3, 0.5), "scratch": gain(-0.1, -0.2, -0.02), PIXELS: gain(0.2, 0.1, 0.3)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == "hurt"
    assert verdict.sentence.startswith("Transfer learning reduced accuracy:")
    assert verdict.next_step.startswith("Use the baseline scratch")
    assert "1.035" in verdict.sentence


def test_the_best_of_several_controls_is_judged_more_strictly():
    gains = {PIXELS: gain(-0.06, -0.115, -0.005), "majority": gain(-0.01, -0.08, 0.06), "knn": gain(0.2, 0.1, 0.3)}
    assert strict_level(gains) == pytest.approx(0.975)  # the one that is beaten is no candidate for the best
    wide = {PIXELS: Interval(-0.06, -0.125, 0.005, 0.975, 153), "majority": Interval(-0.01, -0.09, 0.07, 0.975, 153)}
    verdict = judge(SCORE, "accuracy", gains, strict={**wide, "knn": gains["knn"]})
    assert verdict.outcome == "cannot tell"
    assert "gain −0.060 [−0.125, +0.005] (97.5 % interval)" in verdict.sentence
    assert judge(SCORE, "accuracy", gains).outcome == "hurt"


def test_one_control_in_question_is_judged_at_the_nominal_level():
    gains = {PIXELS: gain(-0.06, -0.115, -0.005), "majority": gain(0.2, 0.1, 0.3)}
    assert strict_level(gains) == pytest.approx(0.95)
    assert judge(SCORE, "accuracy", gains, strict=gains).outcome == "hurt"


def test_improving_on_every_control_needs_no_correction():
    gains = {PIXELS: gain(0.05, 0.001, 0.1), "majority": gain(0.06, 0.002, 0.12)}
    strict = {PIXELS: gain(0.05, -0.01, 0.11), "majority": gain(0.06, -0.01, 0.13)}
    assert judge(SCORE, "accuracy", gains, strict=strict).outcome == "helped"


@pytest.mark.parametrize("controls", [1, 3])
def test_equal_controls_seldom_hurt(controls):
    alone, corrected, helped = verdicts(100, controls, 800)
    assert corrected <= 0.04  # nominal 2.5 %, standard error 0.6 points
    assert corrected <= alone
    assert helped <= 0.045
    assert verdicts(100, controls, 100, gain=-0.8)[1] >= 0.75


def test_a_majority_that_is_not_beaten_withholds_the_verdict():
    gains = {PIXELS: gain(0.05, 0.01, 0.09), "majority": gain(0.06, -0.01, 0.13)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == "cannot tell"
    assert "majority" in verdict.sentence


def test_a_narrow_interval_around_zero_is_an_answer():
    verdict = judge(SCORE, "accuracy", {PIXELS: gain(0.002, -0.02, 0.024)})
    assert verdict.outcome == "did not help"
    assert verdict.sentence.startswith("Transfer learning did not improve accuracy:")
    assert "gain +0.002 [−0.020, +0.024]" in verdict.sentence
    assert PIXELS in verdict.next_step


@pytest.mark.parametrize("interval", [(0.01, -0.04, 0.06), (-0.01, -0.06, 0.04)])
def test_a_wide_interval_asks_for_rows(interval):
    verdict = judge(SCORE, "accuracy", {PIXELS: gain(*interval)}, unit="test images")
    assert verdict.outcome == "cannot tell"
    assert "test images would settle it; there are 153" in verdict.sentence
    assert str(rows_needed(gain(*interval), 0.05)) in verdict.next_step


def test_rows_needed_follow_the_square_of_the_interval():
    # half-width 0.1 has to fall to the gain of 0.06: (0.1 / 0.06)² × 100 × ((1.960 + 0.842) / 1.960)² = 567.6
    assert rows_needed(gain(0.06, -0.04, 0.16, 100), 0.05) == 570
    # or to 0.05 − 0.01 where equality is the easier thing to show: × (0.1 / 0.04)²
    assert rows_needed(gain(0.01, -0.09, 0.11, 100), 0.05) == 1300


def test_the_rows_asked_for_do_tell_most_of_the_time():
    rng = np.random.default_rng(0)

    def trial(n: int) -> Interval:
        y = rng.integers(0, 4, n)
        return paired_gain("accuracy", y, answers(rng, y, 4, 0.85), answers(rng, y, 4, 0.75))

    few = gain(0.1, 0.1 - 0.174, 0.1 + 0.174, 40)  # the true gain, and 1.96 × √((0.85 × 0.15 + 0.75 × 0.25) / 40)
    settled = [trial(rows_needed(few, 0.05)).low > 0 for _ in range(100)]
    assert np.mean(settled) > 0.65


def test_without_a_control_nothing_is_claimed():
    verdict = judge(SCORE, "accuracy", {})
    assert verdict.outcome == "cannot tell"
    assert "no baseline" in verdict.sentence


@pytest.mark.parametrize(
    ("score", "other"),
    [(SCORE, gain(NAN, NAN, NAN)), (Interval(NAN, NAN, NAN, 0.95, 9), gain(0.1, 0.05, 0.15))],
)
def test_an_undefined_score_or_gain_cannot_tell(score, other):
    verdict = judge(score, "auroc", {PIXELS: gain(0.2, 0.1, 0.3), "majority": other})
    assert verdict.outcome == "cannot tell"
    assert "undefined" in verdict.sentence


def test_a_gain_without_bounds_cannot_tell_and_prefers_the_control():
    verdict = judge(SCORE, "brier", {PIXELS: gain(0.0, NAN, NAN)})
    assert verdict.outcome == "cannot tell"
    assert "nan" not in verdict.sentence
    assert PIXELS in verdict.next_step


def test_losses_turn_the_sign_and_scale_the_margin():
    score = Interval(20.0, 18.0, 22.0, 0.95, 500)
    verdict = judge(score, "mae", {PIXELS: gain(0.1, -0.5, 0.7)})
    assert verdict.outcome == "did not help"
    assert "20.00 [18.00, 22.00] against 20.10" in verdict.sentence
    assert judge(score, "mae", {PIXELS: gain(0.1, -0.5, 1.2)}).outcome == "cannot tell"


def test_the_margin_can_be_set():
    gains = {PIXELS: gain(0.01, -0.04, 0.06)}
    assert judge(SCORE, "accuracy", gains, margin=0.1).outcome == "did not help"


def test_from_predictions_to_verdict():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 300)
    model, control = answers(rng, y, 3, 0.95), answers(rng, y, 3, 0.6)
    majority = np.tile([1.0, 0, 0], (300, 1))
    gains = {
        name: paired_gain("accuracy", y, model, p) for name, p in {"linear": control, "majority": majority}.items()
    }
    assert judge(score_interval("accuracy", y, model), "accuracy", gains).outcome == "helped"
    equal = {"linear": paired_gain("accuracy", y, control, control)}
    assert judge(score_interval("accuracy", y, control), "accuracy", equal).outcome == "did not help"


def test_an_unknown_metric_is_refused():
    with pytest.raises(SettingError):
        judge(SCORE, "accurracy", {})


# --- The same network from random weights ---------------------------------------------------------


def test_negative_transfer_is_named():
    verdict = judge(SCORE, "accuracy", {PIXELS: gain(0.2, 0.1, 0.3), "scratch": gain(-0.05, -0.09, -0.01)})
    assert verdict.outcome == "hurt"
    assert verdict.sentence == (
        "Transfer learning reduced accuracy: 0.935 [0.884, 0.966] against 0.985 for scratch (the same network from "
        "random weights); gain −0.050 [−0.090, −0.010]. This is negative transfer: the pretrained "
        "weights did worse than random ones."
    )
    assert "--base" in verdict.next_step


def test_negative_transfer_is_named_where_another_control_is_best():
    verdict = judge(SCORE, "accuracy", {PIXELS: gain(-0.2, -0.3, -0.1), "scratch": gain(-0.05, -0.09, -0.01)})
    assert verdict.outcome == "hurt"
    assert verdict.next_step.startswith(f"Use the baseline {PIXELS}")
    assert "negative transfer" in verdict.sentence
    assert "(gain over it −0.050 [−0.090, −0.010])" in verdict.sentence


@pytest.mark.parametrize(
    ("scratch", "outcome"),
    [
        (gain(0.005, -0.06, 0.07), "cannot tell"),
        (gain(0.002, -0.02, 0.024), "did not help"),
        (gain(-0.002, -0.02, 0.016), "did not help"),
        (gain(0.3, -0.1, 0.7), "cannot tell"),  # not the best control, but not beaten either
    ],
)
def test_a_gain_that_scratch_has_too_may_be_the_architectures(scratch, outcome):
    gains = {"majority": gain(0.4, 0.3, 0.5), PIXELS: gain(0.2225, 0.143, 0.301), "scratch": scratch}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == outcome
    assert "for scratch (the same network from random weights)" in verdict.sentence
    assert verdict.sentence.endswith(
        "The gain over pixel features + linear, +0.223 [+0.143, +0.301], may come from the architecture and its "
        "training, not from the pretrained weights."
    )


def test_scratch_that_is_beaten_adds_nothing():
    gains = {PIXELS: gain(0.2225, 0.143, 0.301), "scratch": gain(0.4, 0.3, 0.5)}
    assert judge(SCORE, "accuracy", gains) == judge(SCORE, "accuracy", {PIXELS: gains[PIXELS]})


@pytest.mark.parametrize(
    "gains",
    [
        {"scratch": gain(0.01, -0.06, 0.08)},  # no other control, no gain to explain
        {"scratch": gain(0.01, -0.06, 0.08), PIXELS: gain(0.05, -0.01, 0.11)},  # the other is not beaten either
        {"scratch": gain(0.1, NAN, NAN), PIXELS: gain(0.2, 0.1, 0.3)},  # no interval
        {"scratch": gain(-0.05, -0.11, 0.01), PIXELS: gain(0.0, -0.1, 0.1)},  # lower, but not shown to be
        {"scratch": gain(0.2, 0.1, 0.3), PIXELS: gain(0.0, -0.1, 0.1)},
    ],
)
def test_nothing_is_said_of_the_weights_beyond_the_evidence(gains):
    sentence = judge(SCORE, "accuracy", gains).sentence
    assert "negative transfer" not in sentence
    assert "architecture" not in sentence


def test_both_needed_controls_hold_back_the_verdict():
    gains = {PIXELS: gain(0.1, 0.05, 0.15), "majority": gain(0.2, -0.1, 0.5), "scratch": gain(0.3, -0.1, 0.7)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == "cannot tell"
    assert "for majority" in verdict.sentence
    assert "architecture" not in verdict.sentence


# --- Where the evidence does not carry a claim ----------------------------------------------------


def test_every_control_must_be_beaten():
    gains = {PIXELS: gain(0.1, 0.05, 0.15), "words + linear": gain(0.3, -0.1, 0.7), "majority": gain(0.4, 0.3, 0.5)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == "cannot tell"
    assert "for words + linear" in verdict.sentence


@pytest.mark.parametrize(("rows", "outcome"), [(5, "cannot tell"), (6, "helped")])
def test_five_rows_tell_nothing_though_all_speak_for_one_model(rows, outcome):
    y = np.zeros(rows, int)
    right, wrong = np.eye(2)[y], np.eye(2)[1 - y]
    score = score_interval("accuracy", y, right)
    assert judge(score, "accuracy", {PIXELS: paired_gain("accuracy", y, right, wrong)}).outcome == outcome
    assert judge(score, "accuracy", {PIXELS: paired_gain("accuracy", y, wrong, right)}).outcome in (
        "cannot tell",
        "hurt",
    )


@pytest.mark.parametrize("metric", ["mcc", "spearman"])
def test_a_constant_answer_has_no_correlation_and_does_not_withhold_the_verdict(metric):
    gains = {"majority": gain(NAN, NAN, NAN), PIXELS: gain(0.2, 0.1, 0.3)}
    assert judge(SCORE, metric, gains).outcome == "helped"
    unsure = Interval(0.2, -0.1, 0.5, 0.95, 153)
    verdict = judge(unsure, metric, gains)
    assert verdict.outcome == "cannot tell"
    assert "against 0.000 for majority" in verdict.sentence


@pytest.mark.parametrize("interval", [(-0.1, -0.15, -0.05), (0.0, -0.02, 0.02)])
def test_nobody_is_told_to_use_the_majority(interval):
    verdict = judge(SCORE, "accuracy", {"majority": gain(*interval), PIXELS: gain(0.3, 0.2, 0.4)})
    assert verdict.outcome in ("hurt", "did not help")
    assert verdict.next_step.startswith("Use no model yet")
    assert "instead" not in verdict.sentence


ROUNDS = "was fitted for 1 of 12 rounds and without choosing its penalty"


@pytest.mark.parametrize(
    ("value", "said"), [(0.2, True), (0.02, True), (-0.2, False)], ids=["helped", "cannot tell", "hurt"]
)
def test_a_baseline_that_was_cut_short_is_told_unless_it_won(value: float, said: bool):
    gains = {"majority": gain(0.4, 0.3, 0.5), "TF-IDF + linear": gain(value, value - 0.1, value + 0.1)}
    verdict = judge(SCORE, "accuracy", gains, cut={"TF-IDF + linear": ROUNDS})
    remark = f"The baseline TF-IDF + linear {ROUNDS} because the budget left no more; the gain may be too large."
    assert verdict.sentence.endswith(f". {remark}") == said
    assert ("budget" in verdict.sentence) == said
    larger = "A larger --budget leaves time to fit the baseline fully."
    assert verdict.next_step.endswith(larger) == (verdict.outcome == "helped")


def test_leaked_rows_that_were_left_out_are_told():
    gains = {PIXELS: gain(0.2, 0.1, 0.3, 140)}
    verdict = judge(SCORE, "accuracy", gains, leaked=13)
    assert verdict.outcome == "helped"
    assert verdict.sentence.endswith(" Left out: 13 test rows that have a duplicate among the training rows.")
    assert judge(SCORE, "accuracy", gains).sentence == verdict.sentence.partition(" Left out")[0]
    nothing_left = judge(Interval(NAN, NAN, NAN, 0.95, 0), "accuracy", {PIXELS: gain(NAN, NAN, NAN, 0)}, leaked=13)
    assert nothing_left.outcome == "cannot tell"
    assert "all 13 test rows have a duplicate" in nothing_left.sentence


@pytest.mark.parametrize("outcome", [(0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0.0, -0.02, 0.02), (0.0, -0.2, 0.2)])
def test_the_leak_is_told_with_every_outcome(outcome):
    assert "Left out: 3 test rows" in judge(SCORE, "accuracy", {PIXELS: gain(*outcome)}, leaked=3).sentence
