"""Strategies by name."""

from __future__ import annotations

from headstart.errors import SettingError, nearest
from headstart.evaluation.baselines import BASELINES, PREFIX, baseline_of
from headstart.strategies import full, head2toe, lora, norm, partial, probe, progressive, scratch
from headstart.strategies.strategy import Strategy

#: One row a strategy, the cheapest first.
STRATEGIES: dict[str, Strategy] = {
    module.STRATEGY.name: module.STRATEGY
    for module in (probe, head2toe, partial, progressive, norm, lora, full, scratch)
}
AUTO = "auto"


def get(name: str) -> Strategy:
    """The strategy called ``name``; for a baseline the one that it is compared with, the probe.

    Raises:
        SettingError: there is none.
    """
    if baseline_of(name) is not None:
        return STRATEGIES["probe"]
    if name not in STRATEGIES:
        known = (AUTO, *STRATEGIES, *(PREFIX + one for one in BASELINES))
        raise SettingError(f"strategy {name!r} is unknown; it is one of {', '.join(known)}.{nearest(name, known)}")
    return STRATEGIES[name]
