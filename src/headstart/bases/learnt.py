"""Which inputs a model was made from, by their content: told so that nobody tests on them unawares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from headstart.errors import BundleError
from headstart.files import write_atomically

FILE = "learnt.txt"


def save_learnt(folder: Path, keys: Iterable[str]) -> None:
    """Write the content hashes ``keys`` of the rows learnt from, one a line, each once.

    Raises:
        OutputError: it cannot be written.
    """
    write_atomically(folder / FILE, "".join(f"{key}\n" for key in sorted(set(keys))))


def learnt_keys(run: Path) -> np.ndarray:
    """[n] str, as `save_learnt` wrote them.

    Raises:
        BundleError: the run does not say.
    """
    try:
        return np.array((run / FILE).read_text(encoding="utf-8").split(), dtype=str)
    except OSError as error:
        raise BundleError(f"{run / FILE} cannot be read ({error.strerror}); restore it or fit again.") from error
