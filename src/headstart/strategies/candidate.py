"""What a strategy gives: one candidate to compare on the held-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headstart.heads.linear import LinearHead
from headstart.heads.solve import Tried
from headstart.strategies.ground import Ground
from headstart.strategies.strategy import Features
from headstart.training.job import Trained
from headstart.training.recipe import Recipe


@dataclass(frozen=True)
class Candidate:
    """One (base, strategy), made on the training rows of each part and judged by the part's held-out rows.

    Attributes:
        base, strategy: names.
        features: what its heads stand on.
        held: [h, outputs] probabilities (regression: values) of the held-out rows, none of which chose what answers it:
            the evidence.
        valid_score: the run's metric on them.
        heads: one a part.
        tried: the heads compared within the training rows of the first part.
        seconds: making it; the base's own features are counted once for all candidates.
        runs: one a part where weights were trained.
        recipe: from the base to this candidate, the rungs it started from included, up to the steps that its parts
            found best; without a phase where no step made any part better.
        left_out: kinds of heads that were not tried, or not to the end, for want of time.
        kept: [h, outputs] the same rows' answers by the very weights that were kept, which these rows chose; None where
            no weights were trained.
        ground: what it was made on, where that is not the run's own: the same rows, as smaller pictures.
        chosen: whether any of ``held`` is by weights that other held-out rows chose.
    """

    base: str
    strategy: str
    features: Features
    held: Any
    valid_score: float
    heads: tuple[LinearHead, ...]
    tried: tuple[Tried, ...]
    seconds: float
    runs: tuple[Trained, ...] = ()
    recipe: Recipe | None = None
    left_out: tuple[str, ...] = ()
    kept: Any = None
    chosen: bool = False
    ground: Ground | None = None

    @property
    def closed(self) -> Tried | None:
        """The best head in closed form among those tried; None where there was none."""
        found = [one for one in self.tried if one.kind != "logistic"]
        return max(found, key=lambda one: one.valid_score, default=None)
