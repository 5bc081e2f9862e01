"""Overlap with a pre-training sample, and the lists of hashes it may come as."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from headstart.audit.overlap import overlap_by_hash, overlap_by_sample, read_hashes
from headstart.errors import SourceError
from tests.audit.tables import texts


def keys(inputs: list[str]) -> np.ndarray:
    return np.array([hashlib.sha256(text.encode()).hexdigest() for text in inputs])


def test_hashes_are_read_as_sha256sum_writes_them(tmp_path: Path) -> None:
    first, second = keys(["a", "b"])
    path = tmp_path / "seen.txt"
    path.write_text(f"{first}  a.jpg\n\n{second.upper()}\n")
    assert read_hashes(path) == {first, second}
    path.write_bytes(f"\ufeff{first}  a.jpg\r\n{second}\r\n".encode())  # as editors on Windows save it
    assert read_hashes(path) == {first, second}
    assert read_hashes(tmp_path) is None
    assert read_hashes(tmp_path / "seen.csv") is None


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"abc\n", "line 1 is 'abc'"), (b"\xff\xfe\x00", "not text")]
)
def test_what_is_no_list_of_hashes_is_said_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "seen.txt"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        read_hashes(path)
    assert "\n" not in str(caught.value)


def test_rows_of_the_test_part_make_it_an_error() -> None:
    inputs = ["one", "two", "three"]
    for split, severity in ((["train", "train", "test"], "warning"), (["train", "test", "train"], "error")):
        table = texts(inputs, ["x", "y", "x"], split)
        found = overlap_by_hash(table, keys(inputs), frozenset(keys(["two", "four"])), "web.txt")
        assert [(one.rows, one.severity) for one in found] == [(("b",), severity)]
        assert "flatters" in found[0].suggestion
    assert overlap_by_hash(table, keys(inputs), frozenset(), "web.txt") == []


def test_near_copies_in_the_sample_are_found_and_copies_inside_the_data_are_not() -> None:
    inputs = [
        "the quick brown fox jumps over the lazy dog near the river bank",
        "The quick brown fox jumps over the lazy dog, near the river bank!",
        "a completely different sentence about bread and butter",
    ]
    sample = ["A COMPLETELY DIFFERENT SENTENCE about bread and butter.", "nothing of the kind is in there at all"]
    found = overlap_by_sample(texts(inputs), keys(inputs), None, sample, keys(sample), None, "web.csv")
    assert [one.rows for one in found] == [("c",)]
    assert "nearly" in found[0].sentence
