"""The tables of the strategy benchmarks from made-up runs, and runs that go on where they broke off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks import prefix, regret, strategies, throughput
from benchmarks.__main__ import main
from benchmarks.benchmark import Options, Table, Unavailable
from benchmarks.fitting import Fit, strategy_arguments
from benchmarks.ledger import FAILED, FINISHED, REFUSED, Key, Ledger, Outcome
from benchmarks.process import Failed, Finished
from benchmarks.regret import AUTO, FIXED, Row
from benchmarks.spread import spread
from benchmarks.tasks import Built

DAY = "2026-01-01"


def ran(score: float, seconds: float = 10.0, **more: Any) -> Outcome:
    """A finished run."""
    values: dict[str, Any] = {"handed": score, "choice": "probe", "metric": "accuracy", "control": "majority", **more}
    return Outcome(FINISHED, "", DAY, score=score, seconds=seconds, train_rows=50, test_rows=100, whole=50, **values)


def whole_row(task: str, auto: Outcome, **scores: float) -> Row:
    """Every fixed strategy at 0.5 unless said otherwise, lora refused."""
    runs = {name: ran(scores.get(name, 0.5)) for name in FIXED}
    return Row(task, {**runs, "lora": Outcome(REFUSED, "convolutions only", DAY), AUTO: auto})


def cells(table: Table, first: str) -> dict[str, str]:
    """One row of a table by its header."""
    (row,) = (row for row in table.rows if row[0] == first)
    return dict(zip(table.header, row, strict=True))


def test_regret_is_against_the_best_fixed_strategy() -> None:
    row = whole_row("a", ran(0.7, handed=0.75, seconds=35.0), partial=0.8, full=0.78)
    assert row.best == "partial"
    assert row.regret(AUTO) == pytest.approx(0.05)  # by what was handed over
    assert row.regret("full") == pytest.approx(0.02)
    assert row.share(AUTO) == pytest.approx(0.5)  # seven fixed strategies of 10 s
    assert whole_row("b", ran(0.9), partial=0.8).regret(AUTO) == pytest.approx(-0.1)


def test_means_and_worst_regrets() -> None:
    found = [whole_row("a", ran(0.75), partial=0.8), whole_row("b", ran(0.9), probe=0.9, partial=0.6)]
    table = regret.summary(found)
    auto, partial = cells(table, AUTO), cells(table, "partial")
    assert (auto["mean regret"], auto["worst regret"], auto["on"]) == ("+0.025", "+0.050", "a")
    assert (partial["mean regret"], partial["worst regret"], partial["on"]) == ("+0.150", "+0.300", "b")
    assert partial["tasks"] == "2 of 2"
    assert "lora" not in [row[0] for row in table.rows]


def test_what_is_not_complete_is_shown_but_not_averaged() -> None:
    partly = Row("c", {"probe": ran(0.4), "full": Outcome(FAILED, "out of memory", DAY), AUTO: ran(0.4)})
    found = [whole_row("a", ran(0.8), partial=0.8), partly]
    assert cells(regret.summary(found), AUTO)["tasks"] == "1 of 1"
    assert [row[0] for row in regret.choices(found).rows] == ["a"]
    shown = cells(regret.scores(found), "c")
    assert (shown["probe"], shown["full"], shown["norm"]) == ("**0.400**", FAILED, "–")
    assert cells(regret.scores(found), "a")["lora"] == REFUSED


def test_a_cut_of_the_training_rows_is_said() -> None:
    cut = Outcome(FINISHED, "", DAY, metric="accuracy", score=0.5, train_rows=1_500, test_rows=1_000, whole=2_000)
    assert cells(regret.scores([Row("a", {"probe": cut})]), "a")["train rows"] == "1,500 of 2,000"


def test_seeds_compare_auto_with_the_first_seeds_best() -> None:
    by_seed = [
        [whole_row("a", ran(0.75), partial=0.8)],
        [Row("a", {"partial": ran(0.7), AUTO: ran(0.75)})],
        [Row("a", {AUTO: ran(0.1)})],  # its partner has not run yet
    ]
    row = cells(regret.seeds(by_seed), "a")
    assert (row["seeds"], row["best fixed with the first seed"]) == ("2", "partial")
    assert row["difference, mean ± deviation"] == "+0.000 ± 0.071"


def test_runs_are_read_back_and_a_cut_off_line_is_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "deep" / "runs.jsonl", Key, Outcome)
    assert ledger.read() == {}
    first, second = Key("a", "probe", 0), Key("a", "full", 0)
    ledger.append(first, Outcome(FAILED, "no luck", DAY))
    ledger.append(first, ran(0.5, gain=(0.1, 0.0, 0.2)))
    with ledger.path.open("a") as file:
        file.write('{"run": {"task"')
    assert ledger.read() == {first: ran(0.5, gain=(0.1, 0.0, 0.2))}
    ledger.append(second, ran(0.6))
    assert list(ledger.read()) == [first, second]
    ledger.path.write_text('{"run": 1}\n')
    with pytest.raises(Unavailable, match="line 1 of"):
        ledger.read()


class Runs:
    """Stands in for `headstart fit`: keeps what was asked, scores full best, refuses lora, fails as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []  # strategy, seed
        self.failing: set[str] = set()

    def __call__(self, arguments: list[Any], cache: Path, out: Path) -> Fit:
        strategy = arguments[arguments.index("--strategy") + 1]
        if cache.parent.name == "trial":
            (cache / "runtimes").mkdir(parents=True)
            (cache / "features").mkdir()
            return Fit(Finished(1.0, 1.0, ""), {})
        assert [path.name for path in cache.iterdir()] == ["runtimes"]  # nothing computed before
        (cache / "features").mkdir()
        self.asked.append((strategy, arguments[arguments.index("--seed") + 1]))
        if strategy == "lora":
            raise Failed(f"headstart {out} ended with 2: error: lora was asked of a base with no linear layer")
        if strategy in self.failing:
            raise Failed(f"headstart {out} ended with 1: error: no luck in {out}")
        return fitted(0.9 if strategy == "full" else 0.8)


def fitted(score: float, base: str = "lite0", gain: float = 0.1) -> Fit:
    """A result as far as the benchmark reads it."""
    result = {
        "test": {"score": score, "metrics": {"accuracy": score}},
        "metric": "accuracy",
        "selected": {"base": base, "strategy": "partial" if base else "pixels + linear"},
        "baselines": [{"name": "majority", "score": 0.1}, {"name": "pixels + linear", "score": 0.7}],
        "transfer_gain": {"value": gain, "low": gain - 0.1, "high": gain + 0.1, "against": "pixels + linear"},
        "training": [{"examples_per_second": 30.0, "epochs": 4.0, "prefix": "block 3"}],
    }
    return Fit(Finished(10.0, 1.0, ""), result)


def test_a_broken_benchmark_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs = Runs()
    runs.failing = {"norm"}
    monkeypatch.setattr(strategies, "fit", runs)
    file = tmp_path / "runs.jsonl"

    def go(name: str) -> str:
        (tmp_path / name).mkdir()
        options = Options(tmp_path / name, quick=True, tasks=("digits-5",), resume=file)
        return strategies.measure(options).markdown()

    first = go("one")
    assert "Not complete: digits-5." in first
    assert "norm on digits-5 failed: 1: error: no luck in …/norm/run" in first
    assert str(tmp_path) not in first
    assert runs.asked[9:] == [("full", "1"), (AUTO, "1")]  # the best one and auto with the second seed
    runs.asked.clear()
    runs.failing = set()
    second = go("two")
    assert runs.asked == [("norm", "0")]  # what failed, and nothing else
    assert "Not complete" not in second
    assert "| auto | 1 of 1 | +0.100 | +0.100 | +0.100 | digits-5 | 14% |" in second
    assert "| digits-5 | pixels + linear, 0.700 | 0.800 | +0.100 (+0.000 to +0.200) |" in second
    assert not any(tmp_path.glob("*/task-*"))


def test_tables_are_made_of_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "runs.jsonl"
    Ledger(file, Key, Outcome).append(Key("digits-5", "probe", 0), ran(0.625))
    assert main(["strategies", "--tasks", "digits-5", "--resume", str(file), "--tables-only"]) == 0
    printed = capsys.readouterr().out
    assert "**0.625**" in printed
    assert "python -m benchmarks strategies --tasks digits-5 --write" in printed
    assert "repeats" not in printed


def test_a_control_that_is_handed_over_hides_no_strategys_score() -> None:
    built = Built(Path("a"), (), "image", 50, 100, 60)
    own = strategies.outcome(fitted(0.8), built)
    assert (own.score, own.handed, own.choice, own.gain) == (0.8, 0.8, "partial", (0.1, 0.0, 0.2))
    control = strategies.outcome(fitted(0.45, base="", gain=-0.25), built)
    assert (control.handed, control.choice) == (0.7, "control: pixels + linear")
    assert control.score == pytest.approx(0.45)


def test_the_predicted_gain_of_a_cached_prefix() -> None:
    assert prefix.predicted(0.0) == 1.0
    assert prefix.predicted(0.5) == pytest.approx(4 / 3)
    assert prefix.predicted(0.9) == pytest.approx(4.0)


def test_prefix_compares_with_and_without_the_cache(tmp_path: Path) -> None:
    slow = Fit(
        Finished(30.0, 1.0, ""), {**fitted(0.8).result, "training": [{"examples_per_second": 20.0, "epochs": 4}]}
    )
    case = prefix._Case("digits-5", 2, spread([0.5]), "3 of 9, up to block 3", [fitted(0.8)], [slow])
    speed, parts = prefix.findings([case]).tables
    assert speed.rows == (("digits-5", "2", "0.50", "1.33 ×", "1.50 ×", "3.00 ×"),)
    assert [row[2] for row in parts.rows] == ["yes", "no"]
    assert strategy_arguments("partial", thaw=2, prefix_cache=False) == (
        "--strategy",
        "partial",
        "--unfreeze",
        "2",
        "--no-prefix-cache",
    )


def test_throughput_is_a_ratio_beside_each_peer() -> None:
    lanes = {
        "headstart, full": throughput._Lane([30.0], [0.9], [60.0]),
        "Peer": throughput._Lane([20.0], [], [90.0]),
    }
    side = throughput._Side("banking77", lanes, {"Nobody": "not installed"})
    assert throughput.ratio_rows(side) == [("banking77", "Peer", "1.50 ×"), ("banking77", "Nobody", "not installed")]
    assert throughput.lane_rows(side)[1] == ("banking77", "Peer", "20.0 /s", "", "90.0 s")
