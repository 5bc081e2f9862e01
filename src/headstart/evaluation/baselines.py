"""The baselines, models that borrow nothing, under the names that users type."""

from __future__ import annotations

from collections.abc import Iterable

from headstart.errors import SettingError, nearest

#: In front of the name of a baseline that is asked for as a strategy.
PREFIX = "baseline:"
MAJORITY = "majority"
#: The baseline that is the same network trained from random weights: a strategy of its own.
SCRATCH = "scratch"


def typed(baseline: str) -> str:
    """What users type for a baseline, such as "baseline:tfidf-linear" for "TF-IDF + linear"."""
    return PREFIX + baseline.lower().replace("-", "").replace(" + ", "-").replace(" ", "-")


def baseline_of(strategy: str, known: Iterable[str]) -> str | None:
    """The one of the ``known`` baselines that ``strategy`` asks for; None: it asks for none.

    Raises:
        SettingError: there is no baseline of that name.
    """
    if not strategy.startswith(PREFIX):
        return None
    names = {typed(one): one for one in known}
    if strategy not in names:
        name = strategy.removeprefix(PREFIX)
        hint = " (`--strategy scratch` trains the same network from random weights)" if name == SCRATCH else ""
        raise SettingError(
            f"baseline {name!r} is unknown; strategy is one of {', '.join(names)}{hint}.{nearest(strategy, names)}"
        )
    return names[strategy]


def option_of(baseline: str) -> str:
    """The option by which `fit` makes ``baseline`` the selected model, such as "--strategy baseline:tfidf-linear"."""
    return f"--strategy {SCRATCH if baseline == SCRATCH else typed(baseline)}"
