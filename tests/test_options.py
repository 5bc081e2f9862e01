"""The options: one table for the command line's help, for docstrings and for signatures."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
from sklearn.base import clone
from typer.main import get_command

import headstart as hs
from headstart.cli import app
from headstart.errors import SettingError
from headstart.options import ALIASES, FitOptions, SourceOptions, fit_settings, flags, meaning, parse_class_weight
from headstart.settings import (
    OPTIONS,
    FitSettings,
    JudgingSettings,
    SourceSettings,
    SplitSettings,
    TrainingSettings,
    option_name,
)

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


PAIRS = [(alias, name) for name, aliases in ALIASES.items() for alias in aliases]


@pytest.mark.parametrize("verb", sorted(get_command(app).commands))
def test_every_verb_takes_the_aliases_of_its_options(verb):
    params = [one for one in get_command(app).commands[verb].params if one.param_type_name == "option"]
    found = {one.name: tuple(one.opts) for one in params if one.name in ALIASES}
    assert found == {name: flags(name) for name in found}
    assert [name for one in params for name in one.opts].count("-o") == ("out" in found)


def test_the_usual_names_are_on_the_command_line():
    known = {flag for one in get_command(app).commands["fit"].params for flag in one.opts}
    usual = "--lr --learning-rate --unfreeze --batch-size --model --license --image-size --lora-rank --output -o"
    earlier = "--rate --body-rate --thaw --batch --size --rank --damage"
    assert {*usual.split(), *earlier.split()} <= known
    assert "--backbone-lr" not in known  # what is given is a multiplier


def test_the_usual_names_come_first_and_settings_keep_theirs():
    options = {one.name: one.opts[0] for one in get_command(app).commands["fit"].params}
    assert [name for name in OPTIONS.values() if options[name] != f"--{option_name(name)}"] == []
    given = {"image_size": 96, "unfreeze": 2, "lr": 0.1, "backbone_lr_multiplier": 0.2, "batch_size": 8, "lora_rank": 4}
    found = fit_settings({**given, "scratch_baseline": False, "corruptions": True})
    told = found.training
    assert (told.thaw, told.rate, told.body_rate, told.batch, told.rank) == (2, 0.1, 0.2, 8, 4)
    assert (found.size, told.scratch_control, found.judging.damage) == (96, False, True)
    parts = (FitSettings, SourceSettings, SplitSettings, JudgingSettings, TrainingSettings)
    known = {field.name for one in parts for field in fields(one)}
    assert OPTIONS.keys() <= known
    assert not known & {*OPTIONS.values()}


def test_aliases_are_the_names_of_no_other_option():
    names = [name for aliases in ALIASES.values() for name in aliases]
    assert len(names) == len(set(names))
    assert not set(names) & {*FitOptions.__optional_keys__, *inspect.signature(hs.fit).parameters}


def test_aliases_of_a_fit_are_its_options(monkeypatch):
    seen = {}
    monkeypatch.setattr("headstart.api.fit_source", lambda places, settings, **_: seen.update(p=places, s=settings))
    usual = {"model": "m", "license": "any", "size": 96, "thaw": 2, "learning_rate": 0.1}
    usual |= {"body_rate": 0.2, "batch": 8, "rank": 4, "scratch_control": False, "damage": True}
    hs.fit("data", output="there", **usual)
    own = {next(name for name, aliases in ALIASES.items() if alias in aliases): v for alias, v in usual.items()}
    assert seen["s"] == fit_settings(own)
    assert (seen["s"].training.rate, seen["s"].base, seen["s"].size) == (0.1, "m", 96)
    assert str(seen["p"].out) == "there"
    hs.fit("data", lr=0.3)
    assert seen["s"].training.rate == 0.3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lr": 1, "rate": 2}, "lr and rate are names of one option; give lr alone."),
        ({"lr": 1, "learning_rate": 1}, "lr and learning_rate are names of one option; give lr alone."),
        ({"output": "a", "out": "b"}, "out and output are names of one option; give out alone."),
        ({"license": " "}, "licence is empty; "),
        ({"lernrate": 1}, " Did you mean 'lr', also called 'learning_rate'?"),
        ({"rat": 1}, " Did you mean 'lr', also called 'rate'?"),
        ({"o": "run"}, "'o' is no option; "),  # a letter is for the command line
    ],
)
def test_wrong_names_are_refused_in_python(given, says):
    with pytest.raises(SettingError) as refusal:
        hs.fit("nowhere", **given)
    assert says in str(refusal.value)


def test_an_alias_of_an_option_that_a_verb_lacks_is_no_option():
    with pytest.raises(SettingError, match="'lr' is no option; options are group, "):
        hs.inspect("nowhere", lr=1)
    with pytest.raises(TypeError, match="'lr'"):
        hs.load("nowhere", lr=1)


def test_verbs_without_a_table_take_aliases_too():
    assert hs.list_bases("image", license="commercial") == hs.list_bases("image", licence="commercial")


def test_docstrings_name_the_aliases():
    assert "(default: None). Also: learning_rate, rate." in " ".join(inspect.getdoc(hs.fit).split())


@pytest.mark.parametrize("kind", [hs.TransferClassifier, hs.TransferRegressor])
def test_estimators_take_model_for_base(kind):
    made = kind(model="m")
    assert (made.base, clone(made).base) == ("m", "m")
    assert "model" not in made.get_params()
    with pytest.raises(SettingError, match="base and model are names of one option; give base alone"):
        kind(base="a", model="b")
