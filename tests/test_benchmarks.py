"""The benchmarks run, say clearly what they lack, and keep the page's markers in order."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks import page, peer, race, size
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.benchmark import Options
from benchmarks.fitting import Fit
from benchmarks.machine import machine, versions
from benchmarks.probes.size import STEPS
from benchmarks.process import Failed, Finished, run
from benchmarks.spread import against, ratio, spread


def test_without_names_the_benchmarks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    speed = ["floor", "race", "strategies", "throughput", "prefix", "runtimes", "memory", "size", "startup", "serving"]
    judging = ["audio", "tags", "unknown", "calibration", "labels", "simulations", "choices", "shift", "duplicates"]
    assert listed == [*speed, *judging, "bases", "published", "distance", "extrapolation", "costs"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["flor"], "'flor' is unknown"),
        (["memory", "--repeat", "0"], "'0' is not a number of repeats"),
        (["memory", "--quick", "--write"], "quick figures are no measurement"),
        (["strategies", "--tasks", "digits-5,digit-5"], "'digit-5' is no task"),
        (["memory", "--tasks", "digits-5"], "are for one of strategies"),
        (["strategies", "--tables-only"], "goes with --resume FILE"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["floor", "race", "throughput", "runtimes", "tags"])
def test_missing_data_are_named(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    assert main([name, "--quick"]) == 1
    assert "set HEADSTART_DATA" in capsys.readouterr().err


def test_startup_and_memory_run_on_toys_and_leave_the_page_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = page.PAGE.read_bytes()
    assert main(["startup", "memory", "--quick", "--repeat", "1"]) == 0
    printed = capsys.readouterr().out
    for row in (
        "| help | 1.00 × |",
        "| new photo |",
        "| same photo again |",
        "| 24 |",
        "| 48 |",
        "peak at 48 pictures",
    ):
        assert row in printed
    assert "python -m benchmarks memory --repeat 1 --quick" in printed
    assert page.PAGE.read_bytes() == before


def test_markers_of_the_page_are_well_formed() -> None:
    assert page.faults(page.PAGE.read_text(encoding="utf-8"), list(BENCHMARKS)) == []


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "<!-- benchmark:a -->\n<!-- benchmark:b -->\n<!-- /benchmark:a -->\n<!-- /benchmark:b -->\n",
        "<!-- benchmark:b -->\n<!-- /benchmark:b -->\n<!-- benchmark:a -->\n<!-- /benchmark:a -->\n",
        "<!-- benchmark:a -->\n<!-- /benchmark:a -->\n<!-- benchmark:b -->\n",
    ],
)
def test_broken_markers_are_found(broken: str) -> None:
    assert page.faults(broken, ["a", "b"])


def test_a_section_replaces_only_its_own() -> None:
    text = "above\n<!-- benchmark:a -->\nold\n<!-- /benchmark:a -->\nbelow\n"
    assert page.put(text, "a", "new") == text.replace("old", "new")
    with pytest.raises(ValueError, match="once each"):
        page.put(text, "b", "new")


def test_a_peer_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = peer.Peer("Nobody", "hymenoptera", "tutorial_frozen.py", 1, ("no_such_package",), "none")
    monkeypatch.setattr(race, "PEERS", (absent,))
    monkeypatch.setattr(race, "fit_in_each_state", lambda arguments, folder: iter(()))
    monkeypatch.setattr(race, "fit_on_new_data", _toy_fit)
    raced = race._race("hymenoptera", tmp_path, [], Options(tmp_path))
    assert raced.absent == {"Nobody": "not installed: needs no_such_package (make bench-peers)"}
    assert "not installed" in raced.rows()[-1][-1]


def _toy_fit(arguments: list[str | Path], folder: Path) -> Fit:
    assert arguments == ["--strategy", "auto"]
    return Fit(Finished(1.0, 0.5, ""), {"test": {"metrics": {"accuracy": {"value": 0.9}}}})


def test_peers_print_what_the_race_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "peer.py"
    script.write_text("import sys\nprint('noise')\nprint('{\"accuracy\": 0.5, \"epochs\": %s}' % sys.argv[2])")
    one = peer.Peer("One", "banking77", str(script), 3, ("json",), "none")
    finished, accuracy = one.run(Path(sys.executable), tmp_path, quick=False)
    assert accuracy == 0.5
    assert json.loads(finished.stdout.splitlines()[-1])["epochs"] == 3


def test_a_process_is_measured_from_outside_and_its_failure_is_told() -> None:
    small = run([sys.executable, "-c", "print('x')"])
    large = run([sys.executable, "-c", "import time; b = bytearray(300 << 20); time.sleep(0.3)"])
    assert small.stdout == "x\n"
    assert large.seconds > 0.3
    assert large.peak > 0.29  # GiB
    with pytest.raises(Failed, match="ended with 3: no luck"):
        run([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])


def test_ratios_are_taken_repeat_by_repeat() -> None:
    over = ratio(spread([2.0, 8.0, 3.0]), spread([1.0, 4.0, 1.0]))
    assert over.values == (2.0, 2.0, 3.0)
    assert over.text("×") == "2.00 × (2.00–3.00)"
    assert (against(1.4, 1.5), against(3.2, 3.0, " GiB")) == ("≤ 1.5: met", "≤ 3 GiB: missed")


def test_the_machine_is_described_without_its_name() -> None:
    words = f"{machine()} {versions()}"
    assert " core" in words
    assert "torch 2" in words
    assert platform.node() not in words


def test_what_is_beside_features_and_heads_is_told_as_a_share_of_the_whole_run() -> None:
    steps = {"heads": 20.0, "features, from the cache": 2.0, "controls": 6.0, "else": 2.0}
    told: dict[str, Any] = {"steps": steps, "seconds": 30.0, "embedding": 50.0}
    assert size.beside(told) == 8.0
    assert size.share(told) == 0.1


@pytest.mark.parametrize("place", [place for _, places in STEPS for place in places if not place.endswith(".")])
def test_steps_of_the_size_benchmark_are_told_by_what_there_is(place: str) -> None:
    module, _, function = place.partition(":")
    found = importlib.import_module(f"headstart.{module}")
    assert not function or callable(getattr(found, function))
