"""The table of answers is written as it is made."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from headstart.delivery.model import Predictions
from headstart.terminal.predicting import _csv, table


def test_no_record_of_every_row_and_label_is_held() -> None:
    rows, labels = 2000, tuple(f"label {i}" for i in range(100))
    task = SimpleNamespace(name="classification", labels=labels)
    model = cast(Any, SimpleNamespace(bundle=SimpleNamespace(task=task, caution=SimpleNamespace(abstain=None))))
    p = np.random.default_rng(0).dirichlet(np.ones(100), rows).astype(np.float32)
    answers = np.array([labels[i] for i in p.argmax(axis=1)], dtype=object)
    said = Predictions(answers, p, np.full(rows, np.nan), np.ones(rows, bool), {3: "no picture"})
    names = [f"row {row}" for row in range(rows)]
    tracemalloc.start()
    text = _csv(table(names, said, model, probabilities=True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(text)  # a record of all of them would be about 30 times as much
    lines = text.splitlines()
    assert lines[0].startswith("input,prediction,confidence,p(label 0),")
    assert len(lines) == 1 + rows - 1
    assert not any(line.startswith("row 3,") for line in lines)
