"""What makes texts a modality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from headstart.errors import SettingError
from headstart.modalities.feed import RaggedFeed, Rows
from headstart.modalities.modality import Modality
from headstart.modalities.stream import Pieces
from headstart.modalities.text.augment import TextAugmentation, augmented_text
from headstart.modalities.text.damage import text_damage
from headstart.modalities.text.decode import TextSpec, decoded
from headstart.modalities.text.looks import script
from headstart.modalities.text.reading import reading_advice, reading_of
from headstart.modalities.text.stream import TextPieces
from headstart.modalities.text.tokens import NO_WORD, TOKENS_AT_ONCE, TokenIds, Tokens
from headstart.modalities.text.words import Words, as_words, split_words
from headstart.modalities.types import Reads, Reject, Shown, Unreadable
from headstart.records import ReadingRecord

_MARKS = 8  # special tokens around a text, at most
_SHOWN = 300  # characters
_BOUNDS = b"\xff"  # before the bounds of words in what is hashed; no byte of UTF-8


class Text(Modality):
    """Strings."""

    name = "text"
    noun, plural, example = "text", "texts", "a new text"
    readers = ("tokenizers",)
    libraries = ("torch", "transformers", "transformers.models.bert", "headstart.training.run")
    baseline = "TF-IDF + linear"
    sample, tried, times = 32, 4, 2
    tokenised = long = masked = True
    unit = input_unit = "tokens"
    units: ClassVar = {"length": ("characters", 0)}

    def takes(self, value: Any) -> bool:
        """Strings, whatever they say."""
        return isinstance(value, str)

    def content(self, value: Any) -> bytes:
        """The string in UTF-8, and where its words are, unless they are those that are found where none are told."""
        text = decoded(value)
        content = text.encode("utf-8")
        if not isinstance(text, Words) or text.bounds.tolist() == [list(one) for one in split_words(text)]:
            return content
        return content + _BOUNDS + np.ascontiguousarray(text.bounds, "<i4").tobytes()

    def decode(self, value: Any, spec: TextSpec | None) -> str:
        """See `headstart.modalities.text.decode.decoded`; with its words where ``spec`` has features of words."""
        text = decoded(value)
        return as_words(text) if spec is not None and spec.words else text

    def spec(self, values: dict[str, Any]) -> TextSpec:
        """See `Modality.spec`."""
        return TextSpec.from_dict(values)

    def reader(self, base: Reads) -> Tokens:
        """The tokenizer."""
        return Tokens(base)

    def stream(
        self,
        inputs: Sequence[Any] | np.ndarray,
        base: Reads,
        for_base: np.ndarray,
        for_classical: np.ndarray,
        reject: Reject,
        reader: Tokens | None = None,
    ) -> Pieces:
        """See `Modality.stream`; there are no classical features of texts."""
        return text_pieces(inputs, base, np.flatnonzero(for_base), reject, reader)

    def feed(self, base: Reads, rows: Rows, augmentation: TextAugmentation | None, seed: int) -> RaggedFeed:
        """See `Modality.feed`."""
        return _TextFeed(base, rows, augmentation, seed)

    def probe(self, spec: TextSpec) -> tuple[np.ndarray, ...]:
        """Token ids, one text shorter than the others."""
        tokens = min(11, spec.max_tokens)
        ids = np.arange(3 * tokens, dtype=np.int64).reshape(3, tokens) % 4 + 1
        mask = np.ones_like(ids)
        mask[2, tokens // 2 :] = 0
        if not spec.words:
            return ids, mask
        words = np.tile(np.arange(0, tokens, 2, dtype=np.int64), (3, 1))
        return ids, mask, np.where(words < mask.sum(1, keepdims=True), words, NO_WORD)

    def counts(self, inputs: Sequence[Any] | np.ndarray, spec: TextSpec) -> np.ndarray | None:
        """Words."""
        if not spec.words:
            return None
        return np.array([len(as_words(one).bounds) if isinstance(one, str) else 0 for one in inputs], np.int64)

    def lengths(self, inputs: Sequence[Any] | np.ndarray, base: Reads) -> np.ndarray:
        """Tokens of each text, and those not read."""
        return Tokens(base).ids(list(inputs)).read

    def maybe_long(self, inputs: Sequence[Any] | np.ndarray, spec: TextSpec) -> np.ndarray:
        """A character is four tokens at most."""
        return np.array([isinstance(text, str) and 4 * len(text) + _MARKS > spec.max_tokens for text in inputs], bool)

    def reading(self, spec: TextSpec, read: np.ndarray) -> ReadingRecord:
        """See `headstart.modalities.text.reading`."""
        return reading_of(spec, read)

    def reading_advice(self, spec: TextSpec, reading: ReadingRecord, most: int | None) -> str:
        """See `headstart.modalities.text.reading`."""
        return reading_advice(reading, most)

    def augmentation(
        self, asked: str, labels: tuple[str, ...], per_class: int, spec: TextSpec
    ) -> tuple[TextAugmentation | None, str]:
        """None unless damage is asked for."""
        if asked == "corruption":
            _refuse_words(spec)
            return TextAugmentation(drop=0.0, damage=True), "typos, changed case and cut texts, as asked for"
        return None, "none, the default for texts"

    def damage(self, spec: TextSpec) -> Any:
        """See `Modality.damage`."""
        return f"{_WHOLE}: corruption parts and joins words" if spec.words else text_damage()

    def show(self, value: Any) -> Shown:
        """Its first 300 characters."""
        text = str(value)
        return Shown(text=text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")

    def properties(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Length and script."""
        return {
            "length": np.array([len(text) for text in inputs], dtype=float),
            "script": np.array([script(text) for text in inputs], dtype=object),
        }

    def headers(self, inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
        """Characters and words."""
        length = np.array([(len(text), len(text.split())) for text in inputs], dtype=float).reshape(-1, 2)
        return {"text length": length}

    def blank(self, inputs: Sequence[Any] | np.ndarray, classical: np.ndarray | None) -> tuple[list[int], str]:
        """Texts without a letter or a digit."""
        rows = [row for row, text in enumerate(inputs) if not any(c.isalnum() for c in text)]
        return rows, "without a letter or a digit"


_WHOLE = "texts whose words have answers of their own are left as they are"


def _refuse_words(spec: TextSpec) -> None:
    """`SettingError` where texts cannot be changed at random, since their words have answers of their own."""
    if spec.words:
        raise SettingError(f"{_WHOLE}: augmentation would part and join words; leave augmentation at its default.")


def text_pieces(
    inputs: Sequence[Any] | np.ndarray, base: Reads, rows: np.ndarray, reject: Reject, tokens: Tokens | None = None
) -> TextPieces:
    """The texts of ``rows`` in batches; ``tokens``: the base's, where they are open already."""
    texts, readable = [], []
    for row in rows:
        try:
            texts.append(decoded(inputs[row]))
            readable.append(int(row))
        except Unreadable as error:
            reject(int(row), str(error))
    tokens = tokens or Tokens(base)
    return TextPieces(tokens, tokens.ids(texts), np.array(readable, int))


class _TextFeed(RaggedFeed):
    """Texts as token ids."""

    at_once = TOKENS_AT_ONCE

    def __init__(self, base: Reads, rows: Rows, augmentation: TextAugmentation | None, seed: int) -> None:
        if augmentation is not None:
            _refuse_words(base.spec)
        super().__init__(base, rows, augmentation, seed)
        self._tokens = Tokens(base)
        self._clean = self._tokens.ids(rows.inputs)
        self.lengths = self._clean.sizes
        self._view: tuple[int, TokenIds] | None = None

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """Ids and mask, both [batch, longest] int64, or [batch, windows, longest] where a text is read in windows.

        Third, where words have features, the places of their first tokens (see `Tokens.padded`).
        """
        tokens = self._of_view(view)
        for rows in batches:
            yield self._tokens.padded([tokens[row] for row in rows], [tokens.words_of(row) for row in rows])

    def _of_view(self, view: int | None) -> TokenIds:
        if view is None or self.augmentation is None:
            return self._clean
        if self._view is None or self._view[0] != view:
            how = self.augmentation
            texts = [
                augmented_text(str(text), how, self.view_seed(row, view)) for row, text in enumerate(self.rows.inputs)
            ]
            self._view = view, self._tokens.ids(texts)
        return self._view[1]
