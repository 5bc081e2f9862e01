"""Every error headstart raises on purpose.

    HeadstartError                exit code 1
    ├─ UserError                  exit code 2: something the user can mend
    │  ├─ SourceError             a path, folder, table or archive that cannot be opened as data
    │  ├─ ColumnError             a column that is missing or cannot serve
    │  │  └─ SeveralTargets       target columns that take a model each
    │  ├─ LabelError              targets that cannot be learnt from (one class, empty labels …)
    │  ├─ SplitError              a split that cannot be made or honoured
    │  ├─ BaseError               a base that is unknown, unreachable, unsafe or of another modality
    │  ├─ SettingError            an option whose value is not allowed
    │  ├─ TrainingError           training that this machine or this base cannot do
    │  ├─ OutputError             a place that cannot be written to or is in use
    │  └─ BundleError             a run or bundle that cannot be loaded
    └─ SealError                  the test part was read before, or more often than, it may be

Each message is one line: what came, what is allowed, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HeadstartError(Exception):
    """Root of the tree; ``exit_code`` is what the command line ends with."""

    exit_code = 1


class UserError(HeadstartError):
    """Something in the input or the settings that the user can mend."""

    exit_code = 2


class SourceError(UserError):
    """A path, folder, table or archive that cannot be opened as data."""


class ColumnError(UserError):
    """A column that is missing or cannot serve the purpose it was named for."""


class SeveralTargets(ColumnError):
    """Target columns that take a model each: `fit` makes these, and other verbs read one.

    Attributes:
        columns: the target columns.
        input: the input column of all of them.
    """

    def __init__(self, message: str, columns: tuple[str, ...] = (), input: str = "") -> None:
        super().__init__(message)
        self.columns, self.input = columns, input


class LabelError(UserError):
    """Targets that cannot be learnt from."""


class SplitError(UserError):
    """A split that cannot be made, or a given one that cannot be honoured."""


class BaseError(UserError):
    """A base that is unknown, unreachable, unsafe to load or of another modality."""


class SettingError(UserError):
    """An option whose value is not allowed."""


class TrainingError(UserError):
    """Training that this machine or this base cannot do, or that the data are too few for."""


class OutputError(UserError):
    """A place that cannot be written to, is full, or is in use."""


class BundleError(UserError):
    """A run or bundle that cannot be loaded."""


class SealError(HeadstartError):
    """The test part was read before, or more often than, it may be: a defect, not a user's mistake."""


class HeadstartWarning(UserWarning):
    """Something the user should know that does not stop the work."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """The ``known`` names most like ``name``, worded for the end of a message; "" if none is near."""
    lowered = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=count, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(lowered[c]) for c in close)}?" if close else ""
