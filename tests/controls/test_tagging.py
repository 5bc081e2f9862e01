"""The baselines for a tag a word: probabilities of every word, the same from plain data, weights and time kept."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from headstart.controls import panel, tagging
from headstart.controls.control import Control, ControlState
from headstart.controls.panel import controls_for, left_out, predicted_seconds, restore, run
from headstart.controls.tagging import Crf, MostFrequentTag
from headstart.errors import SettingError
from headstart.evaluation.metrics import METRICS
from headstart.flow.selection import check_baseline
from headstart.modalities.text.words import Words
from headstart.ragged import Ragged
from headstart.tasks import Tag, get

CITIES, NAMES = ("Paris", "Rome", "New York", "Los Angeles"), ("Ann", "Bob", "Carla", "Dan")
KINDS: list[type[Control]] = [MostFrequentTag, Crf]


def corpus(n: int, seed: int = 0) -> tuple[list[Words], np.ndarray]:
    """Sentences with people and places, some of several words, and their tags; every tenth has no word."""
    rng, inputs, targets = np.random.default_rng(seed), [], np.empty(n, object)
    for row in range(n):
        who, city = NAMES[rng.integers(4)], CITIES[rng.integers(4)].split()
        words = [who, *(("went", "to") if rng.random() < 0.5 else ("lives", "in")), *city, "."]
        tags = ["B-per", "O", "O", "B-loc", *["I-loc"] * (len(city) - 1), "O"]
        inputs.append(Words.of([] if row % 10 == 9 else words))
        targets[row] = () if row % 10 == 9 else tuple(tags)
    return inputs, targets


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[Control]:
    return request.param


def fitted(kind: type[Control], n: int = 60, **more: Any) -> tuple[Control, list[Words], Any, Tag]:
    inputs, targets = corpus(n)
    task = Tag.from_targets(targets)
    control = kind(task.outputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        control.fit(inputs, task.encode(targets), "tag", 0, **more)
    return control, inputs, task.encode(targets), task


def test_every_word_has_probabilities(kind):
    control, inputs, y, task = fitted(kind)
    p = control.probabilities(inputs)
    assert isinstance(p, Ragged)
    assert np.array_equal(p.offsets, y.offsets)
    assert p.values.shape == (len(y.values), task.outputs)
    assert p.values.min() >= 0
    assert np.allclose(p.values.sum(axis=1), 1)
    one = control.probabilities(inputs[3:4])
    assert np.allclose(one.values, p[3])
    assert len(control.probabilities([])) == 0
    assert control.probabilities([Words("")]).values.shape == (0, task.outputs)


def test_what_can_be_learnt_is_learnt(kind):
    control, _, _, task = fitted(kind, 120)
    inputs, targets = corpus(60, seed=1)
    assert METRICS["entity_f1"].function(task.encode(targets), control.probabilities(inputs)) > 0.95


def test_the_same_rows_give_the_same_answers(kind):
    (one, inputs, _, _), (other, _, _, _) = fitted(kind), fitted(kind)
    assert np.array_equal(one.probabilities(inputs).values, other.probabilities(inputs).values)


def test_plain_data_bring_it_back_exactly(kind):
    control, inputs, _, task = fitted(kind)
    state = control.state()
    values = json.loads(json.dumps(state.values))
    tensors = load(save({name: np.asarray(array, order="C") for name, array in state.tensors.items()}))
    again = restore(control.name, "text", task, task.outputs, ControlState(tensors, values))
    new = [*inputs, Words("Ümläut PARIS 12-b ann \U0001f600"), Words.of(["a b", "\n", "x: --> y"])]
    assert type(again) is kind
    assert np.array_equal(again.probabilities(new).values, control.probabilities(new).values)


def test_texts_whose_words_are_not_given_are_split(kind):
    control, _, _, task = fitted(kind)
    p = control.probabilities(["Ann went to New York."])
    assert task.decode(p)[0] == ("B-per", "O", "O", "B-loc", "I-loc", "O")


def test_rows_without_weight_teach_nothing(kind):
    inputs, targets = corpus(60)
    inputs, targets = [*inputs, *[Words("Ann")] * 100], np.append(targets, [None] * 100)
    for row in range(60, 160):
        targets[row] = ("B-loc",)
    task = Tag.from_targets(targets)
    answers = {}
    for name, weights in {"all": None, "some": np.append(np.ones(60), np.zeros(100))}.items():
        control = kind(task.outputs)
        control.fit(inputs, task.encode(targets), "tag", 0, weights=weights)
        answers[name] = task.decode(control.probabilities([Words("Ann")]))[0]
    assert answers == {"all": ("B-loc",), "some": ("B-per",)}


def test_words_and_tags_that_do_not_match_are_refused(kind):
    control = kind(3)
    with pytest.raises(ValueError, match="row 1 has 2 words and 1 tags"):
        control.fit([Words("a b")], Ragged(np.array([0]), np.array([0, 1])), "tag", 0)


# --- the most frequent tag ---


def test_a_word_has_its_own_tag_then_that_of_any_case_then_that_of_rare_words():
    rows = [
        ("March", "B"),
        ("march", "A"),
        ("march", "A"),
        ("once", "C"),
        ("single", "C"),
        ("MARCH", "B"),
        ("March", "B"),
    ]
    task = Tag(("A", "B", "C"))
    control = MostFrequentTag(3)
    control.fit([Words(word) for word, _ in rows], task.encode([(tag,) for _, tag in rows]), "tag", 0)
    asked = ["March", "march", "mArch", "unknown"]
    answers = dict(zip(asked, task.decode(control.probabilities(asked)), strict=True))
    assert answers == {"March": ("B",), "march": ("A",), "mArch": ("B",), "unknown": ("C",)}
    p = dict(zip(asked, control.probabilities(asked).values, strict=True))
    assert p["unknown"] == pytest.approx([0, 1 / 3, 2 / 3])  # "MARCH", "once" and "single" occur once
    assert p["mArch"] == pytest.approx([2 / 5.5, (3 + 0.5 / 3) / 5.5, 1 / 3 / 5.5])


def test_weights_decide_which_tag_is_most_frequent():
    task, control = Tag(("A", "B")), MostFrequentTag(2)
    y = task.encode([("A",), ("A",), ("B",)])
    control.fit(["w"] * 3, y, "tag", 0, weights=np.array([0.1, 0.1, 0.5]))
    assert task.decode(control.probabilities(["w"]))[0] == ("B",)


# --- the CRF ---


def test_its_marginals_are_crfsuites():
    """crfsuite writes weights with six digits after the point, so sums of some thirty of them agree to about that."""
    inputs, targets = corpus(80)
    rng = np.random.default_rng(3)
    noisy = [
        tuple(rng.choice(["O", "B-per", "B-loc"]) if rng.random() < 0.2 else tag for tag in row) for row in targets
    ]
    task = Tag.from_targets(noisy)
    y = task.encode(noisy)
    rows = np.flatnonzero(y.counts)
    control = Crf(task.outputs)
    control.fit(inputs, y, "tag", 0)
    features = tagging._Features([inputs[row] for row in rows])
    texts = features.numbered()
    known = tagging._crfsuite(texts, tagging._named(y.take(rows)), tagging._ROUNDS).predict_marginals(texts)
    ours, most = control.probabilities(inputs).take(rows), 0.0
    for row, words in enumerate(known):
        theirs = np.array([[word.get(str(tag), 0.0) for tag in range(task.outputs)] for word in words])
        most = max(most, float(np.abs(theirs - ours[row]).max()))
    assert most < 1e-6
    assert np.mean(ours.values.max(axis=1) < 0.9) > 0.01  # they are not all certain


def test_features_are_of_the_word_its_neighbours_and_the_ends_of_the_text():
    features = tagging._Features([Words.of(["Go", "McDonald-24"]), Words("x")])
    names = features.names
    (go, mac), (alone,) = ([{names[int(number)] for number in word} for word in text] for text in features.numbered())
    assert {"word=McDonald-24", "lower=mcdonald-24", "long=XxXxxxxx-dd", "shape=XxXx-d", "digit", "hyphen"} <= mac
    assert {"first3=mcd", "last2=24", "-1:lower=go", "-1:title", "ends"} <= mac
    assert {"title", "begins", "+1:shape=XxXx-d"} <= go
    assert "ends" not in go
    assert {"begins", "ends", "word=x"} <= alone
    assert not any(name.startswith(("-1", "+1", "-2", "+2")) for name in alone)


def test_time_is_kept_and_what_it_cut_is_said():
    inputs, targets = corpus(300)
    task = Tag.from_targets(targets)
    y = task.encode(targets)
    short = Crf(task.outputs)
    short.fit(inputs, y, "tag", 0, seconds=0.0)
    assert short.left_out == "was fitted for 1 of at most 100 rounds"
    assert np.allclose(short.probabilities(inputs).values.sum(axis=1), 1)
    long = Crf(task.outputs)
    long.fit(inputs, y, "tag", 0, seconds=1e6)
    assert long.left_out == ""
    score = METRICS["entity_f1"].function
    assert score(y, long.probabilities(inputs)) > score(y, short.probabilities(inputs))


def test_rows_are_repeated_as_their_weights_say():
    weights = np.array([0.0, 1.0, 2.0, 0.5, 0.5])
    counts = np.array([np.bincount(tagging._repeated(weights, seed), minlength=5) for seed in range(400)])
    assert counts.mean(axis=0) == pytest.approx(weights / weights.mean(), abs=0.1)
    assert (counts[:, 0] == 0).all()
    assert all(np.array_equal(tagging._repeated(np.full(7, 3.0), seed), np.arange(7)) for seed in range(50))


def test_a_tag_that_no_row_has_is_not_given():
    task = Tag(("O", "B-a", "I-a", "B-b", "I-b"))
    control = Crf(5)
    control.fit(*_small(task), "tag", 0)
    p = control.probabilities(["x y zebra"]).values
    assert (p[:, 3:] == 0).all()
    assert np.allclose(p.sum(axis=1), 1)


def _small(task: Tag) -> tuple[list[str], Any]:
    return ["x y", "y x", "x", "y"] * 5, task.encode([("B-a", "O"), ("O", "B-a"), ("B-a",), ("O",)] * 5)


# --- the panel ---


def test_a_task_is_asked_for_its_baselines_before_the_modality():
    task = Tag(("O", "B-a", "I-a"))
    for given in ("tag", get("tag"), task):
        assert [type(one) for one in controls_for("text", given, 3)] == KINDS
    assert [one.name for one in controls_for("text", "classification", 2)] == ["majority", "TF-IDF + linear"]
    assert [one.name for one in controls_for("image", get("regression"), 1)] == ["majority", "pixels + linear"]
    assert set(task.controls) == {one.name for one in controls_for("text", task, 3)}
    assert left_out(task) == {}


def test_a_task_that_names_no_baseline_there_is_is_refused(monkeypatch):
    monkeypatch.setattr(Tag, "controls", ("most frequent tag", "oracle"))
    with pytest.raises(SettingError, match="task 'tag' names the baseline 'oracle'; it may be most frequent tag, CRF"):
        controls_for("text", "tag", 3)


def test_without_the_library_the_crf_is_left_out_and_the_command_is_said(monkeypatch):
    control, inputs, _, task = fitted(Crf)
    state, known = control.state(), control.probabilities(inputs).values
    monkeypatch.setattr(tagging, "find_spec", lambda name: None)
    assert [one.name for one in controls_for("text", "tag", 3)] == ["most frequent tag"]
    why = left_out(task)
    assert list(why) == ["CRF on words and shapes"]
    assert why["CRF on words and shapes"].endswith("run: pip install 'headstart[tags]'")
    again = restore("CRF on words and shapes", "text", task, task.outputs, state)  # to answer it is not needed
    assert np.array_equal(again.probabilities(inputs).values, known)
    with pytest.raises(SettingError, match="headstart"):
        check_baseline("baseline:crf-on-words-and-shapes", "text", "tag")
    check_baseline("baseline:most-frequent-tag", "text", "tag")


def test_baselines_of_other_tasks_are_refused():
    check_baseline("baseline:crf-on-words-and-shapes", "text", "tag")
    with pytest.raises(SettingError, match=r"not for tag tasks; .* baseline:most-frequent-tag"):
        check_baseline("baseline:tfidf-linear", "text", "tag")
    with pytest.raises(SettingError, match="not for texts"):
        check_baseline("baseline:most-frequent-tag", "text", "classification")
    with pytest.raises(KeyError):
        restore("majority", "text", get("tag"), 3, ControlState({}))


def test_they_run_in_the_panel_and_their_time_is_predicted(monkeypatch):
    inputs, targets = corpus(80)
    task = Tag.from_targets(targets)
    y = task.encode(targets)
    for one in controls_for("text", task, task.outputs):
        found = run(one, inputs, y, inputs[:20], "tag", 0)
        assert (found.name, len(found.probabilities), found.left_out) == (one.name, 20, "")
    monkeypatch.setattr(panel, "_TIMED", 40)
    asked: list[tuple[int, int]] = []

    def predicted(self: Any, some: Any, y: Any, rows: int, task: str, seed: int) -> float:
        asked.append((len(y), rows))
        assert len(some) == len(y)
        return 2.0

    assert predicted_seconds("text", inputs, y, task.outputs, "tag", 0) > 0
    monkeypatch.setattr(Crf, "predicted", predicted)
    assert predicted_seconds("text", inputs, y, task.outputs, "tag", 0) == 2.0
    assert asked == [(40, 80)]


def test_on_real_data_the_crf_beats_the_most_frequent_tag(real_data):
    texts, targets = zip(*itertools.islice(_sentences(real_data("wnut17") / "wnut17train.conll"), 900), strict=True)
    task = Tag.from_targets(targets)
    y = task.encode(targets)
    scores = {}
    for one in controls_for("text", task, task.outputs):
        one.fit(texts[:700], y[:700], "tag", 0)
        scores[one.name] = METRICS["entity_f1"].function(y[700:], one.probabilities(texts[700:]))
    assert scores["CRF on words and shapes"] > scores["most frequent tag"] > 0


def _sentences(path: Any) -> Any:
    for block in path.read_text(encoding="utf-8").replace("\t\n", "\n").split("\n\n"):
        pairs = [line.split("\t") for line in block.splitlines() if line.strip()]
        if pairs:
            yield Words.of([word for word, _ in pairs]), tuple(tag for _, tag in pairs)
