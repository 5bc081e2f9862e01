"""An earlier run as the base of the next: its base with what training changed, and one step more behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.bundle_record import DAMAGE, damaged, find_bundle, read_changes, read_record
from headstart.bases.identity import RUN, Ancestor, Identity, ancestors, chain
from headstart.bases.learnt import FILE, learnt_keys
from headstart.bases.reopening import Opener, reopen
from headstart.data.table import Fact
from headstart.errors import BaseError


def is_bundle(path: Path) -> bool:
    """Whether ``path`` is a bundle or a run's folder."""
    return find_bundle(path) is not None


def open_bundled(path: Path, open_base: Opener, *, remote: bool = False) -> Base:
    """The base that the model in ``path`` ended with: the root's name and source, weights of its own.

    Its head is not used; where the head acts on all stages, the base is still the pooled output of the last.

    Args:
        open_base: the way from names to bases, for the root.
        remote: whether code of the root's own may be run.

    Raises:
        BaseError: it is a control, which has no base, or its root cannot be found.
        BundleError: it is damaged, or the root is not the one of training.
    """
    folder = find_bundle(path) or path
    record = read_record(folder)
    if "control" in record:
        raise BaseError(
            f"{path} holds the baseline {record['control'].get('name')!r}, which uses no base, so there is none "
            f"in it; give a run that kept its base, or the name of one."
        )
    try:
        root = Identity.from_dict(record["base"])
        modality, preprocessing = str(record["modality"]), json.dumps(record["preprocessing"], sort_keys=True)
        changes = read_changes(folder, record)
    except DAMAGE as error:
        raise damaged(folder, error) from error
    base = reopen(root, modality, preprocessing, open_base, remote=remote)
    if changes:
        base = AdaptedBase(base, changes)
        base.learnt = _learnt(path)
    step = _step(path, record, base.identity)
    base.identity = replace(base.identity, lineage=(*ancestors(root), step))
    base.facts = (*base.facts, _fact(base, step, record))
    return base


def _learnt(path: Path) -> frozenset[str]:
    """What the run trained on; nothing of a bundle that was taken out of its run, which does not say."""
    folder = next((place for place in (path, path.parent) if (place / FILE).is_file()), None)
    return frozenset() if folder is None else frozenset(learnt_keys(folder).tolist())


def _step(path: Path, record: dict[str, Any], identity: Identity) -> Ancestor:
    """The run, by the name it was given; its folder may have been renamed since."""
    about = record.get("about") or {}
    name = str(about.get("name") or path.resolve().name)
    created, data = str(about.get("created", "")), str(about.get("data", "unknown"))
    return Ancestor(name, f"{RUN}{name}", created, identity.weights, identity.licence, data)


def _fact(base: Base, step: Ancestor, record: dict[str, Any]) -> Fact:
    changed = isinstance(base, AdaptedBase)
    share = (record.get("changes") or {}).get("share")
    how = f"{share:.0%} of its numbers are the run's own" if share else "its numbers are the run's own"
    same = f"{step.name} solved a head and left its base as it was: nothing is specialised, the features are the base's"
    return Fact("base", chain(base.identity, ""), how if changed else same)
