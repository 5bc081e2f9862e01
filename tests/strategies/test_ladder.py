"""The ladder on made-up candidates: what it tries, takes, leaves, and writes down."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.bases.runtime import REFERENCE, Measured
from headstart.errors import SettingError
from headstart.evaluation.bootstrap import paired_gain
from headstart.settings import TrainingSettings
from headstart.strategies import budget as ladder_budget
from headstart.strategies import plan, way
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.forms import LEAST_STEPS
from headstart.strategies.ground import Ground
from headstart.strategies.holding import Holding
from headstart.strategies.ladder import Climb, climb, single
from headstart.strategies.names import STRATEGIES, get
from headstart.strategies.plan import LARGE, could_show
from headstart.strategies.pricing import NOTHING_FOLLOWS, Later, pace_of
from headstart.strategies.smaller import Smaller
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import told, train_options
from headstart.strategies.way import MORE, Way
from headstart.training.recipe import Recipe
from headstart.training.speed import Speed
from tests.strategies.made_up import BETWEEN, ROWS, SPEED, Made, Point, Told, answers, candidate, ground, make, run

__all__ = ["make"]
Make = Callable[..., Made]


def climbed(made: Made, budget: float | None = None, metric: str = "accuracy") -> Climb:
    on = ground(metric)
    return climb(on, candidate(on, "probe", made.right["probe"]), Budget(budget), 1.0)


def decisions(result: Climb) -> dict[str, str]:
    return {rung.strategy: rung.decision for rung in result.rungs}


def test_rungs_are_taken_while_they_pay(make: Make) -> None:
    made = make(probe=300, head2toe=320, partial=340, full=360)
    result = climbed(made)
    assert decisions(result) == {"probe": "start", "head2toe": "taken", "partial": "taken", "full": "taken"}
    assert [rung.against for rung in result.rungs] == ["", "probe", "head2toe", "partial"]
    assert result.best.strategy == "full"
    assert [one.strategy for one in result.candidates] == ["probe", "head2toe", "partial", "full"]


def test_training_starts_from_the_rung_below_but_never_from_features_of_all_stages(make: Make) -> None:
    made = make(probe=300, head2toe=320, partial=340, full=360)
    climbed(made)
    assert made.below == {"partial": "probe", "full": "partial"}


def test_training_starts_from_the_best_below_not_from_one_that_was_left(make: Make) -> None:
    made = make(probe=300, head2toe=300, partial=302, full=340)
    result = climbed(made)
    assert decisions(result)["partial"] == "not taken"
    assert made.below["full"] == "probe"
    assert result.best.strategy == "full"


def test_climbing_stops_after_training_that_does_not_pay(make: Make) -> None:
    made = make(probe=300, head2toe=300, partial=299, full=400)
    result = climbed(made)
    assert made.order == ["head2toe", "partial"]
    assert decisions(result)["full"] == "not tried"
    assert result.rungs[-1].reason == "partial did not improve the score"
    assert result.best.strategy == "probe"
    assert [one.strategy for one in result.candidates] == ["probe", "head2toe", "partial"]


def test_climbing_goes_on_after_training_that_the_budget_cut_short(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it did not pay says little of it, and time is left."""
    made = make(probe=300, head2toe=300, partial=299, full=400)
    own = way.trained

    def shortened(on: Ground, strategy: Strategy, *given: Any) -> Candidate:
        found = own(on, strategy, *given)
        return replace(found, runs=(run(strategy.name, "budget"),)) if strategy.name == "partial" else found

    monkeypatch.setattr(way, "trained", shortened)
    assert decisions(climbed(made)) == {
        "probe": "start",
        "head2toe": "not taken",
        "partial": "not taken",
        "full": "taken",
    }


def test_climbing_goes_on_after_head2toe_that_does_not_pay(make: Make) -> None:
    made = make(probe=300, head2toe=200, partial=340, full=340)
    result = climbed(made)
    assert decisions(result) == {"probe": "start", "head2toe": "not taken", "partial": "taken", "full": "not taken"}
    assert result.best.strategy == "partial"


@pytest.mark.parametrize(("right", "taken"), [(301, False), (302, False), (310, True)])
def test_a_rung_is_taken_where_its_lower_bound_is_above_0(make: Make, right: int, taken: bool) -> None:
    result = climbed(make(probe=300, head2toe=right, partial=right, full=right))
    rung = result.rungs[1]
    assert (rung.decision == "taken") == (rung.low > 0) == taken
    assert result.best.strategy == ("head2toe" if taken else "probe")


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "log_loss"])
def test_bounds_are_those_of_the_paired_gain_at_a_third_of_10_percent(make: Make, metric: str) -> None:
    result, on = climbed(make(probe=300, head2toe=312, partial=300, full=300), metric=metric), ground(metric)
    gain = paired_gain(metric, on.held_y, answers(on, 312), answers(on, 300), level=1 - 2 * 0.1 / 3)
    rung = result.rungs[1]
    assert (rung.gain, rung.low, rung.high) == (gain.value, gain.low, gain.high)
    assert rung.gain > 0
    assert rung.valid_score == result.candidates[1].valid_score
    assert "with 96 % confidence" in rung.reason


def test_a_rung_that_was_taken_passes_its_share_on(make: Make) -> None:
    make(probe=300, head2toe=330, partial=300, full=300)
    on = ground()
    rung = climb(on, candidate(on, "probe", 300), Budget(None), 1.0).rungs[2]
    gain = paired_gain("accuracy", on.held_y, answers(on, 300), answers(on, 330), level=1 - 4 * 0.1 / 3)
    assert (rung.low, rung.high) == pytest.approx((gain.low, gain.high))


def test_one_planned_rung_has_the_whole_chance(make: Make) -> None:
    make(far=0.6, probe=300, head2toe=300, full=310)
    on = ground()
    full = climb(on, candidate(on, "probe", 300), Budget(None), 1.0).rungs[-1]
    gain = paired_gain("accuracy", on.held_y, answers(on, 310), answers(on, 300), level=0.8)
    assert (full.low, full.high) == pytest.approx((gain.low, gain.high))


def test_training_that_goes_on_is_compared_with_the_weights_that_it_starts_from(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rows that chose them favoured by chance is in both, and cancels."""
    make(probe=300, head2toe=300, partial=340, full=350)
    own = way.trained

    def kept(on: Ground, strategy: Strategy, *given: Any) -> Candidate:
        made = own(on, strategy, *given)
        return replace(made, kept=answers(on, 349)) if strategy.name == "partial" else made

    monkeypatch.setattr(way, "trained", kept)
    on = ground()
    rungs = climb(on, candidate(on, "probe", 300), Budget(None), 1.0).rungs
    assert rungs[2].gain == pytest.approx(40 / 400)
    assert rungs[3].gain == pytest.approx(1 / 400)
    assert rungs[3].decision == "not taken"


def test_chosen_looks_widen_the_bounds(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(probe=300, head2toe=300, partial=340, full=340)
    plain = climbed_on(300).rungs[2]
    own = way.trained
    monkeypatch.setattr(way, "trained", lambda *given: replace(own(*given), chosen=True))
    wide = climbed_on(300).rungs[2]
    assert wide.gain == plain.gain
    assert wide.gain - wide.low == pytest.approx(math.sqrt(1 + 1 / math.pi) * (plain.gain - plain.low))


def climbed_on(right: int) -> Climb:
    on = ground()
    return climb(on, candidate(on, "probe", right), Budget(None), 1.0)


def test_a_rung_too_dear_for_the_budget_is_not_tried(make: Make) -> None:
    made = make(replace(SPEED, step=10.0), probe=300, head2toe=310, partial=400, full=400)
    result = climbed(made, budget=60.0)
    assert decisions(result) == {
        "probe": "start",
        "head2toe": "taken",
        "partial": "not tried",
        "full": "not tried",
    }
    rung = result.rungs[2]
    assert rung.reason.startswith("it would take about ")
    assert rung.reason.endswith(" of the budget are left")
    assert rung.predicted_seconds > 60
    assert rung.seconds == 0
    assert math.isnan(rung.valid_score)
    assert math.isnan(rung.gain)
    assert result.record.budget_seconds == 60


def test_what_is_kept_back_is_not_for_rungs(make: Make) -> None:
    make(probe=300, head2toe=310, partial=400, full=400)
    on = ground()
    result = climb(on, candidate(on, "probe", 300), Budget(60.0, kept_back=60.0), 1.0)
    assert set(decisions(result).values()) == {"start", "not tried"}
    assert result.best is result.probe


def test_training_gets_a_share_of_what_is_left(make: Make) -> None:
    made = make(probe=300, head2toe=300, partial=340, full=340)
    climbed(made, budget=3600.0)
    assert all(0 < (seconds or 0) < 1800 for seconds in made.seconds.values())
    climbed(made)
    assert set(made.seconds.values()) == {None}


def test_rungs_that_could_not_be_shown_to_pay_are_not_tried(make: Make) -> None:
    made = make(probe=ROWS - 3, head2toe=ROWS, partial=ROWS, full=ROWS)
    result = climbed(made)
    assert made.order == []
    assert set(decisions(result).values()) == {"start", "not tried"}
    reason = "correcting even a third of the mistakes could not be shown on 400 held-out rows"
    assert {rung.reason for rung in result.rungs[1:]} == {reason}
    assert result.record.plan == f"the probe alone: {reason}"
    assert result.record.predicted_seconds == 0


FAVOURED = "the data are different from the pretraining data (distance 0.60), where all stages do better than the last"


@pytest.mark.parametrize(
    ("right", "taken", "said"),
    [
        (340, True, ""),
        (300, True, f"; {FAVOURED}, so it is accepted, not being shown to be worse"),
        (299, True, f"; {FAVOURED}, so it is accepted, not being shown to be worse"),
        (200, False, f"; {FAVOURED}, but it is shown to be worse"),
    ],
)
def test_far_from_the_base_all_stages_are_taken_unless_shown_to_be_worse(
    make: Make, right: int, taken: bool, said: str
) -> None:
    result = climbed(make(far=0.6, probe=300, head2toe=right, full=290))
    rung, full = result.rungs[1], result.rungs[-1]
    assert (rung.decision == "taken") == (rung.high > 0) == taken
    assert rung.reason.partition("confidence")[2] == said
    assert full.against == result.best.strategy == ("head2toe" if taken else "probe")


def test_far_from_the_base_all_stages_are_tried_even_where_nothing_could_be_shown(make: Make) -> None:
    made = make(far=0.6, probe=ROWS - 3, head2toe=ROWS - 3, full=ROWS)
    result = climbed(made)
    assert decisions(result) == {"probe": "start", "head2toe": "taken", "partial": "not tried", "full": "not tried"}
    reason = "correcting even a third of the mistakes could not be shown on 400 held-out rows"
    assert {rung.reason for rung in result.rungs[2:]} == {reason}


NEAR = (
    "the data are similar to the pretraining data (distance 0.20), where the last stage has done as well as all of them"
)
FAR = "the data are different from the pretraining data (distance 0.60): all stages are trained at once instead"


@pytest.mark.parametrize(
    ("far", "rows", "left_out"),
    [
        (0.2, 400, {"head2toe": NEAR}),
        (0.2, 9, {"head2toe": NEAR}),
        (BETWEEN, 9, {}),
        (0.6, 400, {"partial": FAR}),
        (math.nan, 9, {}),
    ],
)
def test_rungs_that_did_not_pay_on_like_data_are_left_out(
    make: Make, far: float, rows: int, left_out: dict[str, str]
) -> None:
    made, on = make(far=far, head2toe=rows // 3, partial=2 * rows // 3, full=rows), ground(held=rows)
    result = climb(on, candidate(on, "probe", 0), Budget(None), 1.0)
    assert {rung.strategy: rung.reason for rung in result.rungs if rung.decision == "not tried"} == left_out
    assert set(made.order) == {"head2toe", "partial", "full"} - set(left_out)
    assert all(name not in result.record.plan.partition(":")[0] for name in left_out)


@pytest.mark.parametrize(("right", "shown"), [(ROWS, False), (ROWS - 3, False), (ROWS - 60, True), (0, True)])
def test_what_could_be_shown(right: int, shown: bool) -> None:
    on = ground()
    assert could_show(on, answers(on, right)) == shown


def test_the_plan_and_the_record(make: Make) -> None:
    made = make(probe=300, head2toe=310, partial=330, full=350)
    on = ground()
    result = climb(on, candidate(on, "probe", 300), Budget(None), 1.5)
    record, told = result.record, on.progress
    assert record.plan.startswith(
        "probe, then head2toe, then partial, then full, each only while the one before improves the score"
    )
    assert record.predicted_seconds == pytest.approx(sum(rung.predicted_seconds for rung in result.rungs[1:]))
    assert math.isnan(record.budget_seconds)
    assert (record.distance, record.distance_how) == (BETWEEN, "made up")
    assert (record.per_class, record.held_out) == (ROWS, "the validation set")
    assert result.rungs[0].seconds == 1.5
    assert isinstance(told, Told)
    assert told.lines[0] == f"strategy search: {record.plan}"
    assert len(told.lines) == 2 + len(made.order)


def test_adapters_are_the_top_rung_of_a_large_base(make: Make) -> None:
    for linear, top in ((True, "lora"), (False, "full")):
        made = make(weights=LARGE + 1, linear=linear, probe=300, head2toe=310, partial=330, full=350, lora=350)
        climbed(made)
        assert made.order[-1] == top


def test_one_strategy_alone(make: Make) -> None:
    made, on = make(full=350), ground()
    result = single(on, STRATEGIES["full"], candidate(on, "probe", 300), Budget(None), 1.0)
    assert made.below == {"full": "probe"}
    assert result.best.strategy == "full"
    assert decisions(result) == {"full": "start"}
    assert result.rungs[0].reason == "asked for"
    assert result.record.plan == f"full alone, as asked for: {STRATEGIES['full'].summary}"
    assert [one.strategy for one in result.candidates] == ["probe", "full"]


def test_one_strategy_that_the_budget_leaves_no_time_for(make: Make) -> None:
    made, on = make(full=250), ground()
    with pytest.raises(SettingError) as error:
        single(on, STRATEGIES["full"], candidate(on, "probe", 300), Budget(6.0, kept_back=5.0), 1.0)
    assert made.order == []
    assert str(error.value) == (
        "the budget of 6 s leaves no time for strategy 'full': its shortest form would take about 7 s, and 1 s are "
        "left once features, baselines and test are paid for; give a larger --budget, or take --strategy probe, which "
        "is made by then."
    )
    probe = candidate(on, "probe", 300)
    assert single(on, STRATEGIES["probe"], probe, Budget(6.0, kept_back=5.0), 1.0).best is probe


@pytest.mark.parametrize("strategy", ["full", "head2toe"])
def test_a_strategy_that_ends_below_the_probe_is_not_handed_over(make: Make, strategy: str) -> None:
    make(full=250, head2toe=250)
    on = ground()
    probe = candidate(on, "probe", 300)
    result = single(on, STRATEGIES[strategy], probe, Budget(None), 1.0)
    assert result.best is result.probe is probe
    assert decisions(result) == {"probe": "start", strategy: "not taken"}
    assert [one.strategy for one in result.candidates] == ["probe", strategy]
    rung = result.rungs[1]
    assert rung.reason == (
        "asked for, but it ended 0.12 below the probe (accuracy 0.625 against 0.750) on held-out rows: the probe is "
        "selected"
    )
    assert (rung.against, rung.gain) == ("probe", pytest.approx(-0.125))
    assert isinstance(on.progress, Told)
    assert on.progress.lines[-1] == f"  {strategy}: {rung.reason}"


def test_below_the_probe_by_a_loss_is_told_by_its_direction(make: Make) -> None:
    make(full=310)
    on = ground("log_loss")
    assert single(on, STRATEGIES["full"], candidate(on, "probe", 300), Budget(None), 1.0).best.strategy == "full"


def test_training_without_a_step_that_did_better_hands_over_the_probe(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(full=300)
    on = ground()
    none = candidate(on, "full", 300, recipe=Recipe(()))
    monkeypatch.setattr(way, "trained", lambda *_: none)
    result = single(on, STRATEGIES["full"], candidate(on, "probe", 300), Budget(None), 1.0)
    assert result.best is result.probe
    assert result.rungs[1].reason.startswith("asked for, but no step of its training did better on held-out rows")


def test_a_network_from_random_weights_is_handed_over_as_asked_for(make: Make) -> None:
    make(scratch=100)
    on = ground()
    result = single(on, STRATEGIES["scratch"], candidate(on, "probe", 300), Budget(None), 1.0)
    assert result.best.strategy == "scratch"
    assert decisions(result) == {"scratch": "start"}


def test_a_rung_that_does_not_fit_whole_is_tried_in_fewer_steps(make: Make) -> None:
    slow = replace(SPEED, step=0.2)  # 300 steps of 16 rows take 900 s, and 260 s are left
    made = make(slow, far=0.6, probe=300, head2toe=300, full=340)
    on, budget = ground(training=TrainingSettings(scratch_control=False)), Budget(260.0)
    result = climb(on, candidate(on, "probe", 300), budget, 1.0)
    assert decisions(result)["full"] == "taken"
    rung = result.rungs[-1]
    seconds = made.seconds["full"]
    assert seconds is not None
    assert 0.7 * 260 < seconds <= 260
    assert rung.predicted_seconds == pytest.approx(seconds, rel=0.1)
    assert re.search(r"; to keep the budget it was trained for about \d+% of its steps$", rung.reason)
    assert budget.cut == [f"full is trained {rung.reason.partition('it was trained ')[2]}"]
    assert f"  to keep the budget: {budget.cut[0]}" in on.progress.lines  # type: ignore[attr-defined]


def test_measuring_gets_its_share_of_the_budget_and_is_spared_where_nothing_fits(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(probe=300, head2toe=300, partial=300, full=300)
    asked: list[dict[str, object]] = []

    def measured(base: object, rows: object, task: str, outputs: int, **how: object) -> object:
        asked.append(how)
        return SPEED

    monkeypatch.setattr("headstart.training.measuring.measure", measured)
    climbed(Made({"probe": 300}), budget=100.0)
    assert [(how["seconds"], how["also"]) for how in asked] == [(3.0, ())]
    rate = Measured(REFERENCE, 1.0, 0.0, 1.0)  # a row a second: 20 steps of 16 rows take longer than all that is left
    monkeypatch.setattr(plan, "remembered", lambda base: SimpleNamespace(usable=[rate]))
    monkeypatch.setattr(plan, "StagedBase", lambda base: base)
    result = climbed(Made({"probe": 300}), budget=100.0)
    assert len(asked) == 1
    assert result.rungs[1].strategy == "head2toe"  # which trains nothing
    assert re.fullmatch(
        r"features of all stages would take more than 80\d s, and 100 s are left", result.rungs[1].reason
    )
    assert all(rung.reason.startswith("even 20 steps of training would take more than ") for rung in result.rungs[2:])
    assert result.record.unused.startswith("about 100 s of the budget are not used: even 20 steps of training would ")


def test_user_settings_reach_the_plan(make: Make) -> None:
    made = make(probe=300, head2toe=310, partial=330, full=350)
    short, long = ground(training=TrainingSettings(epochs=1)), ground(training=TrainingSettings(epochs=50))
    seconds = [
        climb(on, candidate(on, "probe", 300), Budget(None), 1.0).record.predicted_seconds for on in (short, long)
    ]
    assert seconds[1] > 5 * seconds[0]
    assert made.order.count("full") == 2


def test_thaw_beyond_the_stages_is_refused_before_any_rung(make: Make) -> None:
    made, on = make(probe=300, head2toe=310, partial=330, full=350), ground(training=TrainingSettings(thaw=5))
    with pytest.raises(SettingError, match=r"unfreeze is 5; this base has 4 stages, so it is from 0 to 4\."):
        climb(on, candidate(on, "probe", 300), Budget(None), 1.0)
    assert made.order == []


def test_unknown_strategy_names_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"strategy 'partail' is unknown; it is one of auto, probe, .*'partial'"):
        get("partail")


def test_names() -> None:
    assert list(STRATEGIES) == ["probe", "head2toe", "partial", "progressive", "norm", "lora", "full", "scratch"]
    assert all(name == strategy.name for name, strategy in STRATEGIES.items())
    assert all((strategy.recipe is None) == (strategy.features != "trained") for strategy in STRATEGIES.values())


class Clock:
    """Time as a budget sees it: it passes while something is trained, and not otherwise."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.forms, self.steps = 0.0, list[tuple[str, int, float]](), list[int]()
        patch.setattr(ladder_budget.time, "monotonic", self.read)

    def read(self) -> float:
        """What time it is; reading it takes a hair."""
        self.now += 1e-4
        return self.now

    def training(self, patch: pytest.MonkeyPatch, speed: Speed, *, broken: bool = False, pace: float = 1.0) -> None:
        """Each training takes the time that it is given, or that of its first fold where it is ``broken`` off.

        It makes the steps that this comes to, where each takes ``pace`` times as long as by ``speed``. What was
        trained, on how many parts and in what time is kept.
        """
        own = way.trained

        def timed(on: Ground, strategy: Strategy, below: Candidate, seconds: float | None, *rest: Any) -> Candidate:
            parts = len(on.holding.parts)
            took, runs = (seconds or 0.0) / (parts if broken else 1), 1 if broken else parts
            recipe, batch = told(strategy, on.settings), train_options(on, len(on.rows)).batch
            planned = sum(phase.steps(len(on.holding.parts[0][0]), batch) for phase in recipe.phases)
            made = replace(own(on, strategy, below, seconds, *rest), seconds=took)

            def stepped(steps: int) -> Candidate:
                stopped = "budget" if steps < planned else "finished"
                return replace(
                    made, runs=(replace(run(strategy.name, stopped), steps=steps, curve=(Point(steps),)),) * runs
                )

            steps = next((n for n in range(planned, 1, -1) if pace_of(on, stepped(n), recipe, speed) >= pace), 1)
            self.now += took
            self.forms.append((strategy.name, parts, took))
            self.steps.append(steps)
            return stepped(steps)

        patch.setattr(way, "trained", timed)


def folded(rows: int, **given: Any) -> Ground:
    """``rows`` working rows of two classes, each held out once, in three folds."""
    on = ground(held=rows // 2, **given)
    every = np.arange(rows)
    parts = tuple((np.setdiff1d(every, part), part) for part in np.array_split(every, 3))
    return replace(on, holding=Holding(parts, every, "3 folds"))


ALONE = TrainingSettings(scratch_control=False)


def spread(on: Ground, wrong: int) -> np.ndarray:
    """[h, 2] probabilities that are wrong on one of ``wrong`` held-out rows, in every fold alike."""
    y = on.held_y
    said = np.where(np.arange(len(y)) % wrong == 0, 1 - y, y)
    return np.eye(2)[said] * 0.8 + 0.1


def alike(monkeypatch: pytest.MonkeyPatch, wrong: int, alone: int) -> None:
    """Training ends with one of ``wrong`` answers wrong, and on fewer than three folds one of ``alone``."""
    own = way.trained

    def made(on: Ground, strategy: Strategy, *rest: Any) -> Candidate:
        held = spread(on, alone if len(on.holding.parts) < 3 else wrong)
        return replace(own(on, strategy, *rest), held=held, valid_score=on.score(held))

    monkeypatch.setattr(way, "trained", made)


def gone_on(
    make: Make, monkeypatch: pytest.MonkeyPatch, probe: int, wrong: int, alone: int, seconds: float = 500.0
) -> tuple[Climb, Clock]:
    """A ladder of full alone, for which there is too little time, in three folds of 200 rows."""
    make(replace(SPEED, step=0.2), far=math.nan, head2toe=300, partial=300, full=300)
    monkeypatch.setattr(plan, "_left_out", lambda on, strategy, far: "" if strategy.name == "full" else "not here")
    clock = Clock(monkeypatch)
    clock.training(monkeypatch, replace(SPEED, step=0.2), broken=True)
    alike(monkeypatch, wrong, alone)
    on = folded(600, training=ALONE)
    held = spread(on, probe)
    return climb(on, candidate(on, "probe", 0, held=held), Budget(seconds, _start=0.0), 1.0), clock


def test_what_was_cut_short_and_not_taken_is_tried_for_longer_on_fewer_folds(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, clock = gone_on(make, monkeypatch, probe=4, wrong=4, alone=50)
    assert [(name, parts) for name, parts, _ in clock.forms] == [("full", 3), ("full", 2)]
    assert decisions(result)["full"] == "taken"
    assert [one.strategy for one in result.candidates] == ["probe", "full"]
    rung = result.rungs[-1]
    assert [one.strategy for one in result.rungs].count("full") == 1
    assert re.search(r"with 97 % confidence; .* on 2 of 3 folds alone; before that: gain over probe", rung.reason)
    assert result.ground is not None
    assert len(result.best.held) == len(result.probe.held) == len(result.ground.held_y) == 400
    assert result.probe.valid_score == pytest.approx(0.75)
    assert (result.record.held_out, result.record.unused) == ("2 of 3 folds", "")


def test_a_further_try_that_is_not_taken_changes_no_evidence_and_the_rest_is_accounted_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, clock = gone_on(make, monkeypatch, probe=4, wrong=4, alone=4)
    assert [parts for _, parts, _ in clock.forms] == [3, 2]
    assert decisions(result)["full"] == "not taken"
    assert result.best is result.probe
    assert len(result.best.held) == 600
    assert result.ground is None
    assert re.fullmatch(
        r"about \d+ s of the budget are not used: full could not be trained for 1.2 times as long as before",
        result.record.unused,
    )


def test_nothing_is_tried_on_so_few_rows_that_it_could_not_be_shown(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, clock = gone_on(make, monkeypatch, probe=60, wrong=60, alone=200)
    assert [parts for _, parts, _ in clock.forms] == [3]
    assert "full would be trained for longer only on fewer folds, where correcting even a third of the mistakes" in (
        result.record.unused
    )


def test_one_strategy_below_the_probe_is_tried_for_longer_while_time_is_left(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(replace(SPEED, step=0.2), full=149)
    clock = Clock(monkeypatch)
    clock.training(monkeypatch, replace(SPEED, step=0.2))
    every = np.arange(800)
    valid = Holding(((every[:600], every[600:]),), every[600:], "the validation set")
    on = replace(ground(training=ALONE), holding=valid)
    own = way.trained

    def second(*given: Any) -> Candidate:
        found = own(*given)
        return replace(found, held=answers(on, 165)) if len(clock.forms) == 2 else found

    monkeypatch.setattr(way, "trained", second)
    result = single(on, STRATEGIES["full"], candidate(on, "probe", 150), Budget(600.0, _start=0.0), 1.0)
    assert [name for name, _, _ in clock.forms] == ["full", "full"]
    assert result.best.strategy == "full"
    assert decisions(result) == {"full": "start"}
    assert [one.strategy for one in result.candidates] == ["probe", "full"]
    assert isinstance(on.progress, Told)
    assert any(re.fullmatch(r"  \d+ s are left for another try of full", line) for line in on.progress.lines)


def in_turn(make: Make, monkeypatch: pytest.MonkeyPatch, pace: float, seconds: float) -> tuple[Climb, Clock]:
    """A ladder of partial and full, of which training takes ``pace`` times the seconds predicted."""
    speed = replace(SPEED, step=0.2)
    make(speed, far=BETWEEN, head2toe=300, partial=300, full=300)
    own = plan._left_out
    monkeypatch.setattr(plan, "_left_out", lambda on, one, far: own(on, one, far) if one.recipe else "not here")
    clock = Clock(monkeypatch)
    clock.training(monkeypatch, speed, pace=pace)
    alike(monkeypatch, wrong=4, alone=4)
    on = folded(600, training=ALONE)
    return climb(on, candidate(on, "probe", 0, held=spread(on, 4)), Budget(seconds, _start=0.0), 1.0), clock


def test_once_something_was_trained_its_own_pace_prices_what_follows(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, exact, slow = (in_turn(make, monkeypatch, pace, 100.0) for pace in (0.25, 1.0, 4.0))
    first = ("partial", 3)  # by what was predicted, for nothing was trained before it
    assert [clock.forms[0][:2] for _, clock in (quick, exact, slow)] == [first] * 3
    assert [one[:2] for one in quick[1].forms[1:]] == [("full", 1)]  # four times as quick as it was predicted
    assert [one[:2] for one in exact[1].forms[1:]] == [("partial", 1)]
    assert slow[1].forms[1:] == []
    steps = [clock.steps for _, clock in (quick, exact)]
    assert steps[1][1] >= MORE * steps[1][0]
    assert steps[0][1] >= LEAST_STEPS
    assert re.fullmatch(
        r"about 3\d s of the budget are not used: partial could not be trained for 1.2 times as long as before; full "
        r"would not fit in the shortest form either",
        slow[0].record.unused,
    )
    dear = [next(one.reason for one in result.rungs if one.strategy == "full") for result, _ in (exact, slow)]
    predicted = [float(re.match(r"it would take about (\d+) s", reason)[1]) for reason in dear]  # type: ignore[index]
    assert predicted[1] == pytest.approx(4 * predicted[0], rel=0.1)


@pytest.mark.parametrize(("seconds", "forms"), [(200.0, ["partial", "full"]), (2000.0, ["partial"])])
def test_a_strategy_that_was_given_up_is_tried_after_all_where_a_budget_that_is_short_leaves_time(
    make: Make, monkeypatch: pytest.MonkeyPatch, seconds: float, forms: list[str]
) -> None:
    result, clock = in_turn(make, monkeypatch, 0.25, seconds)  # the first training is whole, so that the search stops
    assert [name for name, _, _ in clock.forms] == forms
    assert result.best is result.probe
    assert "partial did not improve the score" in next(one.reason for one in result.rungs if one.strategy == "full")


def test_the_last_training_in_the_run_prices_one_that_was_not_timed() -> None:
    on = ground()
    paces = {"partial": 2.0, "lora": 0.5}
    made = Way(Smaller(on), *[candidate(on, "probe", 300)] * 2, Later(), Budget(90.0), SPEED, NOTHING_FOLLOWS, paces)
    assert [made.pace(STRATEGIES[name]) for name in ("partial", "lora", "full")] == [2.0, 0.5, 0.5]
    plain = replace(made, paces={})
    assert plain.pace(STRATEGIES["full"]) == 1.0
    for name, pace in (("partial", 2.0), ("full", 0.5)):
        prices, own = made.prices(STRATEGIES[name]), plain.prices(STRATEGIES[name])
        assert prices.steps == own.steps
        assert prices.after == pytest.approx(pace * own.after)
        for one, other in ((prices.compared, own.compared), (prices.again, own.again), (prices.control, own.control)):
            assert one(0.5) == pytest.approx(pace * other(0.5))
