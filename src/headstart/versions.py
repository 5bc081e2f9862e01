"""What numbers depend on besides the data: versions and machine."""

from __future__ import annotations

import importlib.metadata
import platform
from functools import cache

_LIBRARIES = (
    "headstart",
    "torch",
    "timm",
    "torchvision",
    "transformers",
    "tokenizers",
    "accelerate",
    "peft",
    "scikit-learn",
    "numpy",
    "scipy",
    "pillow",
    "pyarrow",
    "onnxruntime",
)


def versions() -> dict[str, str]:
    """Name -> version of Python, the platform and the libraries, absent ones left out."""
    machine = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    return {**machine, **installed(*_LIBRARIES)}


def installed(*names: str) -> dict[str, str]:
    """Name -> version of the installed ones of ``names``, told by their metadata: nothing is imported."""
    return {name: version for name in names if (version := _version(name))}


@cache  # a look-up takes a millisecond, and cache keys ask often
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
