"""Folders written by ``save_to_disk`` of Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.data.naming import one_name_a_part, part_of, some
from headstart.data.sheet import Choice, Reading, Sheet
from headstart.data.table import Rejected
from headstart.data.tabular import open_sheets
from headstart.errors import SourceError, SplitError
from headstart.settings import SourceSettings
from headstart.unicode import composed, writable


def is_saved_dataset(path: Path) -> bool:
    """Whether ``path`` is what ``Dataset.save_to_disk`` or ``DatasetDict.save_to_disk`` leaves."""
    whole = (path / "dataset_info.json").is_file() and (path / "state.json").is_file()
    return whole or (path / "dataset_dict.json").is_file()


def open_saved_dataset(path: Path, settings: SourceSettings, like: Choice | None = None) -> Reading:
    """The data set at ``path``; class numbers become their names, images stay encoded.

    Raises:
        SourceError: ``datasets`` is not installed, or cannot read the folder.
        SplitError: none of several splits names a part.
    """
    try:
        import datasets
    except ImportError as error:
        raise SourceError(
            f"{path.name}: written by datasets.save_to_disk; to read it, pip install 'headstart[datasets]'"
        ) from error
    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # the library raises what its many formats raise
        raise SourceError(f"{path.name}: datasets cannot read it: {' '.join(str(error).split())[:200]}.") from error
    if isinstance(loaded, datasets.Dataset):
        return open_sheets([("", _sheet(path, writable(path.name), loaded))], settings, like)
    splits, left = splits_of(path.name, list(loaded))
    reading = open_sheets([(p, _sheet(path, name, loaded[name])) for p, name in splits.items()], settings, like)
    set_aside = tuple(
        Rejected(name, "a split of this name is none of train, valid and test: not read") for name in left
    )
    opened = replace(reading.opened, rejected=reading.opened.rejected + set_aside)
    return replace(reading, opened=opened)


def splits_of(where: str, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """({part: split}, the splits that are no part); a lone split of any name is the whole data set."""
    known = [(name, part_of(name)) for name in names if part_of(name)]
    if not known and len(names) == 1:
        return {"": names[0]}, []
    if not known:
        raise SplitError(
            f"{where}: its splits ({some(map(repr, names))}) are none of train, valid and test; rename them."
        )
    return one_name_a_part(known, where), [name for name in names if not part_of(name)]


def _sheet(path: Path, name: str, dataset: Any) -> Sheet:
    return Sheet(name, columns_of(dataset), path)


def columns_of(dataset: Any) -> dict[str, list[Any]]:
    """The columns of a ``datasets.Dataset``; class numbers become their names, images stay encoded."""
    import datasets

    features = dataset.features
    for column, feature in features.items():
        if isinstance(feature, datasets.Image | datasets.Audio):
            dataset = dataset.cast_column(column, type(feature)(decode=False))
    table = dataset.with_format("arrow")[:]
    columns = {}
    for column, feature in features.items():
        named = _namer(feature)
        values = table.column(column).to_pylist()
        columns[composed(column)] = [named(v) for v in values] if named else values
    return columns


def _namer(feature: Any) -> Callable[[Any], Any] | None:
    """What turns stored class numbers (one, or a list of them) into names; None where there are none."""
    import datasets

    if isinstance(feature, datasets.ClassLabel):
        # -1 is how data sets without public labels mark a missing one.
        return lambda value: None if value is None or value < 0 else feature.int2str(value)
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    if isinstance(inner, datasets.ClassLabel):
        return lambda value: None if value is None else [inner.int2str(v) for v in value]
    return None
