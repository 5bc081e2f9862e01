from dataclasses import replace

import numpy as np
import pytest

from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.diagnosis import Finding
from headstart.evaluation.doubts import difference
from headstart.evaluation.findings import RunEvidence, about_run
from tests.evaluation.simulate import answers

NAN = float("nan")


def interval(value: float, low: float, high: float, n: int = 400) -> Interval:
    return Interval(value, low, high, 0.95, n)


GOOD = RunEvidence(
    task="classification",
    metric="accuracy",
    test=interval(0.9, 0.87, 0.93),
    gains={"majority": interval(0.5, 0.45, 0.55), "pixels": interval(0.2, 0.15, 0.25)},
    labels=("ant", "bee", "cat"),
    over_majority={"pixels": interval(0.3, 0.25, 0.35)},
    auroc=interval(0.97, 0.95, 0.98),
    valid=interval(0.89, 0.85, 0.92, 300),
    rows=300,
    rows_a_class=np.array([100, 100, 100]),
    confusion=np.array([[120, 10, 4], [5, 120, 8], [7, 6, 120]]),
    calibration=interval(0.03, 0.01, 0.05),
    confidence_gap=interval(0.01, -0.02, 0.03),
    base="tiny",
    distance=0.2,
    more_rows=interval(0.01, -0.02, 0.04, 100),
    forgetting=0.1,
)
LOST = replace(
    GOOD,
    test=interval(0.34, 0.3, 0.38),
    gains={"majority": interval(0.0, -0.04, 0.04), "pixels": interval(0.01, -0.03, 0.05)},
    over_majority={"pixels": interval(-0.01, -0.05, 0.03)},
    auroc=interval(0.5, 0.46, 0.54),
    valid=interval(0.33, 0.28, 0.38, 300),
    confusion=np.full((3, 3), 44),
)


def names(evidence: RunEvidence) -> list[str]:
    found = about_run(evidence)
    for one in found:
        assert one.sentence.endswith(".")
        assert one.suggestion.endswith(".")
        assert not {"nan", "None", "inf"} & set(one.sentence.replace("(", " ").replace(";", " ").split())
    return [one.name for one in found]


def test_a_good_run_is_healthy():
    assert names(GOOD) == ["healthy"]


def test_what_was_not_measured_supports_no_finding():
    assert names(RunEvidence("classification", "accuracy", GOOD.test, GOOD.gains)) == ["healthy"]


@pytest.mark.parametrize(
    "field",
    [
        {"valid": interval(NAN, NAN, NAN)},
        {"confidence_gap": interval(0.3, NAN, NAN)},
        {"calibration": interval(NAN, NAN, NAN)},
        {"auroc": interval(NAN, NAN, NAN)},
        {"more_rows": interval(NAN, NAN, NAN)},
        {"distance": NAN},
        {"forgetting": NAN},
        {"gains": {"majority": interval(0.5, NAN, NAN)}},
        {"over_majority": {"pixels": interval(NAN, NAN, NAN)}},
    ],
)
def test_what_is_undefined_supports_none_either(field):
    assert names(replace(GOOD, **field)) == ["healthy"]


def test_findings_of_training_are_told_and_each_only_once():
    over = Finding("over-fitting", "Over-fitting.", "Label more data.")
    forgot = Finding("forgetting", "The base forgot.", "Set a limit.")
    assert names(replace(GOOD, training=(forgot, over), forgetting=0.9)) == ["forgetting", "over-fitting"]
    healthy = Finding("healthy", "Nothing stands out in 8 looks.", "More data.")
    assert about_run(replace(GOOD, training=(healthy,))) == [healthy]
    assert names(replace(GOOD, training=(healthy,), leaked=1)) == ["leak"]


def test_what_changes_nothing_is_no_finding():
    """One leaked row of 1,421, or a row that repeats another, moves no figure that is shown."""
    many = replace(GOOD, test=interval(0.9, 0.88, 0.92, 1421))
    assert "leak" not in names(replace(many, leaked=1))
    assert "leak" in names(replace(many, leaked=5))
    assert "leak" not in names(replace(many, leaked_valid=1, valid_rows=1421))
    assert "repeated rows" not in names(replace(many, repeated=1))
    assert "repeated rows" in names(replace(many, repeated=300))


def test_the_worst_comes_first():
    unsteady = Finding("instability", "Training was unstable.", "Try `--strategy lora`.")
    mixed = replace(
        LOST, leaked=5, training=(unsteady,), test=interval(0.34, 0.2, 0.48), rows_a_class=np.array([3, 3, 3])
    )
    assert names(mixed) == ["leak", "instability", "no signal", "tiny test set", "too few data"]


# --- The test part --------------------------------------------------------------------------------


def test_a_leak_is_told_with_what_the_clean_rows_say():
    found = about_run(replace(GOOD, leaked=100, clean=interval(0.8, 0.75, 0.85, 300)))[0]
    assert found.sentence == (
        "Leak: 100 of 400 test rows have a duplicate among the training rows; accuracy is 0.900 with them and 0.800 "
        "[0.750, 0.850] on the other 300."
    )
    unknown = about_run(replace(GOOD, leaked=100))[0].sentence
    assert "may raise accuracy by up to 0.250" in unknown
    by_order = about_run(replace(GOOD, metric="auroc", leaked=100))[0].sentence
    assert "up to" not in by_order  # a row's share in an AUROC is not 1 / n


def test_the_difference_of_two_scores_holds_the_truth():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        a, b = (rng.integers(0, 2, n) for n in (60, 200))
        found = difference(
            score_interval("accuracy", a, answers(rng, a, 2, 0.9)),
            score_interval("accuracy", b, answers(rng, b, 2, 0.8)),
            0.99,
        )
        held.append(found.low <= 0.1 <= found.high)
    assert np.mean(held) >= 0.975


@pytest.mark.parametrize(
    ("valid", "named"),
    [
        ((0.97, 0.95, 0.985, 300), True),
        ((0.94, 0.91, 0.96, 300), False),  # at 95 % it would be
        ((1.0, 0.86, 1.0, 20), False),
        ((0.80, 0.75, 0.84, 300), False),  # better, but a third fewer rows to learn from may explain it
        ((0.50, 0.45, 0.55, 300), True),
    ],
)
def test_test_and_validation_disagree_only_beyond_chance(valid, named):
    assert ("test unlike valid" in names(replace(GOOD, valid=interval(*valid)))) == named


@pytest.mark.parametrize(
    ("valid", "named"), [((0.5, 0.45, 0.55), True), ((0.95, 0.9, 1.0), False), ((2.2, 2.0, 2.4), True)]
)
def test_losses_turn_the_sign(valid, named):
    loss = replace(GOOD, metric="log_loss", test=interval(0.9, 0.8, 1.0), valid=interval(*valid, 300))
    found = {one.name: one.sentence for one in about_run(loss)}
    assert ("test unlike valid" in found) == named
    if named:
        assert (" is worse than " in found["test unlike valid"]) == (valid[0] < 0.9)


@pytest.mark.parametrize(
    ("metric", "score", "named"),
    [
        ("accuracy", (0.7, 0.55, 0.85), True),
        ("accuracy", (0.7, 0.61, 0.79), False),
        ("mae", (12.0, 5.0, 19.0), True),
        ("mae", (12.0, 9.0, 15.0), False),
    ],
)
def test_a_test_set_is_tiny_where_its_interval_is_wide(metric, score, named):
    wide = replace(GOOD, metric=metric, test=interval(*score), valid=None, labels=())
    assert ("tiny test set" in names(wide)) == named


def test_the_rows_asked_for_follow_the_square_of_the_width():
    found = about_run(replace(GOOD, test=interval(0.7, 0.5, 0.9, 20)))[0]
    assert "about 320 would give ±0.050" in found.suggestion  # 20 × (0.2 / 0.05)²


def test_a_score_without_an_interval_is_of_a_tiny_test_set():
    found = about_run(replace(GOOD, metric="brier", test=interval(0.1, NAN, NAN, 3)))[0]
    assert found.name == "tiny test set"
    assert "3 rows give Brier score 0.100 no interval" in found.sentence


# --- The model ------------------------------------------------------------------------------------


def test_no_signal_says_what_it_rests_on():
    found = about_run(LOST)[0]
    assert found.name == "no signal"
    assert "gain 0.000 [−0.040, +0.040]" in found.sentence.replace("+0.000", "0.000")
    assert "nor is pixels better than that" in found.sentence


@pytest.mark.parametrize(
    "change",
    [
        {"auroc": interval(0.6, 0.55, 0.65)},  # it ranks
        {"over_majority": {"pixels": interval(0.1, 0.05, 0.15)}},  # a control sees something
        {"gains": {"majority": interval(0.02, -0.1, 0.14)}},  # a signal is not ruled out
    ],
)
def test_no_signal_is_not_claimed_beyond_the_evidence(change):
    found = names(replace(LOST, **change))
    assert "no signal" not in found
    assert "no better than majority" in found


def test_the_cause_is_told_in_place_of_the_effect():
    sees = {**LOST.gains, "pixels": interval(-0.1, -0.15, -0.05)}
    assert names(replace(LOST, gains=sees)) == ["wrong base"]
    constant = replace(LOST, confusion=np.array([[130, 0, 0], [140, 0, 0], [130, 0, 0]]))
    assert names(constant) == ["one answer"]
    assert "another `--base`" in about_run(constant)[0].suggestion
    rare = replace(constant, confusion=np.array([[380, 0, 0], [10, 0, 0], [10, 0, 0]]))
    assert "balanced_accuracy" in about_run(rare)[0].suggestion


def test_the_wrong_base_names_the_better_control_and_the_distance():
    gains = {**GOOD.gains, "pixels": interval(-0.05, -0.09, -0.01), "words": interval(-0.2, -0.3, -0.1)}
    found = about_run(replace(GOOD, gains=gains, distance=0.8))[0]
    assert found.name == "wrong base"
    assert "the baseline words does better than base 'tiny'" in found.sentence
    assert "distance 0.80 from its pretraining data" in found.sentence
    assert "`--strategy full`" in found.suggestion
    assert "`--strategy full`" not in about_run(replace(GOOD, gains=gains, adapted=True))[0].suggestion


def test_a_class_never_predicted_needs_rows_that_were_there_to_be_found():
    matrix = np.array([[150, 10, 0], [10, 150, 0], [20, 10, 0]])
    found = about_run(replace(GOOD, confusion=matrix, rows_a_class=np.array([100, 100, 9])))[0]
    assert found.name == "class never predicted"
    assert "'cat' is never predicted, though 30 test rows are of it; it has 9 training rows" in found.sentence
    assert found.suggestion == "Label more rows of 'cat'; it is mostly predicted as 'ant', so compare their labels."
    matrix[2] = [2, 1, 0]
    assert names(replace(GOOD, confusion=matrix)) == ["healthy"]


def test_a_weak_class_is_one_of_many_looked_at():
    eye = np.eye(20, dtype=int)
    matrix = 10 * eye
    matrix[3] = 7 * eye[4] + 3 * eye[3]
    many = replace(GOOD, labels=tuple("abcdefghijklmnopqrst"), rows_a_class=np.full(20, 50))
    assert names(replace(many, confusion=matrix)) == ["healthy"]  # three of ten, the worst of twenty
    matrix[3] = 36 * eye[4] + 4 * eye[3]
    found = about_run(replace(many, confusion=matrix))[0]
    assert found.name == "weak class"
    assert "of its 40 test rows 4 are right" in found.sentence
    assert found.suggestion.startswith("Look at the rows of 'd'")  # it has as many rows as the others


@pytest.mark.parametrize(
    ("task", "rows", "a_class", "named"),
    [
        ("classification", 30, [3, 3, 24], True),
        ("classification", 90, [30, 30, 30], False),
        ("regression", 20, None, True),
        ("regression", 200, None, False),
    ],
)
def test_few_rows(task, rows, a_class, named):
    few = RunEvidence(
        task,
        "r2" if task == "regression" else "accuracy",
        interval(0.6, 0.55, 0.65),
        GOOD.gains,
        labels=GOOD.labels if a_class else (),
        rows=rows,
        rows_a_class=None if a_class is None else np.array(a_class),
    )
    assert (names(few) == ["too few data"]) == named


def test_a_run_of_two_classes_is_as_good():
    two = replace(
        GOOD, labels=("no", "yes"), confusion=np.array([[180, 20], [20, 180]]), rows_a_class=np.array([150, 150])
    )
    assert names(two) == ["healthy"]
