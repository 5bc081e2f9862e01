"""``answers.parquet``: what a run keeps of its held-out and test rows, so that it can be compared without the model.

A row for each of the user's examples: part, id, key, truth, probabilities, fold and unit; the labels, the task and the
metric are JSON in the file's metadata. Where a row has several items, truth and probabilities are lists of theirs. No
input is kept, only its content key.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.delivery.target_folder import refuse_several
from headstart.errors import BundleError, SettingError
from headstart.evaluation.checks import check_answers
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.files import write_atomically
from headstart.ragged import Ragged, flat
from headstart.tasks import get

if TYPE_CHECKING:
    import pyarrow as pa

#: The file's name in the folder of a run.
FILE = "answers.parquet"
#: The parts of the rows that are kept.
HELD, TEST = "held", "test"
#: Version of the layout: 4 has rows of several items, 3 thresholds, without either of which 2 is written.
SCHEMA = 4
_WITH_THRESHOLDS = 3
_PLAIN = 2
_COLUMNS = ("part", "id", "key", "truth", "probabilities", "fold", "unit")
_META = b"headstart"
_NO_UNITS = np.zeros(0, int)


@dataclass(frozen=True)
class Answers:
    """Truth and probabilities of n rows, checked when made.

    Attributes:
        part: [n] str: `HELD` or `TEST`.
        ids: [n] str: as in the source.
        keys: [n] str: of the content; rows of equal content have equal keys.
        truth: as the task encodes it: [n] int (classification), [n, labels] of 0/1 (multilabel), [n, 1] (regression),
            or ragged.
        probabilities: [n, outputs] float32, float64 for a regression: of the model handed over (test), or of the
            candidate on rows that it did not learn from (held).
        fold: [n] int: the fold that held the row out; 0 for test rows.
        labels: names of the outputs; () for regression.
        task: the name of one.
        metric: what the run was judged by.
        unit: [n] int: rows of one unit (group, near duplicates) are not independent; rows of layout 1, which has none,
            are of one unit where their contents are equal.
        thresholds: from which probability on labels are given; None: from 0.5, of classes the most probable.

    Raises:
        SettingError: columns of other lengths, another part, or what `check_answers` refuses.
    """

    part: np.ndarray
    ids: np.ndarray
    keys: np.ndarray
    truth: Any
    probabilities: Any
    fold: np.ndarray
    labels: tuple[str, ...]
    task: str
    metric: str
    unit: np.ndarray = field(default_factory=lambda: _NO_UNITS)
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        if self.unit is _NO_UNITS:
            object.__setattr__(self, "unit", np.unique(self.keys, return_inverse=True)[1])
        lengths = {name: len(getattr(self, name)) for name in ("part", "ids", "keys", "truth", "fold", "unit")}
        for name, length in lengths.items():
            if length != len(self.probabilities):
                raise SettingError(f"{name} has {length} rows and the probabilities {len(self.probabilities)}.")
        task = get(self.task)
        check_answers(task.judged_as(), self.truth, self.probabilities)
        outputs = 1 if task.values else len(self.labels)
        columns = flat(self.probabilities).shape[1]
        if columns != outputs:
            raise SettingError(f"the probabilities have {columns} columns for {outputs} outputs.")
        other = sorted(set(np.unique(self.part)) - {HELD, TEST})
        if other:
            raise SettingError(f"part is {other[0]!r}; it may be {HELD!r} or {TEST!r}.")

    def __len__(self) -> int:
        return len(self.probabilities)

    def take(self, rows: np.ndarray) -> Answers:
        """The answers of ``rows`` (indices or a boolean mask), in that order."""
        columns = ("part", "ids", "keys", "truth", "probabilities", "fold", "unit")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def decided(self, metric: str | None = None) -> Any:
        """[n, outputs] the probabilities as the thresholds decide them, and as they are for a ``metric`` of others."""
        return decided(self.probabilities, self.thresholds, metric)

    def part_of(self, name: str) -> Answers:
        """The rows of part `HELD` or `TEST`; none where the run kept none.

        Raises:
            SettingError: there is no such part.
        """
        if name not in (HELD, TEST):
            raise SettingError(f"part is {name!r}; it may be {HELD!r} or {TEST!r}.")
        return self.take(self.part == name)

    def save(self, path: Path) -> None:
        """Write the file ``path``.

        Raises:
            OutputError: it cannot be written.
        """
        import pyarrow.parquet as pq

        file = io.BytesIO()
        pq.write_table(self._table(), file, compression="zstd")
        write_atomically(path, file.getvalue())

    def _table(self) -> pa.Table:
        import pyarrow as pa

        texts = [pa.array(np.asarray(column).tolist(), pa.string()) for column in (self.part, self.ids, self.keys)]
        task = get(self.task)
        kind = task.precision
        truth = _whole(self.truth, pa) if task.exclusive or task.each else _rows_of(self.truth, kind)
        numbers = [pa.array(column.astype(np.int64)) for column in (self.fold, self.unit)]
        arrays = [*texts, truth, _rows_of(self.probabilities, kind), *numbers]
        said: dict[str, Any] = {"schema": _PLAIN, "task": self.task, "metric": self.metric, "labels": list(self.labels)}
        if self.thresholds is not None:
            said |= {"schema": _WITH_THRESHOLDS, "thresholds": self.thresholds.to_dict()}
        if task.each:
            said["schema"] = SCHEMA
        return pa.table(arrays, names=list(_COLUMNS)).replace_schema_metadata({_META: json.dumps(said)})

    @classmethod
    def load(cls, path: Path) -> Answers:
        """Read the file ``path``, or the one in a run's folder.

        Raises:
            BundleError: there is none, it is damaged, or it was written by a newer headstart.
        """
        file = path / FILE if path.is_dir() else path
        if not file.is_file():
            refuse_several(path)
            raise BundleError(
                f"{path} keeps no answers ({FILE} is missing); give the folder of a finished run, or fit again."
            )
        table, said = _read(file)
        try:
            part, ids, keys = (np.array(table[name].to_pylist(), dtype=str) for name in _COLUMNS[:3])
            task, labels = get(said["task"]), tuple(str(label) for label in said["labels"])
            if task.each:
                truth: Any = task(labels).restored(_ragged(table["truth"]))
                matrix: Any = _ragged(table["probabilities"])
            else:
                truth = table["truth"].to_numpy() if task.exclusive else _matrix(table["truth"])
                matrix = _matrix(table["probabilities"])
            fold = table["fold"].to_numpy()
            unit = table["unit"].to_numpy() if "unit" in table.column_names else _NO_UNITS
            limits = Thresholds.from_dict(said["thresholds"]) if said.get("thresholds") else None
            return cls(part, ids, keys, truth, matrix, fold, labels, said["task"], said["metric"], unit, limits)
        except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
            raise BundleError(f"{file} is damaged: {error}; fit again.") from error


def _read(file: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The table and what its metadata say."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(file.read_bytes()))  # pyarrow takes no path that is not UTF-8
        said = json.loads((table.schema.metadata or {})[_META])
        newer = said["schema"] > SCHEMA
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise BundleError(f"{file} cannot be read as answers ({type(error).__name__}); fit again.") from error
    if newer:
        raise BundleError(
            f"{file} has layout {said['schema']}, this headstart reads up to {SCHEMA}; upgrade headstart."
        )
    return table, said


def _whole(truth: Any, pa: Any) -> pa.Array:
    """Whole numbers, one a row or a list of them a row."""
    numbers = pa.array(flat(truth).astype(np.int64))
    return pa.LargeListArray.from_arrays(pa.array(truth.offsets), numbers) if isinstance(truth, Ragged) else numbers


def _rows_of(matrix: Any, kind: type[np.floating]) -> pa.Array:
    """A list of numbers a row, or a list of such lists."""
    import pyarrow as pa

    if isinstance(matrix, Ragged):
        return pa.LargeListArray.from_arrays(pa.array(matrix.offsets), _rows_of(matrix.values, kind))
    flat = pa.array(np.ascontiguousarray(matrix, dtype=kind).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _ragged(column: pa.ChunkedArray) -> Ragged:
    """The inverse of `_whole` and `_rows_of` of ragged rows."""
    whole = column.combine_chunks()
    offsets, inner = whole.offsets.to_numpy(), whole.values
    values = inner.flatten().to_numpy().reshape(-1, inner.type.list_size) if hasattr(inner.type, "list_size") else inner
    return Ragged(np.asarray(values)[offsets[0] : offsets[-1]], offsets - offsets[0])


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    """[n, outputs], the inverse of `_rows_of`."""
    whole = column.combine_chunks()
    return whole.flatten().to_numpy().reshape(-1, whole.type.list_size)
