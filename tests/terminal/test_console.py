"""Whoever waits sees what is being done, how far it is, and never a long silence."""

from __future__ import annotations

import threading

import pytest

from headstart.terminal import console
from headstart.terminal.console import Console


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_track_tells_stage_done_total_and_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_EVERY", 0.0)
    told = Console()
    with told.stage("full, fold 1 of 3"), told.track("training", 40) as track:
        track.at(10, 40)
        track.at(20, 25)  # the schedule was shortened
        track.note("training loss 0.500, accuracy 0.900")
        track.at(25, 25)
    assert said(capsys) == [
        "  full, fold 1 of 3: 10 of 40",
        "  full, fold 1 of 3: 20 of 25",
        "  full, fold 1 of 3: 20 of 25, training loss 0.500, accuracy 0.900",
    ]


def test_looks_that_follow_quickly_are_told_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose in (False, True):
        told = Console(verbose=verbose)
        with told.track("training", 9) as track:
            for step in range(3):
                track.at(step, 9)
                track.note(f"loss {step}")
        assert len(said(capsys)) == (3 if verbose else 0)


def test_a_silent_stage_is_named_again_until_it_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_SILENCE", 0.02)
    told, twice = Console(), threading.Event()
    say = told.say

    def heard(line: str = "") -> None:
        say(line)
        if line.startswith("  measuring"):
            twice.set()

    monkeypatch.setattr(told, "say", heard)
    with told.stage("strategy search"), told.stage("measuring"):
        assert twice.wait(20)
    assert any(line.startswith("  measuring: ") and line.endswith(" so far") for line in said(capsys))
    assert told._stop.is_set()


def test_quiet_says_nothing_and_details_wait_to_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Console(quiet=True, verbose=True)
    with quiet.stage("x"), quiet.track("y", 2) as track:
        track.note("z")
        quiet.say("a")
        quiet.detail("b")
    assert said(capsys) == []
    for verbose, lines in ((False, ["a"]), (True, ["a", "b"])):
        told = Console(verbose=verbose)
        told.say("a")
        told.detail("b")
        assert said(capsys) == lines
