"""Texts tokenised and grouped by length, so that next to nothing is spent on padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headstart.modalities.stream import Piece, Pieces, accelerated, starts_of, within_budget
from headstart.modalities.text.tokens import TokenIds, Tokens

TOKENS_PER_BATCH = 1024  # texts x longest; measured flat from 512 to 2,048 on a CPU (docs/log.md)


class TextPieces(Pieces):
    """Batches of texts; of those that are read in windows, a window a row of the batch.

    Args:
        tokens: the base's.
        ids: of the texts that can be read.
        rows: [n] int, which inputs these are.
    """

    small = True

    def __init__(self, tokens: Tokens, ids: TokenIds, rows: np.ndarray) -> None:
        self.ids, self.rows, self._tokens, self.work = ids, rows, tokens, int(ids.sizes.sum())
        super().__init__(self._batches())

    def _batches(self) -> Iterator[Piece]:
        ids, read, at_once = self.ids, self.ids.read, TOKENS_PER_BATCH * accelerated()
        widths = ids.sizes // np.maximum(ids.windows, 1)
        order = np.lexsort((ids.windows, widths))
        for members in within_budget(order.tolist(), widths.tolist(), ids.windows.tolist(), at_once):
            rows, windows, work = self.rows[members], [ids[i] for i in members], int(ids.sizes[members].sum())
            words = [ids.words_of(i) for i in members]
            counts = np.array([sum(map(len, row)) for row in words if row is not None]) if ids.words else None
            if max(len(one) for one in windows) == 1:
                yield Piece(rows, self._tokens.padded(windows, words), read=read[members], work=work, counts=counts)
                continue
            if counts is not None:
                each = [[one] for row in words for one in row or ()]
                batch = self._tokens.padded([window[None] for one in windows for window in one], each)
                firsts, together = starts_of([len(one) for one in windows]), max(1, at_once // batch[0].shape[1])
                yield Piece(rows, batch, None, read[members], None, firsts, work, together, counts)
                continue
            # of a text that repeats itself, equal windows pass through once
            different, counts = zip(*map(_different, windows), strict=True)
            shares = np.concatenate([count / count.sum() for count in counts]).astype(np.float32)
            firsts = starts_of([len(one) for one in different])
            batch = self._tokens.padded([window[None] for one in different for window in one])
            together = max(1, at_once // batch[0].shape[1])
            yield Piece(rows, batch, None, read[members], shares, firsts, work, together)


def _different(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The windows [m, tokens] that are unlike one another, and how often each is there."""
    if len(windows) == 1:
        return windows, np.ones(1, int)
    return np.unique(windows, axis=0, return_counts=True)
