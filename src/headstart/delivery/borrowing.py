"""The base of a bundle opened again, and checked to be the one of training."""

from __future__ import annotations

import warnings

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.reopening import reopen
from headstart.bases.staged import StagedBase
from headstart.delivery.bundle import Bundle
from headstart.errors import BundleError, HeadstartWarning
from headstart.modalities import get
from headstart.versions import installed


def same_base(bundle: Bundle, *, remote_code: bool = False) -> Base:
    """The base that ``bundle`` borrows, with its changes laid in, and all its stages where the head acts on those.

    Where libraries that compute its features are of another release than in training, a warning says so: the answers
    may differ a little, and that is no reason to refuse them.

    Args:
        remote_code: whether code of the checkpoint's own may run, where the base needs any.

    Raises:
        BaseError: it cannot be found, or code of its own would be needed and is not allowed.
        BundleError: its weights, configuration or preprocessing are not those of training, or it borrows nothing.
    """
    if bundle.base is None or bundle.head is None:
        name = bundle.control.name if bundle.control else "nothing"
        raise BundleError(
            f"this model is the baseline {name!r}, which uses no base, so there is none to embed with; use "
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
    _tell_versions(bundle, changed)
    return StagedBase(changed, bundle.stages) if bundle.stages else changed


def _tell_versions(bundle: Bundle, base: Base) -> None:
    made, here = bundle.about.get("versions"), installed(*base.libraries, *get(base.modality).readers)
    told = made if isinstance(made, dict) else {}
    other = [
        f"{name} {told[name]} (here {version})"
        for name, version in here.items()
        if name in told and _release(str(told[name])) != _release(version)
    ]
    if other:
        warnings.warn(
            f"the model was made with {', '.join(other)}, so its answers may differ a little from those of training; "
            f"'headstart evaluate' on labelled rows measures whether they do.",
            HeadstartWarning,
            stacklevel=3,
        )


def _release(version: str) -> list[str]:
    """Major and minor number: later ones mend faults and change no numbers on purpose."""
    return version.partition("+")[0].split(".")[:2]
