from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase
from headstart.bases.adapters import Lora, inject
from headstart.bases.base import Base
from headstart.errors import SettingError
from headstart.heads.linear import LinearHead
from headstart.training.answers import pooled
from headstart.training.feed import feed_for
from headstart.training.phase import Phase, factor
from headstart.training.run import train
from headstart.training.stepping import groups
from headstart.training.trainee import Trainee
from tests.training.small import KINDS, head_of, job_of, linear, rows_of, trainee_of, weights_of

Bases = Callable[[str], Base]


# --- The head --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_scores_before_the_first_step_are_the_solved_heads(bases: Bases, kind: str, scale: float) -> None:
    base = bases(kind)
    rows = rows_of(base, 12)
    head = head_of(rows, scale)
    objective = linear("classification", rows.y, 2, features=rows.vectors, head=head, dropout=0.5)
    trainee = Trainee(base.network(), objective).eval()
    feed = feed_for(base, rows, None, 0)
    expected = head.scores(rows.vectors)
    close = float(1e-4 * np.abs(expected).max())
    with torch.no_grad():
        for members, batch in zip(feed.steady(5), feed.stream(feed.steady(5), None), strict=True):
            given, features = trainee(batch, 0)
            assert given.numpy() == pytest.approx(expected[members], abs=close)
            assert features.numpy() == pytest.approx(rows.vectors[members], abs=1e-4)
    back = objective.state()
    assert back.scores(rows.vectors) == pytest.approx(expected, abs=close)


def test_the_head_keeps_its_scores_where_features_lie_far_from_0() -> None:
    features = np.random.default_rng(0).normal(5000, 1, (40, 3)).astype(np.float32)
    head = LinearHead(np.eye(3, 2, dtype=np.float32), np.array([-5000, -5000], np.float32), "multilabel", "logistic")
    objective = linear("multilabel", np.eye(40, 2, dtype=np.float32), 2, features=features, head=head)
    exact = features.astype(np.float64) @ head.weight + head.bias
    assert objective(torch.from_numpy(features)).detach().numpy() == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_linear_head_on_the_adapted_base_gives_the_held_out_probabilities(bases: Bases, kind: str) -> None:
    base = bases(kind)
    job = job_of(base, Phase(thaw=0, least_steps=2, epochs=0.1), Phase(thaw=2, least_steps=3, epochs=1.0))
    trained = train(job)
    adapted = AdaptedBase(base, trained.changes)
    given = trained.head.probabilities(pooled(adapted, adapted.network(), job.held))
    assert trained.kept is not None
    assert given == pytest.approx(trained.kept, abs=1e-4)
    assert trained.steps > 0  # the weights kept are not those it began with


# --- What moves ------------------------------------------------------------------------------------


def test_each_stage_has_its_rate(bases: Bases) -> None:
    trainee = trainee_of(bases("vit"))
    phase = Phase(thaw=1.0, rate=1e-2, body=0.5, decay=0.8)
    made = groups(list(trainee.objective.parameters()), trainee.thaw(phase), phase, 0.01, 0.02)
    rate_of = {id(p): (g["rate"], g["weight_decay"]) for g in made for p in g["params"]}
    weight, bias = trainee.objective.parameters()
    assert rate_of[id(weight)] == (1e-2, 0.01)
    assert rate_of[id(bias)] == (1e-2, 0.0)
    named, holding = dict(trainee.network.named_parameters()), trainee.holding()
    for depth, stage in enumerate(reversed(holding)):
        for name in trainee.stages.stages[stage].parameters:
            if named[name].requires_grad:
                expected = 1e-2 * 0.5 * 0.8**depth
                assert rate_of[id(named[name])][0] == pytest.approx(expected)
                assert rate_of[id(named[name])][1] == (0.02 if named[name].ndim > 1 else 0.0)
    assert len(rate_of) == sum(1 for _ in trainee.moving())


def test_the_rate_rises_and_falls_to_0() -> None:
    rates = [factor(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == 1.0
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 1e-3
    assert factor(0, 1, 0.1) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_norm_only_moves_norms_and_biases(bases: Bases, kind: str) -> None:
    base = bases(kind)
    trained = train(
        job_of(base, Phase(thaw=1.0, moves="norm", epochs=1.0, least_steps=2, rate=1e-2, body=1.0), held=None)
    )
    network = base.network()
    norms = {name for name, m in network.named_modules() if "norm" in type(m).__name__.lower()}
    moved = set(trained.changes.tensors)
    assert moved
    for name in moved:
        owner, _, leaf = name.rpartition(".")
        assert owner in norms or leaf == "bias", name


def test_adapters_alone_move_and_begin_alike(bases: Bases) -> None:
    job = job_of(
        bases("bert"),
        Phase(thaw=1.0, moves="adapter", epochs=1.0, least_steps=3, rate=1e-2, body=1.0),
        recipe={"lora": Lora(rank=2, alpha=4)},
    )
    torch.manual_seed(1)
    first = train(job)
    torch.manual_seed(2)
    second = train(job)
    assert all("lora_" in name for name in first.changes.tensors)
    assert any(np.abs(t).max() > 0 for n, t in first.changes.tensors.items() if "lora_B" in n)
    for name, tensor in weights_of(first).items():
        assert np.array_equal(tensor, weights_of(second)[name]), name
    adapted = AdaptedBase(job.base, first.changes)
    assert first.head.probabilities(pooled(adapted, adapted.network(), job.held)) == pytest.approx(first.kept, abs=1e-4)


def test_a_head_alone_leaves_the_base_as_it_was(bases: Bases) -> None:
    trained = train(job_of(bases("resnet"), Phase(thaw=0, epochs=1.0, least_steps=3), held=None))
    assert trained.changes.tensors == {}


@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_only_the_thawed_stages_move(bases: Bases, kind: str) -> None:
    base = bases(kind)
    trained = train(job_of(base, Phase(thaw=1, epochs=1.0, least_steps=3), held=None))
    trainee = trainee_of(base)
    top = trainee.stages.stages[trainee.holding()[-1]]
    for name in trained.changes.tensors:
        assert any(name.startswith(f"{module}.") for module in top.modules), name


def test_thawing_more_stages_than_there_are_is_refused_in_one_line(bases: Bases) -> None:
    with pytest.raises(SettingError) as refused:
        train(job_of(bases("bert"), Phase(thaw=40)))
    assert "40" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_adapters_for_convolutions_alone_are_refused(bases: Bases) -> None:
    with pytest.raises(SettingError, match="no linear layer"):
        train(job_of(bases("resnet"), recipe={"lora": Lora()}))


def test_an_unused_pooler_is_not_thawed(bases: Bases) -> None:
    trainee = trainee_of(bases("bert"))
    trainee.thaw(Phase(thaw=1.0))
    assert not [name for name, _ in trainee.moving() if "pooler" in name]


def test_a_frozen_stage_above_a_cut_below_the_thawed(bases: Bases) -> None:
    trainee = trainee_of(bases("vit"))
    holding = trainee.holding()
    for count in range(len(holding) + 1):
        cut = trainee.cut(Phase(thaw=count))
        below = {n for stage in trainee.stages.stages[:cut] for n in stage.parameters}
        trainee.thaw(Phase(thaw=count))
        assert not below & {name.removeprefix("network.") for name, _ in trainee.moving()}
    assert trainee.cut(Phase(thaw=1.0)) == 0
    assert trainee.cut(Phase(thaw=0)) == trainee.stages.cuts[-1]


# --- Modes -----------------------------------------------------------------------------------------


def test_batchnorm_keeps_its_statistics_unless_the_phase_moves_them(bases: Bases) -> None:
    trained = train(job_of(bases("resnet"), Phase(thaw=1.0, epochs=1.0, least_steps=3), held=None))
    assert trained.changes.tensors
    assert not [name for name in trained.changes.tensors if "running" in name]


def test_batchnorm_below_the_cut_keeps_its_statistics_and_above_it_moves(bases: Bases) -> None:
    base = bases("resnet")
    trained = train(job_of(base, Phase(thaw=1, epochs=1.0, least_steps=3, statistics=True), held=None))
    trainee = trainee_of(base)
    top = trainee.stages.stages[trainee.holding()[-1]]
    every = [name for name in base.network().state_dict() if name.endswith("running_mean")]
    own = [name for name in every if any(name.startswith(f"{m}.") for m in top.modules)]
    assert own
    assert {name for name in trained.changes.tensors if name.endswith("running_mean")} == set(own)


def test_dropout_works_in_training_and_in_thawed_stages_alone(bases: Bases) -> None:
    trainee = trainee_of(bases("bert"))
    phase = Phase(thaw=1)
    trainee.set_training(phase)
    dropouts = {n: m.training for n, m in trainee.network.named_modules() if isinstance(m, torch.nn.Dropout)}
    assert trainee.objective.training
    assert any(dropouts.values())
    assert not all(dropouts.values())
    trainee.eval()
    assert not trainee.objective.training


def test_a_single_row_leaves_batchnorm_alone(bases: Bases) -> None:
    trainee = trainee_of(bases("resnet"))
    phase = Phase(thaw=1.0, statistics=True)
    norms = [m for m in trainee.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    trainee.set_training(phase, 1)
    assert not any(m.training for m in norms)
    trainee((trainee.network.example()[0][:1],), 0)
    trainee.set_training(phase, 2)
    assert all(m.training for m in norms)


def test_lora_on_a_trainee_finds_the_same_stages(bases: Bases) -> None:
    base = bases("gpt2")
    network = base.network()
    inject(network, Lora(rank=2))
    trainee = trainee_of(base, network)
    assert len(trainee.stages.stages) == len(trainee_of(base).stages.stages)
    trainee.thaw(Phase(thaw=1.0, moves="adapter"))
    assert [name for name, _ in trainee.moving() if "lora_" in name]
    assert all("lora_" in name or name.startswith("objective.head.") for name, _ in trainee.moving())
