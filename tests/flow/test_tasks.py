"""Tasks of every kind, and rare classes, go up the ladder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.flow.fit.fit import Places, fit_source
from headstart.settings import FitSettings, SourceSettings
from tests import toys
from tests.strategies import data
from tests.strategies.whole import QUICK, check, fit


def values(path: Path) -> Path:
    texts, names = toys.sentences(40)
    noise = np.random.default_rng(0).normal(0, 1.5, len(texts))
    rows = [[text, f"{(name == 'pets') + e:.3f}"] for text, name, e in zip(texts, names, noise, strict=True)]
    return toys.table(path, ["text", "value"], rows)


def tags(path: Path) -> Path:
    texts, names = toys.sentences(40)
    flip = np.random.default_rng(0).random((len(texts), 2)) < 0.2
    rows = [
        [t, int((n == "pets") ^ a), int((n == "post") ^ b)] for t, n, (a, b) in zip(texts, names, flip, strict=True)
    ]
    return toys.table(path, ["text", "animal", "mail"], rows)


def rare(path: Path) -> Path:
    """Three classes, of which one has but three rows."""
    texts, names = toys.sentences(40)
    rows = [[text, "rare" if i < 3 else name] for i, (text, name) in enumerate(zip(texts, names, strict=True))]
    return toys.table(path, ["text", "label"], rows)


@pytest.mark.parametrize("strategy", ["auto", "full"])
@pytest.mark.parametrize(
    ("make", "task", "target"),
    [
        (values, "regression", ("value",)),
        (tags, "multilabel", ("animal", "mail")),
        (rare, "classification", ("label",)),
    ],
)
def test_every_task(
    settled_bases: dict[str, str],
    tmp_path: Path,
    make: Callable[[Path], Path],
    task: str,
    target: tuple[str, ...],
    strategy: str,
) -> None:
    settings = FitSettings(
        source=SourceSettings(target=target, task=task), base=settled_bases["text"], strategy=strategy, training=QUICK
    )
    run = fit_source(Places(make(tmp_path / "table.csv"), tmp_path / "run"), settings)
    check(run)
    assert run.result.task == task
    assert np.isfinite(run.model.predict_proba(["the cat sat on a mat"])).all()


def test_equal_texts_stay_together(settled_bases: dict[str, str], tmp_path: Path) -> None:
    path = data.texts(tmp_path / "texts.csv", 60)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, *lines[1:]]) + "\n", encoding="utf-8")
    run, _ = fit(path, tmp_path / "run", settled_bases["text"], "auto")
    check(run)
    assert run.result.ladder.held_out == "3 folds"
