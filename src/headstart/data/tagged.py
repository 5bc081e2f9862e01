"""A tag for each word of a text, out of cells of tables: lists of words and tags, or marked stretches of a text."""

from __future__ import annotations

import ast
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.data.labelling import own_label
from headstart.data.lists import as_list
from headstart.data.naming import SPAN_NAMES, TEXT_NAMES, TOKEN_NAMES, WORD_TAG_NAMES, counted, some
from headstart.data.schemes import are_entity_tags, in_iob2
from headstart.data.sheet import Cells, Choice, Sheet, Unreadable, is_empty
from headstart.data.table import Fact, Table, objects
from headstart.errors import ColumnError, LabelError
from headstart.modalities import get as get_modality
from headstart.modalities.text.words import Words, split_words
from headstart.settings import SourceSettings
from headstart.tasks import Tag, get

_SAMPLE = 200  # cells looked at
_ALIKE = 0.9  # share of the rows with as many tags as words, by which columns of any name are known
_NAMED = 0.5  # the same, where the columns are named as is usual
_SURE = frozenset(WORD_TAG_NAMES) - {"label", "labels", "target", "y", "tag", "tags"}
_LABELS = ("label", "type", "entity", "tag", "entity_group")
_EDGES = (("start", "end"), ("start_offset", "end_offset"), ("start_char", "end_char"))
_SHOWN = 3  # examples of what is told

#: The task whose answer is a tag for each word.
TASK = Tag.name


@dataclass(frozen=True)
class Found:
    """Columns with words and their tags."""

    input: str
    why_input: str
    target: str
    why_target: str
    cells: Cells

    def choice(self, split: str | None) -> Choice:
        """They as the columns to use, with the column of the ``split``."""
        return Choice(self.input, (self.target,), "text", TASK, self.cells, split)

    def facts(self, known: bool, asked: str | None) -> list[Fact]:
        """What serves as what, and why; ``known``: the input is that of an earlier source."""
        form = "spans of the text" if self.cells.kind == "spans" else "a tag for each word"
        return [
            Fact("input column", self.input, "what the model was trained on" if known else self.why_input),
            Fact("modality", "text", f"column {self.input!r} holds text"),
            Fact("target column", self.target, self.why_target),
            Fact("task", TASK, "named by --task" if asked else f"column {self.target!r} holds {form}"),
        ]


def is_tagging(task: str) -> bool:
    """Whether the answer of ``task`` is a tag for each word."""
    return bool(task) and get(task).readout == "words"


# --- What is in the columns ------------------------------------------------------------------------


def find_tags(sheet: Sheet, settings: SourceSettings, reserved: set[Any]) -> Found | None:
    """The columns with words and tags; None where there are none, or another task is asked for.

    Raises:
        ColumnError: the task is asked for and there are none, one label a row is asked for and there are, or tags are
            numbers that nothing names.
    """
    if settings.target == () or len(settings.target or ()) > 1:
        return None
    if settings.modality is not None and not get_modality(settings.modality).tokenised:
        return None
    asked = settings.task is not None
    if asked and not is_tagging(str(settings.task)) and get(str(settings.task)).several:
        return None
    found = _spans(sheet, settings, reserved) or _lists(sheet, settings, reserved)
    if found is not None and asked and not is_tagging(str(settings.task)):
        raise ColumnError(
            f"{sheet.name}: column {found.target!r} holds tags for the words of {found.input!r}, and task "
            f"{settings.task!r} takes one label or value a row; leave --task out, or name another --target."
        )
    if found is None and is_tagging(settings.task or ""):
        raise ColumnError(
            f"{sheet.name}: task {TASK!r} needs a column of words with one of as many tags, or a text with spans such "
            f"as [start, end, label]; the columns are {some(map(repr, sheet.columns), 12)}."
        )
    return found


def _candidates(sheet: Sheet, named: str | None, usual: Sequence[str], reserved: set[Any]) -> list[str]:
    """The column the user ``named``, else those of ``usual`` names, in the order of these."""
    if named is not None:
        sheet.column(named, "target" if usual is not TEXT_NAMES else "input")
        return [named]
    return [name for name in _usual(sheet.columns, usual) if name not in reserved]


def _target(settings: SourceSettings) -> str | None:
    return settings.target[0] if settings.target else None


def _why(named: str | None, others: Sequence[str], what: str, option: str) -> str:
    if named is not None:
        return f"named by --{option}"
    return f"{what}{f'; {some(others)} could serve too (--{option})' if others else ''}"


def _spans(sheet: Sheet, settings: SourceSettings, reserved: set[Any]) -> Found | None:
    """A text and marked stretches of it."""
    reserved = reserved - {_target(settings)}
    targets = _candidates(sheet, _target(settings), SPAN_NAMES, reserved)
    targets = [name for name in targets if _are_spans(sheet.columns[name])]
    texts = [name for name in sheet.columns if name not in reserved and name not in targets]
    texts = [name for name in texts if _are_texts(sheet.columns[name])]
    usual = [n for n in _candidates(sheet, settings.input, TEXT_NAMES, reserved) if n in texts]
    inputs = usual or (texts if len(texts) == 1 else [])
    if not targets or not inputs:
        return None
    why_input = _why(settings.input, usual[1:], "the text that spans are of", "input")
    why = _why(_target(settings), targets[1:], "spans of the text, each with its label", "target")
    return Found(inputs[0], why_input, targets[0], why, Cells("spans"))


def _are_spans(values: Sequence[Any]) -> bool:
    """Whether all cells are lists, and those with anything hold spans."""
    sample = [value for value in values if not is_empty(value)][:_SAMPLE]
    lists = [_json(value) for value in sample]
    if not lists or not all(isinstance(cell, list | tuple | np.ndarray) for cell in lists):
        return False
    items = [item for cell in lists for item in cell]
    return bool(items) and all(span_of_cell(item) is not None for item in items)


def _are_texts(values: Sequence[Any]) -> bool:
    sample = [value for value in values if not is_empty(value)][:_SAMPLE]
    return bool(sample) and all(isinstance(value, str) for value in sample)


def _lists(sheet: Sheet, settings: SourceSettings, reserved: set[Any]) -> Found | None:
    """Two columns of as many words as tags."""
    asked, target = is_tagging(settings.task or ""), _target(settings)
    reserved = reserved - {target}
    rows = range(min(len(sheet), _SAMPLE))
    free = [name for name in sheet.columns if name not in reserved]
    cells = {name: [words_of(sheet.columns[name][row]) for row in rows] for name in free}
    cells = {
        name: found
        for name, found in cells.items()
        if any(row and len(row) > 1 for row in found) or (any(found) and _are_lists(sheet.columns[name]))
    }
    inputs = [settings.input] if settings.input in cells else [] if settings.input else _token_columns(sheet, cells)
    for name in inputs:
        others = [other for other in cells if other != name and target in (None, other)]
        fitting = [other for other in others if _fits(sheet, cells, name, other, asked, target == other)]
        if fitting:
            order = [*WORD_TAG_NAMES, *(one for one in fitting)]
            fitting.sort(key=lambda one: order.index(one.lower()) if one.lower() in order else order.index(one))
            usual = fitting[0].lower() in WORD_TAG_NAMES
            if not usual and target is None and len(fitting) > 1:
                raise ColumnError(
                    f"{sheet.name}: several columns could serve as the target: {some(fitting, 8)}; pass --target NAME "
                    "to choose."
                )
            why = _why(target, fitting[1:], f"as many tags as {name!r} has words", "target")
            return Found(name, _why(settings.input, (), "holds words, one by one", "input"), fitting[0], why, _TAGS)
    if not inputs or target is not None:
        _check_tokens(sheet, cells, target)
    return None


_TAGS = Cells("tags")


def _token_columns(sheet: Sheet, cells: dict[str, list[list[str] | None]]) -> list[str]:
    """Those that may hold words: first of usual names, then lists, then texts."""
    known = [name for name in cells if _hold_text(sheet.columns[name]) and not are_entity_tags(_items_in(cells[name]))]
    named, texts = _usual(known, TOKEN_NAMES), _usual(known, TEXT_NAMES)
    plain = any(_are_texts(sheet.columns[name]) for name in _usual(sheet.columns, TEXT_NAMES))
    lists = [] if plain else [name for name in known if any(map(_is_list, sheet.columns[name][:_SAMPLE]))]
    return list(dict.fromkeys([*named, *lists, *texts]))


def _items_in(rows: Iterable[list[str] | None]) -> set[str]:
    return {item for row in rows for item in row or ()}


def _usual(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Those of ``columns`` with one of ``names``, in the order of these."""
    order = {name: i for i, name in enumerate(names)}
    return sorted((c for c in columns if c.lower() in order), key=lambda c: order[c.lower()])


def _hold_text(values: Sequence[Any]) -> bool:
    """Whether the first cell with anything is text, or a list of it."""
    cells = (_json(value) for value in values if not is_empty(value))
    first = next((cell for cell in cells if isinstance(cell, str) or len(_items(cell))), "")
    return isinstance(first, str) or isinstance(first[0], str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray | Words)


def _fits(
    sheet: Sheet, cells: dict[str, list[list[str] | None]], name: str, other: str, asked: bool, named: bool
) -> bool:
    """Whether ``other`` has a tag for each word of ``name``, in nearly all rows."""
    pairs = [(a, b) for a, b in zip(cells[name], cells[other], strict=True) if a and b]
    if not pairs:
        return False
    alike = sum(len(a) == len(b) for a, b in pairs) / len(pairs)
    tags = _items_in([b for _, b in pairs])
    several, words = any(len(b) > 1 for _, b in pairs), _items_in([a for a, _ in pairs])
    lists = [_are_lists(sheet.columns[column]) for column in (name, other)]
    if not all(lists) and not asked and not are_entity_tags(tags):
        return False  # two texts of as many words are no words and tags, nor has a text a label for each of them
    usual = other.lower() in WORD_TAG_NAMES
    if asked and (named or usual):
        return True
    if lists[0] and usual and name.lower() in TOKEN_NAMES and (other.lower() in _SURE or are_entity_tags(tags)):
        return True
    enough = _NAMED if all(lists) and (usual or named) else _ALIKE
    return several and alike >= enough and (usual or named or 2 * len(tags) <= max(len(words), 4))


def _are_lists(values: Sequence[Any]) -> bool:
    sample = [value for value in values if not is_empty(value)][:_SAMPLE]
    return all(_is_list(value) or (isinstance(value, str) and value.strip()[:1] == "[") for value in sample)


def _check_tokens(sheet: Sheet, cells: dict[str, list[list[str] | None]], target: str | None) -> None:
    """`ColumnError` for tags of entities where nothing holds the words that they are of."""
    for name in cells if target is None else [target] if target in cells else []:
        tags = _items_in(cells[name])
        if _are_lists(sheet.columns[name]) and are_entity_tags(tags):
            raise ColumnError(
                f"{sheet.name}: column {name!r} holds tags such as {sorted(tags)[0]!r}, and no column holds as many "
                "words; give a column of words, such as tokens, or name it with --input."
            )


# --- Cells -------------------------------------------------------------------------------------------


def _json(value: Any) -> Any:
    """A list written as JSON or as Python writes it; anything else as it is."""
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "("):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            return read(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return value


def words_of(value: Any) -> list[str] | None:
    """The words or tags in a cell: of a list, of one written as text, or between blanks; None: there are none."""
    if isinstance(value, Words):
        return value.tokens
    if isinstance(value, Unreadable) or is_empty(value):
        return None
    found = _json(value)
    if isinstance(found, str):
        listed = as_list(found) if found.strip()[:1] == "[" else None
        return found.split() if listed is None else [str(item) for item in listed]
    if not isinstance(found, list | tuple | np.ndarray) or (isinstance(found, np.ndarray) and found.ndim != 1):
        return None
    if any(item is None or isinstance(item, list | tuple | dict | bytes | np.ndarray) for item in found):
        return None
    return [str(item) for item in found]


def tokens_of(value: Any) -> tuple[Words | None, str]:
    """A text of the words in a cell, or the reason why there is none."""
    if isinstance(value, Unreadable):
        return None, value.reason
    if isinstance(value, Words):
        return (value, "") if len(value.bounds) else (None, "empty sentence")
    tokens = words_of(value)
    if tokens is None:
        return None, "empty sentence" if is_empty(value) else "no list of words"
    if not tokens:
        return None, "empty sentence"
    for i, token in enumerate(tokens):
        if token.split() != [token]:
            odd = "is empty" if not token.strip() else "holds white space: give each word an item of its own"
            return None, f"word {i + 1}, {token!r}, {odd}"
    return Words.of(tokens), ""


def as_input(value: Any) -> tuple[str, str]:
    """(the text of the words in a cell, ""), or ("", the reason why there is none)."""
    text, reason = tokens_of(value)
    return ("", reason) if text is None else (text, "")


def lists_words(choice: Choice) -> bool:
    """Whether an input without targets may be a list of words, as text."""
    return not choice.targets and choice.cells.kind == "tags"


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    label: str


def span_of_cell(item: Any) -> _Span | None:
    """A span as spaCy, doccano or Prodigy write it: [start, end, label], or an object; None where it is none."""
    if isinstance(item, list | tuple | np.ndarray):
        if len(item) != 3:
            return None
        start, end, label = item
    elif isinstance(item, dict):
        label = next((item[name] for name in _LABELS if item.get(name) is not None), None)
        start, end = next(((item[a], item[b]) for a, b in _EDGES if a in item and b in item), (None, None))
    else:
        return None
    numbers = all(isinstance(edge, int | np.integer) and not isinstance(edge, bool) for edge in (start, end))
    if not numbers or not isinstance(label, str) or not label.strip():
        return None
    return _Span(int(start), int(end), own_label(label))


# --- Rows --------------------------------------------------------------------------------------------


@dataclass
class Tagger:
    """Reads rows of several sheets, and keeps what is to be told of all of them.

    Attributes:
        spans: how many were read.
        split: ids of rows, one for each span that begins or ends inside a word.
        over: those left out as they overlap a longer one.
    """

    spans: int = 0
    split: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)

    def row(self, sheet: Sheet, row: int, choice: Choice) -> tuple[Any, Any, str]:
        """(text with its words, tags, "") of a row, or (None, None, the reason why it cannot be used)."""
        target, cells = choice.targets[0], choice.cells
        answer = sheet.columns["answer"][row] if "answer" in sheet.columns and cells.kind == "spans" else "accept"
        if answer in ("reject", "ignore"):
            return None, None, f"the annotator's answer is {answer!r}"
        value, given = sheet.columns[choice.input][row], sheet.columns[target][row]
        if cells.kind == "spans":
            return self._of_spans(sheet.row_id(row), value, given)
        text, reason = tokens_of(value)
        if text is None:
            return None, None, reason
        found = _json(given)
        if not isinstance(found, str) and any(isinstance(tag, int | float | np.number) for tag in _items(found)):
            raise ColumnError(
                f"{sheet.name}: column {target!r} holds numbers for tags, such as in row {sheet.row_id(row)}, and "
                "nothing says what they are called; write the tags' names in their place."
            )
        tags = words_of(given)
        if tags is None:
            return None, None, "no tags" if is_empty(given) else "a word has no tag"
        if len(tags) != len(text.bounds):
            return None, None, f"{counted(len(text.bounds), 'word')} and {counted(len(tags), 'tag')}"
        names = tuple(map(own_label, tags))
        blank = next((i for i, tag in enumerate(names) if not tag), None)
        return (text, names, "") if blank is None else (None, None, f"word {blank + 1} has no tag")

    def _of_spans(self, name: str, value: Any, given: Any) -> tuple[Any, Any, str]:
        if not isinstance(value, str) or not value.strip():
            return None, None, "empty text"
        if is_empty(given):
            return None, None, "no spans; give [] for a text without any"
        found = []
        for item in _items(_json(given)):
            span = span_of_cell(item)
            if span is None:
                return None, None, f"{str(item)[:60]} is no span [start, end, label]"
            inside = 0 <= span.start < span.end <= len(value)
            marked = value[span.start : span.end] if inside else ""
            if not marked.strip():
                what = "has no characters" if inside or span.start == span.end else "is not within the text"
                return None, None, f"span [{span.start}, {span.end}, {span.label}] {what} of {len(value)} characters"
            start = span.start + len(marked) - len(marked.lstrip())
            found.append(replace(span, start=start, end=start + len(marked.strip())))
        kept = self._apart(name, found)
        bounds = self._words(name, value, kept)
        return Words(value, bounds), _tags(bounds, kept), ""

    def _apart(self, name: str, spans: list[_Span]) -> list[_Span]:
        """Those of ``spans`` that overlap none that is longer, or comes first, in the order of the text."""
        kept: list[_Span] = []
        for span in sorted(dict.fromkeys(spans), key=lambda one: (one.start - one.end, one.start)):
            other = next((one for one in kept if one.start < span.end and span.start < one.end), None)
            if other is None:
                kept.append(span)
                continue
            shown = [f"[{one.start}, {one.end}] {one.label}" for one in (span, other)]
            self.over.append(f"{name} {shown[0]} over {shown[1]}")
        self.spans += len(kept)
        return sorted(kept, key=lambda one: one.start)

    def _words(self, name: str, text: str, spans: list[_Span]) -> list[tuple[int, int]]:
        """The words of ``text``, those in which a span begins or ends split there."""
        words = split_words(text)
        starts = np.array([start for start, _ in words], np.int64)
        cuts: dict[int, set[int]] = {}
        for span in spans:
            inside = False
            for edge in (span.start, span.end):
                at = int(np.searchsorted(starts, edge, side="right")) - 1
                if at >= 0 and words[at][0] < edge < words[at][1]:
                    cuts.setdefault(at, set()).add(edge)
                    inside = True
            if inside:
                self.split.append(name)
        out: list[tuple[int, int]] = []
        for at, (start, end) in enumerate(words):
            edges = [start, *sorted(cuts.get(at, ())), end]
            out += itertools.pairwise(edges)
        return out

    def finish(self, table: Table, *, where: str, strict: bool, firm: bool) -> tuple[Table, tuple[Fact, ...]]:
        """The ``table`` of all rows with its tags in one scheme, and what was found; ``where`` it is from.

        Raises:
            LabelError: all words have one tag, where the source is not ``firm`` in what tags there are; see `in_iob2`.
        """
        facts = []
        if self.split:
            where = some(dict.fromkeys(self.split), _SHOWN)
            told = f"these words are split there, so that the spans are as given: {where}"
            facts.append(Fact("spans", f"{len(self.split):,} of {self.spans:,} begin or end inside a word", told))
        if self.over:
            told = f"they overlap a longer one, or one that comes first: {some(self.over, _SHOWN)}"
            facts.append(Fact("spans", f"{len(self.over):,} left out", told))
        rows = list(table.targets) if table.targets is not None else []
        met = {tag for row in rows for tag in row}
        if len(met) == 1 and not firm:
            raise LabelError(f"{where}: every word has the tag {met.pop()!r}; tagging needs at least two tags.")
        tags, more = in_iob2(rows, table.ids.tolist(), strict=strict, where=where)
        return replace(table, targets=objects(tags)), (*facts, *more)


def _items(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple | np.ndarray) else []


def _tags(bounds: Sequence[tuple[int, int]], spans: Sequence[_Span]) -> tuple[str, ...]:
    """IOB2 tags of words of which each is within one of ``spans`` or outside all, both in the order of the text."""
    out, at, begun = [], 0, False
    for start, end in bounds:
        while at < len(spans) and spans[at].end <= start:
            at, begun = at + 1, False
        if at < len(spans) and spans[at].start <= start and end <= spans[at].end:
            out.append(f"{'I' if begun else 'B'}-{spans[at].label}")
            begun = True
        else:
            out.append("O")
    return tuple(out)


def documents(sheets: Sequence[Sheet], least: int = 10) -> tuple[bool, tuple[Fact, ...]]:
    """Whether rows of one document are kept together: where there are at least so many; and that in words."""
    found: Counter[str] = Counter(name for sheet in sheets if sheet.group for name in sheet.columns[sheet.group])
    if len(found) >= least:
        told = "the file marks them; rows of one document are kept in one split (--group names another column)"
        return True, (Fact("groups", counted(len(found), "document"), told),)
    if not found:
        return False, ()
    told = f"fewer than {least}, too few to keep each of them in one split"
    return False, (Fact("groups", f"none: {counted(len(found), 'document')}", told),)


def is_words(value: Any) -> bool:
    """Whether a cell holds a list of words."""
    return isinstance(value, list | tuple | np.ndarray) and len(value) > 0 and all(isinstance(v, str) for v in value)
