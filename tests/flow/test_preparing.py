"""Prepared rows hold each feature once, and lie in the order of their table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.bases.catalogue import open_base
from headstart.data.source import open_source
from headstart.flow.preparation import prepare
from headstart.progress import Progress
from headstart.settings import FitSettings, SourceSettings
from headstart.training.features import extract
from tests.toys import image_folder


def test_working_rows_are_one_array_and_every_row_has_its_own_features(tmp_path: Path, tiny_image_base: str) -> None:
    source = image_folder(tmp_path / "pictures", per_class=12)
    (source / "checks" / "broken.png").write_bytes(b"no picture")
    opened, base = open_source(source, SourceSettings()), open_base(tiny_image_base, "image")
    prepared = prepare(opened, base, FitSettings(max_rejected=0.1), Progress())
    working, train, valid = prepared.working(), prepared.train, prepared.valid
    assert prepared.working() is working
    for part in (train, valid):
        assert np.shares_memory(part.vectors, working.vectors)
        assert part.classical is not None
        assert working.classical is not None
        assert np.shares_memory(part.classical, working.classical)
    assert working.vectors.base is None or len(working.vectors.base) == len(working)  # no array of all rows behind it
    test = prepared.sealed.open("a test")
    assert len(train) + len(valid) + len(test) == 36
    for rows, part in ((train, "train"), (valid, "valid"), (test, "test")):
        again = extract(base, rows.table.inputs, classical=True)
        assert set(rows.table.split) == {part}
        np.testing.assert_array_equal(rows.vectors, again.vectors)
        np.testing.assert_array_equal(rows.classical, again.classical)
        assert rows.keys.tolist() == again.keys.tolist()
        assert [prepared.task.labels[y] for y in rows.y] == list(rows.table.targets)
