"""What an ONNX graph gives for a batch: one output chosen as the features, whatever sizes the graph was fixed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.bases.onnx_file import short
from headstart.errors import BaseError

if TYPE_CHECKING:
    import onnxruntime

_SAID = ("logit", "prob", "softmax", "score", "class")
_CLASSES = (10, 100, 365, 1000, 1001, 21841, 21843)  # of CIFAR, Places, ImageNet-1k and ImageNet-21k


@dataclass(frozen=True)
class Output:
    """The output that serves as features.

    Attributes:
        name: in the graph.
        rank: number of its axes, the batch's among them.
        width: length of a row's features.
        doubt: why it may be a classifier's answers; "" where nothing says so.
    """

    name: str
    rank: int
    width: int
    doubt: str


def run_rows(
    session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray], names: list[str], rows: int | None
) -> list[np.ndarray]:
    """The outputs ``names`` for ``feeds``, whose first axis is the batch.

    Args:
        rows: that the graph takes at a time, None: any; the last ones are filled up with copies of the first row.
    """
    count = len(next(iter(feeds.values())))
    if rows is None or rows == count:
        return list(session.run(names, feeds))
    parts = []
    for start in range(0, count, rows):
        piece = {name: _filled(array[start : start + rows], rows) for name, array in feeds.items()}
        parts.append(session.run(names, piece))
    return [np.concatenate(column)[:count] for column in zip(*parts, strict=True)]


def _filled(array: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])


def choose_output(
    session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray], rows: int | None, name: str
) -> Output:
    """The first output of one vector a row, else the first of one vector a position, as a trial run tells.

    Args:
        feeds: at least two rows.
        name: of the base, for errors.

    Raises:
        BaseError: the graph cannot be run, or gives neither.
    """
    outputs = [one.name for one in session.get_outputs() if one.type.startswith("tensor(")]
    count = len(next(iter(feeds.values())))
    try:
        given = dict(zip(outputs, run_rows(session, feeds, outputs, rows), strict=True))
    except Exception as error:  # ONNX Runtime has a class of its own for each way to fail
        raise BaseError(
            f"base {name!r} cannot be run on two {'pictures' if len(feeds) == 1 else 'texts'} ({short(error)}); "
            f"export it with a free batch axis."
        ) from error
    for ranks in ((2,), (3, 4)):
        for output, array in given.items():
            if array.ndim in ranks and len(array) == count and array.dtype.kind == "f":
                width = array.shape[1] if array.ndim == 2 else array.shape[channel_axis(array.shape)]
                return Output(output, array.ndim, width, _doubt(output, array))
    shapes = ", ".join(f"{output} {list(array.shape)}" for output, array in given.items())
    raise BaseError(
        f"base {name!r} gives no vector a row that could serve as features ({shapes}); export it with its pooled "
        f"output [batch, width]."
    )


def channel_axis(shape: tuple[int, ...]) -> int:
    """The axis that is averaged over last: of maps [batch, ., ., .] the one unlike the two others, else the last."""
    if len(shape) == 4 and shape[2] == shape[3]:
        return 1
    return len(shape) - 1


def pooled(array: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """[batch, width] float32 from [batch, width], [batch, tokens, width] or maps; texts by ``mask`` [batch, tokens]."""
    array = array.astype(np.float32, copy=False)
    if array.ndim == 2:
        return array
    if mask is not None:
        weight = mask[:, :, None].astype(np.float32)
        summed: np.ndarray = (array * weight).sum(1) / np.maximum(weight.sum(1), 1)
        return summed
    kept = channel_axis(array.shape)
    return np.asarray(array.mean(tuple(axis for axis in range(1, array.ndim) if axis != kept)))


def _doubt(name: str, array: np.ndarray) -> str:
    if array.ndim != 2:
        return ""
    if any(word in name.lower() for word in _SAID):
        return "its name says so"
    if bool((array >= 0).all()) and np.allclose(array.sum(1), 1, atol=1e-3):
        return "its rows add up to 1"
    return f"{array.shape[1]:,} is a usual number of classes" if array.shape[1] in _CLASSES else ""
