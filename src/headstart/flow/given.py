"""Inputs that an option names: opened, checked against the base, and seen by it."""

from __future__ import annotations

import numpy as np

from headstart.bases.base import Base
from headstart.data.memory import Source
from headstart.data.source import open_source
from headstart.errors import SourceError, UserError
from headstart.flow.remarks import tell_remarks
from headstart.modalities import get
from headstart.progress import Progress
from headstart.settings import SourceSettings
from headstart.training.features import extract
from headstart.training.rows import TrainRows


def given_inputs(path: Source, option: str, wanted: str, base: Base, progress: Progress) -> TrainRows:
    """The inputs at ``path``, labelled or not, with the base's features; what cannot be read is left out and counted.

    Args:
        option: that named them, such as "--ood".
        wanted: what is asked for, as the end of "give images …".

    Raises:
        SourceError: nothing is there, it holds another modality, or nothing can be read.
    """
    try:
        opened = open_source(path, SourceSettings(target=()))
        table = opened.table
    except UserError as error:
        raise type(error)(f"{option}: {error}") from error
    if table.modality != base.modality:
        raise SourceError(
            f"{option} {path} holds {get(table.modality).plural}, but base {base.identity.name!r} takes "
            f"{get(base.modality).plural}; give "
            f"{get(base.modality).plural} {wanted}."
        )
    features = extract(base, table.inputs, progress=progress)
    kept = np.flatnonzero(features.kept)
    tell_remarks(opened, option, progress, unreadable=len(table) - len(kept))
    if not len(kept):
        raise SourceError(f"{option} {path}: none of its {len(table)} inputs can be read.")
    y = np.zeros(len(kept), np.int64)
    return TrainRows(table.inputs[kept], features.keys[kept], y, features.vectors[kept])
