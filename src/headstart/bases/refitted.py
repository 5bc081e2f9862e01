"""A base made to take other inputs than its own, whether it was adapted before or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from headstart.bases.adapted import AdaptedBase, changes_of, flattened, state_of
from headstart.bases.base import Base
from headstart.bases.channels import ChannelsBase
from headstart.bases.resized import ResizedBase
from headstart.bases.word_states import word_states
from headstart.data.table import Fact
from headstart.errors import BaseError, SettingError
from headstart.modalities import get
from headstart.modalities.image.levels import Levels

LEAST = 8  # tokens at once: special ones, and a few words


def with_size(base: Base, size: int) -> Base:
    """``base`` for pictures of ``size`` pixels a side, tried; as it is where that is its own size.

    Raises:
        SettingError, BaseError: it cannot take that size; see `ResizedBase`.
    """
    if base.spec.side == size:
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


def with_tokens(base: Base, max_tokens: int | None = None, windows: int | None = None) -> Base:
    """``base`` reading ``max_tokens`` of a text at once, and long inputs in at most ``windows``; None: as it does.

    Its weights stay as they are, so it is the same base, which reads otherwise.

    Raises:
        SettingError: it takes no texts, not so many tokens, or nothing that is read in windows.
    """
    if max_tokens is None and windows is None:
        return base
    modality, name = get(base.modality), base.identity.name
    if max_tokens is not None and not modality.tokenised:
        raise SettingError(f"max-tokens {max_tokens} was asked for, but base {name!r} takes no texts; drop it.")
    if not modality.long:
        raise SettingError(f"windows {windows} was asked for, but base {name!r} takes no texts or recordings; drop it.")
    if windows is not None and getattr(base.spec, "words", False):
        raise SettingError(
            f"windows {windows} was asked for, but every word is answered for, so a text is read in as many windows as "
            f"that takes; drop it."
        )
    most = base.most_tokens
    if max_tokens is not None and not LEAST <= max_tokens <= (most or max_tokens):
        allowed = f"from {LEAST} to {most:,}" if most else f"at least {LEAST}"
        raise SettingError(
            f"max-tokens is {max_tokens}; base {name!r} takes {allowed} tokens at once. Longer texts are "
            f"read in windows."
        )
    if windows is not None and windows < 1:
        raise SettingError(f"windows is {windows}; it is at least 1: what does not fit in one is then cut off.")
    asked = {"max_tokens": max_tokens, "windows": windows}
    return _reading(base, replace(base.spec, **{key: value for key, value in asked.items() if value is not None}))


def _reading(base: Base, spec: Any) -> Base:
    """``base``, and what it was made from, reading as ``spec`` says."""
    base.spec = spec
    if isinstance(base, AdaptedBase):
        _reading(base.base, spec)
    return base


def as_recorded(base: Base, preprocessing: str) -> Base:
    """``base`` made to take what ``preprocessing``, a record of `Base.preprocessing`, says of size or tokens."""
    spec = get(base.modality).spec(json.loads(preprocessing))
    if getattr(spec, "words", False):
        base = word_states(base)
    if not spec.side:
        return _reading(base, spec)
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
