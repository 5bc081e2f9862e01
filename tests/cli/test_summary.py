"""What `headstart fit` says of a finished run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from headstart.flow.fit.fit import Run
from headstart.records import Result
from headstart.terminal import details
from headstart.terminal.summary import summary
from tests.report import judged, ladders, made_up

FACTS = ["data", "selected", "test accuracy", "baseline", "next", "report", "use it"]


def lines(result: Result, *, verbose: bool = False) -> list[str]:
    return summary(Run(Path("runs/hymenoptera"), result, cast(Any, None)), verbose=verbose).splitlines()


def facts(result: Result) -> list[tuple[str, str]]:
    """Name and text of each line that has a name."""
    found = (re.match(r"(\S.*?)\s{2,}(.*)", line) for line in lines(result)[2:])
    return [(one[1], one[2]) for one in found if one]


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")  # whatever the terminal of the tests has


def test_a_run_is_told_in_about_eight_lines() -> None:
    result = made_up.images()[0]
    said = lines(result)
    assert said[:2] == ["", "Transfer learning improved accuracy."]
    assert [name for name, _ in facts(result)] == FACTS
    assert dict(facts(result)) == {
        "data": "397 images of 2 classes: 254 training, 63 validation, 80 test; 1 excluded row (rejected.csv)",
        "selected": "efficientnet-lite0, probe: a linear classifier fitted on frozen features.",
        "test accuracy": "0.938  [0.862, 0.973] on 80 test rows",
        "baseline": "0.688  [0.579, 0.779] classical features; gain +0.250 [+0.137, +0.353]",
        "next": "Deploy the transfer model.",
        "report": "runs/hymenoptera/report.html",
        "use it": "headstart predict runs/hymenoptera NEW",
    }


def test_a_selected_baseline_is_scored_and_the_transfer_model_beside_it() -> None:
    said = dict(facts(made_up.control_kept()[0]))
    assert said["selected"].startswith("the baseline classical features, which did better than efficientnet-lite0")
    assert said["test accuracy"] == "0.975  [0.920, 0.995] on 80 test rows"
    assert said["transfer"].startswith("0.938  [0.862, 0.973] efficientnet-lite0, partial; gain −0.037")


def test_three_warnings_at_most_and_none_that_the_verdict_has_said() -> None:
    result = replace(made_up.images()[0], audit=judged.audit(), diagnosis=ladders.findings())
    said = [text for name, text in facts(result) if name == "warning"]
    assert [text.split(":")[0] for text in said[:2]] == ["Over-fitting", "Plateau"]
    assert len(said) == 4
    assert said[3] == "1 more in the report."
    hurt = made_up.control_kept()[0]
    wrong = replace(ladders.findings()[0], name="wrong base")
    assert "warning" not in dict(facts(replace(hurt, diagnosis=[wrong], audit=judged.nothing()["audit"])))


@pytest.mark.parametrize("columns", [80, 110])
@pytest.mark.parametrize("make", [made_up.climbed, made_up.texts, made_up.numbers, made_up.tags, made_up.control_kept])
def test_lines_keep_to_the_width_and_no_word_is_broken(
    make: Any, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = make()[0]
    narrow = lines(result, verbose=True)
    assert max(map(len, narrow)) <= columns
    monkeypatch.setenv("COLUMNS", "120")
    wide = " ".join(lines(result)).split()
    monkeypatch.setenv("COLUMNS", str(columns))
    assert " ".join(lines(result)).split() == wide


def test_the_search_is_a_line_a_step_for_those_who_ask() -> None:
    result = made_up.climbed()[0]
    assert not any("strategy search" in line for line in lines(result))
    said = lines(result, verbose=True)
    top = said.index(next(line for line in said if line.startswith("strategy search")))
    rows = [re.split(r"\s{2,}", line) for line in said[top : top + 6]]
    assert rows == [
        ["strategy search", "accuracy", "gain", "90 % interval", "seconds", "decision"],
        ["probe", "0.905", "–", "–", "3.1", "first step"],
        ["head2toe", "0.921", "+0.016", "[+0.002, +0.031]", "4.0", "accepted"],
        ["partial", "0.948", "+0.027", "[+0.006, +0.047]", "48.0", "accepted"],
        ["lora", "0.951", "+0.003", "[−0.011, +0.017]", "160.0", "not accepted"],
        ["full", "–", "–", "–", "–", "not tried"],
    ]


def test_one_strategy_is_no_search() -> None:
    assert details.search_lines(made_up.images()[0]) == []
    assert "\n\n\n" not in "\n".join(lines(made_up.images()[0], verbose=True))


def test_details_have_calibration_sets_detection_and_cost() -> None:
    said = "\n".join(lines(made_up.climbed()[0], verbose=True))
    assert "calibration error: 0.031 [0.012, 0.067]" in said
    assert re.search(r"conformal sets: coverage \S+ % \[.*\], mean size \d\.\d\d \(target 90\.0 %\)", said)
    assert "OOD detection: AUROC 0.972 [0.955, 0.983]" in said
    assert "took 13.7 s" in said
    assert "(scratch: the same network from random weights)" in said
    assert "forgetting: 4.1 % of the base's answers have changed" in said


def test_unknown_numbers_are_dashes() -> None:
    rung = ladders.rung("full", float("nan"), gain=float("nan"), low=float("nan"), seconds=float("nan"))
    result = replace(made_up.climbed()[0], ladder=ladders.ladder([ladders.start(), rung]), forgetting=None)
    text = "\n".join(lines(result, verbose=True))
    assert not re.search(r"\b(nan|None)\b", text)
