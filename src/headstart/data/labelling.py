"""Labels as they are kept: trimmed, in composed Unicode, writable; and what of that is to be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from headstart.data.naming import some
from headstart.data.table import Fact
from headstart.unicode import bare, composed, writable

_SHOWN = 5  # sets of labels that look alike

_CHANGES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda text: text != text.strip(), "spaces around {} labels were taken off"),
    (lambda text: text != composed(text), "{} labels in decomposed Unicode are read composed, é as one character"),
    (lambda text: text != writable(text), "{} labels are not valid Unicode and are shown with escapes"),
)


def own_label(text: str) -> str:
    """``text`` without spaces around it, in composed Unicode, and with what is no Unicode escaped."""
    return writable(composed(text.strip()))


def label_facts(where: str, given: Iterable[str]) -> tuple[Fact, ...]:
    """What was changed in the labels of ``where``, with its count, and which of them look alike.

    Args:
        where: the column, or "folders".
        given: the labels as written, one a row or folder.
    """
    counts = Counter(given)
    facts = []
    for changed, said in _CHANGES:
        found = [text for text in counts if changed(text)]
        if found:
            count = sum(counts[text] for text in found)
            shown = some(sorted({repr(own_label(text)) for text in found}))
            facts.append(Fact("labels", where, f"{said.format(count)}: {shown}"))
    return (*facts, *_alike(where, {own_label(text) for text in counts}))


def _alike(where: str, labels: set[str]) -> tuple[Fact, ...]:
    """Labels that differ in spaces, or in characters that are not seen or are drawn the same."""
    looks: dict[str, list[str]] = {}
    for label in sorted(labels):
        looks.setdefault(bare(label), []).append(label)
    alike = [names for names in looks.values() if len(names) > 1]
    told = [Fact("labels", where, f"{len(names)} look alike and are kept apart: {_escaped(names)}") for names in alike]
    more = [Fact("labels", where, f"{len(alike) - _SHOWN} more such sets look alike")] if len(alike) > _SHOWN else []
    return (*told[:_SHOWN], *more)


def _escaped(names: Sequence[str]) -> str:
    """The names with everything but ASCII escaped, so that they can be told apart."""
    return " and ".join(ascii(name) for name in names)
