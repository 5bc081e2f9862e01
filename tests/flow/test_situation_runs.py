"""Planted situations as whole runs on tiny bases: the verdict is the same everywhere, and no wrong one is claimed."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pytest

from headstart.flow.fit.fit import Run
from headstart.report.sentences import headline
from headstart.terminal.summary import summary
from tests import toys
from tests.flow.test_handing_a_control import rough_pictures, unknown_words
from tests.strategies.whole import fit


def seen(run: Run) -> dict[str, str]:
    """The findings of a run; its summary, its report and its file have the same verdict."""
    result = run.result
    written = json.loads((run.path / "result.json").read_text(encoding="utf-8"))
    assert written["verdict"]["sentence"] == result.verdict.sentence
    assert headline(result) in summary(run).splitlines()
    assert html.escape(headline(result)) in (run.path / "report.html").read_text(encoding="utf-8")
    return {one.name: f"{one.sentence} {one.suggestion}" for one in result.diagnosis}


def texts_of(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of two classes, half of each, and labels that have nothing to do with them."""
    texts, names = toys.sentences(count // 2)
    return texts, [str(name) for name in np.random.default_rng(seed).permutation(names)]


def test_run_on_easy_texts(settled_bases: dict[str, str], tmp_path: Path) -> None:
    run, _ = fit(toys.text_table(tmp_path / "easy.csv", 60), tmp_path / "run", settled_bases["text"], "probe")
    assert run.result.verdict.outcome in {"cannot tell", "did not help"}  # words do as well
    assert not {"leak", "no signal", "no better than majority", "wrong base", "test unlike valid"} & set(seen(run))


def test_run_on_random_labels(settled_bases: dict[str, str], tmp_path: Path) -> None:
    path = toys.table(tmp_path / "random.csv", ["text", "label"], zip(*texts_of(300), strict=True))
    run, _ = fit(path, tmp_path / "run", settled_bases["text"], "probe")
    assert run.result.verdict.outcome != "helped"
    assert {"no signal", "no better than majority", "one answer"} & set(seen(run))
    assert not {"healthy", "leak", "negative transfer"} & set(seen(run))


@pytest.mark.parametrize("strategy", ["probe", pytest.param("auto", marks=pytest.mark.slow)])
def test_run_on_words_that_the_base_does_not_know(settled_bases: dict[str, str], tmp_path: Path, strategy: str) -> None:
    path = unknown_words(tmp_path / "unknown.csv", 200)
    run, _ = fit(path, tmp_path / "run", settled_bases["text"], strategy)
    found = seen(run)
    assert run.result.verdict.outcome == "hurt"
    assert "the baseline TF-IDF + linear" in found["wrong base"]
    assert not {"no signal", "no better than majority", "negative transfer", "leak", "healthy"} & set(found)


def test_run_on_given_parts_that_share_rows(settled_bases: dict[str, str], tmp_path: Path) -> None:
    """Labels are random: words learn them by heart, and would be called better by the rows that leaked."""
    outcomes = []
    for seed in range(3):
        rows = list(zip(*texts_of(300, seed), strict=True))
        table = [[*row, "train"] for row in rows[:200]] + [[*row, "test"] for row in rows[200:] + rows[:100]]
        path = toys.table(tmp_path / f"leak{seed}.csv", ["text", "label", "split"], table)
        run, _ = fit(path, tmp_path / f"run{seed}", settled_bases["text"], "probe")
        found = seen(run)
        assert next(iter(found)) == "leak"
        assert "100 of 200 test rows" in found["leak"]
        assert "Left out: 100 test rows" in run.result.verdict.sentence
        assert "healthy" not in found
        outcomes.append(run.result.verdict.outcome)
    assert "helped" not in outcomes
    assert outcomes.count("hurt") <= 1  # by chance, on labels that mean nothing


def test_run_on_four_test_rows(settled_bases: dict[str, str], tmp_path: Path) -> None:
    table = [[*row, "test" if i < 4 else "train"] for i, row in enumerate(zip(*toys.sentences(40), strict=True))]
    path = toys.table(tmp_path / "tiny.csv", ["text", "label", "split"], table)
    run, _ = fit(path, tmp_path / "run", settled_bases["text"], "probe")
    assert run.result.verdict.outcome == "cannot tell"
    assert "tiny test set" in seen(run)
    assert not {"healthy", "leak", "test unlike valid", "class never predicted"} & set(seen(run))


def test_run_on_a_rare_class_by_accuracy(settled_bases: dict[str, str], tmp_path: Path) -> None:
    """Labels are random and nine in ten are alike: accuracy 0.9 is nothing to be proud of."""
    texts, _ = texts_of(300)
    names = ["rare" if i % 10 == 0 else "usual" for i in np.random.default_rng(3).permutation(300)]
    path = toys.table(tmp_path / "rare.csv", ["text", "label"], zip(texts, names, strict=True))
    run, _ = fit(path, tmp_path / "run", settled_bases["text"], "probe", metric="accuracy")
    assert run.result.test.score > 0.8
    assert run.result.verdict.outcome != "helped"
    assert "imbalance" in seen(run)
    assert "healthy" not in seen(run)


@pytest.mark.slow
def test_run_on_pictures_whose_pixels_tell_more(settled_bases: dict[str, str], tmp_path: Path) -> None:
    run, _ = fit(rough_pictures(tmp_path / "rough", 200), tmp_path / "run", settled_bases["image"], "auto")
    assert run.result.verdict.outcome == "hurt"
    assert "wrong base" in seen(run)
    assert "healthy" not in seen(run)
