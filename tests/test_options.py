"""The options: one table for the command line's help, for docstrings and for signatures."""

from __future__ import annotations

import inspect

import pytest
from typer.main import get_command

import headstart as hs
from headstart.cli import app
from headstart.errors import SettingError
from headstart.options import FitOptions, SourceOptions, meaning, parse_class_weight

VERBS = {"fit": FitOptions, **dict.fromkeys(("evaluate", "audit", "advise", "rank", "inspect"), SourceOptions)}


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_in_docstring_and_signature(verb):
    function, options = getattr(hs, verb), VERBS[verb].__optional_keys__
    signature = inspect.signature(function)
    assert options <= set(signature.parameters)
    assert all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in signature.parameters.values())
    told = inspect.getdoc(function)
    for name, parameter in signature.parameters.items():
        assert f"{name}: " in told or f"{name}, " in told or f", {name}" in told, name
        if name in options:
            words = " ".join(told.partition(f"    {name}: ")[2].split())
            assert words[1:].startswith(meaning(name)[1:].removesuffix(".")), name
            assert f"(default: {parameter.default!r})." in words


def test_a_room_does_not_take_the_place_of_a_verb():
    import headstart.audit.audit  # noqa: F401

    assert inspect.isfunction(hs.audit)


def test_defaults_are_those_of_the_command_line():
    known = {one.name: one.default for one in get_command(app).commands["fit"].params}
    for name, parameter in inspect.signature(hs.fit).parameters.items():
        if name in known and name not in ("source", "slices"):
            assert parameter.default == known[name] or (parameter.default is None and not known[name]), name


def test_every_option_is_on_the_command_line_with_the_same_words():
    params = {one.name: one for one in get_command(app).commands["fit"].params}
    params["slices"] = params.pop("slice")
    for name in FitOptions.__optional_keys__:
        assert params[name].help.startswith(meaning(name)), name


@pytest.mark.parametrize("given", ["heavy", "{", "[1]", "{}", 3, {"a": -1}, {"a": "x"}, {"a": float("nan")}, {"a": 0}])
def test_class_weights_that_are_none_are_refused(given):
    with pytest.raises(SettingError, match="class-weight"):
        parse_class_weight(given)


def test_class_weights_as_words_json_and_dict():
    assert parse_class_weight(" Balanced ") == "balanced"
    assert parse_class_weight("none") == "none"
    assert parse_class_weight('{"rust": 5}') == parse_class_weight({"rust": 5}) == {"rust": 5.0}
    assert parse_class_weight({1: 2}) == {"1": 2.0}
