"""Time: how it is written, and what is left of it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from headstart.bases.runtime import REFERENCE, Choice, Measured
from headstart.errors import SettingError
from headstart.options import parse_budget
from headstart.strategies import budget, plan
from headstart.strategies.budget import Budget
from tests.strategies.made_up import ground


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), (" 10M ", 600), ("1.5h", 5400), ("0.5", 0.5), ("1e2s", 100)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "0", "-5m", "ten", "5d", "m", "1h30m", "nan", "inf", "infh", "1e999"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(SettingError) as error:
        parse_budget(text)
    assert str(error.value) == f"budget {text!r} is not a time; write it like 90s, 10m or 1.5h."


def test_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(budget.time, "monotonic", lambda: now)
    given = Budget(60.0, kept_back=10.0, _start=100.0)
    assert given.left() == 50
    now = 130.0
    assert given.left() == 20
    assert given.allows(20)
    assert not given.allows(20.1)
    now = 200.0
    assert not given.allows(0)


def test_no_limit() -> None:
    given = Budget(None)
    assert given.left() is None
    assert given.allows(1e9)
    assert given.measuring is None


def test_a_thread_that_waits_is_slow_though_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    def clock() -> float:
        nonlocal now
        now += 0.01
        return now

    monkeypatch.setattr(budget.time, "monotonic", clock)
    monkeypatch.setattr(budget.time, "process_time", lambda: 2 * now)  # two threads at work
    monkeypatch.setattr(budget.time, "thread_time", lambda: now / 2)  # of which this one has half of its core
    assert Budget(60.0, _start=0.0, _work=0.0).slower == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize(
    ("waiting", "so_far", "slower"), [(7.0, 1.0, 7.0), (50.0, 1.0, 10.0), (1.0, 40.0, 4.0), (0.9, 1, 1)]
)
def test_a_crowded_machine_is_told_from_waiting_for_something_else(
    monkeypatch: pytest.MonkeyPatch, waiting: float, so_far: float, slower: float
) -> None:
    monkeypatch.setattr(budget, "_waiting", lambda: waiting)
    monkeypatch.setattr(budget.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(budget.time, "process_time", lambda: 100.0 / so_far)
    assert Budget(60.0, _start=0.0, _work=0.0).slower == slower


def test_imports_are_no_quicker_than_they_were_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def least(load: float, slower: float, *loaded: str) -> float:
        choice = Choice((Measured(REFERENCE, 1e6, load, 1.0),))
        monkeypatch.setattr(plan, "remembered", lambda base: choice)
        monkeypatch.setattr(plan, "sys", SimpleNamespace(modules=loaded))
        said = plan.too_short_for_any(ground(), 0.0, slower)
        return float(re.search(r"more than (\d+) s", said)[1])  # type: ignore[index]

    assert least(12.5, 1.0) == 14  # as when runtimes were tried
    assert least(12.5, 10.0) == 35  # the machine is busier now
    assert least(12.5, 10.0, "torch") == 15  # they are there
