"""The base of a bundle opened again, and checked to be the one of training."""

from __future__ import annotations

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.reopening import reopen
from headstart.bases.staged import StagedBase
from headstart.delivery.bundle import Bundle
from headstart.errors import BundleError


def same_base(bundle: Bundle, *, remote_code: bool = False) -> Base:
    """The base that ``bundle`` borrows, with its changes laid in, and all its stages where the head acts on those.

    Args:
        remote_code: whether code of the checkpoint's own may run, where the base needs any.

    Raises:
        BaseError: it cannot be found, or code of its own would be needed and is not allowed.
        BundleError: its weights or preprocessing are not those of training, or the bundle borrows nothing.
    """
    if bundle.base is None or bundle.head is None:
        name = bundle.control.name if bundle.control else "nothing"
        raise BundleError(
            f"this model is the control {name!r}, which borrows nothing, so there is no base to embed with; use "
            f"predict or predict_proba."
        )
    base = reopen(bundle.base, bundle.modality, bundle.preprocessing, open_base, remote=remote_code)
    width = sum(bundle.stages) or base.width
    if bundle.head.weight.shape[0] != width:
        raise BundleError(
            f"head.safetensors takes {bundle.head.weight.shape[0]} features, base {bundle.base.name!r} gives {width}; "
            f"restore it or fit again."
        )
    changed = AdaptedBase(base, bundle.changes) if bundle.changes else base
    return StagedBase(changed, bundle.stages) if bundle.stages else changed
