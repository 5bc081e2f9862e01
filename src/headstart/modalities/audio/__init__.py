"""Recordings: read at any rate, heard by a base in windows."""

from __future__ import annotations

from headstart.modalities.audio.front_end import AudioSpec, padded
from headstart.modalities.audio.sound import Sound, read

__all__ = ["AudioSpec", "Sound", "padded", "read"]
