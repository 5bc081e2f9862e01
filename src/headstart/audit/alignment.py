"""Two sequences aligned in work that grows with their length, however often their elements repeat."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from typing import Any

_SMALL = 10_000  # elements of one times elements of the other up to which difflib is quick whatever they hold
_STEPS = 100_000  # pairs of equal elements that are looked at in search of the longest runs
_PASSES = 20  # times that both sequences are gone over in search of elements that occur once in each

#: Start and end in the first sequence, start and end in the second.
Span = tuple[int, int, int, int]


@dataclass(frozen=True)
class Alignment:
    """What two sequences have in common.

    Attributes:
        equal: runs that are the same in both, in the order of both.
        between: what stands between these runs and is not empty on either side.
        unordered: stretches that repeat themselves too much to be aligned, so that what they share is not known. Equal
            counts would say nothing: two random texts of four letters have them too.
    """

    equal: tuple[Span, ...]
    between: tuple[Span, ...]
    unordered: tuple[Span, ...]


def align(a: Sequence[Any], b: Sequence[Any]) -> Alignment:
    """Runs in common as Ratcliff & Obershelp find them, by difflib: the longest first, then on either side of it.

    On texts that repeat themselves that takes time in the square of their length or worse. Of long ones, what both
    begin and end with is therefore set aside first; and after `_STEPS` a stretch is parted at the elements that occur
    once in each (B. Cohen's patience diff), and where there are none, it is left ``unordered``.
    """
    if len(a) * len(b) <= _SMALL:
        return Alignment(*_plain(a, b), ())
    start = _common(a, b)
    end = _common(a[start:], b[start:], at_end=True)
    middle = a[start : len(a) - end], b[start : len(b) - end]
    small = len(middle[0]) * len(middle[1]) <= _SMALL
    found = (*_plain(*middle), ()) if small else _Search(*middle).run()
    equal, between, unordered = (tuple(tuple(x + start for x in span) for span in spans) for spans in found)
    first, last = (0, start, 0, start), (len(a) - end, len(a), len(b) - end, len(b))
    whole = [span for span in (first, *equal, last) if span[0] < span[1]]
    return Alignment(tuple(_joined(whole)), between, unordered)  # type: ignore[arg-type]


def _plain(a: Sequence[Any], b: Sequence[Any]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Equal and between, by difflib."""
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    equal, between = (tuple(code[1:] for code in codes if code[0] == kind) for kind in ("equal", "replace"))
    return equal, between


def _common(a: Sequence[Any], b: Sequence[Any], *, at_end: bool = False) -> int:
    """Elements that both begin with, or end with; by halving, for slices are compared quickly."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if at_end:
            same = a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]
        else:
            same = a[low:middle] == b[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


class _Search:
    """The search for runs in common of two long sequences."""

    def __init__(self, a: Sequence[Any], b: Sequence[Any]) -> None:
        self._a, self._b = a, b
        self._matcher = SequenceMatcher(None, a, b, autojunk=False)
        often = Counter(b)
        self._costs = [0, *accumulate(often[element] for element in a)]
        self._steps, self._passed = _STEPS, _PASSES * (len(a) + len(b))
        self._equal: list[Span] = []
        self._unordered: list[Span] = []

    def run(self) -> tuple[tuple[Span, ...], tuple[Span, ...], tuple[Span, ...]]:
        """Equal, between and unordered, as `Alignment` has them."""
        left: list[Span] = [(0, len(self._a), 0, len(self._b))]
        while left:
            span = left.pop()
            if span[0] < span[1] and span[2] < span[3]:
                left.extend(self._parted(span))
        equal = _joined(sorted(self._equal))
        gaps = _between(sorted((*equal, *self._unordered)), len(self._a), len(self._b))
        return tuple(equal), tuple(gaps), tuple(sorted(self._unordered))

    def _parted(self, span: Span) -> Iterable[Span]:
        """Note what ``span`` has in common, and give the stretches that are left to look at."""
        i, j, k, m = span
        steps = self._costs[j] - self._costs[i] + j - i
        if steps <= self._steps:
            self._steps -= steps
            at, to, size = self._matcher.find_longest_match(i, j, k, m)
            if not size:
                return ()
            self._equal.append((at, at + size, to, to + size))
            return (i, at, k, to), (at + size, j, to + size, m)
        return self._parted_quickly(*span)

    def _parted_quickly(self, i: int, j: int, k: int, m: int) -> Iterable[Span]:
        """The stretches between the elements that occur once in each; without them the stretch stays unordered."""
        self._passed -= j - i + m - k
        anchors = _anchors(self._a[i:j], self._b[k:m]) if self._passed > 0 else []
        if not anchors:
            self._unordered.append((i, j, k, m))
            return ()
        self._equal += [(i + x, i + x + 1, k + y, k + y + 1) for x, y in anchors]
        edges = [(-1, -1), *anchors, (j - i, m - k)]
        return [(i + x + 1, i + x_next, k + y + 1, k + y_next) for (x, y), (x_next, y_next) in pairwise(edges)]


def _anchors(a: Sequence[Any], b: Sequence[Any]) -> list[tuple[int, int]]:
    """Places in both of the elements that occur once in each, in the longest order that both agree on."""
    once_a, once_b = _once(a), _once(b)
    pairs = sorted((place, once_b[element]) for element, place in once_a.items() if element in once_b)
    tails: list[int] = []  # the least last place of an increasing run of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_, y) in enumerate(pairs):
        at = bisect_left(tails, y)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1], ends[at : at + 1] = [y], [number]
    chain, number = [], ends[-1] if ends else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _once(elements: Sequence[Any]) -> dict[Any, int]:
    counts = Counter(elements)
    return {element: place for place, element in enumerate(elements) if counts[element] == 1}


def _joined(spans: list[Span]) -> list[Span]:
    """Runs that follow on one another in both as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1][1] == span[0] and joined[-1][3] == span[2]:
            joined[-1] = (joined[-1][0], span[1], joined[-1][2], span[3])
        else:
            joined.append(span)
    return joined


def _between(spans: list[Span], a: int, b: int) -> Iterator[Span]:
    """What stands between ``spans`` in two sequences of lengths ``a`` and ``b``, not empty on either side."""
    i = k = 0
    for start, end, other, other_end in [*spans, (a, a, b, b)]:
        if i < start and k < other:
            yield i, start, k, other
        i, k = end, other_end
