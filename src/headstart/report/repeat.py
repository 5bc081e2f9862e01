"""How to run it again, from the settings a result holds."""

from __future__ import annotations

import shlex
from typing import Any

from headstart.records import Result
from headstart.settings import FitSettings

#: Settings whose keyword of ``headstart.fit`` is another one; the split's seed is the run's.
_KEYWORDS = {("split", "valid"): "valid_size", ("split", "test"): "test_size", ("split", "like"): "split_from"}
_UNTOLD = {("split", "seed"), ("", "command"), ("", "seed")}


def repeat(result: Result) -> str:
    """The command in ``settings["command"]`` (text or a list of words), else the same as a Python call."""
    command = result.settings.get("command")
    if isinstance(command, (list, tuple)):
        return shlex.join(str(word) for word in command)
    return str(command) if command else _call(result)


def _call(result: Result) -> str:
    """``headstart.fit(…)`` with every setting that is not the default, one a line, and the seed."""
    given, usual = _flat(result.settings), _flat(FitSettings().to_dict())
    words = {_KEYWORDS.get(key, key[1]): v for key, v in given.items() if usual.get(key) != v and v != []}
    arguments = [repr(result.data.source), *(f"{k}={v!r}" for k, v in words.items()), f"seed={result.seed}"]
    return "\n".join(["import headstart", "", "headstart.fit(", *(f"    {a}," for a in arguments), ")"])


def _flat(settings: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """(group, name) -> value; the group of a setting that is in none is ""."""
    flat: dict[tuple[str, str], Any] = {}
    for name, value in settings.items():
        inner = {(name, k): v for k, v in value.items()} if isinstance(value, dict) else {("", name): value}
        flat |= {key: v for key, v in inner.items() if key not in _UNTOLD}
    return flat
