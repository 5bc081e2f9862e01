"""Long inputs in windows: which stretches of a text or a recording a base reads, one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.records import ReadingRecord

#: Of what a window holds, the share that it has in common with the next: a sentence of 32 tokens that the edge of a
#: window of 256 would part stands whole in one of them, and a seventh more tokens are read.
OVERLAP = 1 / 8


@dataclass(frozen=True)
class Windows:
    """Stretches of one text or recording, all of one length.

    Attributes:
        starts: [windows] int, the first token (or sample) of each.
        width: tokens of each.
        unread: tokens that are in none of them.
    """

    starts: np.ndarray
    width: int
    unread: int

    def of(self, tokens: np.ndarray) -> np.ndarray:
        """[windows, width], of all ``tokens`` [length]."""
        return tokens[self.starts[:, None] + np.arange(self.width)]

    def home(self, places: np.ndarray) -> np.ndarray:
        """[m] int: of the windows that hold each of the tokens at ``places`` [m], the one with most on either side.

        Windows have no gaps between them, and no token is in more than two.
        """
        last = np.searchsorted(self.starts, places, side="right") - 1
        before = np.maximum(last - 1, 0)
        right = self.starts[before] + self.width - 1 - places  # tokens that follow in the one before; < 0: not in it
        return np.where((right >= 0) & (right >= places - self.starts[last]), before, last)


def windows_of(length: int, room: int, most: int) -> Windows:
    """Where ``length`` tokens (or samples) are read, ``room`` at once, in at most ``most`` windows.

    What fits is one window. Longer inputs are read in as few windows as overlap by `OVERLAP`, of one length and evenly
    spread, so that their plain mean weighs each by its tokens and none is a short rest. Where that would take more
    than ``most``, windows are spread from the beginning to the end with gaps between them; ``most`` 1 is the beginning.
    """
    if length <= room or most == 1:
        return Windows(np.zeros(1, int), min(length, room), max(0, length - room))
    overlap = int(room * OVERLAP)
    needed = -(-(length - overlap) // (room - overlap))
    count = min(needed, most)
    width = -(-(length + (count - 1) * overlap) // count) if count == needed else room
    starts = np.arange(count) * (length - width) // (count - 1)
    return Windows(starts, width, length - width - int(np.minimum(np.diff(starts), width).sum()))


def reading_of(read: np.ndarray, room: int, windows: int, unit: int = 1) -> ReadingRecord:
    """What became of inputs, by ``read`` [n, 2]: how long each is, and how much of it is in no window; no words yet.

    Args:
        room: what one window holds; longer inputs are read in up to ``windows`` of them.
        unit: what lengths are divided by to be told.
    """
    lengths, unread = read[:, 0], read[:, 1]
    cut = unread > 0
    return ReadingRecord(
        texts=len(lengths),
        max_tokens=room // unit,
        windows=windows,
        long=int((lengths > room).sum()),
        longest=round(float(lengths.max(initial=0)) / unit),
        cut=int(cut.sum()),
        unread=float(unread[cut].sum() / lengths[cut].sum()) if cut.any() else 0.0,
        sentence="",
    )
