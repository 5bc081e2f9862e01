"""Finished runs in a file, one JSON object a line, so that a benchmark that broke off goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from benchmarks.benchmark import Unavailable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

K = TypeVar("K", bound="DataclassInstance")
V = TypeVar("V", bound="DataclassInstance")

FINISHED, REFUSED, FAILED = "finished", "not for this task", "failed"


@dataclass(frozen=True)
class Key:
    """Which run: one strategy on one task's draw."""

    task: str
    strategy: str
    seed: int
    quick: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a run; all but the first three fields only where it finished.

    Attributes:
        status: `FINISHED`, `REFUSED` or `FAILED`.
        reason: why it did not finish, else "".
        day: when, ISO 8601.
        metric: that scores are in; higher is better.
        score: of the strategy's own model on the test part.
        handed: of what was handed over, which may be a control.
        choice: what was handed over, in words.
        control: name of the best control.
        control_score: its score on the same rows.
        gain: of the strategy's model over it, with the paired 95 % interval.
        seconds: of the whole process.
        train_rows, test_rows: as written.
        whole: training rows before any limit.
    """

    status: str
    reason: str
    day: str
    metric: str = ""
    score: float = 0.0
    handed: float = 0.0
    choice: str = ""
    control: str = ""
    control_score: float = 0.0
    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seconds: float = 0.0
    train_rows: int = 0
    test_rows: int = 0
    whole: int = 0


class Ledger(Generic[K, V]):
    """The runs written to ``path``, which may not exist yet.

    Args:
        key, found: the dataclasses of a run's name and of what came of it.
    """

    def __init__(self, path: Path, key: type[K], found: type[V]) -> None:
        self.path, self._key, self._found = path, key, found

    def read(self) -> dict[K, V]:
        """Every run; the later line counts. A line that was cut off at the very end, as by a kill, is passed over.

        Raises:
            Unavailable: a line is no run.
        """
        return dict(self._lines())

    def _lines(self) -> Iterator[tuple[K, V]]:
        for number, line in enumerate(self._whole().splitlines(), 1):
            try:
                values = json.loads(line)
                found = {name: tuple(v) if isinstance(v, list) else v for name, v in values["found"].items()}
                yield self._key(**values["run"]), self._found(**found)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Unavailable(f"line {number} of {self.path} is no run ({error}); mend or remove it") from None

    def append(self, key: K, found: V) -> None:
        """Add a run; a cut-off last line is removed first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.truncate(len(self._whole().encode()))
            file.write(json.dumps({"run": asdict(key), "found": asdict(found)}) + "\n")

    def _whole(self) -> str:
        """The lines that were written to their end."""
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        return text[: text.rfind("\n") + 1]
