"""Texts as token ids, padded into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.bases.base import Base
from headstart.modalities.text import TextSpec
from headstart.modalities.windows import windows_of

#: Tokens, padding included, of texts that pass through a network together in training.
TOKENS_AT_ONCE = 32_768
_TEXTS, _CHARACTERS = 256, 2**20  # tokenised at once: each token takes some hundred bytes until its id is taken out


@dataclass(frozen=True)
class TokenIds:
    """Token ids of n texts, as they are read: 4 bytes a token.

    Attributes:
        values: int32, window after window and text after text.
        starts: [n + 1] int64, where each text begins in ``values``.
        windows: [n] int32, of each text.
        lengths: [n] int32, tokens of each text, special ones included, whether they are read or not.
        unread: [n] int32, of these the ones that are in no window.
    """

    values: np.ndarray
    starts: np.ndarray
    windows: np.ndarray
    lengths: np.ndarray
    unread: np.ndarray

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, row: int) -> np.ndarray:
        """[windows, tokens] int32 of one text."""
        return self.values[self.starts[row] : self.starts[row + 1]].reshape(self.windows[row], -1)

    @property
    def sizes(self) -> np.ndarray:
        """[n] int64, tokens of each text that are read, those of two windows twice."""
        return np.diff(self.starts)


class Tokens:
    """A text base's own tokenizer, and the windows that the base reads."""

    def __init__(self, base: Base) -> None:
        from tokenizers import Tokenizer

        self._spec: TextSpec = base.spec  # type: ignore[assignment]
        self._tokenizer = Tokenizer.from_file(str(base.tokenizer_file))
        self.padding: int = (self._tokenizer.padding or {}).get("pad_id", 0)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._before, self._after = self._marks()
        self._room = max(1, self._spec.max_tokens - len(self._before) - len(self._after))

    def ids(self, texts: Sequence[str]) -> TokenIds:
        """Token ids of each text in its windows."""
        values: list[np.ndarray] = []
        told: list[np.ndarray] = []
        for piece in _pieces(texts):
            read = [self._read(ids) for ids in self._whole(piece)]
            values.append(np.concatenate([windows.reshape(-1) for windows, _, _ in read]))
            told.append(np.array([(w.size, len(w), length, unread) for w, length, unread in read], np.int32))
        if not values:
            none = np.zeros(0, np.int32)
            return TokenIds(none, np.zeros(1, np.int64), none, none, none)
        sizes, windows, lengths, unread = (np.ascontiguousarray(column) for column in np.concatenate(told).T)
        return TokenIds(
            np.concatenate(values), np.append(0, np.cumsum(sizes, dtype=np.int64)), windows, lengths, unread
        )

    def padded(self, windows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Ids and mask, both [batch, longest] int64, of one window a row; else both [batch, most windows, longest].

        Args:
            windows: [windows, tokens] of each row, as `TokenIds` gives them.
        """
        most, longest = max(len(one) for one in windows), max(1, max(one.shape[1] for one in windows))
        out = np.full((len(windows), most, longest), self.padding, dtype=np.int64)
        mask = np.zeros_like(out)
        for i, one in enumerate(windows):
            out[i, : len(one), : one.shape[1]], mask[i, : len(one), : one.shape[1]] = one, 1
        return (out[:, 0], mask[:, 0]) if most == 1 else (out, mask)

    def _marks(self) -> tuple[np.ndarray, np.ndarray]:
        """Special tokens that stand before and after every text, as those of a short one tell."""
        one = self._tokenizer.encode("a")
        ids, special = np.array(one.ids, np.int32), np.array(one.special_tokens_mask, bool)
        before = len(special) if special.all() else int(np.argmin(special))
        after = 0 if special.all() else int(np.argmin(special[::-1]))
        return ids[:before], ids[len(ids) - after :]

    def _read(self, ids: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Windows [windows, tokens] of one text's ``ids``, how many tokens it has, and how many are left out."""
        if len(ids) <= self._spec.max_tokens:
            return ids[None], len(ids), 0
        before, after = self._before, self._after
        content = ids[len(before) : len(ids) - len(after)]
        found = windows_of(len(content), self._room, self._spec.windows)
        marks = [np.tile(mark, (len(found.starts), 1)) for mark in (before, after)]
        return np.concatenate([marks[0], found.of(content), marks[1]], axis=1), len(ids), found.unread

    def _whole(self, texts: Sequence[str]) -> list[np.ndarray]:
        """All ids [length] int32 of each text, special ones included."""
        if len(texts) == 1 and len(texts[0]) > _CHARACTERS:
            return [np.concatenate([self._before, *self._encoded(_parts(texts[0]), marks=False), self._after])]
        return self._encoded(texts)

    def _encoded(self, texts: Sequence[str], *, marks: bool = True) -> list[np.ndarray]:
        if len(texts) == 1:  # a batch would start threads, which a process that forks later is warned of
            encoded = [self._tokenizer.encode(texts[0], add_special_tokens=marks)]
        else:
            encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=marks)
        return [np.array(one.ids, np.int32) for one in encoded]


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    """``texts`` in runs that the tokenizer takes at once; one that is too long for that by itself."""
    piece: list[str] = []
    size = 0
    for text in texts:
        if piece and (len(piece) == _TEXTS or size + len(text) > _CHARACTERS):
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text)
    if piece:
        yield piece


def _parts(text: str) -> list[str]:
    """``text`` in pieces, parted at white space where there is some: words, and so tokens, stay as they are."""
    parts, start = [], 0
    while len(text) - start > _CHARACTERS:
        end = start + _CHARACTERS
        blank = max(text.rfind(character, start + 1, end) for character in " \n\t")
        end = blank if blank > start else end
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]
