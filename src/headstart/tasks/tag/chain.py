"""Sequences in which each value depends on the one before: the best one, and how probable each part is.

A sequence of tags scores the product of a weight a word and of a weight for each pair of neighbours. All rows go on
together, a word at a time, so that the work in Python is as long as the longest row (Viterbi 1967; Rabiner 1989, "A
tutorial on hidden Markov models").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEAST = 1e-30  # a weight of 0 counts as this, so that some sequence is always possible
_AT_ONCE = 1 << 22  # numbers held at once for the ways from tag to tag, 32 MiB


@dataclass(frozen=True)
class Chain:
    """Weights of the sequences of n rows.

    Attributes:
        words: [items, k] of each tag of each word, at least 0.
        offsets: [n + 1] where rows begin.
        pairs: [k, k] of a tag (row) followed by another (column).
        start: [k] of a row's first tag.
    """

    words: np.ndarray
    offsets: np.ndarray
    pairs: np.ndarray
    start: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """[items, k] float64, none of them 0."""
        return np.maximum(self.words.astype(np.float64), _LEAST)

    def steps(self) -> list[np.ndarray]:
        """The items that are the first, the second … of their rows."""
        counts = np.diff(self.offsets)
        order = np.argsort(-counts, kind="stable")
        starts, longest = self.offsets[:-1][order], counts[order]
        going = np.searchsorted(-longest, -np.arange(counts.max(initial=0)), side="left")  # rows longer than a step
        return [starts[:rows] + step for step, rows in enumerate(going)]

    def best(self) -> np.ndarray:
        """[items] int64: the tags of each row's sequence of greatest weight; of equal ones that of the first tags."""
        with np.errstate(divide="ignore"):
            score, start = np.log(self.weights), np.log(self.start)
        ways, steps = _Ways.of(self.pairs), self.steps()
        back = np.zeros(score.shape, np.int32)
        for step, items in enumerate(steps):
            if step == 0:
                score[items] += start
                continue
            for some in np.array_split(items, 1 + len(items) * ways.before.size // _AT_ONCE):
                reached, back[some] = ways.best(score[some - 1])
                score[some] += reached
        tags = score.argmax(axis=1)  # right at the end of rows; before it, what the next one came from
        for items in reversed(steps[1:]):
            tags[items - 1] = back[items, tags[items]]
        return tags

    def sums(self) -> Sums:
        """Forward and backward sums."""
        weights, steps = self.weights, self.steps()
        forward, backward = np.zeros_like(weights), np.ones_like(weights)
        scale = np.ones(len(weights))
        for step, items in enumerate(steps):
            summed = (forward[items - 1] @ self.pairs if step else self.start) * weights[items]
            scale[items] = np.maximum(summed.sum(axis=1), np.finfo(float).tiny)
            forward[items] = summed / scale[items, None]
        for items in reversed(steps[1:]):
            backward[items - 1] = (weights[items] * backward[items] / scale[items, None]) @ self.pairs.T
        return Sums(self, weights, forward, backward, scale)


@dataclass(frozen=True)
class _Ways:
    """What can come before each tag; most follow any tag alike, and for these it is the same one.

    Attributes:
        alike: [k] the log of the weight of the pairs of tags that follow any tag alike; −inf of the others.
        others: [m] the tags that do not.
        before: [m, most] what can come before each of these, the first again where there are fewer.
        weight: [m, most] the logs of the pairs' weights.
    """

    alike: np.ndarray
    others: np.ndarray
    before: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, pairs: np.ndarray) -> _Ways:
        """Of pairs [k, k]."""
        same = (pairs == pairs[0]).all(axis=0)
        others = np.flatnonzero(~same)
        found = [np.flatnonzero(pairs[:, tag]) for tag in others]
        most = max(map(len, found), default=0)
        before = np.array([np.append(one, np.repeat(one[:1], most - len(one))) for one in found], np.int64)
        before = before.reshape(len(others), most)
        with np.errstate(divide="ignore"):
            alike = np.log(np.where(same, pairs[0], 0.0))
        return cls(alike, others, before, np.log(pairs[before, others[:, None]]))

    def best(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[rows, k] the best that leads to each tag after ``score`` [rows, k], and the tag that it comes from."""
        top = score.argmax(axis=1)
        reached = score.max(axis=1)[:, None] + self.alike
        back = np.repeat(top[:, None], score.shape[1], axis=1)
        if len(self.others):
            ways = score[:, self.before] + self.weight  # [rows, m, most]
            pick = ways.argmax(axis=2)
            reached[:, self.others] = np.take_along_axis(ways, pick[..., None], axis=2)[..., 0]
            back[:, self.others] = self.before[np.arange(len(self.others)), pick]
        return reached, back


@dataclass(frozen=True)
class Sums:
    """Sums over the sequences before and after each word, scaled so that forward sums add up to 1.

    Attributes:
        weights: [items, k] that were used.
        forward, backward: [items, k].
        scale: [items] what each forward sum was divided by.
    """

    chain: Chain
    weights: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    scale: np.ndarray

    @property
    def marginals(self) -> np.ndarray:
        """[items, k] the probability of each tag of each word; rows add up to 1."""
        found = self.forward * self.backward
        return found / found.sum(axis=1, keepdims=True)

    def stretches(self, first: np.ndarray, last: np.ndarray, begin: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """[m] the probability that a stretch of words is tagged ``begin``, ``inside`` … and does not go on.

        Args:
            first, last: [m] items, both of one row.
            begin, inside: [m] the tag of the first word, and that of the others, which would also go on.
        """
        ends = np.zeros(len(self.scale), bool)
        ends[self.chain.offsets[1:][np.diff(self.chain.offsets) > 0] - 1] = True
        following = np.minimum(last + 1, len(self.scale) - 1)
        tag = np.where(last > first, inside, begin)
        onward = self.chain.pairs[tag, inside] * self._factor(following, inside) * self.backward[following, inside]
        found = self.forward[first, begin] * (self.backward[last, tag] - np.where(ends[last], 0.0, onward))
        for step in range(1, int((last - first).max(initial=0)) + 1):
            on = np.flatnonzero(first + step <= last)
            before = np.where(step == 1, begin, inside)[on]
            found[on] *= self.chain.pairs[before, inside[on]] * self._factor(first[on] + step, inside[on])
        return np.clip(found, 0.0, 1.0)

    def _factor(self, items: np.ndarray, tags: np.ndarray) -> np.ndarray:
        return self.weights[items, tags] / self.scale[items]
