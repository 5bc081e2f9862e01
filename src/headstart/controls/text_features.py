"""TF-IDF of words and of the characters within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headstart.controls.control import ControlState

_WORD = r"\w+|[^\w\s]+"  # runs of punctuation and emoji, too: no text that is not blank is left without words
_WORDS: dict[str, Any] = {"ngram_range": (1, 2), "token_pattern": _WORD, "dtype": np.float32}
_CHARACTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 4), "dtype": np.float32}
_MANY_ROWS = 1_000  # from here on, what occurs in one text only is left out
_MOST_FEATURES = 50_000  # of words, and as many of characters
_MOST_WEIGHTS = 20_000_000  # features x outputs of each kind: 160 MB


class TextFeatures:
    """Word 1- and 2-grams and character 2- to 4-grams within words, TF-IDF weighted (Salton & Buckley 1988).

    Args:
        outputs: of the model to come; many outputs leave room for fewer features.
    """

    def __init__(self, outputs: int) -> None:
        self._most = max(1_000, min(_MOST_FEATURES, _MOST_WEIGHTS // outputs))

    def fit(self, texts: Sequence[Any] | np.ndarray) -> Any:
        """Choose and weigh the features; those of ``texts``, sparse [n, d] float32."""
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        rare = 2 if len(texts) >= _MANY_ROWS else 1
        self._words = CountVectorizer(**_WORDS, min_df=rare, max_features=self._most)
        self._characters = CountVectorizer(**_CHARACTERS)
        words = self._words.fit_transform(texts)
        occurrences, vocabulary = _count_words(texts)
        characters = occurrences @ self._characters.fit_transform(vocabulary)
        self._kept = _frequent(characters, rare, self._most)
        self._weighers = [TfidfTransformer(sublinear_tf=True).fit(m) for m in (words, characters[:, self._kept])]
        return self._weighed(words, characters)

    def transform(self, texts: Sequence[Any] | np.ndarray) -> Any:
        """The features of ``texts``, sparse [n, d] float32."""
        occurrences, vocabulary = _count_words(texts)
        return self._weighed(self._words.transform(texts), occurrences @ self._characters.transform(vocabulary))

    def state(self) -> ControlState:
        """Both vocabularies in column order, of the characters those kept; the inverse document frequencies."""
        words = [str(term) for term in self._words.get_feature_names_out()]
        characters = [str(term) for term in self._characters.get_feature_names_out()[self._kept]]
        idf = [weigher.idf_ for weigher in self._weighers]
        return ControlState({"idf.words": idf[0], "idf.characters": idf[1]}, {"words": words, "characters": characters})

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """The same features of any text, to the last digit."""
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        features, values = cls(outputs), state.values
        features._words = CountVectorizer(**_WORDS, vocabulary=values["words"])
        features._characters = CountVectorizer(**_CHARACTERS, vocabulary=values["characters"])
        features._kept = np.arange(len(values["characters"]))
        features._weighers = [TfidfTransformer(sublinear_tf=True) for _ in range(2)]
        for weigher, name in zip(features._weighers, ("idf.words", "idf.characters"), strict=True):
            weigher.idf_ = state.tensors[name]
        return features

    def _weighed(self, words: Any, characters: Any) -> Any:
        """Both kinds side by side, rows of length 1 (or 0 where nothing is known)."""
        from scipy.sparse import hstack

        kinds = (words, characters[:, self._kept])
        weighed = [weigher.transform(m) for weigher, m in zip(self._weighers, kinds, strict=True)]
        return (hstack(weighed, format="csr") * np.float32(0.5**0.5)).astype(np.float32)


def _count_words(texts: Sequence[Any] | np.ndarray) -> tuple[Any, np.ndarray]:
    """Occurrences [n, words] of lower-cased words between blanks, and these words.

    Characters are then counted once a word of the vocabulary instead of once an occurrence: the same counts
    as "char_wb" gives on the texts, several times faster.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=lambda text: text.lower().split(), dtype=np.float32)
    return counter.fit_transform(texts), counter.get_feature_names_out()


def _frequent(counts: Any, rare: int, most: int) -> np.ndarray:
    """Indices, ascending, of the ``most`` columns found in most rows, of those in at least ``rare``."""
    rows = np.bincount(counts.indices, minlength=counts.shape[1])
    order = np.argsort(-rows, kind="stable")[:most]
    return np.sort(order[rows[order] >= rare])
