"""Planted situations: the verdict and the findings are right, and none is claimed beyond its evidence.

Each is built from numbers whose truth is known and judged as a run judges it (`tests.flow.planted`), over several
seeds where chance matters; `test_situation_runs` has some of them as whole runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.diagnosis import CurvePoint, Finding, Symptoms, diagnose
from headstart.evaluation.verdict import judge
from tests.flow.planted import Part, Planted, Told, classes, labels, more_rows, part, planted, tell

SEEDS = range(5)
#: Findings that say something is wrong with the base; none of them may be guessed.
OF_THE_BASE = {"wrong base", "negative transfer"}


def claims(told: Told, outcomes: set[str], found: set[str]) -> None:
    """The verdict is one of ``outcomes``; ``found`` is claimed, and nothing else."""
    assert told.verdict.outcome in outcomes, told.verdict.sentence
    assert set(told.findings) == found, told.findings


def rates(make: Callable[[int], Planted], seeds: int) -> tuple[Counter[str], Counter[str]]:
    """How often each outcome and each finding came over seeds."""
    told = [tell(make(seed)) for seed in range(seeds)]
    return Counter(one.verdict.outcome for one in told), Counter(name for one in told for name in one.findings)


# --- Borrowing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_borrowing_helps(seed: int) -> None:
    claims(tell(planted(seed, 300, 400, 3, base=2.5, pixels=1.0)), {"helped"}, {"healthy"})


@pytest.mark.parametrize("metric", ["balanced_accuracy", "f1_macro", "mcc", "auroc", "log_loss", "brier"])
def test_borrowing_helps_by_every_metric(metric: str) -> None:
    """Also by MCC, which the control "majority" has not: a constant answer correlates with nothing."""
    told = tell(replace(planted(0, 300, 400, 3, base=2.5, pixels=1.0), metric=metric))
    claims(told, {"helped"}, {"healthy"})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_control_that_sees_more_makes_it_the_wrong_base(seed: int) -> None:
    told = tell(planted(seed, 300, 400, 3, base=1.2, pixels=2.5))
    claims(told, {"hurt"}, {"wrong base"})
    assert told.verdict.next_step.startswith("Use the baseline pixels")
    assert "negative transfer" not in told.verdict.sentence
    assert "lie " not in told.findings["wrong base"]  # no distance was measured, so none is named


@pytest.mark.parametrize("seed", SEEDS)
def test_features_of_another_modality_are_the_wrong_base_not_missing_signal(seed: int) -> None:
    made = replace(planted(seed, 300, 400, 3, base=0.0, pixels=2.0), known={"distance": 0.93})
    told = tell(made)
    claims(told, {"hurt"}, {"wrong base"})
    assert "distance 0.93 from its pretraining data" in told.findings["wrong base"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_large_distance_alone_is_no_finding(seed: int) -> None:
    made = replace(planted(seed, 300, 400, 3, base=2.5, pixels=1.0), known={"distance": 1.0})
    claims(tell(made), {"helped"}, {"healthy"})


@pytest.mark.parametrize("seed", SEEDS)
def test_random_weights_that_do_better_are_negative_transfer(seed: int) -> None:
    told = tell(planted(seed, 300, 400, 3, base=1.5, pixels=0.8, scratch=2.5))
    claims(told, {"hurt"}, {"negative transfer"})
    assert "This is negative transfer" in told.verdict.sentence


@pytest.mark.parametrize("seed", SEEDS)
def test_what_random_weights_do_as_well_is_not_put_down_to_borrowing(seed: int) -> None:
    made = planted(seed, 300, 400, 3, base=2.5, pixels=0.8)
    twin = {part: replace_seen(getattr(made, part), "scratch", "base", seed) for part in ("train", "test")}
    told = tell(replace(made, **twin))
    claims(told, {"did not help", "cannot tell"}, {"healthy"})
    assert "may come from the architecture" in told.verdict.sentence


def replace_seen(rows: Part, name: str, like: str, seed: int) -> Part:
    """Another sees what ``like`` sees, but for a little noise."""
    x = rows.seen[like]
    noise = np.random.default_rng(seed).normal(0, 0.1, x.shape).astype(np.float32)
    return Part({**rows.seen, name: x + noise}, rows.y)


def test_equal_models_on_many_rows_are_hardly_ever_told_apart() -> None:
    """The control sees the same but for a little noise; "hurt" and "helped" are 95 % claims."""

    def equal(seed: int) -> Planted:
        made = planted(seed, 200, 1500, 3, base=1.5)
        rng = {part: replace_seen(getattr(made, part), "pixels", "base", seed) for part in ("train", "test")}
        return replace(made, **rng)

    outcomes, found = rates(equal, 20)
    assert outcomes["did not help"] >= 17
    assert outcomes["helped"] + outcomes["hurt"] <= 3
    assert found["wrong base"] == outcomes["hurt"]
    assert set(found) <= {"healthy", "no gain shown", "wrong base"}


def test_equal_models_on_few_rows_ask_for_more() -> None:
    outcomes, found = rates(lambda seed: planted(seed, 200, 150, 3, base=1.5, pixels=1.5), 20)
    assert outcomes["cannot tell"] >= 17
    assert "no better than majority" not in found


@pytest.mark.parametrize("seed", SEEDS)
def test_one_of_several_controls_that_is_not_beaten_holds_back_the_verdict(seed: int) -> None:
    """The best control is beaten for sure, another only perhaps: its gain is larger, but known less well."""
    told = tell(planted(seed, 300, 400, 3, base=2.5, pixels=1.5))
    gains = {**told.evidence.gains, "counts": Interval(0.5, -0.02, 1.0, 0.95, 400)}
    verdict = judge(told.evidence.test, "accuracy", gains)
    assert told.verdict.outcome == "helped"
    assert verdict.outcome == "cannot tell"
    assert "for counts" in verdict.sentence


# --- No signal ------------------------------------------------------------------------------------


def test_random_labels_are_no_signal_and_nobodys_fault() -> None:
    outcomes, found = rates(lambda seed: planted(seed, 300, 1000, 10, base=0.0, pixels=0.0), 20)
    assert outcomes["helped"] == 0
    assert found["no signal"] >= 15
    assert found["no signal"] + found["no better than majority"] + found["wrong base"] == 20
    assert found["wrong base"] <= 2  # a 95 % claim for the one control
    assert not set(found) & {"healthy", "too few data", "negative transfer", "class never predicted", "weak class"}


def test_random_labels_on_few_test_rows_do_not_rule_a_signal_out() -> None:
    outcomes, found = rates(lambda seed: planted(seed, 60, 40, 2, base=0.0, pixels=0.0), 20)
    assert outcomes["cannot tell"] >= 16
    assert found["no signal"] <= 1
    assert found["no better than majority"] >= 16
    assert found["tiny test set"] == 20
    assert "healthy" not in found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_base_that_gives_every_input_the_same_features_gives_one_answer(seed: int) -> None:
    made = planted(seed, 200, 300, np.array([0.5, 0.3, 0.2]), pixels=2.0)
    told = tell(replace(made, train=constant(made.train), test=constant(made.test)))
    claims(told, {"hurt"}, {"wrong base", "one answer"})


def constant(rows: Part) -> Part:
    return Part({**rows.seen, "base": np.ones((len(rows), 4), np.float32)}, rows.y)


def test_noise_is_no_signal_for_values_either() -> None:
    rng = np.random.default_rng(0)
    rows = {n: Part({"base": rng.normal(size=(n, 6)).astype(np.float32)}, rng.normal(size=(n, 1))) for n in (300, 900)}
    told = tell(Planted(rows[300], rows[900], "r2", "regression"))
    claims(told, {"did not help", "hurt"}, {"no signal"})
    assert "Use no model yet" in told.verdict.next_step


@pytest.mark.parametrize("metric", ["r2", "mae", "spearman"])
def test_values_that_the_base_sees(metric: str) -> None:
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(6, 1))

    def rows(n: int) -> Part:
        x = rng.normal(size=(n, 6)).astype(np.float32)
        return Part({"base": x, "pixels": x[:, :2]}, x @ weight + rng.normal(0, 0.3, (n, 1)))

    claims(tell(Planted(rows(200), rows(300), metric, "regression")), {"helped"}, {"healthy"})


def test_several_labels_a_row() -> None:
    rng = np.random.default_rng(2)

    def rows(n: int) -> Part:
        y = (rng.random((n, 3)) < 0.4).astype(np.int64)
        x = np.concatenate([y + rng.normal(0, 0.4, y.shape), rng.normal(size=(n, 3))], axis=1).astype(np.float32)
        return Part({"base": x, "pixels": rng.normal(size=(n, 6)).astype(np.float32)}, y)

    claims(tell(Planted(rows(200), rows(300), "f1_macro", "multilabel")), {"helped"}, {"healthy"})


# --- The test part --------------------------------------------------------------------------------


def leaky(seed: int, share: float) -> Planted:
    """``share`` of the test rows are training rows again; features wide enough to learn every row by heart."""
    rng = np.random.default_rng(seed)
    train, test = labels(rng, 150, 3), labels(rng, 200, 3)
    parts = [
        Part({"base": classes(rng, y, 0.0, 3, 300), "pixels": classes(rng, y, 0.0, 3, 4)}, y) for y in (train, test)
    ]
    leaked = np.arange(200) < share * 200
    copied = rng.integers(0, 150, int(leaked.sum()))
    x, y = parts[1].seen["base"].copy(), test.copy()
    x[leaked], y[leaked] = parts[0].seen["base"][copied], train[copied]
    return Planted(parts[0], Part({**parts[1].seen, "base": x}, y), leaked=leaked)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leak_helps_nobody(seed: int) -> None:
    """Labels are random: only what is learnt by heart is right. Without the leaked rows nothing is left of it."""
    made = leaky(seed, 0.5)
    blind = tell(replace(made, leaked=None))
    assert blind.verdict.outcome == "helped"  # what would be claimed if nobody looked
    told = tell(made)
    assert told.verdict.outcome in {"cannot tell", "did not help", "hurt"}
    assert "100 test rows that have a duplicate among the training rows" in told.verdict.sentence
    assert next(iter(told.findings)) == "leak"
    assert "100 of 200 test rows" in told.findings["leak"]
    assert not OF_THE_BASE & set(told.findings)
    assert "on the other 100" in told.findings["leak"]


@pytest.mark.parametrize("seed", SEEDS)
def test_one_leaked_row_is_told_and_changes_nothing(seed: int) -> None:
    made = planted(seed, 300, 400, 3, base=2.5, pixels=1.0)
    told = tell(replace(made, leaked=np.arange(400) == 7))
    claims(told, {"helped"}, {"leak"})
    assert "1 of 400 test rows" in told.findings["leak"]


def test_a_test_part_that_leaked_whole_says_nothing() -> None:
    told = tell(leaky(0, 1.0))
    assert told.verdict.outcome == "cannot tell"
    assert "all 200 test rows have a duplicate" in told.verdict.sentence
    assert "says nothing about new inputs" in told.findings["leak"]


def test_a_leak_into_the_validation_part_is_not_one_into_the_test_part() -> None:
    known = {"leaked_valid": 30, "valid_rows": 100}
    told = tell(replace(planted(0, 300, 400, 3, base=2.5, pixels=1.0), known=known))
    claims(told, {"helped"}, {"leak"})
    assert "the test score stands" in told.findings["leak"]


@pytest.mark.parametrize("seed", SEEDS)
def test_four_test_rows_tell_nothing_however_clear(seed: int) -> None:
    told = tell(planted(seed, 300, 4, 2, base=4.0, pixels=0.0))
    assert told.verdict.outcome == "cannot tell"
    assert "tiny test set" in told.findings
    assert set(told.findings) <= {"tiny test set", "no better than majority"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tiny_test_set_is_named_beside_a_clear_gain(seed: int) -> None:
    told = tell(planted(seed, 300, 40, 4, base=1.7, pixels=0.0))
    claims(told, {"helped", "cannot tell"}, {"tiny test set"})
    assert "Label more test rows: about " in told.findings["tiny test set"]


def test_a_test_part_of_one_class_judges_nothing() -> None:
    made = planted(0, 300, 400, 3, base=2.5, pixels=1.0)
    rows = made.test.take(made.test.y == 1)
    told = tell(replace(made, test=rows, metric="auroc"))
    claims(told, {"cannot tell"}, {"one class tested"})
    assert "undefined" in told.verdict.sentence
    by_accuracy = tell(replace(made, test=rows))
    assert "one class tested" in by_accuracy.findings
    assert not {"one answer", "imbalance", "class never predicted", "no signal"} & set(by_accuracy.findings)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_test_part_from_elsewhere_is_unlike_the_validation_rows(seed: int) -> None:
    made = planted(seed, 300, 400, 3, base=2.5, pixels=0.5)
    drift = np.random.default_rng(7).normal(0, 0.8, made.test.seen["base"].shape[1]).astype(np.float32)
    blurred = made.test.seen["base"] * 0.5 + drift
    told = tell(replace(made, test=Part({**made.test.seen, "base": blurred}, made.test.y)))
    assert "test unlike valid" in told.findings
    assert "leak" not in told.findings
    assert " is worse than " in told.findings["test unlike valid"]


def test_parts_of_one_source_hardly_ever_disagree() -> None:
    sizes = [(60, 100), (150, 100), (300, 400)]
    _, found = rates(lambda seed: planted(seed, *sizes[seed % 3], 3, base=2.0, pixels=0.5), 30)
    assert found["test unlike valid"] <= 2
    assert not set(found) & {"leak", "no signal", "no better than majority", "wrong base", "repeated rows"}


def test_repeated_test_rows_are_fewer_than_they_look() -> None:
    told = tell(replace(planted(0, 300, 400, 3, base=2.5, pixels=1.0), known={"repeated": 300}))
    claims(told, {"helped"}, {"repeated rows"})
    assert "rests on 100 rows that differ" in told.findings["repeated rows"]
    assert "its interval allows for that" in told.findings["repeated rows"]


@pytest.mark.parametrize(
    ("times", "n", "named"), [(20, 200, True), (2, 50, False), (20, 20_000, False), (0, 20, False)]
)
def test_a_test_part_opened_often_may_flatter(times: int, n: int, named: bool) -> None:
    half = 1.96 * (0.9 * 0.1 / n) ** 0.5
    score = Interval(0.9, 0.9 - half, 0.9 + half, 0.95, n)
    told = tell(replace(planted(0, 300, 200, 3, base=2.5, pixels=1.0), known={"opened_before": times, "test": score}))
    assert ("test set reused" in told.findings) == named
    if named:
        assert "evaluated 20 times before" in told.findings["test set reused"]


def test_what_gives_the_label_away_comes_first() -> None:
    known = {"giveaways": ("File size alone tells the class in 97 % of the rows.",)}
    told = tell(replace(leaky(0, 0.3), known=known))
    assert list(told.findings)[:2] == ["giveaway", "leak"]


# --- Classes and confidence -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_imbalance_hides_behind_accuracy_and_not_behind_balanced_accuracy(seed: int) -> None:
    made = planted(seed, 600, 1000, np.array([0.9, 0.1]), base=1.6, pixels=0.0)
    by_accuracy = tell(made)
    assert by_accuracy.verdict.outcome != "hurt"
    assert "imbalance" in by_accuracy.findings
    assert "no signal" not in by_accuracy.findings  # the model does rank the rows
    assert "`--metric balanced_accuracy`" in by_accuracy.findings["imbalance"]
    balanced = tell(replace(made, metric="balanced_accuracy"))
    assert balanced.verdict.outcome == "helped"
    assert not {"imbalance", "no signal", "no better than majority"} & set(balanced.findings)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_class_that_was_hardly_learnt_is_never_predicted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    learnt = part(rng, 300, np.array([0.5, 0.49, 0.01]), base=2.0, pixels=0.5)
    told = tell(Planted(hidden(learnt, 2), hidden(part(rng, 300, np.array([0.4, 0.4, 0.2]), base=2.0, pixels=0.5), 2)))
    assert told.verdict.outcome == "helped"
    sentence = told.findings["class never predicted"]
    assert "'c' is never predicted, though 60 test rows are of it; it has 3 training rows" in sentence
    assert "Label more rows of 'c'" in sentence
    assert "weak class" not in told.findings
    assert "one answer" not in told.findings


def hidden(rows: Part, which: int) -> Part:
    """The base cannot tell class ``which`` from class 0."""
    x = rows.seen["base"].copy()
    own, other = rows.y == which, rows.y == 0
    x[own] = x[np.resize(np.flatnonzero(other), int(own.sum()))] + 0.01
    return Part({**rows.seen, "base": x}, rows.y)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_class_taken_for_another_is_weak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.array([0.4, 0.4, 0.2])
    told = tell(Planted(*(mixed(part(rng, n, shares, base=2.5, pixels=0.3), rng) for n in (400, 500))))
    assert told.verdict.outcome == "helped"
    assert "mostly predicted as 'a'" in told.findings["weak class"]
    assert set(told.findings) == {"weak class"}


def mixed(rows: Part, rng: np.random.Generator) -> Part:
    """Five in six rows of class 2 look like class 0."""
    looks = np.where((rows.y == 2) & (rng.random(len(rows)) < 5 / 6), 0, rows.y)
    return Part({**rows.seen, "base": classes(rng, looks, 3.0, 3)}, rows.y)


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_that_are_equally_hard_are_not_called_weak(seed: int) -> None:
    told = tell(planted(seed, 400, 300, 8, base=1.2, pixels=0.2))
    assert not {"weak class", "class never predicted"} & set(told.findings)


@pytest.mark.parametrize(("temperature", "name"), [(0.2, "over-confidence"), (1.0, ""), (8.0, "under-confidence")])
@pytest.mark.parametrize("seed", SEEDS)
def test_confidence_is_doubted_where_it_is_off(seed: int, temperature: float, name: str) -> None:
    made = replace(planted(seed, 400, 400, 3, base=1.7, pixels=0.5), temperature=temperature)
    claims(tell(made), {"helped"}, {name or "healthy"})


# --- Rows to learn from, and training -------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_handful_of_rows_a_class_are_too_few(seed: int) -> None:
    told = tell(planted(seed, 15, 200, 3, base=1.7, pixels=0.0))
    assert "the median class has 5 training rows" in told.findings["too few data"]
    assert not OF_THE_BASE & set(told.findings)


def test_more_rows_that_are_shown_to_help_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    rows = [Part({"base": classes(rng, y, 3.0, 8, 200)}, y) for y in (labels(rng, n, 8) for n in (1500, 400))]
    gain = more_rows(Planted(*rows))
    assert gain.low > 0
    told = tell(Planted(*rows, known={"more_rows": gain}))
    claims(told, {"helped"}, {"too few data"})
    assert "instead of half of them brought accuracy +" in told.findings["too few data"]
    assert "of the median class" not in told.findings["too few data"]  # 187 are not few


@pytest.mark.parametrize("gain", [(0.004, 0.001, 0.007), (0.0, -0.01, 0.01)])
def test_more_rows_that_bring_next_to_nothing_are_not(gain: tuple[float, float, float]) -> None:
    made = planted(0, 15, 200, 3, base=1.7, pixels=0.0)
    assert "too few data" in tell(made).findings
    assert "too few data" not in tell(replace(made, known={"more_rows": Interval(*gain, 0.95, 5000)})).findings


@pytest.mark.parametrize("seed", SEEDS)
def test_few_rows_that_are_enough_are_not_too_few(seed: int) -> None:
    told = tell(planted(seed, 24, 300, 3, base=6.0, pixels=0.0))
    assert told.verdict.outcome == "helped"
    assert "too few data" not in told.findings


def symptoms(rising: float) -> Symptoms:
    looks = range(1, 9)
    curve = tuple(
        CurvePoint(10 * i, i, 0.5**i, max(0.5, 1.2 - 0.2 * i) + rising * max(0, i - 4), 0.8, 1e-3) for i in looks
    )
    return Symptoms(curve, 1.0 if rising else 0.9, 0.8 if rising else 0.88, True, "accuracy", None, 0, 900, 3, False)


def test_over_fitting_of_the_training_is_told_with_the_rest() -> None:
    over, fine = tuple(diagnose(symptoms(0.1))), tuple(diagnose(symptoms(0.0)))
    assert [one.name for one in over] == ["over-fitting"]
    made = planted(0, 300, 400, 3, base=2.5, pixels=1.0)
    assert set(tell(replace(made, known={"training": over})).findings) == {"over-fitting"}
    assert tell(replace(made, known={"training": fine})).findings.keys() == {fine[0].name}
    leaking = tell(replace(made, known={"training": (Finding("healthy", "All is well.", "Go on."),), "repeated": 120}))
    assert "healthy" not in leaking.findings


@pytest.mark.parametrize(("error", "limit", "named"), [(0.4, None, False), (0.2, 0.1, True), (0.4, 0.5, False)])
def test_forgetting_is_told_above_its_limit(error: float, limit: float | None, named: bool) -> None:
    known = {"forgetting": error, "max_forgetting": limit}
    told = tell(replace(planted(0, 300, 400, 3, base=2.5, pixels=1.0), known=known))
    claims(told, {"helped"}, {"forgetting"} if named else {"healthy"})
