"""Forgetting measured, and the way back towards the base where it is too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase, adapter_changes, changes_of, lay_in, state_of
from headstart.bases.adapters import Lora, inject
from headstart.bases.base import Base
from headstart.bases.changes import Changes
from headstart.heads.linear import LinearHead
from headstart.strategies import keeping
from headstart.strategies.keeping import Gauge, drawn_back, kept_within
from headstart.training.answers import pooled
from headstart.training.rows import TrainRows
from tests.strategies.made_up import Told
from tests.training.small import head_of, rows_of

Bases = Callable[[str], Base]
Kept = tuple[Changes, LinearHead, keeping.ForgettingRecord]


def moved(base: Base, amount: float = 0.3, statistics: bool = True) -> Changes:
    """Changes of every weight at random, and of BatchNorm's statistics as training would have moved them."""
    network = base.network()
    before, random = state_of(network), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += amount * parameter.std(correction=0) * torch.randn(parameter.shape, generator=random)
        if statistics:
            for name, buffer in network.named_buffers():
                if name.endswith(("running_mean", "running_var")):
                    buffer *= 1.1
    return changes_of(before, network)


def kept(base: Base, changes: Changes, limit: float | None, rows: TrainRows | None = None) -> Kept:
    rows = rows or rows_of(base, 60)
    heads = head_of(rows), head_of(rows, scale=2.0)
    return kept_within(base, changes, heads, Gauge.of(base, rows, "held-out"), limit, rows, Told())


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_without_a_limit_forgetting_is_only_measured(bases: Bases, kind: str) -> None:
    base = bases(kind)
    changes = moved(base)
    same, head, record = kept(base, changes, None)
    assert same is changes
    assert head.settings == head_of(rows_of(base, 60)).settings
    assert 0 < record.error < 1
    assert (record.n, record.kept) == (60, 1.0)
    assert math.isnan(record.limit)


@pytest.mark.parametrize("kind", ["resnet", "vit", "bert"])
def test_a_limit_of_0_gives_the_base_and_the_solved_head(bases: Bases, kind: str) -> None:
    base, rows = bases(kind), rows_of(bases(kind), 60)
    changes, head, record = kept(base, moved(base), 0.0, rows)
    assert changes.tensors == {}
    assert (record.error, record.kept, record.limit) == (0.0, 0.0, 0.0)
    solved = head_of(rows)
    assert np.array_equal(head.weight, solved.weight)
    assert np.array_equal(head.bias, solved.bias)
    same = pooled(base, AdaptedBase(base, changes).network(), rows)
    assert np.array_equal(same, pooled(base, base.network(), rows))


def test_a_limit_of_1_changes_nothing(bases: Bases) -> None:
    base = bases("resnet")
    changes = moved(base)
    same, head, record = kept(base, changes, 1.0)
    assert same is changes
    assert record.kept == 1.0
    assert np.array_equal(head.weight, head_of(rows_of(base, 60), scale=2.0).weight)


@pytest.mark.parametrize(("kind", "amount", "part"), [("resnet", 1.0, 0.7), ("bert", 0.3, 0.5)])
def test_between_the_measured_forgetting_is_within_the_limit(
    bases: Bases, kind: str, amount: float, part: float
) -> None:
    base, rows = bases(kind), rows_of(bases(kind), 60)
    changes = moved(base, amount)
    whole = kept(base, changes, None, rows)[2].error
    back, head, record = kept(base, changes, part * whole, rows)
    assert 0 < record.kept < 1
    assert record.error <= part * whole
    after = pooled(base, AdaptedBase(base, back).network(), rows)
    assert Gauge.of(base, rows, "held-out").error(after) == pytest.approx(record.error, abs=1e-9)
    solved, trained = head_of(rows), head_of(rows, scale=2.0)
    assert np.allclose(head.weight, (1 - record.kept) * solved.weight + record.kept * trained.weight)
    assert head.settings == {"share": record.kept}


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_another_run_drawn_back_as_far_answers_as_its_model_would(bases: Bases, kind: str) -> None:
    base, rows = bases(kind), rows_of(bases(kind), 60)
    amount, part = (1.0, 0.7) if kind == "resnet" else (0.3, 0.5)
    changes = moved(base, amount)
    back, head, record = kept(base, changes, part * kept(base, changes, None, rows)[2].error, rows)
    assert 0 < record.kept < 1
    model = AdaptedBase(base, back)
    heads = head_of(rows), head_of(rows, scale=2.0)
    given = drawn_back(base, changes, heads, record.kept, rows, rows, Told())
    assert given == pytest.approx(head.probabilities(pooled(base, model.network(), rows)), abs=1e-4)
    start = drawn_back(base, changes, heads, 0.0, rows, rows, Told())
    assert start == pytest.approx(heads[0].probabilities(pooled(base, base.network(), rows)), abs=1e-4)


def test_adapters_are_drawn_back_too(bases: Bases) -> None:
    base = bases("bert")
    network = base.network()
    inject(network, Lora())
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_" in name:
                parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    changes = adapter_changes(network, Lora())
    whole = kept(base, changes, None)[2].error
    back, _, record = kept(base, changes, whole / 2)
    assert back.lora is None
    assert back.tensors
    assert 0 < record.kept < 1
    assert record.error <= whole / 2
    assert kept(base, changes, 0.0)[0].tensors == {}


@pytest.mark.parametrize(("statistics", "limit", "recomputed"), [(True, 0.3, True), (False, 0.3, False)])
def test_statistics_are_taken_anew_where_training_moved_them(
    bases: Bases, monkeypatch: pytest.MonkeyPatch, statistics: bool, limit: float, recomputed: bool
) -> None:
    """Strictly between the ends only: at these they are the networks' own."""
    base, shares, calls = bases("resnet"), [], []
    own, anew = keeping.interpolate, keeping.recompute_batchnorm

    def interpolate(start: object, end: object, share: float) -> object:
        shares.append(share)
        return own(start, end, share)  # type: ignore[arg-type]

    def recompute(network: torch.nn.Module, batches: object) -> int:
        calls.append(shares[-1])
        return anew(network, batches)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "interpolate", interpolate)
    monkeypatch.setattr(keeping, "recompute_batchnorm", recompute)
    changes = moved(base, statistics=statistics)
    record = kept(base, changes, 0.0)[2]
    assert record.kept == 0
    assert shares[-1] == 0
    assert calls == ([share for share in shares if share] if recomputed else [])
    kept(base, changes, 1.0)
    assert shares.count(1.0) == 0


def test_forgetting_is_0_for_the_base_itself_whatever_precision_its_features_came_in(bases: Bases) -> None:
    base = bases("vit")
    rows = rows_of(base, 60)
    coarse = replace(rows, vectors=rows.vectors.astype(np.float16).astype(np.float32) * 1.01 + 0.1)
    gauge = Gauge.of(base, coarse, "held-out")
    assert gauge.error(pooled(base, base.network(), rows)) == 0


def test_tensors_that_the_checkpoint_lacks_are_no_change(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are random at each load, so a base compared with itself loaded again would seem to have moved."""
    base = bases("bert")
    changes = moved(base)
    del changes.tensors["body.pooler.dense.weight"]
    own = type(base).network

    def loaded(self: Base) -> object:
        network = own(self)  # type: ignore[arg-type]
        with torch.no_grad():
            network.body.pooler.dense.weight.normal_()  # type: ignore[union-attr, operator]
        return network

    monkeypatch.setattr(type(base), "network", loaded)
    back, _, record = kept(base, changes, 0.05)
    assert 0 < record.kept < 1
    assert set(back.tensors) == set(changes.tensors)
    network = base.network()
    lay_in(network, back)


def test_retained_inputs_are_told_apart_from_held_out_ones(bases: Bases) -> None:
    base = bases("bert")
    assert Gauge.of(base, rows_of(base, 9), "retained").how == "nearest neighbours among retained inputs"
    image = Gauge.of(bases("resnet"), rows_of(bases("resnet"), 700, vectors=False), "held-out")
    assert image.own is not None
    assert image.how == "answers of the base's own classifier on held-out inputs"
