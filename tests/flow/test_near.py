"""Near duplicates of a run: found once, kept, and told by part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headstart.cachedir import cache_root
from headstart.data.table import Table, objects
from headstart.flow import near
from headstart.training.extracted import Extracted

TEXTS = [
    "where is my card now",
    "Where is my card now?",
    "the cat sat on a mat",
    "a boat in the wind",
    "rain all day long",
]
BASE = "tiny"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def table(split: list[str]) -> Table:
    ids = np.array([f"t.csv:{i}" for i in range(len(TEXTS))])
    return Table(ids, objects(TEXTS), None, np.array(split), "text")


def features() -> Extracted:
    vectors = np.eye(len(TEXTS), 8, dtype=np.float32)
    vectors[1] = vectors[0] + 0.01
    keys = np.array([f"{i:064x}" for i in range(len(TEXTS))], dtype=object)
    return Extracted(vectors, None, {}, keys)


def test_pairs_are_found_once_for_the_same_inputs_and_base(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, calls, own = table(["train"] * 5), [], near.near_duplicates
    monkeypatch.setattr(near, "near_duplicates", lambda *a, **kw: calls.append(1) or own(*a, **kw))
    first, again = (near.near_of(rows, features(), BASE) for _ in range(2))
    assert len(calls) == 1
    assert first.pairs.first.tolist() == again.pairs.first.tolist() == [0]
    assert first.pairs.how == again.pairs.how
    assert first.clusters.tolist() == again.clusters.tolist()
    near.near_of(rows, features(), "other")
    assert len(calls) == 2


def test_damaged_pairs_are_found_anew() -> None:
    rows = table(["train"] * 5)
    near.near_of(rows, features(), BASE)
    (file,) = (cache_root() / near.FOLDER).iterdir()
    file.write_bytes(b"nothing")
    assert near.near_of(rows, features(), BASE).pairs.first.tolist() == [0]


def test_rows_that_leak_and_rows_that_repeat() -> None:
    astride, inside = (
        table(["train", "test", "test", "valid", "test"]),
        table(["test", "test", "test", "valid", "train"]),
    )
    found = near.near_of(astride, features(), BASE)
    assert found.leaked(astride, "test", ("train", "valid")) == {"t.csv:1"}
    assert found.leaked(inside, "test", ("train", "valid")) == frozenset()
    assert found.repeated(inside, "test") == {"t.csv:1"}
    assert found.repeated(astride, "test") == frozenset()
    assert found.shared.tolist() == [True, True, False, False, False]
