"""A base made to take other inputs than its own, whether it was adapted before or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from headstart.bases.adapted import AdaptedBase, changes_of, flattened, state_of
from headstart.bases.base import Base
from headstart.bases.channels import ChannelsBase
from headstart.bases.resized import ResizedBase
from headstart.data.table import Fact
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec
from headstart.modalities.levels import Levels


def with_size(base: Base, size: int) -> Base:
    """``base`` for pictures of ``size`` pixels a side, tried; as it is where that is its own size.

    Raises:
        SettingError, BaseError: it cannot take that size; see `ResizedBase`.
    """
    if isinstance(base.spec, ImageSpec) and base.spec.size == size:
        return base
    if isinstance(flattened(base)[0], ChannelsBase | ResizedBase):  # a bundle tells one size, interpolated once
        raise BaseError(
            f"base {base.identity.name!r} was fitted to inputs of its own, so {size} pixels a side cannot be had on "
            f"top; leave the size out, or start from the base that it was made from."
        )
    tried = ResizedBase(base, size).tried()
    facts = tried.facts
    return _below_changes(base, lambda root: tried if root is base else ResizedBase(root, size), facts)


def with_channels(base: Base, channels: int, levels: Levels = (), facts: tuple[Fact, ...] = ()) -> Base:
    """``base`` for pictures of ``channels``, values laid by ``levels``; ``facts`` say so before the work.

    Raises:
        SettingError, BaseError: see `ChannelsBase`.
    """
    return _below_changes(base, lambda root: ChannelsBase(root, channels, levels), (*base.facts, *facts))


def as_recorded(base: Base, preprocessing: str) -> Base:
    """``base`` made to take what ``preprocessing``, a record of `Base.preprocessing`, says of channels and size."""
    if not isinstance(base.spec, ImageSpec):
        return base
    spec = ImageSpec.from_dict(json.loads(preprocessing))
    if spec.size != base.spec.size:
        base = ResizedBase(base, spec.size)
    return base if spec.plain else ChannelsBase(base, spec.channels, spec.levels)


def _below_changes(base: Base, wrap: Callable[[Base], Base], facts: tuple[Fact, ...]) -> Base:
    """``wrap`` of the root that ``base`` was adapted from, with the same changes as far as they fit a network so made.

    A bundle names the root of a base and keeps what was changed, so the changes must come last.
    """
    root, changes = flattened(base)
    if changes is None:
        wrapped = wrap(base)
    else:
        below = wrap(root)
        wrapped = AdaptedBase(below, changes_of(state_of(below.network()), wrap(base).network()))
        wrapped.identity = replace(wrapped.identity, lineage=base.identity.lineage)
    wrapped.facts = facts
    return wrapped
