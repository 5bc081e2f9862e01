"""What the cheapest heads reach on cached features, cross-validated."""

from __future__ import annotations

import numpy as np

from headstart.heads.candidates import Trial, closed_form
from headstart.heads.comparison import compare
from headstart.heads.folds import deal
from headstart.heads.rotation import rotate
from headstart.heads.scoring import metric_name
from headstart.heads.solve import much_together
from headstart.heads.threads import for_size
from headstart.ranking.estimate import UNDEFINED, Estimate, of_scores
from headstart.ranking.problem import problem


def solved_score(
    features: np.ndarray,
    y: np.ndarray,
    task: str | None = None,
    folds: int = 5,
    seed: int = 0,
    *,
    metric: str | None = None,
    groups: np.ndarray | None = None,
) -> Estimate:
    """The held-out score of ridge or shrinkage LDA, the better of the two, and its standard error.

    Every row is held out once, in one of ``folds`` parts; its value is that of the fit on the other parts, exact by
    Woodbury's identity without fitting anew (see `heads.ridge` and `heads.lda`). Penalty and shrinkage are the best in
    leave-one-out scores of all rows, as in `heads.solve`; ties between the two go to the lower held-out loss. Those two
    choices are not held out again, which flatters all bases alike and by less than the standard error.

    Args:
        features: [n, d].
        y: [n] int classes, [n] or [n, 1] values, [n, labels] 0/1.
        task: told from ``y`` where None. Labels and values have ridge alone.
        folds: parts, fewer where there are fewer rows or groups.
        seed: of the parts.
        metric: one of `Task.head_metrics`, default the first: accuracy, micro F1, R².
        groups: [n]; rows of one group are held out together.

    Returns:
        nan where it is undefined: all features or all targets are the same, or all rows are of one group.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    given = problem(features, y, task)
    named = metric_name(given.task, metric)
    parts = deal(given.y, given.task, folds, seed=seed, groups=groups)
    if not given.defined or len(parts) < 2:
        return UNDEFINED
    with for_size(given.x.shape, given.outputs):
        grouped = much_together(groups)
        trial = Trial(given.y, given.task, given.outputs, named, parts, False, rotate(given.x), grouped)
        found = closed_form(trial)
        chosen, tried = compare(trial, found)
    scores = found[chosen].scores * np.float32(tried[chosen].settings["factor"])
    return of_scores(scores, given.y[trial.held], given.task, named)
