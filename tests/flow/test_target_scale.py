"""A whole run knows neither the unit nor the zero of a regression's target: scores, verdict, intervals, answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.delivery.answers import Answers
from headstart.flow.evaluate.evaluate import evaluate_run
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.settings import FitSettings, SourceSettings, TrainingSettings
from headstart.strategies.names import STRATEGIES
from tests import toys

#: (constant added, factor).
UNITS = [(1.7e9, 40.0), (-300.0, 1e5), (0.01, 1e-4)]
NEW = ["the cat sat on a mat", "my new card is lost"]
TRAINING = {"probe": TrainingSettings(), "full": TrainingSettings(epochs=1)}
_ONE = ("probe", "full")
_REST = sorted(set(STRATEGIES) - set(_ONE))


def rows() -> tuple[list[str], np.ndarray]:
    texts, names = toys.sentences(50)
    noise = np.random.default_rng(0).normal(0, 0.4, len(texts))
    return texts, np.array([name == "pets" for name in names]) + noise


@pytest.fixture(scope="module")
def fitted(settled_bases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``fitted(strategy, by, factor)``: a run on the same rows, their values in another unit."""
    home = tmp_path_factory.mktemp("units")

    @cache
    def run(strategy: str, by: float, factor: float) -> Run:
        texts, values = rows()
        path = home / f"{by} {factor}.csv"
        toys.table(
            path, ["text", "value"], ([t, repr(float(by + factor * v))] for t, v in zip(texts, values, strict=True))
        )
        source = SourceSettings(target=("value",), task="regression")
        settings = FitSettings(
            source=source, base=settled_bases["text"], strategy=strategy, training=TRAINING[strategy]
        )
        return fit_source(Places(path, home / f"{strategy} {by} {factor}"), settings)

    return run


def compare(plain: Run, given: Run, by: float, factor: float) -> None:
    """What the run says in shares is the same, and what it says in the target's unit is so many times as much."""
    one, other = plain.result, given.result
    assert other.verdict.outcome == one.verdict.outcome
    assert other.chosen.strategy == one.chosen.strategy
    near = {"rel": 1e-2, "abs": 2e-3}
    for name in ("score", "low", "high"):
        assert getattr(other.test, name) == pytest.approx(getattr(one.test, name), **near)
        assert [getattr(c, name) for c in other.controls] == pytest.approx(
            [getattr(c, name) for c in one.controls], **near
        )
    assert other.transfer_gain.value == pytest.approx(one.transfer_gain.value, **near)
    for name, metric in one.test.metrics.items():
        told = other.test.metrics[name].value / (factor if name in ("rmse", "mae") else 1)
        assert told == pytest.approx(metric.value, rel=2e-2, abs=5e-3), name
    assert (given.model.predict_proba(NEW) - by) / factor == pytest.approx(plain.model.predict_proba(NEW), abs=5e-3)
    assert given.model.predictions(NEW).unknown == pytest.approx(plain.model.predictions(NEW).unknown, abs=0.02)
    first, second = (run.model.bundle.caution.conformal for run in (plain, given))
    assert second.threshold / factor == pytest.approx(first.threshold, rel=2e-2)


@pytest.mark.parametrize(("by", "factor"), UNITS)
@pytest.mark.parametrize(
    "strategy", [*_ONE, *(pytest.param(name, marks=pytest.mark.slow) for name in ("auto", *_REST))]
)
def test_a_run_in_another_unit_comes_to_the_same(fitted: Any, strategy: str, by: float, factor: float) -> None:
    compare(fitted(strategy, 0.0, 1.0), fitted(strategy, by, factor), by, factor)


def test_answers_are_kept_and_predicted_to_the_last_digit(fitted: Any) -> None:
    from headstart import load

    run = fitted("full", 1.7e9, 40.0)
    kept = Answers.load(run.path)
    assert {kept.truth.dtype, kept.probabilities.dtype} == {np.dtype(np.float64)}
    _, values = rows()
    assert np.isin(kept.truth[:, 0], 1.7e9 + 40.0 * values).all()
    assert load(run.path).predict_proba(NEW) == pytest.approx(run.model.predict_proba(NEW), abs=1e-3)
    assert len(set(kept.probabilities[:, 0])) > 0.9 * len(kept)


def test_evaluating_in_another_unit_comes_to_the_same(fitted: Any, tmp_path: Path) -> None:
    texts, values = toys.sentences(30)[0], np.random.default_rng(1).normal(0, 1, 60)
    scores = []
    source = SourceSettings(target=("value",), task="regression")
    for by, factor in ((0.0, 1.0), (1.7e9, 40.0)):
        lines = zip(texts, (by + factor * values).tolist(), strict=True)
        path = toys.table(tmp_path / f"{by}.csv", ["text", "value"], lines)
        score = evaluate_run(fitted("full", by, factor).path, path, source).score
        scores.append((score.value, score.low, score.high))
    assert scores[1] == pytest.approx(scores[0], rel=1e-2)
