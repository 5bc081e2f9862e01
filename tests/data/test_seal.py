"""The seal on the test part."""

from __future__ import annotations

import pytest

from headstart.data.seal import SealedTest, seal
from headstart.errors import SealError
from tests.data.making import table


def test_seal_parts_the_table() -> None:
    working, sealed = seal(table(list("abab"), split=["train", "valid", "test", "test"]))
    assert working.split.tolist() == ["train", "valid"]
    assert len(sealed) == 2
    assert sealed.openings == []


def test_it_opens_once_and_counts() -> None:
    _, sealed = seal(table(list("ab"), split=["train", "test"]))
    assert sealed.open("final test").ids.tolist() == ["r00001"]
    with pytest.raises(SealError, match="already evaluated \\(final test\\)"):
        sealed.open("one more look")
    assert sealed.openings == ["final test"]
    assert len(sealed.open("robustness", again=True)) == 1
    assert sealed.openings == ["final test", "robustness"]


def test_it_shows_nothing() -> None:
    _, sealed = seal(table(["secret", "secret"], split=["train", "test"]))
    for shown in (repr(sealed), str(sealed)):
        assert shown == "SealedTest(1 rows, opened 0 times)"
    assert not hasattr(sealed, "__dict__")
    assert {n for n in dir(SealedTest) if not n.startswith("_")} == {"open", "openings"}
    sealed.openings.append("forged")
    assert sealed.openings == []
    with pytest.raises(AttributeError):
        sealed.openings = []  # type: ignore[misc]
    with pytest.raises(SealError, match="reason"):
        sealed.open(" ")


def test_only_an_assigned_table_is_sealed() -> None:
    with pytest.raises(SealError, match="1 rows belong to no split"):
        seal(table(list("ab"), split=["", "test"]))
    with pytest.raises(SealError, match="no test row"):
        seal(table(list("ab"), split=["train", "valid"]))
