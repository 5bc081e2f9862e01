"""Prior and combination on what others published, each data set left out in turn."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import published

TABLES = {table.name: table for table in published.load()}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_whole_and_say_where_they_are_from(name: str) -> None:
    table = TABLES[name]
    assert table.accuracy.shape == (len(table.data), len(table.models))
    assert ((table.accuracy > 0) & (table.accuracy < 100)).all()
    assert all(values.shape == table.accuracy.shape for values in table.scores.values())
    assert all(len(values) == len(table.data) for values in table.tau.values())
    assert table.source.startswith("https://")
    assert table.citation


@pytest.mark.parametrize("name", TABLES)
def test_the_prior_reaches_what_a_plain_mean_over_other_tasks_gives(name: str) -> None:
    found = published.taus(TABLES[name])
    assert found["prior"].mean() >= found["plain mean"].mean() - 1e-9
    assert found["prior"].mean() > 0.7


def test_the_prior_beats_every_published_score_of_fine_tuned_networks() -> None:
    found = published.taus(TABLES["finetuned_cnns"])
    assert found["logme, as published"].mean() == pytest.approx(0.509, abs=5e-4)
    assert all(found["prior"].mean() > found[f"{score}, as published"].mean() + 0.1 for score in ("logme", "n_leep"))


def test_the_combination_beats_logme_and_the_prior_alone() -> None:
    found = published.taus(TABLES["scored_models"])
    assert found["prior + logme"].mean() > found["logme"].mean() + 0.3
    assert found["prior + logme"].mean() > found["prior"].mean()


def test_what_is_left_out_is_not_learnt_from() -> None:
    """Another outcome on a data set changes nothing that is expected of it."""
    table = TABLES["scored_models"]
    other = table.accuracy.copy()
    other[3] = other[3, ::-1]
    changed = published.Published(table.name, "", "", table.models, table.data, other, table.scores, table.tau)
    assert np.array_equal(published.prior(table, 3).mean, published.prior(changed, 3).mean)
    assert np.array_equal(published.evidence(table, "logme", 3).mean, published.evidence(changed, "logme", 3).mean)
    assert not np.array_equal(published.prior(table, 2).mean, published.prior(changed, 2).mean)
