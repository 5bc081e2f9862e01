"""Schemes of entities: each is found in the data, said with its evidence, and read as IOB2."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from headstart.data.schemes import are_entity_tags, in_iob2
from headstart.data.source import open_source
from headstart.data.table import Fact
from headstart.errors import LabelError
from headstart.settings import SourceSettings
from tests.data.making import fact, write

IOB2 = [
    ("B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC", "I-LOC", "O"),
    ("O", "O", "B-PER", "B-LOC"),
    ("B-ORG", "I-ORG", "O", "O"),
]


def _ends(tags: tuple[str, ...], i: int) -> bool:
    return i + 1 == len(tags) or not tags[i + 1].startswith("I-")


def _marked(tags: tuple[str, ...], begin: str, inside: str, last: str, alone: str) -> tuple[str, ...]:
    marks = {("B", False): begin, ("I", False): inside, ("I", True): last, ("B", True): alone}
    return tuple(
        tag if tag == "O" else f"{marks[tag[0], _ends(tags, i)]}{tag[1:]}"  #
        for i, tag in enumerate(tags)
    )


def _iob1(tags: tuple[str, ...]) -> tuple[str, ...]:
    before = ("O", *tags)
    return tuple(
        f"I{tag[1:]}" if tag[0] == "B" and before[i][2:] != tag[2:] else tag  #
        for i, tag in enumerate(tags)
    )


def _read(rows: list[tuple[str, ...]], strict: bool = False) -> tuple[list[tuple[str, ...]], dict[str, Fact]]:
    tags, facts = in_iob2(rows, [f"r{i}" for i in range(len(rows))], strict=strict)
    return tags, {one.what: one for one in facts}


@pytest.mark.parametrize(
    ("name", "marks"), [("BIOES", "BIES"), ("BILOU", "BILU"), ("BMES", "BMES"), ("BMES", "BMEW"), ("IOB2", "BIIB")]
)
def test_schemes_that_mark_beginnings_lose_nothing(name: str, marks: str) -> None:
    tags, facts = _read([_marked(row, *marks) for row in IOB2], strict=True)
    assert tags == IOB2
    assert facts["tag scheme"].value == name
    assert (facts["entities"].value, facts["entities"].reason) == ("6 in 3 texts", "LOC 3, PER 2, ORG 1")
    assert "tags" not in facts


def test_iob1_is_told_by_entities_that_begin_with_i() -> None:
    tags, facts = _read([_iob1(row) for row in IOB2], strict=True)
    assert tags == IOB2
    assert facts["tag scheme"].value == "IOB1"
    reason = "I-PER begins 2 entities; B- is only where an entity follows another of its type (1); read as IOB2"
    assert facts["tag scheme"].reason == reason


def test_io_is_told_with_what_it_cannot_say() -> None:
    tags, facts = _read([("I-PER", "I-PER", "I-LOC", "O"), ("O", "I-LOC")], strict=True)
    assert tags == [("B-PER", "I-PER", "B-LOC", "O"), ("O", "B-LOC")]
    assert facts["tag scheme"].value == "IO"
    assert "entities of one type that touch cannot be separated" in facts["tag scheme"].reason


def test_entities_that_do_not_begin_are_counted_or_refused() -> None:
    rows = [*IOB2, ("O", "I-PER", "I-PER"), ("B-LOC", "I-PER", "O")]
    tags, facts = _read(rows)
    assert tags[3:] == [("O", "B-PER", "I-PER"), ("B-LOC", "B-PER", "O")]
    assert facts["tag scheme"].value == "IOB2"
    assert facts["tags"].value == "2 of 9 entities"
    assert facts["tags"].reason == (
        "2 begin without B- (I-PER 2; r3 word 2, r4 word 2); read as B- (--strict refuses them)"
    )
    with pytest.raises(LabelError, match="2 of 9 entities: 2 begin without B-"):
        _read(rows, strict=True)


def test_entities_that_do_not_end_are_counted() -> None:
    rows = [_marked(row, *"BIES") for row in IOB2] + [("O", "E-PER", "O"), ("B-PER", "I-PER", "O")]
    tags, facts = _read(rows)
    assert tags[3:] == [("O", "B-PER", "O"), ("B-PER", "I-PER", "O")]
    assert facts["tags"].value == "2 of 8 entities"
    assert "1 have no tag of the last word" in facts["tags"].reason
    with pytest.raises(LabelError, match="--strict"):
        _read(rows, strict=True)


def test_read_tags_never_go_on_with_what_has_not_begun() -> None:
    drawn = random.Random(0)
    for marks in ("BI", "I", "BIES", "BILU", "BMEW"):
        tags = ["O", *(f"{mark}-{kind}" for mark in marks for kind in ("A", "B"))]
        rows = [tuple(drawn.choices(tags, k=drawn.randint(1, 9))) for _ in range(200)]
        read, facts = _read(rows)
        for given, row in zip(rows, read, strict=True):
            assert [tag[2:] for tag in given] == [tag[2:] for tag in row]  # types stay, and what is outside
            for before, tag in zip(("O", *row), row, strict=False):
                assert tag[0] != "I" or before[2:] == tag[2:]
        total = sum(tag[0] == "B" for row in read for tag in row)
        assert facts["entities"].value == f"{total:,} in 200 texts"


def test_underscores_may_stand_for_hyphens() -> None:
    tags, _ = _read([tuple(tag.replace("-", "_") for tag in row) for row in IOB2])
    assert tags == IOB2


def test_tags_of_words_are_left_as_they_are() -> None:
    rows = [("DET", "NOUN"), ("X", "B", "O")]
    tags, facts = _read(rows)
    assert tags == rows
    assert facts["tags"].value == "5 on 5 words"
    assert not are_entity_tags(["O"])
    assert not are_entity_tags(["NOUN", "B-PER"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("B-PER", "I-PER"), ("B-LOC",)], "no word is tagged 'O'"),
        ([("B-PER", "I-PER", "_", "_"), ("B-LOC", "_")], "words outside entities are tagged '_'"),
        (
            [("B-PER", "I-PER", "O", "O", "O", "O", "O", "O", "O"), ("B-LOC", "PER", "O")],
            "'PER' among tags of entities",
        ),
    ],
)
def test_what_is_outside_is_told_apart(rows: list[tuple[str, ...]], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        _read(rows)


def test_strict_is_an_option_of_the_source(tmp_path: Path) -> None:
    lines = ["Ann\tB-PER", "Lee\tI-PER", "is\tO", "", "in\tO", "Rome\tI-LOC", "", "Bo\tB-PER", "ran\tO", ""]
    path = write(tmp_path / "t.conll", *lines)
    assert fact(open_source(path).facts, "tags").value == "1 of 3 entities"
    with pytest.raises(LabelError, match=r"1 begin without B- \(I-LOC 1; t.conll:5 word 2\)"):
        open_source(path, SourceSettings(strict=True))
