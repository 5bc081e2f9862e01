"""What a run with groups says of its intervals, and how few rows of a class are met."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from headstart.evaluation.unknown_made import made_unknown
from tests import toys
from tests.cli.running import call

Capsys = pytest.CaptureFixture[str]


def table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_run_says_how_many_groups_its_interval_rests_on(capsys: Capsys, here: Path, text_base: Path) -> None:
    texts, names = toys.sentences(60)
    parts = ["train"] * 80 + ["test"] * 40
    rows = [
        {"text": text, "label": name, "split": part, "site": f"{part}{i % 8}"}
        for i, (text, name, part) in enumerate(zip(texts, names, parts, strict=True))
    ]
    plain = [{name: value for name, value in row.items() if name != "site"} for row in rows]
    options = ("--target", "label", "--base", text_base, "--strategy", "probe")
    grouped = call(capsys, "fit", table(here / "g.csv", rows), *options, "--group", "site", "--out", "g")
    alone = call(capsys, "fit", table(here / "a.csv", plain), *options, "--out", "a")
    assert "on 40 test rows in 8 independent groups" in grouped.out
    assert "independent group" not in alone.out
    result, plain = (json.loads((here / name / "result.json").read_text()) for name in ("g", "a"))
    assert (result["test"]["n"], result["test"]["units"]) == (40, 8)
    assert "The intervals rest on 8 independent groups, not on 40 test rows." in result["verdict"]["sentence"]
    wide, narrow = (one["test"]["high"] - one["test"]["low"] for one in (result, plain))
    assert wide > narrow
    assert "40 test rows in 8 independent groups" in (here / "g" / "report.html").read_text(encoding="utf-8")
    assert "40 test rows in 8 independent groups" in (here / "g" / "bundle" / "card.md").read_text(encoding="utf-8")
    tiny = next(one for one in result["diagnosis"] if one["name"] == "tiny test set")
    assert "on 8 groups of 40 rows" in tiny["sentence"]
    assert "Label test rows of more groups: about " in tiny["suggestion"]
    kept = pq.read_table(here / "g" / "answers.parquet").to_pandas()
    assert kept[kept.part == "test"].unit.nunique() == 8


def test_two_groups_cannot_tell(capsys: Capsys, here: Path, text_base: Path) -> None:
    texts, names = toys.sentences(60)
    rows = [
        {
            "text": text,
            "label": name,
            "split": "test" if i >= 80 else "train",
            "site": "ab"[i % 2] if i >= 80 else str(i % 9),
        }
        for i, (text, name) in enumerate(zip(texts, names, strict=True))
    ]
    said = call(capsys, "fit", table(here / "g.csv", rows), "--target", "label", "--group", "site", "--base", text_base,
                "--strategy", "probe", "--out", "g")  # fmt: skip
    assert said.code == 0, said
    verdict = json.loads((here / "g" / "result.json").read_text())["verdict"]
    assert verdict["outcome"] == "inconclusive"
    assert "2 groups of test rows cannot tell" in verdict["sentence"]


def test_classes_of_one_training_row_do_not_end_a_run_after_the_test(
    capsys: Capsys, here: Path, text_base: Path
) -> None:
    """Leaving out the one large class, to make unknown inputs, leaves too few rows; leaving out others does not."""
    texts, names = toys.sentences(40)
    rows = [{"text": text, "label": name, "split": "train"} for text, name in zip(texts, names, strict=True)]
    rows = [row for row in rows if row["label"] == names[0]]
    rows += [{"text": f"{word} {word}", "label": word, "split": part}
             for word in ("gazelle", "umbrella") for part in ("train", "valid", "test")]  # fmt: skip
    rows += [{**row, "text": f"{row['text']} {part}", "split": part} for row in rows[:12] for part in ("valid", "test")]
    said = call(capsys, "fit", table(here / "rare.csv", rows), "--target", "label", "--base", text_base, "--strategy",
                  "probe", "--out", "rare")  # fmt: skip
    assert said.code == 0
    ood = json.loads((here / "rare" / "result.json").read_text())["ood"]
    assert ood["n"] == 4
    assert "umbrella" in ood["judged_on"] or "gazelle" in ood["judged_on"]


@pytest.mark.parametrize("counts", [(50, 1, 1), (19_980, 10, 10), (60, 2, 1), (40, 30, 1), (31, 1, 1, 1, 1, 1)])
@pytest.mark.parametrize("seed", range(6))
def test_leaving_classes_out_never_fails(counts: tuple[int, ...], seed: int) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.random.default_rng(seed).normal(size=(len(y), 4)).astype(np.float32)

    def fit(rows: np.ndarray, own: np.ndarray, classes: int):  # type: ignore[no-untyped-def]
        centres = np.stack([rows[own == c].mean(axis=0) for c in range(classes)])
        assert np.isfinite(centres).all()
        assert classes > 1

        def probabilities(new: np.ndarray) -> np.ndarray:
            e = np.exp(new @ centres.T - (new @ centres.T).max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)

        return probabilities

    made = made_unknown(x, y, fit, seed=seed)
    assert bool(made.reason) == (len(made.known) == 0)
    assert len(made.known) == len(made.known_plain)
    assert np.isfinite(made.known).all()
