"""A command's time counts from its start, imports included; a run of the library from its call."""

from __future__ import annotations

import time

import pytest

from headstart import began, cli
from headstart.flow.clock import Clock
from headstart.strategies.budget import Budget


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(began, "_command", [])


def test_the_first_run_of_a_command_counts_from_its_start_and_others_from_their_own() -> None:
    assert began.run_began() > began.LOADED
    began.command_began()
    assert began.run_began() == began.LOADED
    before = time.monotonic()
    assert before <= began.run_began() <= time.monotonic()


def test_the_console_script_says_that_it_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(cli, "main", lambda: found.append(began.run_began()) or 0)
    monkeypatch.setattr(cli.os, "_exit", lambda code: found.append(code))
    monkeypatch.setattr(cli.sys, "stderr", cli.sys.stderr)
    cli.run()
    assert found == [began.LOADED, 0]


def test_what_went_before_is_gone_from_the_budget_and_counts_in_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 107.0)
    monkeypatch.setattr(time, "perf_counter", lambda: 7.0)
    monkeypatch.setattr(time, "process_time", lambda: 4.0)
    assert Budget.from_start(60.0, 100.0).left() == 53
    assert Budget.from_start(60.0, 100.0)._work == 0  # the work of those seconds, too
    assert Budget.from_start(60.0, 107.0)._work == 4
    assert Clock.from_start(100.0).total() == 7
