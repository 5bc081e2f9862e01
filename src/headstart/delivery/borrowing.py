"""The base of a bundle opened again, and checked to be the one of training."""

from __future__ import annotations

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.staged import StagedBase
from headstart.delivery.bundle import Bundle
from headstart.errors import BundleError


def same_base(bundle: Bundle) -> Base:
    """The base that ``bundle`` borrows, with its changes laid in, and all its stages where the head acts on those.

    Raises:
        BaseError: it cannot be found.
        BundleError: its weights or preprocessing are not those of training, or the bundle borrows nothing.
    """
    if bundle.base is None or bundle.head is None:
        name = bundle.control.name if bundle.control else "nothing"
        raise BundleError(
            f"this model is the control {name!r}, which borrows nothing, so there is no base to embed with; use "
            f"predict or predict_proba."
        )
    name = bundle.base.name
    source, _, place = bundle.base.source.partition(" ")
    again = {"folder": place, "hub": f"{place}@{bundle.base.revision}"}.get(source, name)
    base = open_base(again, bundle.modality)
    if base.identity.weights != bundle.base.weights:
        raise BundleError(
            f"base {name!r} here ({base.identity.source}) has other weights than in training "
            f"({bundle.base.source}); install that version or fit again."
        )
    width = sum(bundle.stages) or base.width
    if bundle.head.weight.shape[0] != width:
        raise BundleError(
            f"head.safetensors takes {bundle.head.weight.shape[0]} features, base {name!r} gives {width}; restore "
            f"it or fit again."
        )
    if base.preprocessing() != bundle.preprocessing:
        raise BundleError(
            f"base {name!r} here prepares inputs otherwise than in training; use the headstart version of the "
            f"bundle or fit again."
        )
    changed = AdaptedBase(base, bundle.changes) if bundle.changes else base
    return StagedBase(changed, bundle.stages) if bundle.stages else changed
