"""What numbers depend on besides the data: versions and machine."""

from __future__ import annotations

import importlib.metadata
import platform

_LIBRARIES = (
    "headstart",
    "torch",
    "timm",
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
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
