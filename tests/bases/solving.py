"""A bundle made in no time, of any base for texts."""

from __future__ import annotations

import numpy as np

from headstart.bases.base import Base
from headstart.delivery.bundle import Bundle
from headstart.heads.solve import solve
from headstart.tasks.classification import Classification


def solved(base: Base) -> Bundle:
    """A head on random features: what it answers does not matter, which base it needs does."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, base.width)).astype(np.float32), np.arange(20) % 2
    task = Classification(("no", "yes"))
    return Bundle.of_base(base, "float32", task, solve(x, y, task.name).head, {"name": "x"})
