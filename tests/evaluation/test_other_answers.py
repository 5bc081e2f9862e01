"""A task whose answers are no arrays brings its answers and its metric, and nothing here is edited for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from headstart.evaluation.bootstrap import paired_gain, score_interval
from headstart.evaluation.metric import Summed, ratio
from headstart.evaluation.metrics import METRICS, for_task, register
from headstart.evaluation.slices import by_slice
from headstart.evaluation.verdict import judge

OUTSIDE, BEGIN, INSIDE = 0, 1, 2


@dataclass(frozen=True)
class Ragged:
    """A tag for each token of n sentences: all tags [tokens], and where each sentence starts [n + 1]."""

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, sentences: list[np.ndarray]) -> Ragged:
        return cls(np.concatenate([np.zeros(0, int), *sentences]), np.cumsum([0, *map(len, sentences)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def take(self, rows: np.ndarray) -> Ragged:
        return Ragged.of([self[row] for row in np.arange(len(self))[rows]])


def entities(tags: np.ndarray) -> set[tuple[int, int]]:
    """First and last token of each entity."""
    starts = np.flatnonzero(tags == BEGIN)
    ends = [start + int(np.argmax(np.append(tags[start + 1 :] != INSIDE, True))) for start in starts]
    return set(zip(starts.tolist(), ends, strict=True))


def found_said_true(truth: Ragged, said: Ragged) -> np.ndarray:
    """[n, 3] entities of a sentence that are found exactly, those said, those true."""
    pairs = [(entities(truth[row]), entities(said[row])) for row in range(len(truth))]
    return np.array([[len(true & given), len(given), len(true)] for true, given in pairs], dtype=float)


ENTITY_F1 = Summed(
    "whole_entity_f1",
    ("entities",),
    "F1 of entities whose first and last token are right",
    statistics=found_said_true,
    of=lambda s: ratio(2 * s[0], s[1] + s[2]),
    decides=True,
)


def corpus(documents: int, sentences: int, seed: int = 0) -> tuple[Ragged, Ragged, Ragged, np.ndarray]:
    """Truth, a fair tagger, a poorer one, and the document of each sentence; documents are harder or easier."""
    rng = np.random.default_rng(seed)
    document = np.repeat(np.arange(documents), sentences)
    hard = rng.random(documents)[document]
    truth = [np.minimum(rng.integers(0, 5, size), 2) % 3 for size in rng.integers(3, 12, len(document))]
    truth = [np.where((tags == INSIDE) & (np.append(OUTSIDE, tags[:-1]) == OUTSIDE), BEGIN, tags) for tags in truth]

    def tagger(errors: float) -> Ragged:
        wrong = [rng.random(len(tags)) < errors * share for tags, share in zip(truth, hard, strict=True)]
        return Ragged.of([np.where(bad, OUTSIDE, tags) for bad, tags in zip(wrong, truth, strict=True)])

    return Ragged.of(truth), tagger(0.3), tagger(0.9), document


def test_its_value_is_f1_of_all_entities_of_all_sentences():
    truth, said, _, _ = corpus(8, 5)
    every = [(row, *one) for row in range(40) for one in entities(truth[row])]
    given = [(row, *one) for row in range(40) for one in entities(said[row])]
    both = len(set(every) & set(given))
    assert 0.5 < ENTITY_F1.function(truth, said) < 1
    assert ENTITY_F1.function(truth, said) == pytest.approx(2 * both / (len(every) + len(given)))
    assert np.isnan(ENTITY_F1.function(truth.take(np.zeros(0, int)), said.take(np.zeros(0, int))))


def test_its_interval_is_as_wide_as_draws_of_documents_say():
    truth, said, other, document = corpus(100, 4)
    rng = np.random.default_rng(1)
    a, b = (np.add.reduceat(found_said_true(truth, p), np.arange(0, 400, 4)) for p in (said, other))
    drawn = []
    for _ in range(2000):
        documents = rng.integers(0, 100, 100)
        drawn.append([2 * s[0] / (s[1] + s[2]) for s in (one[documents].sum(axis=0) for one in (a, b))])
    alone, gained = np.std(drawn, axis=0)[0], np.std(np.diff(drawn, axis=1))
    found = score_interval(ENTITY_F1, truth, said, units=document)
    assert (found.n, found.units) == (400, 100)
    assert found.low < found.value < found.high < 1
    assert found.high - found.low == pytest.approx(2 * 1.98 * alone, rel=0.15)
    gain = paired_gain(ENTITY_F1, truth, said, other, units=document)
    assert gain.high - gain.low == pytest.approx(2 * 1.98 * gained, rel=0.15)
    by_sentence = score_interval(ENTITY_F1, truth, said)
    assert by_sentence.high - by_sentence.low < 0.9 * (found.high - found.low)


def test_documents_are_summed_before_anything_is_drawn():
    """By percentiles the documents as rows give what their sentences give with the documents as units."""
    truth, said, other, document = corpus(60, 3)
    by_sentence = replace(ENTITY_F1, worst=None)  # no worst value: percentiles of draws
    joined = [Ragged(one.values, one.offsets[::3]) for one in (truth, said, other)]
    sentences = {id(one): part for one, part in zip(joined, (truth, said, other), strict=True)}

    def of_documents(truth: Ragged, said: Ragged) -> np.ndarray:
        return np.add.reduceat(found_said_true(sentences[id(truth)], sentences[id(said)]), np.arange(0, 180, 3))

    by_document = replace(by_sentence, statistics=of_documents)
    for one, two in (
        (score_interval(by_sentence, truth, said, units=document), score_interval(by_document, *joined[:2])),
        (paired_gain(by_sentence, truth, said, other, units=document), paired_gain(by_document, *joined)),
    ):
        assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high), abs=1e-12)
        assert one.low < one.value < one.high


def test_a_better_tagger_gains_and_sentences_of_one_document_count_less():
    truth, said, other, document = corpus(40, 6)
    gain = paired_gain(ENTITY_F1, truth, said, other, units=document)
    assert gain.value == pytest.approx(ENTITY_F1.function(truth, said) - ENTITY_F1.function(truth, other))
    assert 0 < gain.low < gain.value < gain.high
    assert gain.units == 40
    back = paired_gain(ENTITY_F1, truth, other, said, units=document)
    assert back.value == -gain.value
    assert back.high < 0
    same = paired_gain(ENTITY_F1, truth, said, said, units=document)
    assert same.low < 0 < same.high
    often = np.repeat(np.arange(240), 5)
    copies = paired_gain(ENTITY_F1, *(one.take(often) for one in (truth, said, other)), units=often)
    once = paired_gain(ENTITY_F1, truth, said, other)
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.05)


def test_a_perfect_tagger_of_few_sentences_is_not_certain():
    truth, _, _, document = corpus(10, 2)
    found = score_interval(ENTITY_F1, truth, truth, units=document)
    assert found.high == found.value == 1
    assert found.low < 0.9


def test_slices_take_sentences():
    truth, said, _, document = corpus(30, 4)
    half = np.where(document < 15, "first", "second")
    for found in by_slice(ENTITY_F1, truth, said, {"half": half}, units=document):
        rows = np.flatnonzero(half == found.value)
        assert found.interval.value == ENTITY_F1.function(truth.take(rows), said.take(rows))
        assert (found.n, found.interval.units) == (60, 15)


def test_once_registered_it_is_known_by_name_and_a_verdict_rests_on_it():
    truth, said, other, document = corpus(40, 6)
    register(ENTITY_F1)
    try:
        assert [metric.name for metric in for_task("entities", 3)] == ["whole_entity_f1"]
        score = score_interval("whole_entity_f1", truth, said, units=document)
        assert score == score_interval(ENTITY_F1, truth, said, units=document)
        gain = paired_gain("whole_entity_f1", truth, said, other, units=document)
        verdict = judge(score, "whole_entity_f1", {"most frequent tag": gain}, unit="test rows")
    finally:
        del METRICS["whole_entity_f1"]
    assert verdict.outcome == "helped"
    assert verdict.sentence.startswith("Transfer learning improved whole entity F1")
