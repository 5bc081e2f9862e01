"""What the head of a final model stands on: features of the base, of all its stages, or of the adapted base."""

from __future__ import annotations

import numpy as np

from headstart.bases.staged import StagedBase
from headstart.progress import Progress
from headstart.strategies.finishing import Final
from headstart.training.features import extract
from headstart.training.rows import TrainRows


def vectors_of(final: Final, rows: TrainRows, progress: Progress) -> np.ndarray:
    """[n, d] float32: the features of ``rows``, which hold those of the frozen base."""
    if isinstance(final.base, StagedBase):
        return extract(final.base, rows.inputs, progress=progress).vectors
    if final.adapted:
        from headstart.training.answers import pooled

        return pooled(final.base, final.base.network(), rows, progress)
    return rows.vectors
