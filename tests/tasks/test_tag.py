"""Tags of words: what can follow what, entities as spans, how they are judged, and what is said of mistakes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.evaluation.bootstrap import paired_gain, score_interval
from headstart.evaluation.metrics import METRICS
from headstart.modalities.text.words import Words
from headstart.ragged import Ragged
from headstart.tasks.tag import Span, Tag, Tags
from headstart.tasks.tag.chain import Chain
from headstart.tasks.tag.spans import Scheme, Spans

NAMES = ("O", "B-x", "I-x", "B-y", "I-y")
TASK = Tag(NAMES)


def tags(*rows: str) -> Tags:
    """Rows of tags, such as "O B-x I-x"."""
    return TASK.encode([tuple(row.split()) for row in rows])


def some(seed: int = 0, counts: tuple[int, ...] = (4, 1, 0, 5, 2)) -> Ragged:
    """Random probabilities [items, 5] of rows of so many words."""
    values = np.random.default_rng(seed).dirichlet(np.ones(5) * 0.5, sum(counts))
    return Ragged(values, np.append(0, np.cumsum(counts)))


def valid(sequence: tuple[int, ...]) -> bool:
    """Whether every I-x comes after B-x or I-x."""
    names = ["O", *(NAMES[tag] for tag in sequence)]
    return all(b[0] != "I" or a[1:] == b[1:] for a, b in itertools.pairwise(names))


def sequences(p: np.ndarray) -> dict[tuple[int, ...], float]:
    """All valid sequences of one row, each with its probability among them."""
    every = [one for one in itertools.product(range(5), repeat=len(p)) if valid(one)]
    weights = {one: float(np.prod([p[i, tag] for i, tag in enumerate(one)])) for one in every}
    total = sum(weights.values())
    return {one: weight / total for one, weight in weights.items()}


# --- decoding ---


@pytest.mark.parametrize("seed", range(4))
def test_the_best_valid_sequence_is_found(seed):
    p = some(seed)
    found = TASK.said(p)
    for row in range(len(p)):
        every = sequences(p[row])
        assert tuple(found[row].tolist()) == max(every, key=lambda one: every[one])
    assert any(tuple(found[row]) != tuple(p[row].argmax(axis=1)) for row in range(len(p)) if len(p[row]))


def test_a_sequence_can_be_had_where_only_what_cannot_follow_is_probable():
    p = Ragged(np.eye(5)[[2, 4, 2]], np.array([0, 3]))
    assert valid(tuple(TASK.said(p).values.tolist()))
    certain = TASK.encode([("B-x", "I-x", "B-x", "B-y", "I-y", "O")])
    assert TASK.said(certain.like(np.eye(5)[certain.values])).values.tolist() == certain.values.tolist()


def test_many_tags_are_decoded_in_pieces(monkeypatch):
    p = some(3, tuple(np.random.default_rng(1).integers(0, 9, 60)))
    whole = TASK.said(p).values
    monkeypatch.setattr("headstart.tasks.tag.chain._AT_ONCE", 30)
    assert np.array_equal(TASK.said(p).values, whole)


def test_other_tags_are_the_most_probable_of_each_word():
    task, p = Tag(("NOUN", "VERB")), Ragged(np.array([[0.4, 0.6], [0.9, 0.1]]), np.array([0, 1, 2]))
    assert list(task.decode(p)) == [("VERB",), ("NOUN",)]
    assert task.scheme is None


@pytest.mark.parametrize("seed", range(3))
def test_marginals_are_sums_over_all_sequences(seed):
    p = some(seed)
    found = TASK.scheme.chain(p).sums().marginals
    for row in range(len(p)):
        every = sequences(p[row])
        for i in range(len(p[row])):
            for tag in range(5):
                known = sum(weight for one, weight in every.items() if one[i] == tag)
                assert found[p.offsets[row] + i, tag] == pytest.approx(known, abs=1e-12)


def test_long_rows_neither_overflow_nor_vanish():
    p = some(0, (3000,))
    found = TASK.scheme.chain(p).sums().marginals
    assert np.allclose(found.sum(axis=1), 1)
    chain = Chain(p.values * 1e-20, p.offsets, np.ones((5, 5)), np.ones(5))
    assert np.allclose(chain.sums().marginals, p.values)


# --- spans ---


def test_entities_have_their_first_and_last_word():
    y = tags("B-x I-x O B-x", "", "B-x B-x I-x", "I-y I-y I-x", "O B-y")
    found = Spans.of(y, Scheme.of(NAMES))
    listed = list(zip(*(getattr(found, name).tolist() for name in ("row", "first", "last", "type")), strict=True))
    assert listed == [
        (0, 0, 1, 0),
        (0, 3, 3, 0),
        (2, 4, 4, 0),
        (2, 5, 6, 0),
        (3, 7, 8, 1),  # goes on with nothing before it: as in conlleval
        (3, 9, 9, 0),
        (4, 11, 11, 1),
    ]
    assert len(Spans.of(y.take(np.zeros(0, int)), Scheme.of(NAMES))) == 0


@pytest.mark.parametrize("seed", range(4))
def test_confidence_is_the_probability_of_just_this_span(seed):
    p = some(seed, (5, 1, 4))
    inputs = [Words.of([f"w{i}" for i in range(count)]) for count in p.counts]
    found, checked = TASK.spans(inputs, p), 0
    for row, spans in enumerate(found):
        every = sequences(p[row])
        for span in spans:
            first = int(np.flatnonzero(inputs[row].bounds[:, 0] == span.start)[0])
            last = int(np.flatnonzero(inputs[row].bounds[:, 1] == span.end)[0])
            kind = {"x": 0, "y": 1}[span.label]

            def has(one: tuple[int, ...], first: int = first, last: int = last, kind: int = kind) -> bool:
                entities = Spans.of(Ragged(np.array(one), np.array([0, len(one)])), TASK.scheme)
                return (first, last, kind) in zip(entities.first, entities.last, entities.type, strict=True)

            known = sum(weight for one, weight in every.items() if has(one))
            assert span.confidence == pytest.approx(known, abs=1e-9)
            checked += 1
    assert checked > 2


def test_spans_have_the_characters_of_the_text():
    text = Words("Ann  lives in New-York!", [(0, 3), (5, 10), (11, 13), (14, 22), (22, 23)])
    p = tags("B-x O O B-y O")
    (found,) = TASK.spans([text], p.like(np.eye(5)[p.values] * 0.8 + 0.04))
    assert [(one.text, one.start, one.end, one.label) for one in found] == [
        ("Ann", 0, 3, "x"),
        ("New-York", 14, 22, "y"),
    ]
    assert found[0].to_dict() == {"start": 0, "end": 3, "label": "x", "text": "Ann", "confidence": found[0].confidence}
    assert all(0.7 < one.confidence < 1 for one in found)
    plain = TASK.spans(["Ann lives"], tags("B-x O").like(np.eye(5)[[1, 0]]))
    assert plain == [(Span(0, 3, "x", "Ann", pytest.approx(1.0)),)]


def test_of_other_tags_every_word_is_a_span():
    task, p = Tag(("NOUN", "VERB")), Ragged(np.array([[0.4, 0.6], [0.9, 0.1]]), np.array([0, 2, 2]))
    found = task.spans(["Go home", ""], p)
    assert found == [(Span(0, 2, "VERB", "Go", 0.6), Span(3, 7, "NOUN", "home", 0.9)), ()]


# --- metrics ---


def listed(y: Ragged) -> set[tuple[int, int, int, str]]:
    """Entities read word by word."""
    found = set()
    for row in range(len(y)):
        names, at = [NAMES[tag] for tag in y[row]], 0
        while at < len(names):
            end = at + 1
            if names[at][0] == "B":
                while end < len(names) and names[end] == "I" + names[at][1:]:
                    end += 1
                found.add((row, at, end - 1, names[at][2:]))
            at = end
    return found


def corpus(seed: int, rows: int = 120, errors: float = 0.3) -> tuple[Tags, Ragged]:
    """Random valid tags, and those of a tagger that is wrong on some rows."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, rows)
    truth = TASK.said(Ragged(rng.dirichlet(np.ones(5) * 0.4, int(counts.sum())), np.append(0, np.cumsum(counts))))
    other = TASK.said(truth.like(rng.dirichlet(np.ones(5) * 0.4, len(truth.values))))
    wrong = (rng.random(rows) < 2 * errors)[truth.rows] & (rng.random(len(truth.values)) < 0.5)
    mixed = truth.like(np.eye(5)[np.where(wrong, other.values, truth.values)] * 0.9 + 0.02)
    return Tags(truth.values, truth.offsets, NAMES), TASK.said(mixed)


def test_entities_count_where_type_and_both_ends_are_right():
    truth, said = corpus(0)
    true, given = listed(truth), listed(said)
    hits = len(true & given)
    assert 0 < hits < min(len(true), len(given))
    values = {name: METRICS[name].function(truth, said) for name in METRICS if name.startswith(("entity", "token"))}
    assert values["entity_precision"] == pytest.approx(hits / len(given))
    assert values["entity_recall"] == pytest.approx(hits / len(true))
    assert values["entity_f1"] == pytest.approx(2 * hits / (len(true) + len(given)))
    of_types = []
    for kind in "xy":
        a, b = ({one for one in some if one[3] == kind} for some in (true, given))
        of_types.append(2 * len(a & b) / (len(a) + len(b)))
    assert values["entity_f1_macro"] == pytest.approx(np.mean(of_types))
    assert values["token_accuracy"] == pytest.approx(np.mean(truth.values == said.values))


@pytest.mark.parametrize(
    ("said", "value"),
    [("B-x I-x O", 1.0), ("B-x O O", 0.0), ("B-y I-y O", 0.0), ("B-x I-x I-x", 0.0), ("B-x B-x O", 0.0)],
)
def test_an_entity_is_right_as_a_whole_or_not_at_all(said, value):
    assert METRICS["entity_f1"].function(tags("B-x I-x O"), tags(said)) == value


def test_without_entities_there_is_no_score_and_the_reason_is_said():
    none = tags("O O", "O")
    for name, reason in {
        "entity_f1": "no row has an entity and none is predicted",
        "entity_precision": "no entity is predicted",
        "entity_recall": "no row has an entity",
    }.items():
        assert np.isnan(METRICS[name].function(none, none))
        assert METRICS[name].undefined(none, none) == reason
    assert METRICS["token_accuracy"].function(none, none) == 1


def test_probabilities_are_judged_as_they_are_decoded():
    truth, _ = corpus(1)
    p = truth.like(np.random.default_rng(1).dirichlet(np.ones(5), len(truth.values)) + np.eye(5)[truth.values] * 0.5)
    decoded = TASK.encode(TASK.decode(p))
    for metric in TASK.metrics():
        assert metric.function(truth, p) == metric.function(truth, decoded)


def test_metrics_of_entities_are_not_those_of_words():
    named = {metric.name for metric in TASK.metrics()}
    assert named == {"entity_f1", "entity_precision", "entity_recall", "entity_f1_macro", "token_accuracy"}
    words = Tag(("DET", "NOUN", "VERB"))
    assert {metric.name for metric in words.metrics()} == {"token_accuracy", "token_f1_macro"}
    y = words.encode([("DET", "NOUN"), ("VERB",), ("NOUN", "NOUN")])
    said = y.like(np.array([0, 1, 1, 1, 2]))
    of_tags = [1.0, 2 * 2 / 6, 0.0]
    assert METRICS["token_f1_macro"].function(y, said) == pytest.approx(np.mean(of_tags))
    assert METRICS["token_accuracy"].function(y, said) == pytest.approx(3 / 5)


def test_scores_of_each_type_have_their_intervals():
    truth, said = corpus(2)
    true, given = listed(truth), listed(said)
    found = dict(TASK.scores_by_label(truth, said, None))
    assert list(found) == ["x", "y"]
    for kind, one in found.items():
        a, b = ({entity for entity in some if entity[3] == kind} for some in (true, given))
        assert one.n == len(a)
        assert one.recall.value == pytest.approx(len(a & b) / len(a))
        assert one.precision.value == pytest.approx(len(a & b) / len(b))
        assert one.f1.value == pytest.approx(2 * len(a & b) / (len(a) + len(b)))
        for interval in (one.precision, one.recall, one.f1):
            assert interval.low < interval.value < interval.high
    units = np.arange(len(truth)) // 6
    wider = dict(TASK.scores_by_label(truth, said, units))
    assert wider["x"].f1.units == 20
    assert wider["x"].recall.value == found["x"].recall.value
    words = Tag(("DET", "NOUN"))
    (_, det), (_, noun) = words.scores_by_label(words.encode([("DET", "NOUN"), ("NOUN",)]), tags("O B-x", "O"), None)
    assert (det.n, det.precision.value, noun.n, noun.recall.value) == (1, 0.5, 2, 0.5)


@pytest.mark.parametrize("name", ["entity_f1", "entity_f1_macro", "token_accuracy"])
def test_intervals_hold_the_score_of_many_rows_about_as_often_as_they_say(name):
    truth, said = corpus(5, 20_000, errors=0.2)
    known, held, rng = METRICS[name].function(truth, said), 0, np.random.default_rng(0)
    for _ in range(300):
        rows = rng.integers(0, len(truth), 60)
        found = score_interval(name, truth.take(rows), said.take(rows))
        held += found.low <= known <= found.high
    assert 0.92 <= held / 300 <= 0.99


def test_sentences_of_one_document_count_less_and_a_better_tagger_gains():
    truth, said = corpus(6, 300)
    _, worse = corpus(6, 300, errors=0.5)
    often = np.repeat(np.arange(100), 3)
    copies = [one.take(often) for one in (truth, said)]
    once = score_interval("entity_f1", truth[:100], said[:100])
    assert once.value == pytest.approx(score_interval("entity_f1", *copies).value)
    width = once.high - once.low
    found = score_interval("entity_f1", *copies, units=often)
    assert found.high - found.low == pytest.approx(width, rel=0.1)
    assert score_interval("entity_f1", *copies).high < found.high
    gain = paired_gain("entity_f1", truth, said, worse)
    assert 0 < gain.low < gain.value < gain.high


# --- mistakes and inconsistent labels ---


def test_mistakes_are_told_by_their_kind():
    value = Words.of(["Ann", "met", "Bob", "Smith", "in", "New", "York", "today"])
    truth = ("B-x", "O", "B-x", "I-x", "O", "B-y", "I-y", "O")
    said = ("B-y", "O", "B-x", "O", "O", "O", "O", "B-y")
    assert TASK.difference(truth, said, value) == {
        "missed": ("New York (y)",),
        "spurious": ("today (y)",),
        "wrong type": ("Ann (x) → y",),
        "wrong boundary": ("Bob Smith (x) → Bob (x)",),
    }
    assert TASK.difference(truth, truth, value) == dict.fromkeys(TASK.difference(truth, said, value), ())
    assert TASK.written(truth, value) == "Ann (x); Bob Smith (x); New York (y)"
    words = Tag(("NOUN", "VERB"))
    assert words.written(("NOUN", "VERB"), Words.of(["dogs", "bark"])) == "dogs/NOUN bark/VERB"
    assert words.difference(("NOUN", "VERB"), ("NOUN", "NOUN"), "dogs bark") == {"wrong tags": ("bark: VERB → NOUN",)}


def test_a_split_entity_is_one_wrong_boundary_and_one_spurious():
    found = TASK.difference(("B-x", "I-x", "I-x"), ("B-x", "O", "B-x"), "a b c")
    assert found == {"missed": (), "spurious": ("c (x)",), "wrong type": (), "wrong boundary": ("a b c (x) → a (x)",)}


def test_strings_marked_in_several_ways_are_found():
    rows = [
        *[("Apple rose", "B-x O")] * 6,
        *[("an Apple", "O O")] * 2,
        ("New York", "B-y I-y"),
        ("New York fell", "B-y I-y O"),
        ("to New York", "O B-x I-x"),
        *[("Rare", "B-x")] * 19,
        ("Rare", "O"),
        ("Twice", "B-x"),
        ("Twice", "O"),
        ("Always here", "B-x O"),
        ("Always Apple pie", "B-x I-x I-x"),
    ]
    inputs, targets = [Words.of(text.split()) for text, _ in rows], objects(tuple(said.split()) for _, said in rows)
    apple, york = TASK.inconsistent(inputs, targets)
    assert (apple.text, apple.counts, apple.rows) == ("Apple", {"x": 6, "not an entity": 2}, (6, 7))
    assert (york.text, york.counts, york.rows) == ("New York", {"y": 2, "x": 1}, (10,))
    (found,) = TASK.noticed(inputs, targets)
    assert found.sentence == (
        "2 strings are labelled in more than one way, 3 of 11 occurrences otherwise than most: "
        "“Apple” (x 6, not an entity 2), “New York” (y 2, x 1)"
    )
    assert found.rows == (6, 7, 10)
    assert found.cases == ("“Apple” (x 6, not an entity 2)", "“New York” (y 2, x 1)")
    assert TASK.noticed(inputs[:6], targets[:6]) == []
    assert Tag(("NOUN", "VERB")).noticed(inputs[:1], objects([("NOUN", "VERB")])) == []


def test_labels_of_entities_are_completed_and_others_left():
    assert Tag.from_targets([("O", "B-loc"), ("B-per", "I-per")]).labels == ("O", "B-loc", "I-loc", "B-per", "I-per")
    assert Tag.from_targets([("O", "NOUN"), ("B-", "VERB")]).labels == ("B-", "NOUN", "O", "VERB")
    with pytest.raises(LabelError, match="B-org"):
        TASK.encode([("B-org",)])


def test_the_best_sequence_is_found_whatever_the_weights_of_pairs():
    rng = np.random.default_rng(0)
    for pairs in (rng.random((3, 3)), np.array([[1, 0, 0.5], [1, 0.2, 0.5], [1, 3, 0.5]]), np.ones((3, 3))):
        words = rng.random((12, 3))
        chain = Chain(words, np.array([0, 5, 5, 6, 12]), pairs, np.array([1, 0.1, 1]))
        found = chain.best()
        for start, end in itertools.pairwise(chain.offsets):
            every = itertools.product(range(3), repeat=end - start)

            def weight(one: tuple[int, ...], start: int = start, chain: Chain = chain) -> float:
                first = chain.start[one[0]] if one else 1.0
                steps = np.prod([chain.pairs[a, b] for a, b in itertools.pairwise(one)])
                return float(first * steps * np.prod([chain.words[start + i, tag] for i, tag in enumerate(one)]))

            assert tuple(found[start:end].tolist()) == max(every, key=weight)
