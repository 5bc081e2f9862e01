"""result.json: its names, and runs whose file has the names of layout 3."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.cli import main
from headstart.flow.shift.shift import known_error
from headstart.records import SCHEMA, Result
from tests.toys import sentences, table

#: A run's result.json as the last headstart with layout 3 wrote it.
SAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "result_schema_3.json").read_text(encoding="utf-8"))

#: Where layout 4 has another name: the path to it -> the name in layout 3; * is any place of a list.
OLDER = {
    "selected": "chosen",
    "baselines": "controls",
    "search": "ladder",
    "search.steps": "rungs",
    "training.*.unfrozen": "thawed",
    "training.*.curve.*.learning_rate": "rate",
    "robustness": "shift",
    "robustness.corruptions": "damage",
    "audit.naive.grouped": "honest",
    "refit.test_rows_trained_on": "learned",
    "test.evaluated": "opened",
    "test.evaluated_before": "opened_before",
    "data.splits": "parts",
}
WORDS = {
    "verdict.outcome": {
        "improved": "helped",
        "no improvement": "did not help",
        "reduced": "hurt",
        "inconclusive": "cannot tell",
    },
    "search.steps.*.decision": {"accepted": "taken", "not accepted": "not taken"},
}


def in_layout_3(value: Any, path: str = "") -> Any:
    """The same as layout 3 has it."""
    if isinstance(value, dict):
        below = {key: f"{path}.{key}".lstrip(".") for key in value}
        found = {OLDER.get(below[key], key): in_layout_3(item, below[key]) for key, item in value.items()}
        return found if path else found | {"schema": 3}
    if isinstance(value, list):
        return [in_layout_3(item, f"{path}.*") for item in value]
    return WORDS.get(path, {}).get(value, value) if isinstance(value, str) else value


def without_newer(value: Any, older: Any) -> Any:
    """``value`` without the fields of records that ``older`` has not yet."""
    if isinstance(value, dict) and isinstance(older, dict):
        return {key: without_newer(item, older[key]) for key, item in value.items() if key in older}
    if isinstance(value, list) and isinstance(older, list) and len(value) == len(older):
        return [without_newer(one, other) for one, other in zip(value, older, strict=True)]
    return value


def test_a_file_of_layout_3_is_read_whole() -> None:
    result = Result.from_dict(SAMPLE)
    assert SAMPLE["schema"] == 3
    assert [one.name for one in result.controls] == [one["name"] for one in SAMPLE["controls"]]
    assert [one.decision for one in result.ladder.rungs] == [one["decision"] for one in SAMPLE["ladder"]["rungs"]]
    assert result.training[0].thawed == SAMPLE["training"][0]["thawed"] > 0
    assert result.training[0].curve[0].rate == SAMPLE["training"][0]["curve"][0]["rate"]
    assert result.shift is not None
    assert len(result.shift.damage) == len(SAMPLE["shift"]["damage"]) > 0
    assert result.verdict.outcome == SAMPLE["verdict"]["outcome"] == "cannot tell"
    assert result.test.opened == SAMPLE["test"]["opened"] == 1


def test_what_is_written_has_the_names_of_the_field_and_nothing_else_changed() -> None:
    written = Result.from_dict(SAMPLE).to_dict()
    assert written["schema"] == SCHEMA == 4
    assert written["verdict"]["outcome"] == "inconclusive"
    assert without_newer(in_layout_3(written), SAMPLE) == SAMPLE
    assert not {"chosen", "controls", "ladder", "shift"} & set(written)
    again = Result.from_dict(json.loads(json.dumps(written)))
    assert again.to_dict() == written


@pytest.fixture(scope="module")
def older(tiny_text_base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose result.json is in layout 3."""
    home = tmp_path_factory.mktemp("older")
    source = table(home / "mail.csv", ["text", "label"], zip(*sentences(40), strict=True))
    hs.fit(source, base=tiny_text_base, strategy="probe", corruptions=True, out=home / "run")
    hs.fit(source, base=tiny_text_base, strategy="baseline:tfidf-linear", out=home / "other")
    for name in ("run", "other"):
        file = home / name / "result.json"
        file.write_text(json.dumps(in_layout_3(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
    return home


def test_verbs_read_runs_with_a_file_of_layout_3(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads((older / "run" / "result.json").read_text(encoding="utf-8"))
    assert told["schema"] == 3
    off = [abs(one["estimated"] - one["score"]) for one in told["shift"]["damage"] if one["estimated"] is not None]
    assert known_error(older / "run") == pytest.approx(math.fsum(off) / len(off))
    assert hs.evaluate(older / "run", older / "mail.csv").n == 80
    assert hs.shift(older / "run", older / "mail.csv").known_error == pytest.approx(known_error(older / "run"))
    assert main(["compare", str(older / "run"), str(older / "other")]) == 0
    out = capsys.readouterr().out
    assert "run" in out
    refitted = hs.fit(
        older / "mail.csv", base=told["base"]["source"].removeprefix("folder "), test_size=0,
        evidence=str(older / "run"), out=older / "all",
    )  # fmt: skip
    written = json.loads((older / "all" / "result.json").read_text(encoding="utf-8"))
    assert written["schema"] == 4
    assert refitted.result.refit is not None
    assert written["refit"]["test_rows_trained_on"] == refitted.result.refit.learned > 0
    assert written["baselines"] == told["controls"]
