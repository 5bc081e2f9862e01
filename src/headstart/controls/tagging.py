"""The baselines for a tag a word: the word's most frequent tag, and a CRF on words and shapes.

What they answer are `headstart.ragged.Ragged` probabilities [items, tags], an item a word.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.modalities.text.words import as_words
from headstart.ragged import Ragged, items_of, offsets_of
from headstart.tasks.tag.chain import Chain

_OF_PRIOR = 0.5  # of the least weight of a row that the tags of unknown words count for: it decides between equals


class MostFrequentTag(Control):
    """The tags that a word has in training: as it is written, else in any case, else those of words that occur once.

    Words that occur once are most like those that do not occur (Baayen & Sproat 1996, "Estimating lexical priors for
    low-frequency morphologically ambiguous forms").
    """

    name = "most frequent tag"

    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: Any,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Count the tags ``y``, `Ragged` of int64, of the words of n texts."""
        words = _words(inputs, y)
        counted = np.ones(len(words)) if weights is None else items_of(np.asarray(weights, float), y)
        self._tables = [
            _Counts.of(some, y.values, counted, self.outputs) for some in (words, [w.lower() for w in words])
        ]
        exact = self._tables[0]
        once = exact.times[exact.numbers(words)] == 1
        once &= counted > 0
        some = once if once.any() else np.ones(len(words), bool)
        unknown = np.bincount(y.values[some], counted[some], minlength=self.outputs)
        self._unknown = unknown / unknown.sum()
        positive = counted[counted > 0]
        self._prior = _OF_PRIOR * float(positive.min()) if len(positive) else 1.0

    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> Any:
        """Frequencies of the tags of each word of n texts."""
        texts = [as_words(value).tokens for value in inputs]
        words = [word for text in texts for word in text]
        answer = np.tile(self._unknown, (len(words), 1))
        lower = [word.lower() for word in words]
        for table, some in zip(reversed(self._tables), (lower, words), strict=True):
            numbers = table.numbers(some)
            known = numbers >= 0
            counts = table.counts[numbers[known]] + self._prior * self._unknown
            answer[known] = counts / counts.sum(axis=1, keepdims=True)
        return Ragged(answer, offsets_of([len(text) for text in texts]))

    def state(self) -> ControlState:
        """Words with their counts."""
        exact, lower = self._tables
        tensors = {"exact": exact.counts, "exact.times": exact.times, "lower": lower.counts, "lower.times": lower.times}
        tensors |= {"unknown": self._unknown, "prior": np.array([self._prior])}
        return ControlState(tensors, {"exact": list(exact.index), "lower": list(lower.index)})

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """With those counts."""
        control, tensors = cls(outputs), state.tensors
        control._tables = [
            _Counts(
                dict(zip(state.values[name], range(len(tensors[name])), strict=True)),
                tensors[name],
                tensors[f"{name}.times"],
            )
            for name in ("exact", "lower")
        ]
        control._unknown, control._prior = tensors["unknown"], float(tensors["prior"][0])
        return control


class _Counts:
    """How often words have each tag.

    Attributes:
        index: word -> its row.
        counts: [words, tags] weighted.
        times: [words] that they occur.
    """

    def __init__(self, index: dict[str, int], counts: np.ndarray, times: np.ndarray) -> None:
        self.index, self.counts, self.times = index, counts, times

    @classmethod
    def of(cls, words: Sequence[str], y: np.ndarray, weights: np.ndarray, outputs: int) -> _Counts:
        """Of words with weight; the others are not known."""
        there = np.flatnonzero(weights > 0)
        index: dict[str, int] = {}
        numbers = np.array([index.setdefault(words[i], len(index)) for i in there.tolist()], np.int64)
        counts = np.bincount(numbers * outputs + y[there], weights[there], minlength=len(index) * outputs)
        return cls(index, counts.reshape(-1, outputs), np.bincount(numbers, minlength=len(index)))

    def numbers(self, words: Iterable[str]) -> np.ndarray:
        """[items] int64 the row of each word; −1 where it is not known."""
        return np.array([self.index.get(word, -1) for word in words], np.int64)


_ROUNDS = 100  # of L-BFGS, after which more change little
_TIMED = 10  # rounds that are timed
_SOME = 300  # rows that they are timed on
_L1, _L2 = 0.1, 0.1  # crfsuite's c1 and c2, as is usual for entities
#: What is known of a neighbour is less than of the word itself.
_AROUND = (-2, -1, 1, 2)


class Crf(Control):
    """A linear-chain conditional random field (Lafferty, McCallum & Pereira 2001) on words and shapes.

    Features: the word, in lower case, its shape, its first and last one to three letters, what signs it has, the
    neighbours' words and shapes, and whether the text begins or ends. crfsuite fits the weights, with an L1 and an L2
    penalty; answers are made from them here, so that they do not need it.
    """

    name = "CRF on words and shapes"
    #: What `fit` needs beside the dependencies of headstart, and the extra that has it.
    library: ClassVar[str] = "sklearn_crfsuite"
    extra: ClassVar[str] = "tags"

    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: Any,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Learn from n texts and their tags ``y``, `Ragged` of int64.

        crfsuite knows no weights: rows are repeated as often as theirs say, on average over seeds.
        """
        start = time.perf_counter()
        _words(inputs, y)
        rows = np.flatnonzero(y.counts)
        rows = rows if weights is None else rows[_repeated(np.asarray(weights, float)[rows], seed)]
        features = _Features([inputs[row] for row in rows.tolist()])
        texts, tags, rounds = features.numbered(), _named(y.take(rows)), _ROUNDS
        if seconds is not None:
            some = np.random.default_rng(seed).permutation(len(rows))[:_SOME].tolist()
            once, one = _seconds([texts[row] for row in some], [tags[row] for row in some])
            times = sum(map(len, tags)) / max(1, sum(len(tags[row]) for row in some))
            left = seconds - (time.perf_counter() - start) - once * times
            rounds = int(np.clip(left / (one * times), 1, _ROUNDS))
        self.left_out = "" if rounds == _ROUNDS else f"was fitted for {rounds} of at most {_ROUNDS} rounds"
        self._learnt(_crfsuite(texts, tags, rounds), features.names)

    def _learnt(self, model: Any, names: list[str]) -> None:
        """Keep the weights that are not 0, of features in the order of their names."""
        weights = [(names[int(name)], int(tag), weight) for (name, tag), weight in model.state_features_.items()]
        kept = sorted({name for name, _, weight in weights if weight})
        self._index = {name: number for number, name in enumerate(kept)}
        self._weights = np.zeros((len(kept), self.outputs))
        for name, tag, weight in weights:
            if weight:
                self._weights[self._index[name], tag] = weight
        self._pairs = np.zeros((self.outputs, self.outputs))
        for (before, after), weight in model.transition_features_.items():
            self._pairs[int(before), int(after)] = weight
        self._there = np.zeros(self.outputs, bool)
        self._there[[int(tag) for tag in model.classes_]] = True

    def predicted(self, some: Sequence[Any] | np.ndarray, y: Any, rows: int, task: str, seed: int) -> float:
        """Timed are features and rounds, both of which grow with the rows."""
        begun = time.perf_counter()
        texts = [row for row in range(len(y)) if y.counts[row]]
        numbered, tags = _Features([some[row] for row in texts]).numbered(), _named(y.take(np.array(texts, int)))
        read = time.perf_counter() - begun
        once, one = _seconds(numbered, tags)
        return (read + once + one * _ROUNDS) * max(1.0, rows / max(1, len(y)))

    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> Any:
        """The marginal probability of each tag of each word of n texts; 0 for tags that no word of training had."""
        features = _Features(inputs)
        scores = features.scores(self._index, self._weights)
        scores = np.where(self._there, scores, -np.inf)
        scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
        pairs = np.exp(self._pairs - self._pairs.max())
        sums = Chain(np.exp(scores), features.offsets, pairs, self._there.astype(float)).sums()
        found = np.where(self._there, sums.marginals, 0.0)
        return Ragged(found / found.sum(axis=1, keepdims=True), features.offsets)

    def state(self) -> ControlState:
        """The weights that are not 0, by feature and tag, and of pairs of tags."""
        feature, tag = np.nonzero(self._weights)
        tensors = {"features": feature, "tags": tag, "weights": self._weights[feature, tag]}
        return ControlState({**tensors, "pairs": self._pairs, "there": self._there}, {"features": list(self._index)})

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """With those weights."""
        control, tensors, names = cls(outputs), state.tensors, state.values["features"]
        control._index = {name: number for number, name in enumerate(names)}
        control._weights = np.zeros((len(names), outputs))
        control._weights[tensors["features"], tensors["tags"]] = tensors["weights"]
        control._pairs, control._there = tensors["pairs"], tensors["there"].astype(bool)
        return control

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be fitted here, in words; "" if it can."""
        if find_spec(cls.library) is not None:
            return ""
        package = cls.library.replace("_", "-")
        return f"it needs the package {package}, which is not installed here; run: pip install 'headstart[{cls.extra}]'"


def _words(inputs: Sequence[Any] | np.ndarray, y: Ragged) -> list[str]:
    """The words of all texts; `ValueError` where there are not as many tags."""
    texts = [as_words(value).tokens for value in inputs]
    for row, (text, count) in enumerate(zip(texts, y.counts.tolist(), strict=True)):
        if len(text) != count:
            raise ValueError(f"row {row + 1} has {len(text)} words and {count} tags.")
    return [word for text in texts for word in text]


def _repeated(weights: np.ndarray, seed: int) -> np.ndarray:
    """Rows, each as often as its weight is times the mean, rounded up or down at random (systematic resampling)."""
    ends = np.cumsum(weights) / weights.mean()
    offset = np.random.default_rng(seed).random()
    times = np.diff(np.floor(np.append(0.0, ends) + offset + 1e-9)).astype(int)
    return np.repeat(np.arange(len(weights)), times)


# --- features ---


class _Features:
    """The features of the words of n texts, worked out once a word of their vocabulary.

    Attributes:
        offsets: [n + 1] where texts begin.
        names: of the features, in the order of their numbers.
    """

    def __init__(self, inputs: Sequence[Any] | np.ndarray) -> None:
        texts = [as_words(value).tokens for value in inputs]
        self.offsets = offsets_of([len(text) for text in texts])
        words: dict[str, int] = {}
        numbers = [words.setdefault(word, len(words)) for text in texts for word in text]
        self._vocabulary, number = list(words), np.array(numbers, np.int64)
        rows = np.repeat(np.arange(len(texts)), np.diff(self.offsets))
        place = np.arange(len(number)) - self.offsets[rows]
        size = np.diff(self.offsets)[rows]
        self._at = {0: number}  # place relative to the word -> [items] its word there, −1 outside the text
        for step in _AROUND:
            inside = (place + step >= 0) & (place + step < size)
            around = np.full(len(number), -1)
            around[inside] = number[np.flatnonzero(inside) + step]
            self._at[step] = around
        self._sets = {step: [_of_word(word, step) for word in self._vocabulary] for step in self._at}
        for step, sign in ((-1, "begins"), (1, "ends")):
            self._sets[step].append([sign])  # what is outside the text
        for step in (-2, 2):
            self._sets[step].append([])
        self._sets[0].append([])

    @property
    def names(self) -> list[str]:
        """All features that a word of the vocabulary has."""
        return list(dict.fromkeys(name for sets in self._sets.values() for names in sets for name in names))

    def numbered(self) -> list[list[list[str]]]:
        """Of each text of each word its features, by number as text, as crfsuite takes them."""
        index = {name: str(number) for number, name in enumerate(self.names)}
        sets = {step: [[index[name] for name in names] for names in found] for step, found in self._sets.items()}
        columns = [[sets[step][word] for word in at.tolist()] for step, at in self._at.items()]
        items = [list(chain.from_iterable(parts)) for parts in zip(*columns, strict=True)]
        return [items[start:end] for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def scores(self, index: dict[str, int], weights: np.ndarray) -> np.ndarray:
        """[items, tags] the sums of the ``weights`` [features, tags] of those features that ``index`` knows."""
        found = np.zeros((int(self.offsets[-1]), weights.shape[1]))
        for step, at in self._at.items():
            of_words = np.zeros((len(self._sets[step]), weights.shape[1]))
            for word, names in enumerate(self._sets[step]):
                known = [index[name] for name in names if name in index]
                of_words[word] = weights[known].sum(axis=0)
            found += of_words[at]  # −1 is the last: outside the text
        return found


def _of_word(word: str, step: int) -> list[str]:
    """The features of a word so many places after the one that is tagged."""
    lower, shape = word.lower(), _shape(word)
    mark = f"{step:+d}:" if step else ""
    if abs(step) > 1:
        return [f"{mark}lower={lower}"]
    signs = [name for name, there in _signs(word) if there]
    found = [f"{mark}lower={lower}", f"{mark}shape={shape}", *(f"{mark}{name}" for name in signs)]
    if step:
        return found
    ends = [f"{name}={part}" for n in (1, 2, 3) for name, part in ((f"first{n}", lower[:n]), (f"last{n}", lower[-n:]))]
    return ["word", f"word={word}", f"long={_longest(word)}", *found, *ends]


def _signs(word: str) -> tuple[tuple[str, bool], ...]:
    return (
        ("title", word.istitle()),
        ("upper", word.isupper()),
        ("digits", word.isdigit()),
        ("digit", any(letter.isdigit() for letter in word)),
        ("hyphen", "-" in word),
    )


def _longest(word: str) -> str:
    """The shape letter by letter: "Xxxxx-dd" of "Paris-24"."""
    return "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word)


def _shape(word: str) -> str:
    """The same with runs as one: "Xx-d"."""
    return re.sub(r"(.)\1+", r"\1", _longest(word), flags=re.DOTALL)


# --- crfsuite ---


def _named(y: Ragged) -> list[list[str]]:
    """The tags of each row, by their numbers as text, as crfsuite takes them."""
    return [[str(tag) for tag in y[row].tolist()] for row in range(len(y))]


def _crfsuite(texts: list[list[list[str]]], tags: list[list[str]], rounds: int) -> Any:
    """A fitted model of n texts as `_Features.numbered` gives them."""
    from sklearn_crfsuite import CRF

    model = CRF(algorithm="lbfgs", c1=_L1, c2=_L2, max_iterations=rounds, all_possible_transitions=True)
    return model.fit(texts, tags)


def _seconds(texts: list[list[list[str]]], tags: list[list[str]]) -> tuple[float, float]:
    """What a fit takes besides its rounds, and what a round takes."""
    stamps = [time.perf_counter()]
    for rounds in (1, 1 + _TIMED):
        _crfsuite(texts, tags, rounds)
        stamps.append(time.perf_counter())
    first, more = np.diff(stamps)
    one = max(float(more - first), 0.1 * float(more)) / _TIMED  # of few rows what is timed can be noise alone
    return max(0.0, float(first) - one), one
