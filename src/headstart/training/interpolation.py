"""Keeping what a base knew: weights between base and tuned, and pulls back to the base while training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

_STATISTICS = ("running_mean", "running_var")


def interpolate(
    base_state: dict[str, torch.Tensor], tuned_state: dict[str, torch.Tensor], alpha: float
) -> dict[str, torch.Tensor]:
    """Weights on the straight line from the base (``alpha`` 0) to the tuned network (1).

    (1 − α) base + α tuned, as WiSE-FT does (Wortsman et al. 2022, arXiv:2109.01903). Both states are of one
    network, on one device. Tensors that are not of floating point are the tuned network's.

    Statistics of BatchNorm are of the activations that the weights around them give and do not lie on the line
    (as for averaged weights: Izmailov et al. 2018, arXiv:1803.05407). Strictly between 0 and 1 they are the tuned
    network's, to be had anew by `recompute_batchnorm`; at 0 and 1 they are the base's and the tuned network's
    own, and nothing is to be done. Nor is there where training left them alone (BatchNorm in eval mode).

    Raises:
        ValueError: ``alpha`` outside 0 … 1, or states of different tensors.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 (the base) and 1 (the tuned network).")
    if _shapes(base_state) != _shapes(tuned_state):
        odd = sorted(name for name, _ in _shapes(base_state).items() ^ _shapes(tuned_state).items())
        raise ValueError(f"the states differ in {', '.join(odd[:3])}; both must be of the same network.")
    end = base_state if alpha == 0 else tuned_state
    return {
        name: _between(base_state[name], tuned, alpha) if _on_the_line(name, tuned) else end[name].clone()
        for name, tuned in tuned_state.items()
    }


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    """The shape of every tensor by name."""
    return {name: tensor.shape for name, tensor in state.items()}


def _on_the_line(name: str, tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and name.rpartition(".")[2] not in _STATISTICS


def _between(base: torch.Tensor, tuned: torch.Tensor, alpha: float) -> torch.Tensor:
    """In float32 at least; exact at both ends."""
    wide = torch.promote_types(tuned.dtype, torch.float32)
    return torch.lerp(base.to(wide), tuned.to(wide), alpha).to(tuned.dtype)


def recompute_batchnorm(network: nn.Module, batches: Iterable[tuple[torch.Tensor, ...]]) -> int:
    """Estimate the running statistics of every BatchNorm anew from ``network(*batch)``, and return how many there are.

    All else stays in eval mode, no weight changes, and every module gets its mode and momentum back. The
    statistics are the plain mean over the batches, so these should be of about one size, of rows in random order,
    and of many rows: a variance is one within a batch. Without a BatchNorm nothing is run.

    Raises:
        ValueError: no batches; the statistics would be lost.
    """
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    if not norms:
        return 0
    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        raise ValueError("no batches to take the statistics of BatchNorm from; give at least one.")
    with _estimating(network, norms), torch.no_grad():
        for batch in chain([first], rest):
            network(*batch)
    return len(norms)


@contextmanager
def _estimating(network: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Eval mode but for ``norms`` themselves, whose statistics are set back to average over all that comes."""
    modes, momenta = [(m, m.training) for m in network.modules()], [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches, each counting the same
        norm.training = True  # not train(): that would wake a dropout inside of it too
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def l2sp(parameters: Iterable[tuple[nn.Parameter, torch.Tensor]], strength: float) -> torch.Tensor:
    """The L2-SP penalty strength / 2 · Σ ‖w − w⁰‖², over pairs of a parameter and what it started from.

    It pulls weights back to the base's where weight decay would pull them to 0 (Li, Grandvalet & Davoine 2018,
    "Explicit inductive bias for transfer learning with convolutional networks", arXiv:1802.01483, equation 2).
    A scalar, 0 without parameters; gradients flow to the parameters only.
    """
    squares = [(w.to(torch.float32) - start.detach().to(torch.float32)).square().sum() for w, start in parameters]
    return strength / 2 * torch.stack(squares).sum() if squares else torch.zeros(())


def feature_replay_loss(now: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far the features of retained inputs moved: Σ ‖now − before‖², and what that is a share of, Σ ‖before‖².

    Learning without forgetting (Li & Hoiem 2016, arXiv:1606.09282) on features instead of answers. The share is 0 where
    nothing moved, 1 where all features became 0; scaling both changes nothing. Parts and processes add up.

    Args:
        now: [batch, width] by the network in training; gradients flow.
        before: [batch, width] of the same inputs by the base.
    """
    before = before.detach().to(torch.float32)
    return (now.to(torch.float32) - before).square().sum(), before.square().sum()
