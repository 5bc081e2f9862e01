"""audit, evaluate, shift and compare as a user calls them, and what `fit` says of unknown inputs and risk."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests import toys
from tests.cli.running import call, fitted, refused

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def table(here: Path) -> Path:
    return toys.text_table(here / "texts.csv", 60)


@pytest.fixture
def run(capsys: Capsys, here: Path, table: Path, text_base: Path) -> Path:
    fitted(capsys, table, "--base", text_base, "--strategy", "probe", "--out", "run")
    return here / "run"


def rewritten(path: Path, out: Path, change: object) -> Path:
    """The table at ``path`` with ``change`` applied to every row, as ``out``."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [row for row in (change(dict(row), i) for i, row in enumerate(rows)) if row]  # type: ignore[operator]
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


# --- What they say -----------------------------------------------------------------------------------


def test_evaluate_counts_rows_learnt_from_and_those_of_the_test(capsys: Capsys, run: Path, table: Path) -> None:
    said = json.loads(call(capsys, "evaluate", run, table, "--json", "--quiet").out)
    assert said["n"] == 120
    assert said["learnt"] > said["tested"] > 0
    assert said["opened"] == 2
    assert said["unseen"]["value"] <= 1
    assert said["metrics"]["accuracy"]["low"] <= said["score"]["value"] <= said["metrics"]["accuracy"]["high"]
    again = json.loads(call(capsys, "evaluate", run, table, "--json", "--quiet").out)
    assert again["opened"] == 3
    said_again = call(capsys, "evaluate", run, table, "--quiet").out
    assert "now been evaluated 4 times" in " ".join(said_again.split())  # lines are wrapped


def test_evaluate_by_slice_and_into_a_file(capsys: Capsys, here: Path, run: Path, table: Path) -> None:
    sliced = rewritten(table, here / "sliced.csv", lambda row, i: {**row, "site": "north" if i % 3 else "south"})
    said = call(capsys, "evaluate", run, sliced, "--target", "label", "--slice", "site", "--out", "e.json", "--quiet")
    assert said.code == 0, said
    written = json.loads((here / "e.json").read_text())
    named = [one for one in written["slices"] if not one["found"]]
    assert {one["value"] for one in named} == {"north", "south"}
    assert "e.json exists" in refused(capsys, "evaluate", run, sliced, "--out", "e.json")


def test_evaluate_writes_the_page_of_its_mistakes_beside_the_tables(
    capsys: Capsys, here: Path, run: Path, table: Path
) -> None:
    wrong = rewritten(table, here / "wrong.csv", lambda row, i: flipped(table, row) if i < 9 else row)
    said = call(capsys, "evaluate", run, wrong, "--out", "found", "--quiet")
    assert said.code == 0, said
    assert {path.name for path in (here / "found").iterdir()} == {
        *("report.html", "mistakes.csv", "predictions.csv", "evaluation.json")
    }
    page = (here / "found/report.html").read_text(encoding="utf-8")
    mistakes = list(csv.DictReader((here / "found/mistakes.csv").open(newline="")))
    assert f"New rows: {len(mistakes)} mistakes in 120 rows" in page
    assert mistakes[0]["id"] in page
    assert "found/report.html" in said.out
    again = call(capsys, "evaluate", run, wrong, "--out", "found", "--overwrite", "--json", "--quiet")
    assert json.loads(again.out)["mistakes"] == len(mistakes)


def flipped(table: Path, row: dict[str, str]) -> dict[str, str]:
    """``row`` with another label of the table than its own."""
    with table.open(newline="") as file:
        return {**row, "label": next(o["label"] for o in csv.DictReader(file) if o["label"] != row["label"])}


def test_evaluate_is_short_and_the_rest_is_asked_for(
    capsys: Capsys, here: Path, run: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = call(capsys, "evaluate", run, table, "--quiet").out.splitlines()
    assert len(short) <= 15
    assert [line for line in short if line.startswith("next ")] == [
        "next      Evaluate rows that the model was not trained on."
    ]
    assert any("--out FOLDER writes report.html" in line for line in short)
    long = call(capsys, "evaluate", run, table, "--quiet", "--verbose").out
    assert "metric " in long
    assert "metric " not in "\n".join(short)
    for width in (80, 110):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = call(capsys, "evaluate", "run", table.name, "--quiet", "--verbose").out.splitlines()
        assert max(map(len, lines)) <= width


def test_evaluate_replaces_nothing_but_an_evaluation(capsys: Capsys, run: Path, table: Path) -> None:
    assert "holds other things than an evaluation" in refused(
        capsys, "evaluate", run, table, "--out", run, "--overwrite"
    )


def test_a_run_without_a_test_set_is_judged_on_new_rows(
    capsys: Capsys, here: Path, table: Path, text_base: Path
) -> None:
    fitted(capsys, table, "--base", text_base, "--strategy", "probe", "--test-size", 0, "--out", "refit")
    later = rewritten(table, here / "later.csv", lambda row, i: {**row, "text": f"{row['text']} again"})
    said = call(capsys, "evaluate", "refit", later, "--out", "found", "--quiet")
    assert said.code == 0, said
    assert "the run has no test set to compare this with" in said.out
    assert "difference" not in said.out
    written = json.loads((here / "found/evaluation.json").read_text())
    assert written["test"]["value"] is None
    assert "The run's test set" not in (here / "found/report.html").read_text(encoding="utf-8")
    assert call(capsys, "shift", "refit", later, "--quiet").code == 0
    assert call(capsys, "predict", "refit", "a text", "--quiet").code == 0
    fitted(capsys, table, "--base", text_base, "--strategy", "probe", "--out", "tested")
    assert "refit keeps no answers of test rows" in refused(capsys, "compare", "tested", "refit")


def test_shift_on_unlabelled_inputs(capsys: Capsys, here: Path, run: Path, table: Path) -> None:
    bare = rewritten(table, here / "bare.csv", lambda row, i: {"text": row["text"]})
    said = json.loads(call(capsys, "shift", run, bare, "--json", "--quiet").out)
    assert said["n"] == 120
    assert 0 <= said["estimate"]["low"] <= said["estimate"]["value"] <= said["estimate"]["high"] <= 1
    assert "accuracy" in call(capsys, "shift", run, bare, "--quiet").out


def test_compare_two_runs_on_the_same_rows(capsys: Capsys, here: Path, run: Path, table: Path, text_base: Path) -> None:
    fitted(capsys, table, "--base", text_base, "--strategy", "head2toe", "--out", "other")
    said = json.loads(call(capsys, "compare", run, "other", "--json").out)
    assert said["pairs"][0]["outcome"] in {"a better", "b better", "no significant difference"}
    assert [one["opened"] for one in said["runs"]] == [2, 2]
    assert call(capsys, "compare", run, "other").out.strip()


def test_audit_writes_its_page_and_the_cleaned_table(capsys: Capsys, here: Path, table: Path, text_base: Path) -> None:
    with table.open("a", newline="") as file:
        csv.writer(file).writerow(next(csv.reader(table.open(newline="").readlines()[1:2])))
    said = call(capsys, "audit", table, "--base", text_base, "--out", "found", "--apply", "--json", "--quiet")
    assert said.code == 0, said
    kinds = {finding["kind"] for finding in json.loads(said.out)["findings"]}
    assert kinds & {"duplicate", "near-duplicate"}
    written = {path.name for path in (here / "found").iterdir()}
    assert written >= {"audit.html", "audit.json", "findings.csv", "cleaned.csv"}


def test_unknown_inputs_are_judged_and_every_prediction_says_how_strange_it_is(
    capsys: Capsys, here: Path, table: Path, text_base: Path
) -> None:
    rng = np.random.default_rng(0)
    odd = [" ".join(rng.choice(list("abcdefgh"), 6)) for _ in range(30)]
    (here / "odd.csv").write_text("\n".join(["text", *odd, ""]))
    result = fitted(capsys, table, "--base", text_base, "--strategy", "probe", "--ood", "odd.csv", "--risk", 0.2)
    assert result["ood"]["n"] == 30
    assert "odd.csv" in result["ood"]["judged_on"]
    assert result["calibration"]["abstain"]["risk"] == 0.2
    row = json.loads(call(capsys, "predict", "runs/texts", "a text", "--json", "--quiet").out)
    assert 0 <= row["unknown"] <= 1
    assert row["answered"] in (True, False)


def test_folds_hold_every_working_row_out_once(capsys: Capsys, table: Path, text_base: Path) -> None:
    from headstart.delivery.answers import HELD, Answers

    result = fitted(capsys, table, "--base", text_base, "--strategy", "probe", "--folds", 5)
    held = Answers.load(Path("runs/texts")).part_of(HELD)
    assert len(held) == len(set(held.ids)) == result["data"]["splits"]["train"] + result["data"]["splits"]["valid"]
    assert set(held.fold) == set(range(5))
    assert result["search"]["held_out"] == "5 folds"


# --- Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--risk", "0"], "risk is 0; it is a share of wrong answers between 0 and 1"),
        (["--risk", "1.5"], "risk is 1.5"),
        (["--level", "1"], "level is 1; it is a probability between 0 and 1"),
        (["--folds", "1"], "folds is 1; it is a whole number from 2 to 50"),
        (["--folds", "50"], "--folds 50 would hold out"),
        (["--ood", "nowhere"], "nowhere: no such file or folder"),
        (["--slice", "camera"], "camera"),
    ],
)
def test_wrong_values_are_refused(
    capsys: Capsys, table: Path, text_base: Path, arguments: list[str], expected: str
) -> None:
    assert expected in refused(capsys, "fit", table, "--base", text_base, "--strategy", "probe", *arguments)


def test_an_empty_folder_of_unknown_inputs(capsys: Capsys, here: Path, table: Path, text_base: Path) -> None:
    (here / "empty").mkdir()
    assert "empty" in refused(capsys, "fit", table, "--base", text_base, "--ood", "empty")


def test_evaluate_needs_labels_that_the_run_knows(capsys: Capsys, here: Path, run: Path, table: Path) -> None:
    bare = rewritten(table, here / "bare.csv", lambda row, i: {"text": row["text"]})
    assert "no labels found" in refused(capsys, "evaluate", run, bare)
    other = rewritten(table, here / "other.csv", lambda row, i: {**row, "label": "elsewhere"} if i < 5 else row)
    assert "'elsewhere'" in refused(capsys, "evaluate", run, other)
    assert "nowhere" in refused(capsys, "evaluate", "nowhere", table)


def test_a_test_set_of_one_class_says_what_it_cannot_tell(capsys: Capsys, here: Path, run: Path, table: Path) -> None:
    with table.open(newline="") as file:
        label = next(csv.DictReader(file))["label"]
    one = rewritten(table, here / "one.csv", lambda row, i: row if row["label"] == label else None)
    said = json.loads(call(capsys, "evaluate", run, one, "--json", "--quiet").out)
    assert said["undefined"]["auroc"]
    assert said["metrics"]["auroc"]["value"] is None


def test_runs_on_other_rows_are_not_compared(capsys: Capsys, here: Path, run: Path, text_base: Path) -> None:
    other = toys.text_table(here / "later.csv", 45)
    fitted(capsys, other, "--base", text_base, "--strategy", "probe", "--seed", 5, "--out", "later")
    assert "rows" in refused(capsys, "compare", run, "later")
    assert "two" in refused(capsys, "compare", run)


def test_a_risk_is_refused_for_numbers_before_any_work(capsys: Capsys, here: Path, text_base: Path) -> None:
    rows = [[f"text number {i}", i / 7] for i in range(60)]
    toys.table(here / "values.csv", ["text", "value"], rows)
    assert "a regression has none" in refused(capsys, "fit", "values.csv", "--base", text_base, "--risk", 0.1)


def test_over_confidence_is_looked_at(
    capsys: Capsys, table: Path, text_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.flow.fit import diagnosis as diagnosing

    seen = []
    own = diagnosing.about_run
    monkeypatch.setattr(diagnosing, "about_run", lambda evidence: seen.append(evidence) or own(evidence))
    fitted(capsys, table, "--base", text_base, "--strategy", "probe")
    assert seen[0].confidence_gap.n == seen[0].test.n
