"""Strategies by name."""

from __future__ import annotations

from headstart.errors import SettingError, nearest
from headstart.strategies import full, head2toe, lora, norm, partial, probe, progressive, scratch
from headstart.strategies.strategy import Strategy

#: One row a strategy, the cheapest first.
STRATEGIES: dict[str, Strategy] = {
    module.STRATEGY.name: module.STRATEGY
    for module in (probe, head2toe, partial, progressive, norm, lora, full, scratch)
}
AUTO = "auto"


def get(name: str) -> Strategy:
    """The strategy called ``name``.

    Raises:
        SettingError: there is none.
    """
    if name not in STRATEGIES:
        known = (AUTO, *STRATEGIES)
        raise SettingError(f"strategy {name!r} is unknown; it is one of {', '.join(known)}.{nearest(name, known)}")
    return STRATEGIES[name]
