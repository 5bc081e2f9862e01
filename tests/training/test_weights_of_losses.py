"""Losses come as a sum and a weight, so that batches in parts and processes add up whatever the rows count for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.base import Base
from headstart.training.objective import Linear, Summed
from headstart.training.phase import Phase
from headstart.training.run import Job, train
from tests.training.small import difference, forward, job_of, rows_of
from tests.training.test_engine import short_of_memory

Bases = Callable[[str], Base]
TOKENS = 5


def loss_per_token(_: Linear, scores: torch.Tensor, truth: torch.Tensor, weights: None = None) -> Summed:
    """Squared errors of the tokens that a row has; the places of those that it has not are below -1."""
    there = truth > -1
    return (scores - truth).square()[there].sum(), there.sum()


def token_job(base: Base, n: int = 24, **given: Any) -> Job:
    """Rows of one to five tokens; the first of every batch in parts has fewer than the rest."""
    rows = rows_of(base, n)
    lengths = 1 + np.random.default_rng(0).permutation(n) % TOKENS
    y = np.where(np.arange(TOKENS) < lengths[:, None], rows.y[:, None] + 0.3 * np.arange(TOKENS), -9.0)
    job = job_of(base, Phase(thaw=1.0, epochs=2.0, least_steps=1, rate=1e-2), head=None, held=None, n=n, **given)
    return replace(job, train=replace(rows, y=y), task="multilabel", outputs=TOKENS)


@pytest.fixture
def per_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "loss", loss_per_token)


@pytest.mark.usefixtures("per_token")
@pytest.mark.parametrize("most", [4, 2, 1])
@pytest.mark.parametrize("given", [{}, {"l2sp": 0.1}, {"replay": 0.5}], ids=str)
def test_a_loss_per_token_adds_up_over_the_parts_of_a_batch(bases: Bases, most: int, given: dict[str, Any]) -> None:
    base = bases("vit")
    if "replay" in given:
        given = {**given, "retained": rows_of(base, 8, seed=4)}
    job = token_job(base, **given)
    whole = train(job)
    with forward(short_of_memory(most)):
        parts = train(job)
    assert (whole.halvings, parts.halvings > 0) == (0, True)
    assert difference(whole, parts) < 1e-3


def test_rows_without_a_token_teach_nothing(bases: Bases, per_token: None) -> None:
    job = token_job(bases("vit"), batch=4)
    none = replace(job.train, y=np.full_like(job.train.y, -9.0))
    trained = train(replace(job, train=none))
    assert (trained.rollbacks, trained.stopped) == (0, "finished")
    assert trained.head.weight == pytest.approx(np.zeros_like(trained.head.weight))
