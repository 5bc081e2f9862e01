"""Held-out rows are answered by looks that they had no part in choosing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.choices import looks_told_better, sets_kept

from headstart.bases.base import Base
from headstart.training import run
from headstart.training.crossing import Crossing, halves_of
from headstart.training.job import Job, Trained
from headstart.training.phase import Phase
from tests.training.small import job_of

Y = np.arange(40) % 2
DRAWS = 250  # standard error of 10 %: 1.9 points


def looked(seen: np.ndarray, finished: bool = False, halves: np.ndarray | None = None) -> Crossing:
    """Looks whose scores by each half are the rows of ``seen`` [looks, 2]; their answers are the look's number."""
    crossing = Crossing(np.arange(len(Y)) % 2 if halves is None else halves, "accuracy")
    for number, scores in enumerate(seen):
        crossing.see(number, np.full((len(Y), 2), float(number)), [(score, 1.0) for score in scores])
    crossing.settle(len(seen) - 1, finished)
    return crossing


def answered(crossing: Crossing) -> tuple[set[float], set[float]]:
    """Numbers of the looks that answer the first half's rows, and the second's."""
    assert crossing.held is not None
    return tuple(set(crossing.held[crossing.halves == half, 0]) for half in (0, 1))  # type: ignore[return-value]


def test_what_answers_a_half_does_not_depend_on_its_rows() -> None:
    rng = np.random.default_rng(0)
    for finished in (True, False):
        for _ in range(50):
            seen = rng.random((6, 2))
            other = seen.copy()
            other[:, 0] = rng.random(6)
            assert answered(looked(seen, finished))[0] == answered(looked(other, finished))[0]
            assert answered(looked(seen))[1] == {float(np.argmax(seen[:, 0]))}


def test_the_last_look_is_taken_where_it_is_as_good_as_the_best() -> None:
    near = np.array([[0.5, 0.5], [0.8, 0.8], [0.75, 0.4]])  # 20 rows a half: the standard error is 0.09
    assert answered(looked(near, finished=True)) == ({1.0}, {2.0})
    assert answered(looked(near, finished=False)) == ({1.0}, {1.0})
    start = np.array([[0.8, 0.8], [0.7, 0.7], [0.79, 0.79]])  # no look was better than the start
    assert answered(looked(start, finished=True)) == ({0.0}, {0.0})


def test_one_unit_is_answered_by_the_last_look_which_nothing_chose() -> None:
    halves = halves_of(Y, "classification", np.zeros(len(Y), int), 0)
    assert len(set(halves)) == 1
    seen = np.array([[0.9, 0.9], [0.5, 0.5], [0.4, 0.4]])
    assert answered(looked(seen, halves=halves))[halves[0]] == {2.0}


def test_halves_are_of_one_size_with_classes_spread_and_units_whole() -> None:
    units = np.arange(40) // 4
    halves = halves_of(Y, "classification", units, 0)
    assert abs(int(halves.sum()) - 20) <= 4
    assert all(len(set(halves[units == unit])) == 1 for unit in units)
    single = halves_of(Y, "classification", None, 0)
    assert [int(single[label == Y].sum()) for label in (0, 1)] == [10, 10]


def test_memory_does_not_grow_with_the_looks() -> None:
    crossing = looked(np.random.default_rng(0).random((50, 2)))
    held = [value for value in vars(crossing).values() if isinstance(value, np.ndarray) and value.ndim == 2]
    assert len(held) == 2


@pytest.mark.parametrize("parts", [1, 3])
def test_looks_without_a_gain_are_seldom_told_to_pay(parts: int) -> None:
    best, crossed = looks_told_better(400, parts, (6, 0.7), DRAWS)
    assert best > 0.2
    assert crossed <= 0.16


def test_a_gain_is_still_found() -> None:
    assert looks_told_better(400, 1, (6, 0.7), 100, gain=0.35)[1] >= 0.85


def test_sets_from_crossed_answers_keep_their_promise() -> None:
    assert sets_kept(100, (12, 0.9), 150)[1] >= 0.89


def test_the_rate_is_chosen_without_the_held_out_rows(
    bases: Callable[[str], Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[tuple[float, list[str]]] = []
    own = run._run

    def seen(job: Job, *given: Any) -> Trained:
        assert job.held is not None
        judged.append((job.recipe.rates[0], list(job.held.keys)))
        return own(job, *given)

    monkeypatch.setattr(run, "_run", seen)
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=1.0, least_steps=1), recipe={"rates": (0.3, 3.0)})
    trained = run.train(job)
    *swept, (rate, last) = judged
    known, held = set(job.train.keys), list(job.held.keys)  # type: ignore[union-attr]
    assert [one for one, _ in swept] == [0.3, 3.0]
    assert all(set(keys) < known for _, keys in swept)
    assert (rate, last) == (trained.rate_factor, held)


def test_one_unit_leaves_nothing_to_choose_a_rate_by(bases: Callable[[str], Base]) -> None:
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=1.0, least_steps=1), recipe={"rates": (0.3, 1.0, 3.0)})
    alone = replace(job, train=replace(job.train, units=np.zeros(len(job.train), int)))
    assert run.train(alone).rate_factor == 1.0
