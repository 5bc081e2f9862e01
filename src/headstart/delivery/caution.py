"""What a model says besides its answer: how strange an input is, which labels it may have, when it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.evaluation.abstain import Abstain, answered
from headstart.evaluation.conformal import LABELS, RESIDUALS, Conformal, bounds, sets
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.evaluation.unknown import Known, unknown_scores
from headstart.ragged import Ragged, row_vectors
from headstart.tasks.task import Task


@dataclass(frozen=True)
class Caution:
    """What goes with the answers; what the held-out rows could not give is None.

    Attributes:
        known: what inputs are compared with to tell strange ones.
        conformal: sets of labels, or intervals of values, that hold the truth with a promised probability.
        abstain: from what confidence on a row is answered, where a risk was asked for.
        thresholds: from which probability on a label is given; None: from 0.5, and of classes the most probable.
    """

    known: Known | None = None
    conformal: Conformal | None = None
    abstain: Abstain | None = None
    thresholds: Thresholds | None = None

    def unknown(self, probabilities: Any, vectors: Any) -> np.ndarray:
        """[n] how strange the inputs are, 0 to 1; nan where the model cannot tell.

        Args:
            probabilities: [n, outputs] of the model.
            vectors: [n, d] its features; None for a model that has none.
        """
        if self.known is None:
            return np.full(len(probabilities), np.nan)
        return unknown_scores(self.known, row_answers(probabilities), None if vectors is None else row_vectors(vectors))

    def decided(self, probabilities: Any) -> Any:
        """[n, outputs] moved so that `Task.decode` gives the labels that the thresholds give."""
        return decided(probabilities, self.thresholds)

    def answered(self, probabilities: Any, *, multilabel: bool = False) -> np.ndarray:
        """[n] bool: whether the answer is to be given; the others are "I don't know"."""
        if self.abstain is None:
            return np.ones(len(probabilities), dtype=bool)
        return answered(self.abstain, probabilities, multilabel=multilabel)

    def sets(self, probabilities: Any, *, multilabel: bool = False) -> np.ndarray | None:
        """[n, k] bool: the labels that each row may have; None where nothing can be promised."""
        if self.conformal is None or self.conformal.method != LABELS or not self.conformal.promises:
            return None
        return sets(self.conformal, probabilities, multilabel=multilabel)

    def bounds(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The lower and upper bounds around ``values`` of a regression, in their shape; None where none is promised."""
        if self.conformal is None or self.conformal.method != RESIDUALS or not self.conformal.promises:
            return None
        return bounds(self.conformal, values)

    def to_dict(self) -> dict[str, Any]:
        """All but the tensors, of JSON types."""
        return {
            "conformal": self.conformal and self.conformal.to_dict(),
            "abstain": self.abstain and self.abstain.to_dict(),
            "thresholds": self.thresholds and self.thresholds.to_dict(),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any], tensors: Mapping[str, np.ndarray] | None) -> Caution:
        """What `to_dict` and the tensors of `Known` were saved from.

        Raises:
            BundleError: they are damaged.
        """
        conformal, abstain, limits = (record.get(name) for name in ("conformal", "abstain", "thresholds"))
        return cls(
            Known.from_tensors(dict(tensors)) if tensors else None,
            Conformal.from_dict(conformal) if conformal else None,
            Abstain.from_dict(abstain) if abstain else None,
            Thresholds.from_dict(limits) if limits else None,
        )


def known_as(task: Task) -> str:
    """The task as `headstart.evaluation.unknown` knows it; rows of several items are told by their features alone."""
    return "regression" if task.each else task.judged_as()


def row_answers(probabilities: Any) -> np.ndarray:
    """[n, outputs] as they are; of ragged rows, [n, 1] of nothing, for no row has probabilities of its own."""
    return np.zeros((len(probabilities), 1)) if isinstance(probabilities, Ragged) else probabilities
