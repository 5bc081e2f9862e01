"""Whether there are rows enough to say anything before a run."""

from __future__ import annotations

from headstart.data.strata import count_labels, labels_of
from headstart.data.table import Table
from headstart.errors import LabelError, SettingError
from headstart.tasks import get

#: Fewest examples of each class, and fewest rows of other tasks.
FEWEST, FEWEST_ROWS = 5, 20


def check_enough(table: Table, work: str) -> None:
    """Refuse tables that are too small, the rows of a given test part not counted.

    Args:
        work: what takes so many rows, such as "advice".

    Raises:
        SettingError: the task is one that this is not done for.
        LabelError: no labels, one class only, a class of too few examples, or too few rows of another task.
    """
    if table.targets is None:
        raise LabelError("the examples have no labels; name the target column with --target.")
    if item := get(table.task).item:
        raise SettingError(
            f"{work} is for answers to whole rows, and these data have one a {item}; 'headstart fit' tries strategies "
            "on them and says what each gains."
        )
    known = table.take(table.split != "test")
    if not get(table.task).exclusive:
        if len(known) < FEWEST_ROWS:
            raise LabelError(
                f"there are {len(known)} labelled rows outside the test set; {work} takes at least {FEWEST_ROWS}. "
                "Label more, or go on with 'headstart fit'."
            )
        return
    counts = count_labels(labels_of(known))
    if len(counts) < 2:
        raise LabelError(f"only one class was found ({', '.join(counts) or 'none'}); {work} needs two or more.")
    label, count = min(counts.items(), key=lambda pair: (pair[1], pair[0]))
    if count < FEWEST:
        few = sum(1 for value in counts.values() if value < FEWEST)
        raise LabelError(
            f"{few} of {len(counts)} classes have fewer than {FEWEST} examples outside the test set, the smallest "
            f"{label!r} with {count}; {work} takes at least {FEWEST} of each. Label more, merge it with another, or go "
            "on with 'headstart fit'."
        )
