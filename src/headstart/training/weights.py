"""How much rows count in training: weights of the user's own, and weights by class. Scores stay unweighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headstart.data.table import Fact, Table
from headstart.errors import LabelError, SettingError, nearest
from headstart.heads.scoring import balance
from headstart.tasks import get

#: As `headstart.options.parse_class_weight` gives it; None: nothing was said.
ClassWeight = str | Mapping[str, float] | None


def check_class_weight(given: ClassWeight, task: str, labels: Sequence[str]) -> None:
    """Refuse weights of classes that there are none of, before any work.

    Args:
        task: of the data.
        labels: the classes.

    Raises:
        SettingError: the task has no classes to weigh, or a weight is that of no class.
    """
    if given is None or given == "none":
        return
    if not get(task).exclusive:
        raise SettingError(
            f"class-weight is for classes, and the task is {task}; for that, give each row a weight of its own "
            "(--weight COLUMN, or sample_weight)."
        )
    if isinstance(given, str):
        if given != "balanced":
            raise SettingError(f"class-weight is {given!r}; it is none, balanced, or a weight a class.")
        return
    unknown = next((name for name in given if name not in labels), None)
    if unknown is not None:
        raise SettingError(
            f"class-weight names the class {unknown!r}, which there is none of; classes are "
            f"{', '.join(labels)}.{nearest(unknown, labels)}"
        )
    if not any(given.get(label, 1.0) for label in labels):
        raise SettingError("class-weight: every class has the weight 0, so that nothing would count.")


def row_weights(y: np.ndarray, labels: Sequence[str], given: ClassWeight, own: np.ndarray | None) -> np.ndarray | None:
    """[n] float64, mean 1: what each row counts for; None where all count the same.

    "balanced" is n / (classes * rows of the class), as in scikit-learn; weights of rows multiply those of classes.

    Args:
        y: [n] class indices where classes are weighed; as the task encodes targets otherwise.
        own: [n] the user's weights, 0 or more.

    Raises:
        LabelError: no row counts.
    """
    weights = None if own is None else np.asarray(own, np.float64)
    if given is not None and given != "none":
        of_class = balance(y) if isinstance(given, str) else np.array([given.get(name, 1.0) for name in labels])[y]
        weights = of_class if weights is None else weights * of_class
    if weights is None:
        return None
    if not weights.sum() > 0:
        raise LabelError("every training row has the weight 0, so that no row would count; give one a weight above 0.")
    return weights * (len(weights) / weights.sum())


def weight_facts(table: Table, column: str | None, given: ClassWeight) -> tuple[Fact, ...]:
    """What is to be said of the weights of a source's rows."""
    facts = []
    if table.weights is not None:
        w = table.weights
        alike = f"{len(w):,} rows count as much as {w.sum() ** 2 / np.square(w).sum():,.0f} of equal weight"
        said = f"from {w.min():g} to {w.max():g}; {alike}; scores are unweighted"
        facts.append(Fact("row weights", f"column {column}", said))
    if given not in (None, "none"):
        of = given if isinstance(given, str) else ", ".join(f"{name} {value:g}" for name, value in given.items())
        facts.append(Fact("class weights", of, "asked for, in training alone; scores are unweighted"))
    return tuple(facts)
