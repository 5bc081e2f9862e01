"""How entities are written as tags of words: IOB1, IOB2, BIOES, BILOU, BMES and IO, found in the data and read as IOB2.

IOB1 is that of Ramshaw & Marcus 1995, "Text chunking using transformation-based learning": B- only where an entity
follows another of its type. IOB2 (Tjong Kim Sang & Veenstra 1999, "Representing text chunks") writes B- at the
beginning of every one; BIOES, BILOU and BMES also mark the last word and entities of one word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headstart.data.naming import counted, some
from headstart.data.table import Fact
from headstart.errors import LabelError

OUTSIDE = "O"
_BEGIN, _ALONE, _LAST = "B", "SUW", "EL"
_MARKS = {*_BEGIN, *_ALONE, *_LAST, "I", "M"}
_UNDERSCORED = re.compile(r"[BIESLUMW]_.")
_SHOWN = 3  # examples of what is told
_OTHER_OUTSIDE = 0.3  # share of the words, from which a tag that is none of an entity may stand for "O"


def is_entity_tag(tag: str) -> bool:
    """Whether ``tag`` is "O", or a mark and a type such as "B-PER"."""
    return tag == OUTSIDE or (len(tag) > 2 and tag[1] == "-" and tag[0] in _MARKS)


def are_entity_tags(tags: Iterable[str]) -> bool:
    """Whether all of ``tags`` are those of entities, and not all of them "O"."""
    found = set(tags) - {OUTSIDE}
    return bool(found) and all(map(is_entity_tag, found)) and any(tag[0] in "BISU" for tag in found)


@dataclass
class _Counts:
    """What was met on the way through tags.

    Attributes:
        entities: type -> number of entities.
        marks: of all tags.
        begun: tags such as "I-PER" that begin an entity -> how often.
        needless: B- where no entity of its type comes before, in IOB1.
        open: entities that do not end with a mark of the last word.
        first: places of the first that begin otherwise than with B-, as (row, word).
    """

    entities: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)
    needless: int = 0
    open: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)


def in_iob2(
    rows: Sequence[tuple[str, ...]], ids: Sequence[str], *, strict: bool = False, where: str = "the data"
) -> tuple[list[tuple[str, ...]], tuple[Fact, ...]]:
    """The tags of ``rows`` in IOB2, with the scheme they were in and how many entities there are.

    Tags that do not mark entities (parts of speech) are left as they are.

    Args:
        rows: the tags of each text, one a word.
        ids: of the rows.
        strict: refuse entities that do not begin or end as their scheme has it.
        where: what the rows are of, for messages.

    Raises:
        LabelError: no word is outside entities, or such words are written otherwise; with ``strict`` what it refuses.
    """
    met = Counter(tag for row in rows for tag in row)
    if OUTSIDE in met and all(tag == OUTSIDE or _UNDERSCORED.match(tag) for tag in met):  # B_PER
        rows = [tuple(tag if tag == OUTSIDE else f"{tag[0]}-{tag[2:]}" for tag in row) for row in rows]
        met = Counter(tag for row in rows for tag in row)
    _check_outside(met, where)
    if not are_entity_tags(met):
        return list(rows), (_words_fact(met),)
    counts = _Counts()
    read = [_read(row, number, counts) for number, row in enumerate(rows)]
    scheme, reason = _scheme(counts)
    facts = [Fact("tag scheme", scheme, f"{reason}{'' if scheme == 'IOB2' else '; read as IOB2'}")]
    broken = _broken(counts, scheme, ids)
    if broken and strict:
        raise LabelError(
            f"{where}: {broken[0]}: {broken[1]}; correct the tags, or leave --strict out to have them read as B-."
        )
    if broken:
        facts.append(Fact("tags", broken[0], f"{broken[1]}; read as B- (--strict refuses them)"))
    total = sum(counts.entities.values())
    types = some([f"{kind} {count:,}" for kind, count in counts.entities.most_common()], 30)
    facts.append(Fact("entities", f"{total:,} in {counted(len(rows), 'text')}", types))
    return read, tuple(facts)


def _words_fact(met: Counter[str]) -> Fact:
    shown = some([f"{tag} {count:,}" for tag, count in met.most_common()], 20)
    return Fact("tags", f"{len(met)} on {sum(met.values()):,} words", shown)


def _check_outside(met: Counter[str], where: str) -> None:
    """`LabelError` where there are marks of entities, and "O" is missing or something else stands for it."""
    marked = [tag for tag in met if tag != OUTSIDE and is_entity_tag(tag)]
    others = [tag for tag in met if not is_entity_tag(tag)]
    if len({tag[0] for tag in marked}) < 2 or (OUTSIDE in met and not others):
        return
    if not others:
        raise LabelError(
            f"{where}: no word is tagged {OUTSIDE!r}: all are part of an entity ({some(marked)}); give every word of "
            f"the text, those outside entities as {OUTSIDE!r}."
        )
    words = sum(met.values())
    begin = any(tag[0] == _BEGIN for tag in marked)
    if begin and len(others) == 1 and OUTSIDE not in met and met[others[0]] > _OTHER_OUTSIDE * words:
        raise LabelError(
            f"{where}: words outside entities are tagged {others[0]!r}, beside {some(marked)}; write {OUTSIDE!r} in "
            "its place."
        )
    if begin and sum(met[tag] for tag in marked) + met[OUTSIDE] > (1 - _OTHER_OUTSIDE / 3) * words:
        raise LabelError(
            f"{where}: {some(map(repr, others))} among tags of entities such as {marked[0]!r}; tags are "
            f"{OUTSIDE!r}, or a mark and a type such as 'B-PER'."
        )


def _read(row: tuple[str, ...], number: int, counts: _Counts) -> tuple[str, ...]:
    """One text's tags in IOB2; what is met is counted."""
    out, before, mark_before = [], "", OUTSIDE
    for word, tag in enumerate(row):
        mark, kind = (tag[0], tag[2:]) if tag != OUTSIDE else (OUTSIDE, "")
        counts.marks[mark] += 1
        follows = kind != "" and kind == before and mark_before not in (*_ALONE, *_LAST)
        begins = mark in (_BEGIN, *_ALONE) or not follows
        if kind and begins:
            counts.entities[kind] += 1
            if mark not in (_BEGIN, *_ALONE):
                counts.begun[tag] += 1
                counts.first.append((number, word))
            counts.needless += mark == _BEGIN and kind != before
        counts.open += mark_before in (_BEGIN, "I", "M") and (begins or not kind)
        out.append(f"{_BEGIN if begins else 'I'}-{kind}" if kind else OUTSIDE)
        before, mark_before = kind, mark
    counts.open += mark_before in (_BEGIN, "I", "M")
    return tuple(out)


def _scheme(counts: _Counts) -> tuple[str, str]:
    """The scheme and the evidence for it."""
    marks, begun = counts.marks, sum(counts.begun.values())
    last = {mark for mark in (*_LAST, *_ALONE, "M") if marks[mark]}
    told = ", ".join(f"{mark}- {marks[mark]:,}" for mark in "BIMELSUW" if marks[mark])
    if last:
        name = "BILOU" if {"L", "U"} & last else "BMES" if {"M", "W"} & last else "BIOES"
        return name, f"marks are {told}"
    if not marks[_BEGIN]:
        return "IO", (
            f"no tag begins with B-, {marks['I']:,} with I-: entities of one type that touch cannot be separated, and "
            "are read as one"
        )
    if begun and not counts.needless:
        tag, times = counts.begun.most_common(1)[0]
        touching = f"B- is only where an entity follows another of its type ({marks[_BEGIN]:,})"
        return "IOB1", f"{tag} begins {counted(times, 'entity', 'entities')}; {touching}"
    if begun > counts.needless:
        usual = f"I- begins {begun:,} entities, B- {counts.needless:,} that touch no other of their type"
        return "IOB1", usual
    if not marks["I"]:
        return "IOB2", f"every entity is one word with B- ({marks[_BEGIN]:,})"
    most = f"{marks[_BEGIN]:,} of {sum(counts.entities.values()):,} entities begin with B-"
    return "IOB2", most


def _broken(counts: _Counts, scheme: str, ids: Sequence[str]) -> tuple[str, str] | None:
    """(how many entities are not as the scheme has them, how they are); None where there are none."""
    if scheme in ("IO", "IOB1"):
        return None
    total, begun = sum(counts.entities.values()), sum(counts.begun.values())
    if not begun and (scheme == "IOB2" or not counts.open):
        return None
    said = []
    if begun:
        where = some(dict.fromkeys(f"{ids[row]} word {word + 1}" for row, word in counts.first[:_SHOWN]))
        kinds = some([f"{tag} {times:,}" for tag, times in counts.begun.most_common()])
        said.append(f"{begun:,} begin without B- ({kinds}; {where})")
    if scheme != "IOB2" and counts.open:
        said.append(f"{counts.open:,} have no tag of the last word")
    count = begun if scheme == "IOB2" else begun + counts.open
    return f"{count:,} of {counted(total, 'entity', 'entities')}", " and ".join(said)
