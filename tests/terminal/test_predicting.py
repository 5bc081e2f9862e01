"""The table of answers is written as it is made."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from headstart.data.asked import Asked
from headstart.delivery.model import Predictions
from headstart.tasks import Classification
from headstart.terminal.predicting import Wanted, _Answers, _columns
from headstart.terminal.writing import write_rows


def test_no_record_of_every_row_and_label_is_held(tmp_path: Path) -> None:
    rows, labels = 2000, tuple(f"label {i}" for i in range(100))
    task = Classification(labels)
    caution = SimpleNamespace(abstain=None, conformal=None)
    model = cast(Any, SimpleNamespace(bundle=SimpleNamespace(task=task, caution=caution), labels=labels))
    p = np.random.default_rng(0).dirichlet(np.ones(100), rows).astype(np.float32)
    answers = np.array([labels[i] for i in p.argmax(axis=1)], dtype=object)
    said = Predictions(answers, p, np.full(rows, np.nan), np.ones(rows, bool), {3: "no picture"})
    asked, out = Asked(), tmp_path / "answers.csv"
    for row in range(rows):
        asked.add(f"row {row}", f"row {row}", shown=f"row {row}")
    found = _Answers.of(asked, said, model, "")
    columns = _columns(asked, [found], Wanted(probabilities=True), found.reasons)
    tracemalloc.start()
    write_rows(out, "csv", [c.name for c in columns], ([c.value(row) for c in columns] for row in range(rows)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * out.stat().st_size  # a record of all of them would be about 30 times as much
    with out.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0])[:4] == ["input", "label", "confidence", "p(label 0)"]
    assert len(lines) == rows
    assert [line["error"] for line in lines[2:5]] == ["", "no picture", ""]
    assert lines[3]["label"] == lines[3]["p(label 0)"] == ""
