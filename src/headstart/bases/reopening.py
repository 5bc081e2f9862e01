"""A base found again by its record, and checked to be the one of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headstart.bases.base import Base
from headstart.bases.identity import Identity
from headstart.bases.refitted import as_recorded
from headstart.errors import BundleError

#: `headstart.bases.catalogue.open_base`; given, for the catalogue opens bundles too.
Opener = Callable[..., Base]


def reopen(identity: Identity, modality: str, preprocessing: str, open_base: Opener, *, remote: bool = False) -> Base:
    """The base of ``identity`` without what training changed, its name, source and lineage as recorded.

    Args:
        preprocessing: JSON, as the base's `preprocessing()` gave it in training.
        open_base: the way from names to bases.
        remote: whether code of the checkpoint's own may be run.

    Raises:
        BaseError: it cannot be found.
        BundleError: see `refuse_other`.
    """
    name, (source, _, place) = identity.name, identity.source.partition(" ")
    repo = place.partition(" ")[0]  # a mirror's name may follow
    again = {"folder": place, "onnx": place, "hub": f"{repo}@{identity.revision}"}.get(source, name)
    base = open_base(again, modality, **({"remote_code": True} if remote else {}))
    if base.identity.weights != identity.weights or not base.spec.side:
        base = as_recorded(base, preprocessing)
    refuse_other(base, identity, preprocessing)
    base.identity = replace(  # it was opened by its path or commit, not by its name
        base.identity, name=name, source=identity.source, revision=identity.revision, lineage=identity.lineage
    )
    return base


def refuse_other(base: Base, identity: Identity, preprocessing: str) -> None:
    """Refuse ``base`` where it gives other features than the one recorded.

    Args:
        identity, preprocessing: as recorded in training.

    Raises:
        BundleError: its weights, configuration or preprocessing are not those of training.
    """
    name = identity.name
    if base.identity.weights != identity.weights:
        raise BundleError(
            f"base {name!r} here ({base.identity.source}) has other weights than in training "
            f"({identity.source}); install that version or fit again."
        )
    if identity.config and base.identity.config != identity.config:  # layouts before 5 do not tell
        raise BundleError(
            f"base {name!r} here ({base.identity.source}) has another config.json than in training, so that the same "
            f"weights give other features; restore it or fit again."
        )
    if base.preprocessing() != preprocessing:
        raise BundleError(
            f"base {name!r} here prepares inputs otherwise than in training; use the headstart version of the "
            f"bundle or fit again."
        )
