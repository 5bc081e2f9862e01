"""The rows that several runs answered alike: found by their content, in one order, with outputs in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.data import strata
from headstart.delivery.answers import TEST, Answers
from headstart.errors import SettingError
from headstart.ragged import flat, shaped
from headstart.tasks import get, posed

#: Rows in common under which no comparison is offered where runs were judged on different rows.
LEAST_SHARED = 30


@dataclass(frozen=True)
class Matched:
    """What the runs said of the same n rows.

    Attributes:
        answers: one a run, their rows and outputs in the order of the first run's.
        left_out: rows of each run that some other has not.
    """

    answers: list[Answers]
    left_out: list[int]

    @property
    def units(self) -> np.ndarray:
        """[n] int: rows that some run counts as one unit, in chains."""
        units = self.answers[0].unit
        for other in self.answers[1:]:
            units = strata.units(units, other.unit, len(units))
        return units


def matched(names: Sequence[str], runs: Sequence[Answers], *, shared: bool = False) -> Matched:
    """The test rows that all ``runs`` have; rows of equal content and truth are the same.

    Args:
        shared: compare on the rows in common where the runs were judged on different ones.

    Raises:
        SettingError: another task or other labels; no test row; test rows that are not the same, unless ``shared``
            and at least `LEAST_SHARED` are.
    """
    tests = [run.part_of(TEST) for run in runs]
    for name, test in zip(names, tests, strict=True):
        if len(test) == 0:
            raise SettingError(
                f"{name} keeps no answers of test rows (with --test-size 0 there are none); compare others."
            )
        _check_alike(names[0], tests[0], name, test)
    tests = [tests[0], *(_ordered(test, tests[0].labels) for test in tests[1:])]
    kind = min((flat(test.truth).dtype for test in tests), key=lambda dtype: dtype.itemsize)
    rows = [_identities(test, kind) for test in tests]
    common = [row for row in rows[0] if all(row in other for other in rows[1:])]
    if any(len(common) < len(test) for test in tests):
        _check_shared(names, tests, len(common), shared)
    chosen = [test.take(np.array([own[row] for row in common])) for test, own in zip(tests, rows, strict=True)]
    return Matched(chosen, [len(test) - len(common) for test in tests])


def _check_alike(first: str, one: Answers, name: str, other: Answers) -> None:
    if other.task != one.task:
        raise SettingError(f"{first} is {one.task} and {name} {other.task}; only runs of one task can be compared.")
    only = sorted(set(one.labels) ^ set(other.labels))
    if only:
        more = f" and {len(only) - 3} more" if len(only) > 3 else ""
        told = ", ".join(repr(label) for label in only[:3])
        raise SettingError(f"{told}{more}: not labels of both {first} and {name}; fit both on the same labels.")


def _ordered(answers: Answers, labels: tuple[str, ...]) -> Answers:
    """``answers`` with its outputs in the order of ``labels``."""
    if answers.labels == labels:
        return answers
    column = {label: i for i, label in enumerate(answers.labels)}
    order = np.array([column[label] for label in labels])
    task, truth, said = get(answers.task)(labels), flat(answers.truth), flat(answers.probabilities)
    truth = np.argsort(order)[truth] if posed(answers.task).exclusive else truth[:, order]
    truth = task.restored(shaped(truth, answers.truth))
    return replace(answers, truth=truth, probabilities=shaped(said[:, order], answers.probabilities), labels=labels)


def _identities(answers: Answers, kind: np.dtype) -> dict[tuple[str, bytes, int], int]:
    """(key, truth, how many such rows came before) -> row, so that rows of equal content are matched one by one.

    Args:
        kind: that truth is compared in: earlier versions kept a regression's in float32.
    """
    seen: Counter[tuple[str, bytes]] = Counter()
    found = {}
    for row, (key, truth) in enumerate(zip(answers.keys, answers.truth, strict=True)):
        own = str(key), truth.astype(kind).tobytes()
        found[*own, seen[own]] = row
        seen[own] += 1
    return found


def _check_shared(names: Sequence[str], tests: Sequence[Answers], common: int, shared: bool) -> None:
    """Refuse runs judged on different rows, unless asked to take those in common and they are enough."""
    if shared and common >= LEAST_SHARED:
        return
    sizes = ", ".join(f"{name} on {len(test):,}" for name, test in zip(names, tests, strict=True))
    keys = set.intersection(*(set(test.keys.tolist()) for test in tests))
    relabelled = " some have another truth;" if len(keys) > common else ""
    if common < LEAST_SHARED:
        advice = f"too few to compare on ({LEAST_SHARED} are needed); fit both with the same data, split and seed"
    else:
        advice = "pass --shared to compare on those, or fit both with the same data, split and seed"
    raise SettingError(
        f"the runs were evaluated on different test rows ({sizes}); {common:,} are the same;{relabelled} {advice}."
    )
