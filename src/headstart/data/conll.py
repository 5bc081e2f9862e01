"""Files with one word a line and its tags beside it: CoNLL columns and CoNLL-U.

CoNLL-U is read as https://universaldependencies.org/format.html has it. A word that is several syntactic words (1-2) is
one word of the text; empty nodes (1.1) are no words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headstart.data.formats import decoded
from headstart.data.naming import (
    ARCHIVE_TYPES,
    TABLE_TYPES,
    TOKEN_NAMES,
    WORD_TAG_NAMES,
    counted,
    extension,
    modality_of,
    one_name_a_part,
    part_of,
    some,
)
from headstart.data.schemes import are_entity_tags
from headstart.data.sheet import Sheet, Unreadable
from headstart.data.table import Fact
from headstart.errors import SourceError
from headstart.modalities.text.words import Words
from headstart.unicode import composed, writable

#: Endings that say it; files of other endings are looked into.
TAG_TYPES = frozenset({".conll", ".conllu", ".conllx", ".conll03", ".iob", ".iob2", ".bio", ".bioes", ".ner", ".pos"})
#: Endings of files that may hold words and tags, in place of what they are named after.
_MAYBE = frozenset({".txt", ".tsv", ""})
_HEAD = 1 << 16  # bytes looked at
_FEWEST = 3  # lines, from which a file can be told by its content
_MOST = 0.9  # share of them that have the usual number of columns
_COMMENT = re.compile(r"#\s*(id\b|[\w.:]+(\s+\w+)?\s*=|columns?\b)")
_COLUMNS = re.compile(r"#\s*(?:global\.columns|columns?)\s*[=:]\s*(.+)")
_DOCUMENT = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(.*))?")
_ID = re.compile(r"\d+([-.]\d+)?")
_START = "-DOCSTART-"
_FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_HEADER = frozenset({*TOKEN_NAMES, *WORD_TAG_NAMES, *_FIELDS, "chunk", "label", "entity", "sentence"})
#: Names of files' parts besides those of all sources: the two of CoNLL-2003.
_PARTS = {"testa": "valid", "testb": "test"}


@dataclass
class _Sentence:
    """The lines of a sentence.

    Attributes:
        line: number of its first one.
        document: it is of.
        rows: (line, columns) of each word.
        reason: why it cannot be used.
    """

    line: int
    document: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    reason: str = ""


@dataclass
class _File:
    """A file's lines, as words and comments.

    Attributes:
        lines: (number, text) without line ends.
        width: the usual number of columns.
        tabs: whether tabs separate them, else blanks.
        names: of the columns, as a header or comment tells them; () where none does.
        header: number of the line that is a header; 0: none.
    """

    lines: list[tuple[int, str]]
    width: int = 0
    tabs: bool = True
    names: tuple[str, ...] = ()
    header: int = 0

    @classmethod
    def of(cls, text: str) -> _File:
        # Not splitlines: a word may be one of the other characters that end lines.
        found = cls([(i, line.rstrip("\r")) for i, line in enumerate(text.split("\n"), start=1)])
        words = [line for _, line in found.lines if line.strip() and not found.is_comment(line)]
        words = [line for line in words if not line.startswith(_START)]
        found.tabs = 2 * sum("\t" in line.rstrip() for line in words) > len(words)
        widths = Counter(len(found.cells(line)) for line in words)
        found.width = max(widths, key=lambda width: (widths[width], width), default=0)
        found._name()
        return found

    @staticmethod
    def is_comment(line: str) -> bool:
        return line.startswith("#") and _COMMENT.match(line) is not None

    def cells(self, line: str) -> list[str]:
        line = line.rstrip(" \t")
        return line.split("\t") if self.tabs else line.split()

    @property
    def universal(self) -> bool:
        """Whether it is CoNLL-U."""
        if self.width != len(_FIELDS) or not self.tabs:
            return False
        rows = (self.cells(line) for _, line in self.lines if line.strip() and not line.startswith("#"))
        first = next(rows, [""])
        return _ID.fullmatch(first[0]) is not None

    def _name(self) -> None:
        for number, line in self.lines:
            if not line.strip():
                continue
            told = _COLUMNS.match(line)
            if told:
                names = tuple(name.rpartition(":")[2].lower() for name in re.split(r"[\s,]+", told[1].strip()))
                self.names = names if len(names) == self.width else ()
                return
            if self.is_comment(line):
                continue
            cells = self.cells(line)
            if len(cells) == self.width > 1 and {cell.strip().lower() for cell in cells} <= _HEADER:
                self.names, self.header = tuple(cell.strip() for cell in cells), number
            return

    def sentences(self, name: str) -> Iterator[_Sentence]:
        """Runs of lines between blank ones."""
        document, documents, now, begun = "", 0, None, False
        for number, line in self.lines:
            if number == self.header:
                continue
            if not line.strip():
                if now is not None:
                    yield now
                now, begun = None, False
                continue
            marked = _DOCUMENT.match(line)
            if marked or line.startswith(_START):
                documents += 1
                given = (marked[1] or "").strip() if marked else ""
                document = f"{name}#{given or documents}"
            if line.startswith(_START):
                continue
            odd = line.startswith("#") and not begun and len(self.cells(line)) != self.width
            if self.is_comment(line) or odd:
                # A comment begins a sentence, so that one without words is seen.
                now = now or (_Sentence(number, document) if self.universal else None)
                continue
            if now is None or not now.rows:
                now = _Sentence(number, document)
            begun = True
            self._add(now, number, line)
        if now is not None:
            yield now

    def _add(self, sentence: _Sentence, number: int, line: str) -> None:
        cells = self.cells(line)
        sentence.rows.append((number, cells))
        if len(cells) != self.width and not sentence.reason:
            usual = f"{counted(len(cells), 'column')} where the file has {self.width}"
            why = " (no tag)" if len(cells) == 1 else "" if self.tabs else " (does a word hold a blank?)"
            sentence.reason = f"line {number} has {usual}{why}"


def is_tagged_file(path: Path) -> bool:
    """Whether the file at ``path`` has one word a line with tags, by its ending or by what it holds."""
    kind = extension(path.name)
    if kind in TAG_TYPES:
        return True
    known = (kind in TABLE_TYPES and kind not in _MAYBE) or modality_of(path.name)
    if known or path.name.lower().endswith(ARCHIVE_TYPES):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if b"\0" in head:
        return False
    text = head.decode("utf-8-sig", "replace")
    return _looks_tagged(text if len(head) < _HEAD else text.rpartition("\n")[0], certain=kind == ".tsv")


def _looks_tagged(text: str, certain: bool) -> bool:
    """Whether nearly all lines have as many columns, the last of few kinds; ``certain``: of entities, with blanks."""
    found = _File.of(text)
    if found.width < 2 or found.universal:
        return found.universal
    rows = [s for s in found.sentences("") if s.rows]
    lines = [cells for sentence in rows for _, cells in sentence.rows]
    fitting = [cells[-1] for cells in lines if len(cells) == found.width]
    if len(lines) < _FEWEST or len(fitting) < _MOST * len(lines):
        return False
    entities = are_entity_tags(fitting)
    if certain:
        return entities and len(rows) > 1
    return entities or (len(rows) > 1 and 3 * len(set(fitting)) <= len(fitting))


def read_tagged_file(path: Path, target: Sequence[str] = ()) -> Sheet:
    """The sentences of the file at ``path``, one a row.

    The columns are "tokens" (`Words`), "tags" (the last one) and the others under their numbers from 1, or all under
    the names of a header; of CoNLL-U the fields and what MISC holds. ``target`` are names the user gave: a number is
    then the name of that column also where it is the last.

    Raises:
        SourceError: it cannot be read, is not UTF-8, or holds no sentence.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    name = writable(path.name)
    file = _File.of(decoded(path.name, data))
    sentences = list(file.sentences(name))
    if not any(one.rows for one in sentences):
        raise SourceError(f"{path.name}: holds no sentence; give one word a line with its tag, and a blank line after.")
    reader = _Universal(sentences) if file.universal else _Plain(sentences, file, target)
    columns, facts = reader.columns(), reader.facts()
    documents = [one.document for one in sentences]
    group = "document" if any(documents) and "document" not in columns else ""
    if group:
        columns["document"] = [one or f"{name}#0" for one in documents]
    return Sheet(name, columns, path.parent, facts, [one.line for one in sentences], group)


class _Plain:
    """Columns in which each line is a word."""

    def __init__(self, sentences: list[_Sentence], file: _File, target: Sequence[str]) -> None:
        self.sentences, self.file = sentences, file
        self.word = self._word_column()
        last = file.width - 1
        self.names = list(map(composed, file.names)) or [str(i + 1) for i in range(file.width)]
        if not file.names:
            self.names[self.word] = "tokens"
            if last != self.word and str(last + 1) not in target:
                self.names[last] = "tags"
        elif len(set(self.names)) < len(self.names):
            raise SourceError(f"{some(map(repr, self.names))} are the columns' names, two of them alike; rename one.")

    def _word_column(self) -> int:
        named = [i for i, name in enumerate(self.file.names) if name.lower() in TOKEN_NAMES]
        if named or self.file.width < 3:
            return named[0] if named else 0
        numbered = all(
            cells[0] in (str(i), str(i + 1))
            for sentence in self.sentences
            for i, (_, cells) in enumerate(sentence.rows)
            if not sentence.reason
        )
        return 1 if numbered else 0

    def columns(self) -> dict[str, list[object]]:
        """Name -> the words as `Words`, or a list with a cell a word."""
        found: dict[str, list[object]] = {name: [] for name in self.names}
        for one in self.sentences:
            reason = one.reason or self._flaw(one)
            for i, name in enumerate(self.names):
                cells = [row[i] if i < len(row) else "" for _, row in one.rows]
                if i != self.word:
                    found[name].append(cells)
                elif reason:
                    found[name].append(Unreadable.because(" ".join(cells), reason))
                else:
                    found[name].append(Words.of(cells))
        return found

    def _flaw(self, one: _Sentence) -> str:
        for number, cells in one.rows:
            if not cells[self.word].strip():
                return f"line {number} has a tag and no word"
            if cells[self.word].split() != [cells[self.word]]:
                return f"line {number}: the word {cells[self.word]!r} holds white space; give each word a line"
        return ""

    def facts(self) -> tuple[Fact, ...]:
        """How the columns are named."""
        told = "tabs" if self.file.tabs else "blanks"
        names = "named by the file" if self.file.names else "words, and tags in the last column"
        if self.file.width == 1:
            names = "words without tags"
        where = f"one word a line, {counted(self.file.width, 'column')} separated by {told}, {names}"
        return (Fact("form", "CoNLL columns", where),)


class _Universal:
    """CoNLL-U."""

    def __init__(self, sentences: list[_Sentence]) -> None:
        self.sentences = sentences
        self.nodes = 0
        self.several: Counter[str] = Counter()

    def columns(self) -> dict[str, list[object]]:
        """ "tokens" and a list of each field, and of each name in MISC."""
        fields = ("upos", "xpos", "feats", "lemma", "deprel")
        read = [self._sentence(one) for one in self.sentences]
        misc = dict.fromkeys(name for _, rows in read for row in rows for name in row if name.startswith("misc:"))
        found: dict[str, list[object]] = {"tokens": [text for text, _ in read]}
        for name in fields:
            values = [[row.get(name, "_") for row in rows] for _, rows in read]
            if any(value != "_" for row in values for value in row):
                found[name] = list(values)
        for name in misc:
            own = name.removeprefix("misc:")
            known = {row[name] for _, rows in read for row in rows if name in row}
            none = "O" if are_entity_tags(known) else "_"
            found[own if own not in found else name] = [[row.get(name, none) for row in rows] for _, rows in read]
        return found

    def _sentence(self, one: _Sentence) -> tuple[Words | Unreadable, list[dict[str, str]]]:
        text, bounds, rows = "", [], []
        odd = next(
            (f"line {number} has the id {row[0]!r}" for number, row in one.rows if not _ID.fullmatch(row[0])), ""
        )
        reason = one.reason or odd or ("" if one.rows else "a sentence without words")
        if reason:
            shown = " ".join(row[1] for _, row in one.rows if len(row) > 1)
            return Unreadable.because(shown, reason), []
        for form, after, row in self._surface(one):
            bounds.append((len(text), len(text) + len(form)))
            rows.append(row)
            text += form + after
        return Words(text.rstrip(" "), bounds), rows

    def _surface(self, one: _Sentence) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Each word of the text, what is after it, and its fields."""
        rows, i = [row for _, row in one.rows], 0
        while i < len(rows):
            row, i = rows[i], i + 1
            if "." in row[0]:
                self.nodes += 1
                continue
            values, after = _values(row), "" if "SpaceAfter=No" in row[9].split("|") else " "
            if "-" not in row[0]:
                yield row[1], after, values
                continue
            last = int(row[0].partition("-")[2])
            inner = []
            while i < len(rows) and (("." in rows[i][0]) or int(rows[i][0].partition("-")[0]) <= last):
                if "." in rows[i][0]:
                    self.nodes += 1
                else:
                    inner.append(rows[i])
                i += 1
            yield from self._several(row, after, inner)

    def _several(self, row: list[str], after: str, inner: list[list[str]]) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Syntactic words that are one in the text: where they are pieces of it each by itself, else one word."""
        forms = [word[1] for word in inner]
        if inner and "".join(forms) == row[1]:
            for word in inner:
                yield word[1], after if word is inner[-1] else "", _values(word)
            return
        parts = [_values(word) for word in inner] or [_values(row)]
        joined = {key: "+".join(part.get(key, "_") for part in parts) for key in ("upos", "xpos", "feats", "lemma")}
        first = {key: value for part in reversed(parts) for key, value in part.items()}
        self.several[joined["upos"]] += 1
        yield row[1], after, {**first, **_values(row, only_misc=True), **joined}

    def facts(self) -> tuple[Fact, ...]:
        """The form, and what of it is not as a plain list of words."""
        facts = [Fact("form", "CoNLL-U", "ten columns, numbered words")]
        if self.nodes:
            facts.append(Fact("empty nodes", f"{self.nodes:,} left out", "such as 1.1: they are no words of the text"))
        if self.several:
            shown = some([f"{tag} {count:,}" for tag, count in self.several.most_common()])
            total = sum(self.several.values())
            told = f"a word such as 1-2 is one word of the text, its tags joined by +: {shown}"
            facts.append(Fact("words", f"{counted(total, 'word')} of several syntactic words", told))
        return tuple(facts)


def _values(row: Sequence[str], only_misc: bool = False) -> dict[str, str]:
    """Field -> value, those of MISC as "misc:NAME"."""
    found = {} if only_misc else {_FIELDS[i]: row[i] for i in (2, 3, 4, 5, 7)}
    for item in row[9].split("|"):
        name, sign, value = item.partition("=")
        if sign and name not in ("SpaceAfter", "SpacesAfter", "SpacesBefore"):
            found[f"misc:{composed(name)}"] = value
    return found


def tagged_files(folder: Path, names: Sequence[str]) -> tuple[list[tuple[str, Path]], list[str]]:
    """(part, file) of the files with tags in ``folder``, and those beside them that are not read.

    A file's part is told by a word of its name, as in "wnut17train.conll"; where none of them has one, part is "".

    Raises:
        SplitError: two files would be one part.
    """
    found = [name for name in names if is_tagged_file(folder / name)]
    told = [(name, part) for name in found if (part := _part(name))]
    if not told:
        return [("", folder / name) for name in found], []
    parts = one_name_a_part(told, str(folder))
    left = sorted({*found} - {*parts.values()})
    return [(part, folder / name) for part, name in parts.items()], left


def _part(name: str) -> str:
    pieces = re.findall(r"[a-z]+", name.lower())
    return next((part for piece in pieces if (part := _PARTS.get(piece) or part_of(piece))), "")
