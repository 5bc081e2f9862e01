"""How much of the recordings a base reads: how many are long, how they are read, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.modalities import windows
from headstart.modalities.audio.front_end import AudioSpec
from headstart.records import ReadingRecord


def reading_of(spec: AudioSpec, read: np.ndarray) -> ReadingRecord:
    """What became of recordings, by ``read`` [n, 2]: samples at the base's rate, and those not read; in seconds."""
    found = windows.reading_of(read, spec.room, spec.windows, spec.rate)
    return replace(found, sentence=_sentence(found))


def _sentence(found: ReadingRecord) -> str:
    at_once = f"the {found.max_tokens:,} s that the base is given at once"
    if not found.long:
        return f"No recording is longer than {at_once}."
    are = "is" if found.long == 1 else "are"
    head = f"{found.long:,} of {found.texts:,} recordings {are} longer than {at_once} (the longest {found.longest:,} s)"
    if found.windows == 1:
        return f"{head}: they are cut off there, and {100 * found.unread:.0f} % of their sound is not read."
    how = f"{head}: they are read in overlapping windows, whose features are averaged"
    if not found.cut:
        return f"{how}."
    are = "is" if found.cut == 1 else "are"
    hold = f"{found.cut:,} {are} longer than {found.windows} windows: they are read in pieces from beginning to end"
    return f"{how}; {hold}, and {100 * found.unread:.0f} % of their sound is not read."


def reading_advice(reading: ReadingRecord) -> str:
    """How more of the recordings could be read."""
    if reading.windows == 1:
        return "Drop --windows 1, so that long recordings are read in windows."
    return "A larger --windows reads more of them and takes longer; or cut them into shorter recordings."
