"""Texts as token ids, padded into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.modalities.text.decode import TextSpec
from headstart.modalities.text.words import as_words, first_tokens
from headstart.modalities.types import Reads
from headstart.modalities.windows import Windows, windows_of
from headstart.ragged import Ragged, offsets_of

#: Tokens, padding included, of texts that pass through a network together in training.
TOKENS_AT_ONCE = 32_768
#: In place of a word's first token: there is no word, and the word has no token to stand for it.
NO_WORD, NO_TOKEN = -1, -2
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
        words: of texts whose words are given features, a row a window and text after text: the words read in it, each
            by the place of its first token there, int32; None of others. Each word is in one window.
        firsts: [n + 1] int64, where the windows of each text begin in ``words``; None without.
    """

    values: np.ndarray
    starts: np.ndarray
    windows: np.ndarray
    lengths: np.ndarray
    unread: np.ndarray
    words: Ragged | None = None
    firsts: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, row: int) -> np.ndarray:
        """[windows, tokens] int32 of one text."""
        return self.values[self.starts[row] : self.starts[row + 1]].reshape(self.windows[row], -1)

    def words_of(self, row: int) -> list[np.ndarray] | None:
        """Places of the words read in each window of one text; None where words have no features."""
        if self.words is None or self.firsts is None:
            return None
        return [self.words[window] for window in range(self.firsts[row], self.firsts[row + 1])]

    @property
    def sizes(self) -> np.ndarray:
        """[n] int64, tokens of each text that are read, those of two windows twice."""
        return np.diff(self.starts)

    @property
    def read(self) -> np.ndarray:
        """[n, 2] float32: tokens of each text, and those that are not read."""
        return np.stack([self.lengths, self.unread], axis=1).astype(np.float32)


class Tokens:
    """A text base's own tokenizer, and the windows that the base reads."""

    def __init__(self, base: Reads) -> None:
        from tokenizers import Tokenizer

        self._spec: TextSpec = base.spec
        self._tokenizer = Tokenizer.from_file(str(base.tokenizer_file))
        self.padding: int = (self._tokenizer.padding or {}).get("pad_id", 0)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._before, self._after = self._marks()
        self._room = max(1, self._spec.max_tokens - len(self._before) - len(self._after))

    def ids(self, texts: Sequence[str]) -> TokenIds:
        """Token ids of each text in its windows."""
        none = np.zeros(0, np.int32)
        values, told, words = [none], [np.zeros((0, 4), np.int32)], [none]
        counts: list[int] = []
        for piece in _pieces(texts):
            read = [self._read(*whole) for whole in self._whole(piece)]
            values.append(np.concatenate([one.windows.reshape(-1) for one in read]))
            told.append(np.array([one.told for one in read], np.int32))
            words += [places for one in read for places in one.words]
            counts += [len(places) for one in read for places in one.words]
        sizes, windows, lengths, unread = (np.ascontiguousarray(column) for column in np.concatenate(told).T)
        placed = (Ragged(np.concatenate(words), offsets_of(counts)), offsets_of(windows)) if self._spec.words else ()
        return TokenIds(np.concatenate(values), offsets_of(sizes), windows, lengths, unread, *placed)

    def padded(
        self, windows: Sequence[np.ndarray], words: Sequence[Sequence[np.ndarray] | None] = ()
    ) -> tuple[np.ndarray, ...]:
        """Ids and mask, both [batch, longest] int64, of one window a row; else both [batch, most windows, longest].

        Args:
            windows: [windows, tokens] of each row, as `TokenIds` gives them.
            words: places of words in each row's windows, as `TokenIds.words_of` gives them. They then come third,
                [batch(, most windows), most words] int64, `NO_WORD` where there are no more.
        """
        most, longest = max(len(one) for one in windows), max(1, max(one.shape[1] for one in windows))
        out = np.full((len(windows), most, longest), self.padding, dtype=np.int64)
        mask = np.zeros_like(out)
        for i, one in enumerate(windows):
            out[i, : len(one), : one.shape[1]], mask[i, : len(one), : one.shape[1]] = one, 1
        found = [out, mask, *([_words_padded(words, most)] if self._spec.words else [])]
        return tuple(one[:, 0] for one in found) if most == 1 else tuple(found)

    def _marks(self) -> tuple[np.ndarray, np.ndarray]:
        """Special tokens that stand before and after every text, as those of a short one tell."""
        one = self._tokenizer.encode("a")
        ids, special = np.array(one.ids, np.int32), np.array(one.special_tokens_mask, bool)
        before = len(special) if special.all() else int(np.argmin(special))
        after = 0 if special.all() else int(np.argmin(special[::-1]))
        return ids[:before], ids[len(ids) - after :]

    def _read(self, ids: np.ndarray, places: np.ndarray | None) -> _Read:
        """The windows of one text, of its ``ids`` and where its words are among them, special ones left out."""
        before, after = self._before, self._after
        if len(ids) <= self._spec.max_tokens:
            return self._read_at_once(ids, places)
        content = ids[len(before) : len(ids) - len(after)]
        most = self._spec.windows if places is None else len(content)
        found = windows_of(len(content), self._room, most)
        marks = [np.tile(mark, (len(found.starts), 1)) for mark in (before, after)]
        windows = np.concatenate([marks[0], found.of(content), marks[1]], axis=1)
        words = () if places is None else _in_windows(places, found, len(before))
        return _Read(windows, len(ids), found.unread, words)

    def _read_at_once(self, ids: np.ndarray, places: np.ndarray | None) -> _Read:
        if places is None:
            return _Read(ids[None], len(ids), 0)
        there = places >= 0
        at = np.where(there, places + len(self._before), 0 if len(ids) else NO_TOKEN).astype(np.int32)
        if len(ids):
            return _Read(ids[None], len(ids), 0, (at,))
        nothing = np.full((1, 1), self.padding, np.int32)  # a network cannot be run on no token at all
        return _Read(nothing, len(places), len(places), (at,))

    def _whole(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """All ids [length] int32 of each text, special ones included; where words have features, their tokens too.

        A word's token is counted from the first that is not special.
        """
        if len(texts) == 1 and len(texts[0]) > _CHARACTERS:
            parts = _parts(texts[0])
            ids, spans = zip(*self._encoded(parts, marks=False), strict=True)
            whole = [(np.concatenate([self._before, *ids, self._after]), _one_after_another(parts, spans))]
        else:
            whole = self._encoded(texts)
        if not self._spec.words:
            return [(ids, None) for ids, _ in whole]
        bounds = (as_words(text).bounds for text in texts)
        return [(ids, first_tokens(own, spans)) for own, (ids, spans) in zip(bounds, whole, strict=True)]

    def _encoded(self, texts: Sequence[str], *, marks: bool = True) -> list[tuple[np.ndarray, np.ndarray]]:
        """Ids of each text, and of all but special tokens the characters that they span, where words need them."""
        if len(texts) == 1:  # a batch would start threads, which a process that forks later is warned of
            encoded = [self._tokenizer.encode(str(texts[0]), add_special_tokens=marks)]
        else:
            encode = self._tokenizer.encode_batch if self._spec.words else self._tokenizer.encode_batch_fast
            encoded = encode([str(text) for text in texts], add_special_tokens=marks)
        if not self._spec.words:
            return [(np.array(one.ids, np.int32), _NO_SPANS) for one in encoded]
        before, after = (len(self._before), len(self._after)) if marks else (0, 0)
        return [
            (np.array(one.ids, np.int32), np.array(one.offsets[before : len(one.ids) - after], np.int64).reshape(-1, 2))
            for one in encoded
        ]


_NO_SPANS = np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class _Read:
    """How one text is read: its windows [windows, tokens], how many tokens it has, how many of them are in no window.

    ``words`` are the places of the words in each window, of texts whose words have features.
    """

    windows: np.ndarray
    length: int
    unread: int
    words: tuple[np.ndarray, ...] = ()

    @property
    def told(self) -> tuple[int, int, int, int]:
        return self.windows.size, len(self.windows), self.length, self.unread


def _in_windows(places: np.ndarray, found: Windows, before: int) -> tuple[np.ndarray, ...]:
    """The words whose first tokens are at ``places`` by their windows, behind ``before`` special tokens in each."""
    home = found.home(places)
    within = (places - found.starts[home] + before).astype(np.int32)
    return tuple(np.split(within, np.searchsorted(home, np.arange(1, len(found.starts)))))


def _words_padded(words: Sequence[Sequence[np.ndarray] | None], most: int) -> np.ndarray:
    """[batch, most windows, most words] int64, `NO_WORD` where there are no more."""
    rows = [row or () for row in words]
    longest = max(1, max(len(places) for row in rows for places in row))
    out = np.full((len(rows), most, longest), NO_WORD, dtype=np.int64)
    for i, row in enumerate(rows):
        for j, places in enumerate(row):
            out[i, j, : len(places)] = places
    return out


def _one_after_another(parts: Sequence[str], spans: Sequence[np.ndarray]) -> np.ndarray:
    """The spans of each of ``parts`` as those of the text that they make up."""
    starts = np.cumsum([0, *map(len, parts[:-1])])
    return np.concatenate([own + start for own, start in zip(spans, starts.tolist(), strict=True)])


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
