"""Texts with a tag a word, from a file of columns to a report, a bundle, answers and what is done with them later."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.cli import main
from headstart.delivery.answers import TEST, Answers
from headstart.ragged import Ragged

NAMES = {"PER": ("Ann", "Bob", "Carla", "Dan", "Eva"), "LOC": ("Rome", "Oslo", "New Delhi", "Paris", "San Jose")}
PATTERNS = (
    "{PER} lives in {LOC} .",
    "yesterday {PER} met {PER} near {LOC} !",
    "the train to {LOC} was late",
    "{LOC} is far from {LOC}",
    "nobody came , said {PER}",
    "it rained all day",
)


def tagged(count: int, seed: int) -> list[list[tuple[str, str]]]:
    """Sentences as words with their tags."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words: list[tuple[str, str]] = []
        for token in PATTERNS[number % len(PATTERNS)].split():
            kind = token.strip("{}")
            if kind not in NAMES:
                words.append((token, "O"))
                continue
            name = str(rng.choice(NAMES[kind])).split()
            words += [(word, f"{'I' if i else 'B'}-{kind}") for i, word in enumerate(name)]
        words.append((f"x{number}", "O"))  # so that no two are alike
        found.append(words)
    return found


def columns(path: Path, sentences: list[list[tuple[str, str]]]) -> Path:
    path.write_text("\n".join("".join(f"{word}\t{tag}\n" for word, tag in words) for words in sentences))
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return columns(tmp_path_factory.mktemp("tags") / "train.conll", tagged(120, 0))


def fit(source: Path, out: Path, base: str, *more: str) -> int:
    return main(["fit", str(source), "--base", base, "--out", str(out), "--quiet", *more])


@pytest.fixture(scope="module")
def fitted(source: Path, tiny_text_base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "probe"
    assert fit(source, out, tiny_text_base, "--strategy", "probe") == 0
    return out


def test_entities_are_judged_beside_their_baselines(fitted: Path) -> None:
    result = json.loads((fitted / "result.json").read_text())
    assert (result["task"], result["metric"], result["data"]["rows"]) == ("tag", "entity_f1", 120)
    assert set(result["test"]["metrics"]) >= {"entity_f1", "entity_precision", "entity_recall", "token_accuracy"}
    assert "most frequent tag" in [control["name"] for control in result["baselines"]]
    assert {one["label"] for one in result["classes"]} == {"LOC", "PER"}
    assert all(0 <= one["f1"] <= 1 for one in result["classes"])
    page = (fitted / "report.html").read_text()
    assert "Entity type" in page
    assert "Entity F1" in page


def test_answers_are_kept_a_row_a_sentence(fitted: Path) -> None:
    kept = Answers.load(fitted)
    assert isinstance(kept.truth, Ragged)
    test = kept.part_of(TEST)
    assert test.truth.counts.tolist() == test.probabilities.counts.tolist()
    np.testing.assert_allclose(test.probabilities.values.sum(axis=1), 1, atol=1e-3)
    result = json.loads((fitted / "result.json").read_text())
    from headstart.evaluation.metrics import METRICS

    assert METRICS["entity_f1"].function(test.truth, test.probabilities) == pytest.approx(result["test"]["score"])


def test_spans_are_the_same_wherever_the_model_lies(fitted: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(fitted, tmp_path / "moved here")
    texts = ["Ann lives in New Delhi.", "it rained all day", ""]
    one, two = hs.load(fitted), hs.load(moved)
    said = one.predictions(texts)
    assert list(said.answers[:2]) == list(two.predictions(texts).answers[:2])
    assert list(said.rejected) == [2]
    assert said.answers[2] is None
    for text, spans in zip(texts[:2], said.answers[:2], strict=True):
        for span in spans:
            assert text[span.start : span.end] == span.text
            assert 0 < span.confidence <= 1
            assert span.label in NAMES
    words = one.predict_proba([["Ann", "lives", "in", "New", "Delhi", "."]])
    assert words[0].shape == (6, 5)
    np.testing.assert_allclose(words.values, one.predict_proba(texts[:1]).values, atol=1e-5)


def test_answers_of_the_command_line_are_spans(fitted: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    assert main(["predict", str(fitted), "Ann lives in Rome .", "it rained", "--out", str(out), "--quiet"]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [list(row) for row in rows] == [["input", "entities", "unknown"]] * 2
    for row in rows:
        assert all(row["input"][span["start"] : span["end"]] == span["text"] for span in row["entities"])


def test_new_rows_are_evaluated_and_runs_compared(
    fitted: Path, source: Path, tiny_text_base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = columns(tmp_path / "new.conll", tagged(30, 9))
    assert main(["evaluate", str(fitted), str(new), "--out", str(tmp_path / "seen"), "--quiet"]) == 0
    record = json.loads((tmp_path / "seen" / "evaluation.json").read_text())
    assert (record["metric"], record["n"]) == ("entity_f1", 30)
    assert (tmp_path / "seen" / "mistakes.csv").read_text().startswith("id,truth,answer,confidence,missed,spurious")
    other = tmp_path / "other"
    assert fit(source, other, tiny_text_base, "--strategy", "baseline:most-frequent-tag") == 0
    capsys.readouterr()
    assert main(["compare", str(fitted), str(other)]) == 0
    assert "entity F1" in capsys.readouterr().out
    assert hs.load(other).predict(["Ann lives in Rome ."])[0]


def test_weights_are_trained_on_the_loss_of_words(source: Path, tiny_text_base: str, tmp_path: Path) -> None:
    out = tmp_path / "full"
    assert fit(source, out, tiny_text_base, "--strategy", "full", "--epochs", "2", "--no-scratch-baseline") == 0
    result = json.loads((out / "result.json").read_text())
    (training,) = result["training"]
    assert training["steps"] > 0
    assert np.isfinite([point["train_loss"] for point in training["curve"][1:]]).all()
    again = hs.load(out).predict(["Ann lives in Rome ."])
    assert list(again) == list(hs.load(shutil.copytree(out, tmp_path / "moved")).predict(["Ann lives in Rome ."]))


def test_parts_of_speech_are_judged_by_words(tiny_text_base: str, tmp_path: Path) -> None:
    kinds = {"O": "NOUN", "B-PER": "PROPN", "I-PER": "PROPN", "B-LOC": "PROPN", "I-LOC": "PROPN"}
    sentences = [[(w, "PUNCT" if not w[0].isalnum() else kinds[tag]) for w, tag in row] for row in tagged(60, 3)]
    out = tmp_path / "pos"
    assert fit(columns(tmp_path / "pos.conll", sentences), out, tiny_text_base, "--strategy", "probe") == 0
    result = json.loads((out / "result.json").read_text())
    assert result["metric"] == "token_accuracy"
    assert set(result["test"]["metrics"]) == {"token_accuracy", "token_f1_macro"}
    (spans,) = hs.load(out).predict(["Ann lives ."])
    assert [span.text for span in spans] == ["Ann", "lives", "."]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--strategy", "head2toe"), "gives one vector a row, and a tag task needs one a word"),
        (("--strategy", "full", "--mixup", "0.2"), "mixup"),
        (("--risk", "0.1"), "a tag has none"),
        (("--windows", "2"), "a tag task answers every word"),
        (("--metric", "accuracy"), "entity_f1"),
    ],
)
def test_what_is_of_whole_rows_is_refused(
    source: Path,
    tiny_text_base: str,
    tmp_path: Path,
    more: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fit(source, tmp_path / "run", tiny_text_base, *more) == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("verb", ["rank", "advise"])
def test_verbs_for_whole_rows_say_so(verb: str, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, str(source)]) == 2
    assert "is for answers to whole rows, and these data have one a word" in " ".join(capsys.readouterr().err.split())


def test_an_audit_finds_words_labelled_in_several_ways(tmp_path: Path, tiny_text_base: str) -> None:
    sentences = tagged(60, 0)
    for number in range(8):
        sentences.append([("Rome", "O" if number % 2 else "B-LOC"), ("fell", "O"), (f"y{number}", "O")])
    place = columns(tmp_path / "odd.conll", sentences)
    assert main(["audit", str(place), "--base", tiny_text_base, "--out", str(tmp_path / "audit"), "--quiet"]) == 0
    record = json.loads((tmp_path / "audit" / "audit.json").read_text())
    (found,) = [one for one in record["findings"] if one["kind"] == "inconsistent"]
    assert "“Rome”" in found["sentence"]
