"""One contract for every architecture: cut anywhere, the network's own forward pass comes out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from headstart.bases.network import AudioNetwork, ImageNetwork, Network, TextNetwork, pool
from headstart.bases.stages import Stages, State
from headstart.errors import SettingError
from tests.bases.stage_cases import MAKERS, Case, batch_for, case, image_network

#: Blocks between stem and pooling.
BLOCKS = {
    "resnet": 4,
    "vgg": 5,
    "inception": 11,
    "mobilenetv3": 6,
    "mobilenetv2": 7,
    "efficientnet_lite": 7,
    "convnext": 4,
    "densenet": 4,
    "regnet": 4,
    "vit": 4,
    "vit_rotary": 3,
    "swin": 3,
    "tf_vit": 3,
    "tf_convnext": 4,
    "tf_swin": 3,
    "albert": 1,  # all its layers are one module
}
EVERY = pytest.mark.parametrize("name", MAKERS)


def near(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> bool:
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


def snapshot(network: Network) -> dict[str, Any]:
    """All that building and running stages might leave behind."""
    return {
        "tensors": {name: t.clone() for name, t in network.state_dict().items()},
        "modes": [m.training for m in network.modules()],
        "forwards": [m.__dict__.get("forward") for m in network.modules()],
        "hooks": [(dict(m._forward_hooks), dict(m._forward_pre_hooks)) for m in network.modules()],
        "thawed": [p.requires_grad for p in network.parameters()],
        "random": torch.get_rng_state(),
    }


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    tensors = all(torch.equal(t, b["tensors"][name]) for name, t in a["tensors"].items())
    rest = all(a[key] == b[key] for key in ("modes", "forwards", "hooks", "thawed"))
    return tensors and rest and torch.equal(a["random"], b["random"])


@EVERY
def test_the_stages_are_those_of_the_architecture(name: str) -> None:
    stages = case(name).stages
    blocks = BLOCKS.get(name, 3)
    assert [s.name for s in stages.stages] == ["stem", *(f"block {i + 1}" for i in range(blocks)), "pooling"]
    assert stages.cuts == tuple(range(1, blocks + 2))


@EVERY
def test_every_parameter_is_in_exactly_one_stage(name: str) -> None:
    found = case(name)
    listed = [p for stage in found.stages.stages for p in stage.parameters]
    assert sorted(listed) == sorted(n for n, _ in found.network.named_parameters())
    assert all(stage.parameters for stage in found.stages.stages[:-1])


@EVERY
def test_modules_are_in_the_order_of_their_calls(name: str) -> None:
    found = case(name)
    listed = [m for stage in found.stages.stages for m in stage.modules]
    assert called(found, partial(found.network, *found.batch)) == listed


@EVERY
def test_stage_by_stage_is_the_forward_pass(name: str) -> None:
    found = case(name)
    with torch.no_grad():
        expected = found.network(*found.batch)
        state: Any = found.batch
        for k in range(len(found.stages.stages)):
            state = found.stages.run_one(state, k)
    assert isinstance(state, torch.Tensor)
    assert state.dtype == torch.float32
    assert near(state, expected)


@EVERY
def test_every_cut_is_exact_and_nothing_runs_twice(name: str) -> None:
    found = case(name)
    network, stages = found.network, found.stages
    network.requires_grad_(False)  # the counter stumbles over parameters that ask for gradients
    try:
        whole, expected = counted(partial(network, *found.batch))
        again = counted(partial(stages.prefix, found.batch, 1))[0] if isinstance(network, TextNetwork) else 0
        kept = {ImageNetwork: 0, AudioNetwork: 1, TextNetwork: 2}[type(network)]
        for k in stages.cuts:
            below, state = counted(partial(stages.prefix, found.batch, k))
            above, out = counted(partial(stages.suffix, state, k))
            assert near(out, expected), k
            assert below + above == whole + again, k  # texts are embedded anew: ids are at hand
            assert len(state.hidden) == len(found.batch[0])
            assert len(state.inputs) == kept
    finally:
        network.requires_grad_(True)


def counted(run: Callable[[], Any]) -> tuple[int, Any]:
    """The floating-point operations of ``run``, and what it returns."""
    with FlopCounterMode(display=False) as flops:
        result = run()
    return flops.get_total_flops(), result


@EVERY
def test_later_stages_do_not_run_in_the_prefix(name: str) -> None:
    found = case(name)
    for k in found.stages.cuts:
        above = {m for stage in found.stages.stages[k:] for m in stage.modules}
        assert not above & set(called(found, partial(found.stages.prefix, found.batch, k)))


def called(found: Case, run: Callable[[], Any]) -> list[str]:
    """The stages' modules that work in ``run``, in the order of their first calls."""
    names: list[str] = []
    handles = []
    for name in (m for stage in found.stages.stages for m in stage.modules):
        module = found.network.get_submodule(name)
        handles.append(module.register_forward_hook(lambda *_, name=name: names.append(name)))
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return list(dict.fromkeys(names))


@EVERY
def test_gradients_are_the_forward_pass_s_above_the_cut_and_none_below(name: str) -> None:
    found = case(name)
    expected = gradients(found, found.network(*found.batch))
    cuts = found.stages.cuts
    for k in sorted({cuts[0], cuts[len(cuts) // 2], cuts[-1]}):
        with torch.no_grad():
            state = found.stages.prefix(found.batch, k)
        found_gradients = gradients(found, found.stages.suffix(state, k))
        thawed = {p for stage in found.stages.stages[k:] for p in stage.parameters}
        assert set(found_gradients) == thawed & set(expected)
        for parameter, gradient in found_gradients.items():
            assert near(gradient, expected[parameter], 1e-3) or expected[parameter].abs().max() < 1e-6, parameter
        assert state.hidden.grad is None


def gradients(found: Case, out: torch.Tensor) -> dict[str, torch.Tensor]:
    if out.requires_grad:
        (out * torch.linspace(-1, 1, out.shape[1])).sum().backward()
    given = {n: p.grad for n, p in found.network.named_parameters() if p.grad is not None}
    found.network.zero_grad()
    return given


@pytest.mark.parametrize("name", ["resnet", "bert"])
def test_the_hidden_state_gets_a_gradient_where_asked(name: str) -> None:
    found = case(name)
    with torch.no_grad():
        state = found.stages.prefix(found.batch, 2)
    asked = State(state.hidden.clone().requires_grad_(), state.inputs)
    gradients(found, found.stages.suffix(asked, 2))
    assert asked.hidden.grad is not None
    assert asked.hidden.grad.abs().max() > 0


@EVERY
def test_every_stage_s_output_is_one_vector_an_example(name: str) -> None:
    found = case(name)
    with torch.no_grad():
        outputs = found.stages.every(found.batch)
        assert torch.equal(outputs[-1], found.network(*found.batch))
        for k in found.stages.cuts:
            hidden = found.stages.prefix(found.batch, k).hidden
            assert near(outputs[k - 1], averaged(found, hidden)), k
    assert all(o.dtype == torch.float32 and len(o) == len(found.batch[0]) for o in outputs)


def averaged(found: Case, hidden: torch.Tensor) -> torch.Tensor:
    if isinstance(found.network, TextNetwork):
        return pool(hidden, found.batch[1], "mean")
    if isinstance(found.network, AudioNetwork):
        return pool(hidden, found.network.beside(found.batch)[0], "mean")
    channels_last = hidden.ndim == 3 or found is case("swin")
    return hidden.flatten(1, -2).mean(1) if channels_last else hidden.flatten(2).mean(2)


@pytest.mark.parametrize("name", ["bert", "deberta_v2", "llama"])
def test_padding_changes_no_stage_s_output(name: str) -> None:
    found = case(name)
    ids, mask = found.batch
    with torch.no_grad():
        padded = found.stages.every(found.batch)
        alone = found.stages.every((ids[1:2, :6], mask[1:2, :6]))
    for a, b in zip(padded, alone, strict=True):
        torch.testing.assert_close(a[1:2], b, atol=1e-5, rtol=1e-4)


@EVERY
def test_the_network_is_left_as_it_was(name: str) -> None:
    found = case(name)
    network = copy.deepcopy(found.network).train()
    for i, module in enumerate(network.modules()):  # a mixture, so that setting all to one mode would show
        module.training = i % 3 > 0
    for i, parameter in enumerate(network.parameters()):
        parameter.requires_grad_(i % 2 == 0)
    before = snapshot(network)
    assert not any(before["forwards"])
    stages = Stages(network)
    assert same(before, snapshot(network))
    modes = before["modes"]
    network.eval()
    with torch.no_grad():
        stages.suffix(stages.prefix(found.batch, 1), 1)
        stages.every(found.batch)
    for module, mode in zip(network.modules(), modes, strict=True):
        module.training = mode
    assert same(before, snapshot(network))


@pytest.mark.parametrize("name", ["resnet", "bert"])
def test_the_network_is_left_as_it_was_after_an_error(name: str) -> None:
    found = case(name)
    before = snapshot(found.network)
    with pytest.raises((RuntimeError, IndexError)):
        found.stages.suffix(State(torch.zeros(2, 5, 7), found.batch), 2)
    assert same(before, snapshot(found.network))


def test_a_stage_that_trains_is_in_its_caller_s_mode() -> None:
    network = copy.deepcopy(case("resnet").network)
    stages = Stages(network)
    with torch.no_grad():
        state = stages.prefix(case("resnet").batch, 3)
    before = {n: b.clone() for n, b in network.named_buffers()}
    network.train()
    stages.suffix(state, 3)
    moved = {n for n, b in network.named_buffers() if not torch.equal(b, before[n])}
    above = tuple(f"{m}." for stage in stages.stages[3:] for m in stage.modules)
    assert moved
    assert all(n.startswith(above) for n in moved)


def test_bfloat16_bodies_keep_their_stages() -> None:
    network = copy.deepcopy(case("convnext").network)
    stages = Stages(network)
    network.body.to(torch.bfloat16)
    with torch.no_grad():
        expected = network(*case("convnext").batch)
        state = stages.prefix(case("convnext").batch, 2)
        out = stages.suffix(state, 2)
    assert state.hidden.dtype == torch.bfloat16
    assert out.dtype == torch.float32
    assert near(out, expected)


class Skips(nn.Module):
    """Three blocks; ``skip`` says whose output is added to the last one's, past the blocks between."""

    def __init__(self, skip: int | None, writes: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        blocks = []
        for _ in range(3):
            layers = [nn.ReLU(inplace=writes), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 1)]
            blocks.append(nn.Sequential(*layers))
        self.blocks = nn.ModuleList(blocks)
        self.skip = skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = [self.stem(x)]
        for block in self.blocks:
            kept.append(block(kept[-1]))
        out = kept[-1] if self.skip is None else kept[-1] + kept[self.skip]
        return out.mean((2, 3))


@pytest.mark.parametrize(
    ("skip", "writes", "cuts"),
    [(None, False, (1, 2, 3, 4)), (0, False, ()), (1, False, (1,)), (2, False, (1, 2)), (None, True, (4,))],
)
def test_cuts_that_do_not_hold_are_left_out_and_the_stages_stay(
    skip: int | None, writes: bool, cuts: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    network = image_network(Skips(skip, writes), 8)
    stages = Stages(network)
    assert stages.cuts == cuts
    assert [s.name for s in stages.stages] == ["stem", "block 1", "block 2", "block 3", "pooling"]
    assert len(stages.every(batch_for(network))) == 5


@pytest.mark.parametrize("k", [-1, 0, 6, 99])
def test_a_cut_out_of_range_is_refused_with_what_is_allowed(k: int) -> None:
    found = case("resnet")
    state = State(torch.zeros(1), ())
    for run in (lambda: found.stages.prefix(found.batch, k), lambda: found.stages.suffix(state, k)):
        with pytest.raises(SettingError, match=rf"cut at stage {k};.*1 \(below block 1\).*5 \(below pooling\)") as e:
            run()
        assert "0 stem" in str(e.value)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize("k", [-1, 6])
def test_a_single_stage_out_of_range_is_refused(k: int) -> None:
    found = case("resnet")
    for given in (found.batch, State(torch.zeros(1), ())):
        with pytest.raises(SettingError):
            found.stages.run_one(given, k)


def test_only_the_first_stage_takes_a_batch() -> None:
    found = case("resnet")
    with pytest.raises(SettingError, match=r"stage 2 \(block 2\) takes a state"):
        found.stages.run_one(found.batch, 2)
    with torch.no_grad(), pytest.raises(SettingError):
        found.stages.run_one(found.stages.prefix(found.batch, 1), 0)


def test_outputs_that_are_no_tokens_are_not_averaged() -> None:
    class Folded(nn.Module):
        """Puts the tokens before the batch, as XLNet does."""

        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(40, 8)
            self.layers = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8)) for _ in range(3))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
            x = self.words(input_ids).transpose(0, 1)
            for layer in self.layers:
                x = layer(x)
            return SimpleNamespace(last_hidden_state=x.transpose(0, 1))

    network = TextNetwork(Folded(), "mean")
    stages = Stages(network)
    assert len(stages.stages) == 5
    with pytest.raises(SettingError, match="stem gives neither maps nor tokens"):
        stages.every(batch_for(network))
