"""What is trained on top of a base: from what is read off it to scores, a loss and answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from headstart.errors import SettingError
from headstart.heads.linear import LinearHead
from headstart.heads.scoring import balance
from headstart.heads.target_scale import TargetScale
from headstart.ragged import flat
from headstart.tasks import get, posed
from headstart.training.job import Job

_SCALE_ROWS = 2000  # rows whose features give the head's scale

#: A loss summed, and what it is summed over: how much the rows count for. The mean of any rows, in however many parts
#: and processes, is the sum of their sums over the sum of their weights: a loss per token has as much weight as there
#: are tokens, and parts of as many rows may have unlike weights.
Summed = tuple[torch.Tensor, torch.Tensor | float]


class Objective(nn.Module, ABC):
    """What is trained on top of a base, all of it in every phase; a task names its own (`Task.objective`).

    The network gives features, read off as `Task.readout` says; the objective gives their scores, the loss, and
    answers. The engine asks for nothing else, so it knows no task.

    A task whose answers are generated would bring the base's own language head: ``forward`` gives the scores of the
    next token at the places of the answer alone, ``loss`` the cross entropy of the true tokens, each given those before
    it (the sum over tokens, and their number), ``chance`` that of equal probabilities, and mixup is refused. Its scores
    are no answers: looks go by the loss, and answers are generated once for each step of the strategy search.

    Attributes:
        outputs: columns of scores.
        chance: the mean loss of answers that know nothing.
    """

    outputs: int
    chance: float

    @abstractmethod
    def __init__(self, job: Job) -> None:
        """What a run of ``job`` begins with; `SettingError` where it asks for what cannot be done, as mixup may be."""
        super().__init__()

    @abstractmethod
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Scores [items, outputs] of features [items, width] of rows, or of the items of rows that have several."""

    @abstractmethod
    def truth(self, y: Any) -> torch.Tensor:
        """Targets as the task encodes them in the form that `loss` takes; of ragged rows those of their items."""

    @abstractmethod
    def loss(self, scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor | None = None) -> Summed:
        """Of scores [items, outputs] and what `truth` or `mixed` gives; ``weights`` [items] multiply items' losses."""

    def mixed(self, truth: torch.Tensor, partner: torch.Tensor, share: float) -> torch.Tensor:
        """The truth of inputs mixed with ``share`` of themselves and the rest of ``partner`` (Zhang et al. 2018)."""
        raise TypeError(f"{type(self).__name__} mixes nothing.")

    @abstractmethod
    def answers(self, scores: Any) -> Any:
        """``scores`` [n, outputs], or ragged, as probabilities or as values in the target's unit, of the same form."""

    @abstractmethod
    def state(self) -> LinearHead:
        """What a bundle keeps: the head on the base's own features, in the target's unit."""


@final
class Linear(Objective):
    """A linear head, of the cross entropy a row, the binary cross entropy a label or the squared error a value.

    Of a task whose rows have several items, the loss is that of the task that each poses (`Task.each`).

    Features differ in scale from base to base, and with them would every rate: the head sees them centred and divided
    by one number, its weights being changed so that the scores stay the same. So do the targets of a regression: the
    scores are of standardised ones.

    Where classes are balanced, their weights are the inverse of their number among the training targets and have the
    mean 1 over these; a batch counts for as much as it has rows, weighed or not. Labels are never weighed.
    """

    centre: torch.Tensor
    scale: torch.Tensor
    balance: torch.Tensor | None

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._task, self._each, y = get(job.task), posed(job.task), flat(job.train.y)
        if job.options.mixup and self._task.each:
            raise SettingError(
                f"mixup is {job.options.mixup:g}, but inputs that have an answer for each {self._task.item} cannot be "
                "mixed; set it to 0."
            )
        self.outputs, self.chance = job.outputs, self._task.chance(job.outputs)
        self.target_scale = TargetScale.of(y, job.task)
        weights = torch.zeros(job.outputs) if job.options.balanced and self._each.exclusive else None
        if weights is not None:
            weights[y] = torch.from_numpy(balance(y).astype(np.float32))
        self.register_buffer("balance", weights, persistent=False)
        self.dropout = nn.Dropout(job.options.dropout)
        self._begin(job)

    def _begin(self, job: Job) -> None:
        """Lay in the job's head, or one of zeros, at the scale of some training rows' features."""
        width, features = job.base.width, flat(job.train.vectors[:_SCALE_ROWS])
        if job.recipe.scratch or not len(features):  # not known yet
            features = np.stack([np.ones(width), -np.ones(width)]).astype(np.float32)
        centre, scale = features.mean(0).astype(np.float32), float(features.std()) or 1.0
        self.register_buffer("centre", torch.from_numpy(centre))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.head = nn.Linear(width, job.outputs)
        weight, bias = np.zeros((width, job.outputs)), np.zeros(job.outputs)
        if job.head is not None:
            head = self.target_scale.head_of_scores(job.head)
            weight = head.weight.astype(np.float64)
            bias = head.bias + centre.astype(np.float64) @ weight
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight.T * scale))
            self.head.bias.copy_(torch.from_numpy(bias))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """See `Objective.forward`."""
        return self.head(self.dropout((features - self.centre) / self.scale))

    def truth(self, y: Any) -> torch.Tensor:
        """Class numbers int64 [items], else float32 [items, outputs]; those of a regression standardised."""
        return torch.from_numpy(np.asarray(flat(self.target_scale.standardised(y)), dtype=self._each.target_type))

    def loss(self, scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor | None = None) -> Summed:
        """See `Objective.loss`; classes may be numbers or, mixed, probabilities [items, outputs]."""
        if self._each.exclusive:
            weight = None if self.balance is None else self.balance.to(scores)
            losses = F.cross_entropy(scores, truth, weight, reduction="none")
        else:
            each = F.binary_cross_entropy_with_logits if self._each.graded else F.mse_loss
            losses = each(scores, truth.to(scores), reduction="none")
        if weights is not None:
            losses = losses * weights.to(losses).reshape(-1, *[1] * (losses.ndim - 1))
        return losses.sum(), float(losses.numel())

    def mixed(self, truth: torch.Tensor, partner: torch.Tensor, share: float) -> torch.Tensor:
        """See `Objective.mixed`; class numbers become probabilities."""
        if truth.ndim == 1:
            truth, partner = (F.one_hot(t, self.outputs).to(torch.float32) for t in (truth, partner))
        return share * truth + (1 - share) * partner

    def answers(self, scores: Any) -> Any:
        """See `Objective.answers`."""
        return self._task.probabilities(self.target_scale.values(scores))

    def state(self) -> LinearHead:
        """See `Objective.state`."""
        # [width, outputs]; float64, for the features' centre may be far from 0
        weight = self.head.weight.detach().cpu().numpy().T.astype(np.float64) / float(self.scale)
        bias = self.head.bias.detach().cpu().numpy() - self.centre.cpu().numpy().astype(np.float64) @ weight
        head = LinearHead(weight.astype(np.float32), bias.astype(np.float32), self._task.name, "trained", {})
        return self.target_scale.head_of_values(head)


OBJECTIVES: dict[str, type[Objective]] = {"linear": Linear}


def objective_of(job: Job) -> Objective:
    """What a run of ``job`` begins with on top of its base; `SettingError` if its task names what there is not."""
    name = get(job.task).objective
    if name not in OBJECTIVES:
        raise SettingError(f"task {job.task!r} has the objective {name!r}; it may be {', '.join(OBJECTIVES)}.")
    return OBJECTIVES[name](job)
