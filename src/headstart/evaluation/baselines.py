"""The baselines, models that borrow nothing, under the names that users type."""

from __future__ import annotations

from headstart.errors import SettingError, nearest

#: In front of the name of a baseline that is asked for as a strategy.
PREFIX = "baseline:"
#: What users type -> what the baseline is called.
BASELINES = {"majority": "majority", "tfidf-linear": "TF-IDF + linear", "pixels-linear": "pixels + linear"}
#: The baseline that is the same network trained from random weights: a strategy of its own.
SCRATCH = "scratch"


def baseline_of(strategy: str) -> str | None:
    """The baseline that ``strategy`` asks for, such as "TF-IDF + linear" for "baseline:tfidf-linear"; None: none.

    Raises:
        SettingError: there is no baseline of that name.
    """
    if not strategy.startswith(PREFIX):
        return None
    name = strategy.removeprefix(PREFIX)
    if name not in BASELINES:
        known = ", ".join(PREFIX + one for one in BASELINES)
        hint = " (`--strategy scratch` trains the same network from random weights)" if name == SCRATCH else ""
        raise SettingError(f"baseline {name!r} is unknown; strategy is one of {known}{hint}.{nearest(name, BASELINES)}")
    return BASELINES[name]


def option_of(baseline: str) -> str:
    """The option by which `fit` makes ``baseline`` the selected model, such as "--strategy baseline:tfidf-linear"."""
    if baseline == SCRATCH:
        return f"--strategy {SCRATCH}"
    typed = next((short for short, name in BASELINES.items() if name == baseline), None)
    return f"--strategy {PREFIX}{typed}" if typed else "--strategy auto"
