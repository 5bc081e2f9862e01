"""Runs compared on the rows they kept: outcome, openings counted, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.delivery.answers import FILE, Answers
from headstart.delivery.openings import openings
from headstart.errors import BundleError, SettingError
from headstart.flow.compare.compare import compare
from headstart.terminal.comparing import text


def kept(folder: Path, wrong: float, *, n: int = 400, seed: int = 0, metric: str = "accuracy") -> Path:
    """The answers of a run that is wrong on a share of the test rows."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    said = np.where(rng.random(n) < wrong, (truth + 1) % 3, truth)
    p = (0.85 * np.eye(3)[said] + 0.05).astype(np.float32)
    names = np.array([f"{i:05}" for i in range(n)])
    zero, labels = np.zeros(n, int), ("ant", "bee", "wasp")
    folder.mkdir(parents=True)
    Answers(np.full(n, "test"), names, names, truth, p, zero, labels, "classification", metric).save(folder / FILE)
    return folder


def test_a_better_run_is_named_and_both_tests_count_as_opened(tmp_path: Path):
    a, b = kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05, seed=1)
    found = compare([a, b])
    assert found.pairs[0].outcome == "b better"
    assert found.sentence.startswith("b is better than a: accuracy 0.9")
    assert (found.metric, found.n) == ("accuracy", 400)
    assert openings(a) == ["compared with b"]
    assert openings(b) == ["compared with a"]
    assert [run.opened for run in compare([a, b]).runs] == [2, 2]


def test_equal_runs_are_not_to_be_told_apart(tmp_path: Path):
    found = compare([kept(tmp_path / "a", 0.1), kept(tmp_path / "b", 0.11, seed=1)])
    assert found.pairs[0].outcome == "no significant difference"
    assert found.pairs[0].rows_needed is not None
    assert found.pairs[0].rows_needed > 400


def test_it_is_plain_json_and_lines_of_text(tmp_path: Path):
    runs = [
        kept(tmp_path / name, wrong, seed=i) for i, (name, wrong) in enumerate([("a", 0.3), ("b", 0.05), ("c", 0.06)])
    ]
    found = compare(runs)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["sentence"] == found.sentence
    assert [run["name"] for run in record["runs"]] == ["a", "b", "c"]
    assert record["pairs"][0]["p_value"] < 0.001
    short = " ".join(text(found).split())
    assert short.startswith(" ".join(found.sentence.split()))
    assert "data the same 400 test rows" in short
    assert len(text(found).splitlines()) <= 12
    whole = " ".join(text(found, verbose=True).split())
    assert [pair.sentence for pair in found.pairs if " ".join(pair.sentence.split()) not in whole] == []


def test_the_next_step_is_the_run_that_is_better_and_none_where_none_is(tmp_path: Path):
    a, b, c = kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05, seed=1), kept(tmp_path / "c", 0.06, seed=2)
    assert compare([a, b]).next_step == f"headstart predict {b} NEW"
    assert f"next      headstart predict {b} NEW" in text(compare([a, b])).splitlines()  # on one line, to be copied
    assert compare([b, c]).next_step.startswith("Keep the run that is cheapest to serve")


def test_a_test_set_evaluated_often_is_warned_of(tmp_path: Path):
    a, b = kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05, seed=1)
    texts = [" ".join(text(compare([a, b])).split()) for _ in range(4)]
    assert ["test set was evaluated" in one for one in texts] == [False, False, False, True]


def test_shared_rows_are_compared_where_asked_for(tmp_path: Path):
    a, b = kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05, n=300, seed=1)
    with pytest.raises(SettingError, match="300 are the same; pass --shared"):
        compare([a, b])
    assert openings(a) == []  # nothing was looked at
    found = compare([a, b], shared=True)
    assert (found.n, [run.left_out for run in found.runs]) == (300, [100, 0])
    assert "left out: 100 of a" in " ".join(text(found).split())


def test_runs_of_one_name_are_called_by_their_paths(tmp_path: Path):
    runs = [kept(tmp_path / "x" / "run", 0.3), kept(tmp_path / "y" / "run", 0.05)]
    assert [run.name for run in compare(runs).runs] == [str(run) for run in runs]


def test_the_metric_may_be_named_and_must_be_where_runs_differ(tmp_path: Path):
    a, b = kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05, seed=1, metric="f1_macro")
    with pytest.raises(SettingError, match=r"a by accuracy, b by f1_macro.*--metric"):
        compare([a, b])
    assert compare([a, b], metric="mcc").metric == "mcc"
    with pytest.raises(SettingError, match="'rmse' is not for these runs"):
        compare([a, b], metric="rmse")
    with pytest.raises(SettingError, match="Did you mean 'accuracy'"):
        compare([a, b], metric="acuracy")


def test_what_cannot_be_compared_is_said_in_one_line(tmp_path: Path):
    a = kept(tmp_path / "a", 0.3)
    with pytest.raises(SettingError, match="at least two folders"):
        compare([a])
    with pytest.raises(SettingError, match="given twice"):
        compare([a, a / "." / ".." / "a"])
    with pytest.raises(BundleError, match="keeps no answers"):
        compare([a, tmp_path])


def test_a_metric_without_value_is_said_not_zero(tmp_path: Path):
    runs = [kept(tmp_path / "a", 0.3), kept(tmp_path / "b", 0.05)]
    for run in runs:
        answers = Answers.load(run)
        one_class = replace(answers.take(answers.truth == 0), metric="auroc")
        one_class.save(run / FILE)
    found = compare(runs)
    assert "AUROC has no value" in found.sentence
    assert found.to_dict()["runs"][0]["score"] is None
    assert "–" in text(found)
