"""Optimiser steps of one phase."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.bases.stages import State
from headstart.errors import TrainingError
from headstart.ragged import flat, items_of
from headstart.training.checkpoint import Tensors, restore_optimizer
from headstart.training.feed import Batch
from headstart.training.interpolation import feature_replay_loss, l2sp
from headstart.training.objective import Summed
from headstart.training.phase import Phase
from headstart.training.position import Position
from headstart.training.processes import casting
from headstart.training.supply import Taken
from headstart.training.work import Parts, Work


class Diverged(Exception):
    """A loss or a gradient is no longer a number, or the loss is far above chance."""


class Stepper:
    """What moves the weights in one phase.

    Args:
        origin: the network's parameters as the run began with them, where L2-SP is to pull back to them; else none.
        moments: the optimiser's state of a checkpoint.
    """

    def __init__(
        self, work: Work, phase: Phase, parts: Parts, origin: Mapping[str, torch.Tensor], moments: Tensors | None
    ) -> None:
        self._work, self._phase, self._parts = work, phase, parts
        trainee, options, processes = work.trainee, work.options, work.processes
        self._objective = trainee.objective
        body = trainee.thaw(phase)
        # L2-SP stands in for the decay of what it pulls back (Li et al. 2018, section 3)
        decays = options.weight_decay, 0.0 if options.l2sp else options.weight_decay
        rates = groups(list(trainee.objective.parameters()), body, phase, *decays)
        optimizer = torch.optim.AdamW(rates, lr=phase.rate, fused=processes.device.type in ("cpu", "cuda"))
        self._model, self.optimizer = processes.prepare(trainee), optimizer
        if moments:
            restore_optimizer(self.optimizer, moments)
        moving = [(name, p) for name, p in trainee.network.named_parameters() if p.requires_grad]
        self._anchor = [(p, origin[name]) for name, p in moving if name in origin]

    def step(self, position: Position, taken: Taken, kept: Taken | None, factor: float) -> tuple[float, float]:
        """One optimiser step at ``factor`` of every rate; the loss of the rows ``taken``, summed, and its weight.

        Both are those of all processes, as the gradient is that of the mean over all.

        The batch is taken in 2^halvings parts, more where memory does not suffice; in one process, long inputs are
        taken in parts, as the feed says.

        Raises:
            Diverged: the loss or the gradient is no number; the weights are as before.
            TrainingError: not enough memory for one row.
        """
        processes = self._work.processes
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * factor
        while True:
            # Seeded by step, so that a resumed run draws the same dropout as an unbroken one.
            torch.manual_seed(hash((self._work.options.seed, position.done, processes.number)) & 0x7FFFFFFF)
            try:
                summed, weight = self._gradients(taken, kept, 2**position.halvings)
                break
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
            self._halve(position, len(taken.rows))  # out of the handler, which holds on to the failed pass
        norm = processes.clip(self._model, self._work.options.clip)
        if not math.isfinite(norm + summed):
            self.optimizer.zero_grad()
            raise Diverged("the loss is no longer a number")
        self.optimizer.step()
        self.optimizer.zero_grad()
        return summed, weight

    def restart(self) -> None:
        """Forget the moments and gradients."""
        self.optimizer.state.clear()
        self.optimizer.zero_grad()

    def _gradients(self, taken: Taken, kept: Taken | None, parts: int) -> tuple[float, float]:
        """Gradients of all that is to be made small; the loss of the rows taken, summed, and its weight.

        Processes share the gradient in the backward pass of the rows taken, so all else comes before. A batch in parts
        is of one process, and its gradient may be scaled once all weights are known, so all else comes after.
        """
        count = len(taken.rows)
        if self._work.processes.count == 1:
            parts = min(max(parts, -(-_length(taken.batch) // self._parts.train.feed.at_once)), count)
        if parts == 1:
            self._pull_back(kept, count)
        found = self._of_rows(taken, parts)
        if parts > 1:
            self._pull_back(kept, -(-count // parts))
        return found

    def _of_rows(self, taken: Taken, parts: int) -> tuple[float, float]:
        """Gradients of the mean loss of the rows that all processes took; that loss, summed, and its weight.

        Each part is divided by the weight that all will have if they are like the first; where they were not, as with a
        loss per token, the sum is put right at the end.
        """
        processes, count = self._work.processes, len(taken.rows)
        y = self._parts.train.feed.rows.y[taken.rows]
        total, weight, expected = 0.0, 0.0, 0.0
        for part in _slices(count, parts):
            rows = part.stop - part.start
            self._work.trainee.set_training(self._phase, rows)
            with processes.accumulating(self._model, last=part.stop == count):
                truth = self._objective.truth(y[part]).to(processes.device)
                weights = self._weights(taken.rows[part], y[part])
                summed, own = self._loss(_taken(taken.batch, part), truth, weights)
                expected = expected or processes.total(float(own)) * count / rows or float(count)
                (summed / (expected / processes.count)).backward()  # gradients are averaged over processes
            total, weight = total + float(summed.detach()), weight + float(own)
        total, weight = processes.total(total), processes.total(weight)
        if weight not in (0.0, expected):
            for parameter in self._model.parameters():
                if parameter.grad is not None:
                    parameter.grad *= expected / weight
        return total, weight

    def _weights(self, rows: np.ndarray, y: Any) -> torch.Tensor | None:
        """How much each item of ``rows`` counts, whose targets are ``y``, float32; None: all the same."""
        known = self._parts.train.feed.rows.weights
        return None if known is None else torch.from_numpy(items_of(known[rows].astype(np.float32), y))

    def _loss(self, batch: Batch | State, truth: torch.Tensor, weights: torch.Tensor | None) -> Summed:
        blend = None
        if self._work.options.mixup and len(truth) > 1:
            batch, truth, weights, blend = self._mixed(batch, truth, weights)
        with casting(self._work.processes.device, self._work.processes.dtype):
            scores, _ = self._model(batch, self._parts.train.cut, blend)
        return self._objective.loss(scores.to(torch.float32), truth, weights)

    def _mixed(
        self, batch: Batch | State, truth: torch.Tensor, weights: torch.Tensor | None
    ) -> tuple[Batch | State, torch.Tensor, torch.Tensor | None, tuple[float, torch.Tensor] | None]:
        """Pictures, or what the cached prefix made of them, mixed with others of the batch (Zhang et al. 2018).

        Of texts neither ids nor states of unlike length can be mixed: their features are, before the head (Guo et al.
        2019, "Augmenting data with mixup for sentence classification", arXiv:1905.08941, the variant senMixup).
        """
        alpha = self._work.options.mixup
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        partner = torch.randperm(len(truth)).to(truth.device)
        soft = self._objective.mixed(truth, truth[partner], share)
        if weights is not None:
            weights = share * weights + (1 - share) * weights[partner.cpu()]
        if not self._work.trainee.network.fixed:
            return batch, soft, weights, (share, partner)

        def blend(x: torch.Tensor) -> torch.Tensor:
            both = share * x.to(torch.float32) + (1 - share) * x[partner].to(torch.float32)
            return both.to(x.dtype) if x.is_floating_point() else both.round().to(x.dtype)

        if isinstance(batch, State):
            return State(blend(batch.hidden), batch.inputs), soft, weights, None
        return tuple(blend(x) for x in batch), soft, weights, None

    def _pull_back(self, kept: Taken | None, size: int) -> None:
        """Gradients of what holds the weights, and the features of retained rows, to what they were."""
        if kept is not None and self._work.options.replay:
            self._replay(kept, size)
        if self._anchor:
            with self._work.processes.accumulating(self._model, last=False):
                l2sp(self._anchor, self._work.options.l2sp).backward()

    def _replay(self, kept: Taken, size: int) -> None:
        """Gradients of the pull of the retained rows' features to what the base gave for them.

        In eval mode, as those were made: what batch statistics and dropout change is not forgotten.
        """
        work, supply, processes = self._work, self._parts.retained, self._work.processes
        vectors = supply.feed.rows.vectors[kept.rows]  # type: ignore[union-attr]
        work.trainee.eval()
        count = len(kept.rows)
        whole = torch.from_numpy(flat(vectors)).to(processes.device)
        weight = max(1e-12, processes.total(float(whole.square().sum())))
        for part in _slices(count, -(-count // size)):
            with processes.accumulating(self._model, last=False):
                with casting(processes.device, processes.dtype):
                    _, features = self._model(_taken(kept.batch, part), self._parts.train.cut)
                before = torch.from_numpy(flat(vectors[part])).to(processes.device)
                moved, _ = feature_replay_loss(features, before)
                (work.options.replay * moved / (weight / processes.count)).backward()

    def _halve(self, position: Position, rows: int) -> None:
        """Make the next try in twice as many parts."""
        work = self._work
        self.optimizer.zero_grad()
        work.processes.free()
        if work.processes.count > 1:  # the others wait for this one's gradient
            raise TrainingError(
                f"not enough memory for {rows} rows a step in each of {work.processes.count} processes; choose a "
                "smaller batch, or train in one process, which takes a batch in parts."
            )
        if 2**position.halvings >= rows:
            raise TrainingError(
                f"not enough memory to train on one row at a time on {work.processes.device.type}; choose a smaller "
                "--base, fewer stages (--strategy partial --unfreeze 1), or --strategy probe."
            )
        position.halvings += 1
        work.progress.say(f"  out of memory: steps are now made in {2**position.halvings} parts")


def groups(
    head: Sequence[nn.Parameter],
    body: Mapping[int, Sequence[nn.Parameter]],
    phase: Phase,
    weight_decay: float,
    body_decay: float,
) -> list[dict[str, Any]]:
    """AdamW's parameter groups: ``rate`` is each group's greatest learning rate.

    Args:
        head: the head's parameters.
        body: trained parameters by depth: 0 the top stage, 1 the one below …
        weight_decay, body_decay: of the head's and the base's matrices.

    Vectors (biases, scales of normalisation layers) are not decayed, as is usual since BERT's training code.
    """
    made = []
    top = phase.rate * phase.body
    rates = [(phase.rate, weight_decay, head), *((top * phase.decay**d, body_decay, body[d]) for d in sorted(body))]
    for rate, decay, parameters in rates:
        for decayed in (True, False):
            members = [p for p in parameters if (p.ndim > 1) == decayed]
            if members:
                made.append({"params": members, "rate": rate, "weight_decay": decay if decayed else 0.0})
    return made


def _is_out_of_memory(error: RuntimeError) -> bool:
    from accelerate.utils.memory import should_reduce_batch_size

    return isinstance(error, torch.OutOfMemoryError) or should_reduce_batch_size(error)


def _length(batch: Batch | State) -> int:
    """Of a batch of inputs unlike in length, padding left out; 1 of others."""
    mask = batch.mask if isinstance(batch, State) else batch[1] if len(batch) > 1 else None
    return 1 if mask is None else int(mask.sum())


def _slices(count: int, parts: int) -> Iterator[slice]:
    """``count`` rows in ``parts`` stretches of nearly one size."""
    edges = [i * count // parts for i in range(parts + 1)]
    return (slice(a, b) for a, b in pairwise(edges))


def _taken(batch: Batch | State, part: slice) -> Batch | State:
    """The rows ``part`` of a batch."""
    if isinstance(batch, State):
        return State(batch.hidden[part], tuple(tensor[part] for tensor in batch.inputs))
    return tuple(tensor[part] for tensor in batch)
