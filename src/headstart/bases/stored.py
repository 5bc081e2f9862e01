"""Files of a bundle: plain bytes and safetensors, each known by its sha256."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from headstart.errors import BundleError


def checksum(content: bytes) -> str:
    """sha256 (hex)."""
    return hashlib.sha256(content).hexdigest()


def pack(tensors: dict[str, np.ndarray]) -> bytes:
    """``tensors`` as a safetensors file."""
    from safetensors.numpy import save

    return save({name: np.asarray(array, order="C") for name, array in tensors.items()})


def unpack(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """The tensors in ``content``, read from ``path``.

    Raises:
        BundleError: it is no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}); restore it or fit again.") from error


def read(path: Path, expected: str | None) -> bytes:
    """The content of ``path``; ``expected`` is its checksum, None in bundles that have none.

    Raises:
        BundleError: it cannot be read, or is not what was saved.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); restore it or fit again.") from error
    if expected is not None and checksum(content) != expected:
        raise BundleError(f"{path} is not what was saved (its sha256 differs); restore it or fit again.")
    return content
