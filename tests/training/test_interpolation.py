import pytest
import torch
from torch import nn

from headstart.training.interpolation import feature_replay_loss, interpolate, l2sp, recompute_batchnorm


def state(weight: list[float], mean: float = 0.0, count: int = 0, dtype: torch.dtype = torch.float32):
    return {
        "norm.weight": torch.tensor(weight, dtype=dtype),
        "norm.running_mean": torch.tensor([mean]),
        "norm.running_var": torch.tensor([mean + 1]),
        "norm.num_batches_tracked": torch.tensor(count),
    }


BASE, TUNED = state([0.0, 10.0], 1.0, 5), state([4.0, 30.0], 3.0, 9)


def test_weights_lie_on_the_line():
    mixed = interpolate(BASE, TUNED, 0.25)
    assert mixed["norm.weight"].tolist() == [1.0, 15.0]
    assert list(mixed) == list(TUNED)


def test_statistics_and_counts_are_not_mixed():
    mixed = interpolate(BASE, TUNED, 0.25)
    assert [mixed[f"norm.{k}"].item() for k in ("running_mean", "running_var", "num_batches_tracked")] == [3, 4, 9]


@pytest.mark.parametrize(("alpha", "end"), [(0, BASE), (1, TUNED)])
def test_the_ends_are_exact_and_whole(alpha, end):
    torch.manual_seed(0)
    extra = {"w": torch.randn(999)}
    others = {"w": torch.randn(999) * 1e-3}
    base, tuned = {**BASE, **extra}, {**TUNED, **others}
    mixed = interpolate(base, tuned, alpha)
    assert all(torch.equal(mixed[name], {**end, "w": (base if alpha == 0 else tuned)["w"]}[name]) for name in mixed)
    assert all(mixed[name].data_ptr() != s[name].data_ptr() for name in mixed for s in (base, tuned))


def test_half_precision_stays_and_is_mixed_in_float32():
    base, tuned = state([1.0], dtype=torch.bfloat16), state([1.0078125], dtype=torch.bfloat16)
    mixed = interpolate(base, tuned, 0.9)["norm.weight"]
    assert mixed.dtype == torch.bfloat16
    assert mixed.item() == 1.0078125


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_beyond_the_line_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        interpolate(BASE, TUNED, alpha)


@pytest.mark.parametrize("other", [{"head": torch.ones(1)}, {"norm.weight": torch.ones(3)}])
def test_states_of_other_networks_are_refused(other):
    with pytest.raises(ValueError, match=next(iter(other))):
        interpolate(BASE, {**TUNED, **other}, 0.5)


class Small(nn.Module):
    """A BatchNorm on twice the input, with a dropout that would show in the statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.scale.weight, 2.0)
        self.dropout = nn.Dropout(0.9)
        self.norm = nn.BatchNorm1d(1, momentum=0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.dropout(self.scale(x)))


def column(*values: float) -> tuple[torch.Tensor]:
    return (torch.tensor(values, dtype=torch.float32)[:, None],)


def test_statistics_are_the_mean_over_the_batches():
    network = Small().train()
    network.scale.eval()
    network.norm.running_mean.fill_(77)
    weights = {name: p.clone() for name, p in network.named_parameters()}
    assert recompute_batchnorm(network, iter([column(0, 2), column(5, 7, 9)])) == 1
    # doubled: 0, 4 (mean 2, variance 8) and 10, 14, 18 (mean 14, variance 16)
    assert network.norm.running_mean.item() == pytest.approx(8)
    assert network.norm.running_var.item() == pytest.approx(12)
    assert network.norm.momentum == 0.3
    assert [m.training for m in network.modules()] == [True, False, True, True]
    assert all(torch.equal(p, weights[name]) and p.grad is None for name, p in network.named_parameters())


def test_modes_come_back_after_an_error():
    network = Small().eval()
    with pytest.raises(RuntimeError):
        recompute_batchnorm(network, [column(0, 2), (torch.ones(2, 3),)])
    assert not any(m.training for m in network.modules())
    assert network.norm.momentum == 0.3


def test_no_batches_keep_the_statistics():
    network = Small()
    network.norm.running_mean.fill_(77)
    with pytest.raises(ValueError, match="no batches"):
        recompute_batchnorm(network, [])
    assert network.norm.running_mean.item() == 77


def test_without_batchnorm_nothing_is_run():
    def fails():
        pytest.fail("a batch was asked for")
        yield

    assert recompute_batchnorm(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), fails()) == 0
    assert recompute_batchnorm(nn.BatchNorm1d(2, track_running_stats=False), fails()) == 0


def test_a_batchnorm_of_timm_is_one_and_its_dropout_sleeps():
    from timm.layers import BatchNormAct2d

    norm = BatchNormAct2d(2, drop_layer=nn.Dropout)
    network = nn.Sequential(norm, nn.BatchNorm2d(2))
    torch.manual_seed(0)
    x = torch.randn(64, 2, 3, 3) * 3 + 5
    assert recompute_batchnorm(network.eval(), [(x,)]) == 2
    torch.testing.assert_close(norm.running_mean, x.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, x.var((0, 2, 3)))
    assert network[1].running_mean.max() < 0.6  # of a ReLU of a standard normal, 0.4; dropout would give other ones


def test_interpolation_and_recomputing_fit_together():
    """Between two networks that differ in scale alone, recomputed statistics make them the same function."""
    base, tuned = Small(), Small()
    nn.init.constant_(tuned.scale.weight, 6.0)
    batch = column(0, 1, 2, 3)
    for network in (base, tuned):
        recompute_batchnorm(network.eval(), [batch])
    expected = base(*batch)
    middle = Small().eval()
    middle.load_state_dict(interpolate(base.state_dict(), tuned.state_dict(), 0.5))
    assert not torch.allclose(middle(*batch), expected, atol=0.1)
    recompute_batchnorm(middle, [batch])
    torch.testing.assert_close(middle(*batch), expected, atol=1e-4, rtol=1e-4)


def test_l2sp_by_hand():
    a, b = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([[3.0]]))
    start = torch.tensor([0.0, 4.0], requires_grad=True)
    loss = l2sp([(a, start), (b, torch.tensor([[1.0]]))], 0.5)
    assert loss.item() == pytest.approx(0.25 * (1 + 4 + 4))
    loss.backward()
    assert a.grad.tolist() == [0.5, -1.0]  # strength × (w − w⁰)
    assert b.grad.tolist() == [[1.0]]
    assert start.grad is None


def test_l2sp_of_nothing_is_zero():
    assert l2sp([], 1.0).item() == 0


def test_replay_by_hand():
    before = torch.tensor([[3.0, 4.0], [0.0, 5.0]], requires_grad=True)  # squares 25 and 25
    now = torch.tensor([[3.0, 4.0], [4.0, 8.0]], requires_grad=True)  # moved by 0 and 25
    moved, weight = feature_replay_loss(now, before)
    assert (moved.item(), weight.item()) == (25.0, 50.0)
    moved.backward()
    assert before.grad is None
    torch.testing.assert_close(now.grad, torch.tensor([[0.0, 0.0], [4.0, 3.0]]) * 2)


def test_replay_is_a_share_that_knows_no_scale_and_adds_up():
    torch.manual_seed(0)
    now, before = torch.randn(8, 5), torch.randn(8, 5)

    def share(now: torch.Tensor, before: torch.Tensor) -> float:
        moved, weight = feature_replay_loss(now, before)
        return float(moved / weight)

    assert share(now * 9, before * 9) == pytest.approx(share(now, before))
    assert share(before, before) == 0
    assert share(torch.zeros(8, 5), before) == pytest.approx(1)
    parts = [feature_replay_loss(now[part], before[part]) for part in (slice(0, 3), slice(3, 8))]
    added = sum(moved for moved, _ in parts) / sum(weight for _, weight in parts)
    assert float(added) == pytest.approx(share(now, before))
