"""A linear head on chosen columns of the features of all stages.

After Evci et al. 2022 (Head2Toe, arXiv:2201.03529): what a task needs may stand in an early stage of the base, among
many columns that it does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.errors import SettingError
from headstart.heads import ridge
from headstart.heads.columns import Ranking, rank
from headstart.heads.comparison import Terms, Tried, compare
from headstart.heads.folds import held_out
from headstart.heads.linear import LinearHead
from headstart.heads.nested import Fold, fold, nested_candidates
from headstart.heads.scoring import Metric
from headstart.heads.solve import Solved, checked, metric_of, refit, row_weights, standardised
from headstart.heads.target_scale import TargetScale
from headstart.heads.threads import for_size


def solve_selected(
    x: np.ndarray,
    y: np.ndarray,
    task: str,
    *,
    parts: Sequence[int],
    seed: int = 0,
    metric: str | Metric | None = None,
    balanced: bool = False,
    outputs: int | None = None,
    groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Solved:
    """Solve the best linear head on columns of ``x`` [n, sum of ``parts``] float32 that held-out rows can tell.

    ``parts`` are the widths of the stages, input side first, the last the base's own output. Tried are a sixteenth, a
    quarter and all of the columns, the most relevant first (see `columns.relevance`), and the last stage alone, each
    with every solver of `solve` on the same held-out parts (see `folds.held_out`); the rule that chooses is `solve`'s.
    All columns are left out where they and the rows are more than `columns.MOST_AXES`. Each stage is divided by its
    root mean variance, so the last stage alone is what `solve` gives on the base's output.

    Within the comparison, relevance, scales and heads come from the rows that a part does not hold out: no score is of
    a row that helped to choose its columns. Not nested is the choice among the sets of columns, solvers and settings,
    which the held-out rows make together, as in `solve`: judge the chosen head on other rows.

    The head is over all columns, zeros where left out, scales folded in. Its settings name the set ("columns"), the
    stages' widths ("stages") and how many columns of each it takes ("kept"). Out-of-fold scores are nan for rows
    that no part holds out. Other arguments and errors are those of `solve`.

    Raises:
        SettingError: as `solve`, or ``parts`` do not sum to the width of ``x``.
    """
    x, y, outputs = checked(x, y, task, outputs)
    _check(x, parts)
    aims, named, scale = standardised(y, task, metric_of(task, metric, balanced))
    terms = Terms(aims, task, outputs, named, held_out(y, task, seed=seed, groups=groups), balanced)
    with for_size(x.shape, outputs):
        folds = _folds(x, terms, parts, weights)
    found = []
    for name, of_set in folds.items():
        with for_size((len(x), of_set[0].rotation.axes.shape[0]), outputs):
            for candidate in nested_candidates(terms, of_set):
                settings = {**candidate.settings, "columns": name, "stages": [int(width) for width in parts]}
                found.append(replace(candidate, settings=settings))
    chosen, tried = compare(terms, found)
    scores = np.full((len(y), outputs), np.nan, np.float32)
    scores[terms.held] = found[chosen].scores * np.float32(tried[chosen].settings["factor"])
    head = refit_selected(tried[chosen], x, y, task, outputs=outputs, weights=weights)
    return Solved(head, scale.values(scores), tried)


def refit_selected(
    chosen: LinearHead | Tried,
    x: np.ndarray,
    y: np.ndarray,
    task: str,
    *,
    outputs: int | None = None,
    weights: np.ndarray | None = None,
) -> LinearHead:
    """Choose columns and solve on other rows, by the solver, settings and share of columns of ``chosen``.

    Raises:
        SettingError: as `solve_selected`.
    """
    x, y, outputs = checked(x, y, task, outputs)
    stages = chosen.settings["stages"]
    _check(x, stages)
    with for_size(x.shape, outputs):
        aims = TargetScale.of(y, task).standardised(y)
        counted = _weights(y, chosen.settings["balanced"], weights)
        ranking = _ranking(x, aims, task, outputs, stages, counted)
    columns = ranking.columns(chosen.settings["columns"])
    scale = ranking.scale[columns]
    head = refit(chosen, x[:, columns] * scale, y, task, outputs=outputs, weights=weights)
    weight = np.zeros((x.shape[1], outputs), head.weight.dtype)
    weight[columns] = head.weight * scale[:, None]
    return replace(head, weight=weight, settings={**head.settings, "kept": ranking.kept(columns)})


def _folds(x: np.ndarray, terms: Terms, parts: Sequence[int], weights: np.ndarray | None) -> dict[str, list[Fold]]:
    """For each set of columns one fold a part, its columns chosen without the part's rows."""
    folds: dict[str, list[Fold]] = {}
    for part in terms.parts:
        train = np.setdiff1d(np.arange(len(x)), part)
        known, y = x[train], terms.y[train]
        counted = _weights(y, terms.balanced, None if weights is None else weights[train])
        ranking = _ranking(known, y, terms.task, terms.outputs, parts, counted)
        for name in ranking.names(len(train)):
            columns = ranking.columns(name)
            scale = ranking.scale[columns]
            held = x[np.ix_(part, columns)] * scale
            folds.setdefault(name, []).append(fold(known[:, columns] * scale, y, counted, held))
    return folds


def _ranking(
    x: np.ndarray, y: np.ndarray, task: str, outputs: int, parts: Sequence[int], weights: np.ndarray
) -> Ranking:
    return rank(x, ridge.code(y, task, outputs), weights, parts)


def _weights(y: np.ndarray, balanced: bool, weights: np.ndarray | None) -> np.ndarray:
    found = row_weights(y, balanced, weights)
    return np.ones(len(y)) if found is None else found


def _check(x: np.ndarray, parts: Sequence[int]) -> None:
    if sum(parts) != x.shape[1] or min(parts, default=0) < 1:
        raise SettingError(f"features have {x.shape[1]} columns, the stages {list(parts)}; both must be of one base.")
