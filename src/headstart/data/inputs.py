"""What a caller hands over as inputs, as one row each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from PIL import Image

from headstart.data.table import objects
from headstart.errors import SourceError

_CHANNELS = (3, 4)  # last axis of one picture in colour


def as_inputs(inputs: Any) -> np.ndarray:
    """Any sequence of paths, bytes, PIL images, arrays or strings as a 1-D object array, paths as str.

    Columns [n, 1] (as data frames give) are flattened, and rows are taken in their order, whatever they are called.

    Raises:
        SourceError: one input instead of a list, or a table of several columns.
    """
    if hasattr(inputs, "to_numpy"):
        inputs = inputs.to_numpy()
    if _is_one(inputs):
        shown = f"{inputs!s:.80}" if isinstance(inputs, (str, os.PathLike)) else type(inputs).__name__
        raise SourceError(f"one input came ({shown}) where a list of inputs is expected; put it into a list.")
    if isinstance(inputs, np.ndarray) and inputs.ndim == 2 and inputs.dtype.kind in "OUT":
        if inputs.shape[1] != 1:
            raise SourceError(f"the inputs have {inputs.shape[1]} columns; select the one with the texts or paths.")
        inputs = inputs[:, 0]
    return objects(str(value) if isinstance(value, (np.str_, os.PathLike)) else value for value in inputs)


def is_picture(value: Any) -> bool:
    """Whether ``value`` is a picture in memory: a PIL image, or an array [h, w] or [h, w, channels]."""
    return isinstance(value, Image.Image) or (isinstance(value, np.ndarray) and value.ndim in (2, 3))


def _is_one(inputs: Any) -> bool:
    """A picture's array would else be taken apart into its lines, a string into its letters."""
    if isinstance(inputs, np.ndarray):
        return inputs.ndim == 0 or (inputs.ndim == 3 and inputs.shape[-1] in _CHANNELS)
    single = (str, bytes, bytearray, memoryview, os.PathLike, Image.Image, Mapping, Set)
    return isinstance(inputs, single) or not isinstance(inputs, Iterable)
