"""Pictures."""

from __future__ import annotations

from headstart.modalities.image.decode import ImageSpec, fitted, layers, plain, resized, shown

__all__ = ["ImageSpec", "fitted", "layers", "plain", "resized", "shown"]
