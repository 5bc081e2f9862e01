"""Keeping what the base knew: how much was forgotten, and the way back towards the base where that is too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from headstart.bases.adapted import changes_of, lay_in, state_of
from headstart.bases.base import Base
from headstart.bases.changes import Changes
from headstart.bases.network import Network
from headstart.bases.own_head import own_head
from headstart.evaluation.forgetting import head_agreement, neighbour_agreement
from headstart.heads.linear import LinearHead
from headstart.progress import Progress
from headstart.ragged import row_vectors
from headstart.records import ForgettingRecord
from headstart.training.answers import pooled
from headstart.training.checkpoint import Tensors
from headstart.training.feed import feed_for
from headstart.training.interpolation import interpolate, recompute_batchnorm
from headstart.training.rows import TrainRows

_SOME = 500  # inputs compared: an agreement is then known to about 0.02
_BATCH, _FOR_STATISTICS = 32, 512  # rows that BatchNorm's statistics are taken from
_HALVINGS = 5  # of the way between base and trained weights: known to 1/32


@dataclass(frozen=True)
class Gauge:
    """Measures forgetting on the same inputs again and again.

    Attributes:
        rows: inputs, with features [n, width] of the base that come by the same way as those they are compared with: in
            another precision some neighbours would differ though nothing was forgotten.
        own: the base's own classifier, or None: neighbours are compared.
        what: the inputs, for people.
    """

    rows: TrainRows
    own: tuple[np.ndarray, np.ndarray] | None
    what: str

    @classmethod
    def of(cls, base: Base, rows: TrainRows, what: str) -> Gauge:
        """On at most `_SOME` of ``rows``."""
        some = rows.take(np.linspace(0, len(rows) - 1, min(_SOME, len(rows))).astype(int))
        some = replace(some, vectors=pooled(base, base.network(), some))
        return cls(some, own_head(base), f"{what} inputs")

    @property
    def how(self) -> str:
        """What is compared, for people."""
        if self.own:
            return f"answers of the base's own classifier on {self.what}"
        return f"nearest neighbours among {self.what}"

    def error(self, after: Any) -> float:
        """Share that changed, given features [n, width] of the adapted base, of ragged rows the mean of each."""
        before, after = row_vectors(self.rows.vectors), row_vectors(after)
        if self.own:
            weight, bias = self.own
            return 1 - head_agreement(before @ weight + bias, after @ weight + bias)
        return 1 - neighbour_agreement(before, after)


def inputs_needed(rows: int, limit: float | None) -> int:
    """How many inputs pass through the network to measure forgetting on ``rows``, and to keep it within ``limit``.

    Where it is drawn back, held-out rows are answered anew, at most all rows.
    """
    if limit is None:
        return 2 * min(_SOME, rows)
    return (2 + _HALVINGS + 1) * min(_SOME, rows) + rows


def kept_within(
    base: Base,
    changes: Changes,
    heads: tuple[LinearHead, LinearHead],
    gauge: Gauge,
    limit: float | None,
    train: TrainRows,
    progress: Progress,
) -> tuple[Changes, LinearHead, ForgettingRecord]:
    """The changes, drawn back towards the base as far as ``limit`` asks, and what they forget.

    WiSE-FT (Wortsman et al. 2022): weights and head on the straight line from the base with its solved head to the
    trained ones; the farthest point whose forgetting is within the limit. Statistics of BatchNorm are taken anew.

    Args:
        heads: the solved head, for the base, and the trained one.
        limit: greatest error, or None: only measure.
        train: rows that BatchNorm's statistics are taken from.
    """
    network = base.network()
    start = state_of(network)  # of this very network: loaded again, tensors that no checkpoint holds would differ
    lay_in(network, changes)
    error = gauge.error(pooled(base, network, gauge.rows, progress))
    share = 1.0
    if limit is not None and not error <= limit:  # nan: not shown to be kept
        share, error = _draw_back(base, network, start, gauge, limit, train, progress)
        changes = changes_of(start, network)
        progress.say(f"  drawn back to {share:.0%} of the way from the base: forgetting {error:.2f} of {limit:.2f}")
    head = _between(heads[0], heads[1], share)
    record = ForgettingRecord(error, gauge.how, len(gauge.rows), math.nan if limit is None else limit, share)
    return changes, head, record


def _draw_back(
    base: Base, network: Network, start: Tensors, gauge: Gauge, limit: float, train: TrainRows, progress: Progress
) -> tuple[float, float]:
    """Move the network to the farthest share of the way from ``start`` that keeps the limit, by halving the way.

    Returns:
        That share, and what is forgotten there.
    """
    move = _mover(base, network, start, train)

    def at(share: float) -> float:
        move(share)
        return gauge.error(pooled(base, network, gauge.rows, progress))

    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if at(middle) <= limit:
            low = middle
        else:
            high = middle
    return low, at(low)


def drawn_back(
    base: Base,
    changes: Changes,
    heads: tuple[LinearHead, LinearHead],
    share: float,
    train: TrainRows,
    rows: TrainRows,
    progress: Progress,
) -> Any:
    """[n, outputs]: answers to ``rows`` of another run's ``changes``, drawn back to ``share`` of its way from the base.

    Args:
        heads: the solved head, for the base, and the run's trained one.
        train: rows that the run learnt from: statistics of BatchNorm are taken from them.
    """
    network = base.network()
    start = state_of(network)
    lay_in(network, changes)
    _mover(base, network, start, train)(share)
    return _between(*heads, share).probabilities(pooled(base, network, rows, progress))


def _mover(base: Base, network: Network, start: Tensors, train: TrainRows) -> Callable[[float], None]:
    """What moves ``network`` to a share of the way from ``start`` to where it stands now."""
    end = state_of(network)
    feed = feed_for(base, train, None, 0)
    order = np.random.default_rng(0).permutation(len(train))[:_FOR_STATISTICS]
    batches = [part for part in np.array_split(order, max(1, len(order) // _BATCH)) if len(part)]
    moved = [
        name for name in end if name.rpartition(".")[2] == "running_mean" and not torch.equal(start[name], end[name])
    ]

    def move(share: float) -> None:
        network.load_state_dict(interpolate(start, end, share))
        if moved and 0 < share < 1:
            device = next(network.parameters()).device
            recompute_batchnorm(network, (tuple(t.to(device) for t in b) for b in feed.stream(batches, None)))

    return move


def _between(solved: LinearHead, trained: LinearHead, share: float) -> LinearHead:
    if share == 1.0:
        return trained
    weight = (1 - share) * solved.weight + share * trained.weight
    bias = (1 - share) * solved.bias + share * trained.bias
    given = trained.weight.dtype
    return LinearHead(weight.astype(given), bias.astype(given), trained.task, "trained", {"share": share})
