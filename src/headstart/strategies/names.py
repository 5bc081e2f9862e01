"""Strategies by name."""

from __future__ import annotations

from headstart import modalities, tasks
from headstart.errors import SettingError, nearest
from headstart.evaluation.baselines import baseline_of, typed
from headstart.strategies import full, head2toe, lora, norm, partial, probe, progressive, scratch
from headstart.strategies.strategy import Strategy

#: One row a strategy, the cheapest first.
STRATEGIES: dict[str, Strategy] = {
    module.STRATEGY.name: module.STRATEGY
    for module in (probe, head2toe, partial, progressive, norm, lora, full, scratch)
}
AUTO = "auto"


def asked_baseline(name: str) -> str | None:
    """The baseline that strategy ``name`` asks for; None: it asks for none.

    Raises:
        SettingError: there is no baseline of that name.
    """
    return baseline_of(name, _baselines())


def get(name: str) -> Strategy:
    """The strategy called ``name``; for a baseline the one that it is compared with, the probe.

    Raises:
        SettingError: there is none.
    """
    if asked_baseline(name) is not None:
        return STRATEGIES["probe"]
    if name not in STRATEGIES:
        known = (AUTO, *STRATEGIES, *map(typed, _baselines()))
        raise SettingError(f"strategy {name!r} is unknown; it is one of {', '.join(known)}.{nearest(name, known)}")
    return STRATEGIES[name]


def _baselines() -> tuple[str, ...]:
    return (*modalities.baselines(), *tasks.baselines())
