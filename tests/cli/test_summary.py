"""What `headstart fit` says of a finished run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from headstart.records import Result
from headstart.terminal.climb import aligned
from headstart.terminal.summary import summary
from headstart.workflow import Run
from tests.report import ladders, made_up


def lines(result: Result) -> list[str]:
    return summary(Run(Path("runs/hymenoptera"), result, cast(Any, None))).splitlines()


def test_ladder_is_a_line_a_rung() -> None:
    said = lines(made_up.climbed()[0])
    top = said.index(next(line for line in said if line.startswith("ladder, held-out accuracy")))
    rows = [re.split(r"\s{2,}", line) for line in said[top : top + 6]]
    assert rows == [
        ["ladder, held-out accuracy", "score", "gain", "bounds", "seconds", "decision"],
        ["probe", "0.905", "–", "–", "3.1", "start"],
        ["head2toe", "0.921", "+0.016", "+0.002 to +0.031", "4.0", "taken"],
        ["partial", "0.948", "+0.027", "+0.006 to +0.047", "48.0", "taken"],
        ["lora", "0.951", "+0.003", "−0.011 to +0.017", "160.0", "not taken"],
        ["full", "–", "–", "–", "–", "not tried"],
    ]
    assert said[top + 6].startswith("(bounds: wide enough that a rung without a true gain")
    assert said[top + 7] == ""


def test_one_rung_is_no_ladder() -> None:
    said = lines(made_up.images()[0])
    assert not any(line.startswith(("ladder", "forgot", "training")) for line in said)
    assert "\n\n\n" not in "\n".join(said)


def test_says_what_is_handed_over() -> None:
    said = lines(made_up.climbed()[0])
    assert any(line.startswith("Handed over: efficientnet-lite0, partial. The upper stages") for line in said)
    control = lines(made_up.control_kept()[0])
    assert any(line.startswith("Handed over: the control classical features. It borrows nothing") for line in control)
    assert any(line.startswith("efficientnet-lite0, partial  0.938") for line in control)


def test_forgetting_and_findings_are_a_line_each() -> None:
    said = lines(made_up.climbed()[0])
    assert sum(line.startswith("forgot   4.1 % of what the base knew") for line in said) == 1
    found = [line for line in said if line.startswith("finding ")]
    assert [line.split()[1] for line in found] == ["over-fitting:", "plateau:"]
    assert "(scratch: the same network from random weights)" in said


def test_unknown_numbers_are_dashes() -> None:
    rung = ladders.rung("full", float("nan"), gain=float("nan"), low=float("nan"), seconds=float("nan"))
    result = replace(made_up.climbed()[0], ladder=ladders.ladder([ladders.start(), rung]), forgetting=None)
    text = "\n".join(lines(result))
    assert not re.search(r"\b(nan|None)\b", text)


def test_columns_line_up() -> None:
    assert aligned([("a", "10", "x"), ("long", "2", "")], right=(1,)) == ["a     10  x", "long   2"]
