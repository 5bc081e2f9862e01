"""The benchmark of entities: runs are put side by side sentence by sentence, and goals are told by the intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.benchmark import Unavailable
from benchmarks.tags import Lane, _gains, _ours, _scores

from headstart.delivery.answers import FILE, TEST, Answers
from headstart.ragged import Ragged
from headstart.tasks.tag.tag import Tag

_TASK = Tag(("O", "B-city", "I-city"))
_ROWS = [("B-city", "I-city", "O"), ("O", "B-city"), ("O",)] * 20


def answers(said: list[tuple[str, ...]]) -> Answers:
    """Test rows whose model is sure of ``said``."""
    number, tags = len(_ROWS), _TASK.encode(said)
    ids = np.array([f"test.conll:{i}" for i in range(number)])
    sure = Ragged(np.eye(3, dtype=np.float32)[tags.values], tags.offsets)
    folds = np.zeros(number, int)
    return Answers(np.full(number, TEST), ids, ids, _TASK.encode(_ROWS), sure, folds, _TASK.labels, "tag", "entity_f1")


def test_answers_of_a_run_come_in_the_order_of_another(tmp_path: Path) -> None:
    kept = answers(_ROWS)
    order = np.random.default_rng(0).permutation(len(kept))
    kept.take(order).save(tmp_path / FILE)
    said = _ours(tmp_path, kept)
    assert said.offsets.tolist() == kept.truth.offsets.tolist()
    assert said.values.argmax(axis=1).tolist() == kept.truth.values.tolist()


def test_runs_on_other_rows_are_not_compared(tmp_path: Path) -> None:
    kept = answers(_ROWS)
    replace(kept, ids=np.char.add(kept.ids, "x")).save(tmp_path / FILE)
    with pytest.raises(Unavailable, match="other test rows"):
        _ours(tmp_path, kept)


def test_goals_are_of_the_interval_over_baselines_and_of_the_value_beside_the_peer() -> None:
    kept = answers(_ROWS)
    some = [row if i % 2 else tuple("O" for _ in row) for i, row in enumerate(_ROWS)]
    ours = Lane("headstart, probe", kept.probabilities, 12.4, "probe")
    lanes = [
        ours,
        Lane("CRF", answers(some).probabilities, float("nan"), ""),
        Lane("same", kept.truth, float("nan"), ""),
        Lane("transformers Trainer, 5e-5", kept.truth, 30.0, "9 epochs"),
    ]
    first, second, *_ = _scores(lanes, kept).rows
    assert (first[0], first[2][:5], first[-1]) == ("headstart, probe", "1.000", "12 s")
    assert (second[2][:5], second[3], second[4], second[-1]) == ("0.667", "1.000", "0.500", "")
    goals = {row[1]: row[-1] for row in _gains([ours], lanes, kept).rows}
    assert goals == {
        "CRF": "interval above 0: met",
        "same": "interval above 0: missed",
        "transformers Trainer, 5e-5": "≥ −0.01: met",
    }
