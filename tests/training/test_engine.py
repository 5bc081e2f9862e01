"""The training loop: when it stops, what it keeps, and what it does in trouble."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.errors import TrainingError
from headstart.heads.linear import LinearHead
from headstart.training.answers import pooled
from headstart.training.crossing import halves_of, is_better
from headstart.training.engine import Engine
from headstart.training.interpolation import l2sp
from headstart.training.phase import Phase
from headstart.training.run import Job, Trained, train
from headstart.training.stepping import Stepper
from headstart.training.work import look
from tests.training.small import difference, forward, job_of, poisoned, rows_of, size_of, weights_of

Bases = Callable[[str], Base]
ALL = Phase(thaw=1.0, epochs=2.0, least_steps=1)


def finite(trained: Trained) -> bool:
    return all(np.isfinite(tensor).all() for tensor in weights_of(trained).values())


def with_options(job: Job, **changes: Any) -> Job:
    return replace(job, options=replace(job.options, **changes))


# --- Seeds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_the_same_seed_gives_the_same_weights_and_another_others(bases: Bases, kind: str) -> None:
    job = job_of(bases(kind), ALL, dropout=0.2, held=None)
    torch.manual_seed(1)
    first = train(job)
    torch.manual_seed(2)
    np.random.seed(3)
    assert difference(first, train(job)) == 0
    assert difference(first, train(with_options(job, seed=1))) > 1e-4


def test_scratch_is_of_the_seed_alone(bases: Bases) -> None:
    job = job_of(bases("vit"), ALL, held=None, head=None, recipe={"scratch": True})
    torch.manual_seed(1)
    first = train(job)
    torch.manual_seed(2)
    assert difference(first, train(job)) == 0


# --- Looks and early stopping ----------------------------------------------------------------------


def planted(monkeypatch: pytest.MonkeyPatch, scores: list[tuple[float, float]]) -> None:
    """Every look finds the next of ``scores`` (score, loss); its answers are that look's number."""
    looks = iter(enumerate(scores))

    def seen(work: Any, held: Any) -> Any:
        number, (score, loss) = next(looks)
        answers = np.full((12, 2), number)
        return replace(look(work, held), answers=answers, score=score, loss=loss, halves=((score, loss),) * 2)

    monkeypatch.setattr("headstart.training.engine.look", seen)


@pytest.mark.parametrize(
    ("metric", "scores", "best"),
    [
        ("accuracy", [(0.5, 1), (0.7, 1), (0.9, 1), (0.8, 1), (0.8, 1), (0.95, 1)], 2),
        ("log_loss", [(0.7, 0.7), (0.5, 0.5), (0.6, 0.6), (0.6, 0.6), (0.1, 0.1)], 1),
        ("accuracy", [(0.9, 1.0), (0.9, 0.8), (0.9, 0.9), (0.8, 0.1), (1.0, 0.1)], 1),  # equal scores: by the loss
        ("auroc", [(float("nan"), 0.9), (float("nan"), 0.7), (float("nan"), 0.8), (float("nan"), 0.8)], 1),
        ("auroc", [(float("nan"), 0.1), (0.6, 0.9), (float("nan"), 0.05), (0.5, 0.01), (0.7, 0.1)], 1),
    ],
)
def test_it_stops_early_and_gives_the_best_weights_back(
    bases: Bases, monkeypatch: pytest.MonkeyPatch, metric: str, scores: list[tuple[float, float]], best: int
) -> None:
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=10.0, least_steps=1), metric=metric, patience=2)
    planted(monkeypatch, scores)
    trained = train(job)
    assert trained.stopped == "stopped early"
    assert len(trained.curve) == best + 3
    assert trained.held is not None
    assert trained.kept is not None
    assert (trained.held == best).all()
    assert (trained.kept == best).all()
    assert trained.chosen
    assert trained.steps == trained.curve[best].step
    assert (trained.score, trained.loss) == pytest.approx(scores[best], nan_ok=True)
    monkeypatch.undo()
    assert trained.shares == pytest.approx(
        (trained.steps / job.recipe.phases[0].steps(len(job.train), job.options.batch),)
    )


@pytest.mark.parametrize(
    ("metric", "a", "b", "better"),
    [
        ("accuracy", (0.6, 1.0), (0.5, 0.1), True),
        ("log_loss", (0.6, 1.0), (0.5, 0.1), False),
        ("accuracy", (0.5, 0.1), (0.5, 0.2), True),
        ("accuracy", (0.5, 0.2), (0.5, 0.2), False),
        ("accuracy", (float("nan"), 0.1), (0.0, 9.0), False),
        ("accuracy", (float("nan"), float("nan")), (float("nan"), 1.0), False),
        ("rmse", (1.0, 1.0), (2.0, 0.1), True),
    ],
)
def test_which_look_is_better(metric: str, a: tuple[float, float], b: tuple[float, float], better: bool) -> None:
    assert is_better(metric, *a, *b) is better


def test_a_later_phase_that_only_harms_leaves_nothing_behind(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best weights are of the first phase; the deeper stages of the second go back to the base's."""
    job = job_of(bases("vit"), Phase(thaw=1, epochs=1.0, least_steps=1), ALL, metric="accuracy")
    planted(monkeypatch, [(0.5, 1), (0.6, 1), (0.7, 1), (0.8, 1), *[(0.1, 1)] * 20])
    both = train(job)
    monkeypatch.undo()
    planted(monkeypatch, [(0.5, 1), (0.6, 1), (0.7, 1), (0.8, 1)])
    first = train(replace(job, recipe=replace(job.recipe, phases=job.recipe.phases[:1])))
    assert both.steps == first.steps == 3
    assert difference(both, first) == 0


def test_a_last_look_within_a_standard_error_of_the_best_is_kept(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    """12 rows: the standard error at 0.7 is 0.13. Training that ended early or made nothing better keeps the best."""
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=2.0, least_steps=1), metric="accuracy")
    for scores, steps, chosen in (
        ([0.5, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6], 6, False),
        ([0.4, 0.7, 0.5, 0.5, 0.5, 0.5, 0.5], 1, True),
        ([0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.69], 0, True),
    ):
        planted(monkeypatch, [(score, 1.0) for score in scores])
        trained = train(job)
        monkeypatch.undo()
        assert (trained.steps, trained.chosen) == (steps, chosen)
        assert trained.score == scores[steps]
        assert trained.kept is not None
        assert trained.kept[0, 0] == steps
        assert trained.shares == (steps / 6,)
        adapted = AdaptedBase(job.base, trained.changes)
        assert (trained.changes.tensors == {}) == (steps == 0), adapted.identity


def test_no_held_out_row_is_answered_by_the_look_that_it_chose(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=2.0, least_steps=1), metric="accuracy")
    halves = halves_of(job.held.y, "classification", None, 0)  # type: ignore[union-attr]
    looks = iter(enumerate([(0.1, 0.1), (0.9, 0.2), (0.2, 0.9), (0.3, 0.3), (0.2, 0.2), (0.1, 0.1), (0.1, 0.1)]))

    def seen(work: Any, held: Any) -> Any:
        number, scores = next(looks)
        own = {"score": sum(scores) / 2, "loss": 1.0, "halves": tuple((score, 1.0) for score in scores)}
        return replace(look(work, held), answers=np.full((12, 2), number), **own)

    monkeypatch.setattr("headstart.training.engine.look", seen)
    trained = train(job)
    assert trained.held is not None
    assert set(trained.held[halves == 1, 0]) == {1}  # the look that the first half found best
    assert set(trained.held[halves == 0, 0]) == {2}
    assert trained.chosen


def test_without_held_out_rows_it_runs_to_the_end(bases: Bases) -> None:
    trained = train(job_of(bases("vit"), ALL, held=None))
    assert (trained.steps, trained.held, trained.curve) == (6, None, ())


# --- Divergence ------------------------------------------------------------------------------------


def test_a_planted_nan_goes_back_and_lowers_the_rate(bases: Bases) -> None:
    calls = 0

    def once(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        nonlocal calls
        calls += self.objective.training
        return poisoned(own(self, *arguments)) if self.objective.training and calls == 5 else own(self, *arguments)

    lines: list[str] = []
    with forward(once):
        job = job_of(bases("bert"), Phase(thaw=1.0, epochs=4.0, least_steps=1))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("headstart.progress.Progress.say", lambda self, line="": lines.append(line))
            trained = train(job)
    assert trained.rollbacks == 1
    assert trained.stopped == "finished"
    assert finite(trained)
    assert [line for line in lines if "no longer a number" in line and "0.3" in line]
    rates = [point.rate for point in trained.curve]
    assert max(rates[3:]) < 0.31e-3


@pytest.mark.parametrize("kind", ["resnet", "vit", "bert"])
@pytest.mark.parametrize("held", [True, False])
def test_a_huge_rate_ends_with_finite_weights_no_worse_than_the_start(bases: Bases, kind: str, held: bool) -> None:
    job = job_of(bases(kind), Phase(thaw=1.0, epochs=8.0, least_steps=1, rate=1e6, body=1.0))
    trained = train(job if held else replace(job, held=None))
    assert trained.rollbacks == 4
    assert trained.stopped == "diverged"
    assert finite(trained)
    if held:
        assert trained.loss <= trained.curve[0].valid_loss
        adapted = AdaptedBase(job.base, trained.changes)
        given = trained.head.probabilities(pooled(adapted, adapted.network(), job.held))
        assert given == pytest.approx(trained.kept, abs=1e-4)


def test_nan_from_the_first_step_on_keeps_what_it_began_with(bases: Bases) -> None:
    def always(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        return poisoned(own(self, *arguments)) if self.objective.training else own(self, *arguments)

    job = job_of(bases("vit"), ALL)
    with forward(always):
        trained = train(job)
    assert (trained.stopped, trained.steps) == ("diverged", 0)
    assert trained.changes.tensors == {}
    assert trained.head.scores(job.train.vectors) == pytest.approx(
        job.head.scores(job.train.vectors),
        abs=1e-4,  # type: ignore[union-attr]
    )


# --- Memory ----------------------------------------------------------------------------------------


def short_of_memory(most: int) -> Callable[..., Any]:
    def change(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        if self.objective.training and size_of(arguments[0]) > most:
            raise torch.OutOfMemoryError(f"tried to train {size_of(arguments[0])} rows")
        return own(self, *arguments)

    return change


@pytest.mark.parametrize(("most", "halvings"), [(4, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("given", [{}, {"balanced": True}, {"l2sp": 0.1}, {"replay": 0.5}], ids=str)
def test_a_batch_in_parts_comes_to_the_same(bases: Bases, most: int, halvings: int, given: dict[str, Any]) -> None:
    base = bases("vit")
    if "replay" in given:
        given = {**given, "retained": rows_of(base, 8, seed=4)}
    job = job_of(base, Phase(thaw=2, epochs=2.0, least_steps=1, rate=1e-3), held=None, **given)
    whole = train(job)
    with forward(short_of_memory(most)):
        parts = train(job)
    assert (whole.halvings, parts.halvings) == (0, halvings)
    assert difference(whole, parts) < 1e-4


def test_too_little_for_one_row_is_said_in_one_line(bases: Bases) -> None:
    with forward(short_of_memory(0)), pytest.raises(TrainingError, match="one row at a time") as refused:
        train(job_of(bases("vit"), ALL))
    assert "\n" not in str(refused.value)


def test_other_errors_are_not_taken_for_want_of_memory(bases: Bases) -> None:
    def broken(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        if self.objective.training:
            raise RuntimeError("shapes do not fit")
        return own(self, *arguments)

    with forward(broken), pytest.raises(RuntimeError, match="shapes"):
        train(job_of(bases("vit"), ALL))


# --- Time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phases", [1, 2])
def test_a_slow_run_keeps_its_time_and_ends_its_schedule(bases: Bases, phases: int) -> None:
    now = 1000.0

    def clock() -> float:
        nonlocal now
        now += 1e-6
        return now

    def slow(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        nonlocal now
        now += 0.03
        return own(self, *arguments)

    job = job_of(bases("vit"), *[Phase(thaw=k + 1, epochs=100.0, least_steps=1) for k in range(phases)], seconds=2.0)
    run_phase, spent = Engine.run_phase, []

    def timed(self: Engine, *arguments: Any, **named: Any) -> None:
        started = time.monotonic()
        run_phase(self, *arguments, **named)
        spent.append(time.monotonic() - started)

    with forward(slow), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "run_phase", timed)
        for name in ("monotonic", "perf_counter"):
            patch.setattr(time, name, clock)  # other work of the machine does not count
        trained = train(job)
    assert len(spent) == phases
    assert 1.6 < sum(spent) < 2.2
    last = trained.curve[-1]
    assert last.rate < 0.05 * 1e-3  # the cosine came to its end
    assert last.step > 6
    assert trained.held is not None
    if phases == 2:
        assert 0.6 < spent[0] < 1.4  # the second gets its share


def test_a_step_longer_than_the_time_is_still_judged(bases: Bases) -> None:
    trained = train(job_of(bases("vit"), Phase(thaw=1.0, epochs=50.0), seconds=1e-6))
    assert trained.stopped == "budget"
    assert trained.curve[-1].step == 1


def test_enough_time_changes_nothing(bases: Bases) -> None:
    job = job_of(bases("vit"), ALL, held=None)
    assert difference(train(job), train(with_options(job, seconds=1000.0))) == 0


# --- Tasks and options -----------------------------------------------------------------------------


def other_task(base: Base, task: str, **given: Any) -> Job:
    train_rows, held = rows_of(base, 24), rows_of(base, 12, seed=1)
    rng = np.random.default_rng(0)
    if task == "multilabel":
        made = [replace(r, y=np.stack([r.y, 1 - r.y, rng.integers(0, 2, len(r))], 1)) for r in (train_rows, held)]
        metric, outputs = "average_precision", 3
    else:
        made = [replace(r, y=(1000 + 100 * r.y[:, None]).astype(float)) for r in (train_rows, held)]
        metric, outputs = "rmse", 1
    bias = np.full(outputs, 1050 if task == "regression" else 0, np.float32)
    head = LinearHead(np.zeros((base.width, outputs), np.float32), bias, task, "ridge")
    given = {"train": made[0], "held": made[1], "metric": metric, "task": task, "outputs": outputs, **given}
    return job_of(base, Phase(thaw=1.0, epochs=8.0, least_steps=1, rate=1e-2), head=head, **given)


@pytest.mark.parametrize("task", ["multilabel", "regression"])
@pytest.mark.parametrize("mixup", [0.0, 0.3])
def test_other_tasks_are_learnt(bases: Bases, task: str, mixup: float) -> None:
    trained = train(other_task(bases("bert"), task, mixup=mixup))
    assert trained.loss < trained.curve[0].valid_loss
    assert trained.held is not None
    assert trained.held.shape == (12, 3 if task == "multilabel" else 1)


@pytest.mark.parametrize("kind", ["vit", "bert"])
@pytest.mark.parametrize("cached", [True, False])
def test_mixup_learns_whatever_it_mixes(bases: Bases, kind: str, cached: bool) -> None:
    phase = Phase(thaw=1, epochs=8.0, least_steps=1, rate=1e-2)
    trained = train(job_of(bases(kind), phase, mixup=0.3, cache_prefix=cached))
    assert trained.loss < trained.curve[0].valid_loss


def test_balanced_learning_favours_the_rare_class(bases: Bases) -> None:
    base = bases("vit")
    rows = rows_of(base, 40)
    few = rows.take(np.array([i for i in range(40) if i % 2 == 0 or i % 10 == 1]))
    given = {"train": few, "head": None, "held": None}
    job = job_of(base, Phase(thaw=0, epochs=10.0, least_steps=1, rate=1e-2), **given)
    plain, balanced = train(job), train(with_options(job, balanced=True))
    held = rows_of(base, 12, seed=1).vectors
    assert balanced.head.probabilities(held)[:, 1].mean() > plain.head.probabilities(held)[:, 1].mean() + 0.03


def test_l2sp_stays_nearer_to_the_start_through_all_phases(bases: Bases) -> None:
    base = bases("vit")
    phases = [Phase(thaw=1.0, epochs=2.0, least_steps=1, rate=1e-2, body=1.0)] * 2
    job = job_of(base, *phases, held=None)
    start = base.network().state_dict()

    def moved(trained: Trained) -> float:
        return sum(float(np.square(t - start[n].numpy()).sum()) for n, t in trained.changes.tensors.items())

    free, pulled = moved(train(job)), moved(train(with_options(job, l2sp=10.0)))
    assert 0 < pulled < 0.5 * free


def test_l2sp_pulls_to_where_the_run_began_and_not_to_the_last_phase(
    bases: Bases, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bases("vit")
    job = job_of(base, ALL, ALL, held=None, l2sp=1.0)
    start, anchors = base.network().state_dict(), []

    def seen(pairs: Any, strength: float) -> torch.Tensor:
        pairs = list(pairs)
        anchors.append(pairs[0][1].clone())
        return l2sp(pairs, strength)

    monkeypatch.setattr("headstart.training.stepping.l2sp", seen)
    train(job)
    assert len(anchors) == 12
    assert any(torch.equal(anchors[-1], tensor) for tensor in start.values())


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_replay_keeps_the_features_of_retained_inputs(bases: Bases, kind: str) -> None:
    base = bases(kind)
    retained = rows_of(base, 16, seed=7)
    phase = Phase(thaw=1.0, epochs=4.0, least_steps=1, rate=3e-3, body=0.3)
    job = job_of(base, phase, held=None, retained=retained)

    def moved(trained: Trained) -> float:
        adapted = AdaptedBase(base, trained.changes)
        return float(np.square(pooled(adapted, adapted.network(), retained) - retained.vectors).mean())

    assert moved(train(with_options(job, replay=30.0))) < 0.7 * moved(train(job))


def test_every_retained_row_has_its_turn(bases: Bases) -> None:
    base = bases("bert")
    retained = rows_of(base, 12, seed=7)
    job = job_of(base, Phase(thaw=1.0, epochs=2.0, least_steps=1), held=None, retained=retained, replay=1.0)
    seen: list[int] = []
    own = Stepper.step

    def step(self: Stepper, position: Any, taken: Any, kept: Any, rate: float) -> float:
        seen.extend(kept.rows)
        return own(self, position, taken, kept, rate)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        train(job)
    assert sorted(seen) == list(range(12))  # two a step, six steps


@pytest.mark.parametrize("n", [1, 2, 9, 17])
def test_batches_of_one_row_train_with_batchnorm(bases: Bases, n: int) -> None:
    """At 32 x 32 the last maps are of one position, where BatchNorm has no variance of a single row."""
    base = bases("resnet")
    job = job_of(base, ALL, train=rows_of(base, n), head=None, held=None)
    trained = train(with_options(job, batch=2 if n == 9 else 8))
    assert finite(trained)
    assert trained.steps == {1: 2, 2: 2, 9: 10, 17: 6}[n]


def test_training_leaves_no_hooks_or_modes(bases: Bases) -> None:
    """A second run on the same base is as the first: nothing is kept in the process."""
    job = job_of(bases("gpt2"), Phase(thaw=1, epochs=1.0, least_steps=1), ALL, held=None)
    assert difference(train(job), train(job)) == 0
