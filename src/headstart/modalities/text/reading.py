"""How much of the texts a base reads: how many are long, how they are read, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.modalities import windows
from headstart.modalities.text.decode import TextSpec
from headstart.records import ReadingRecord


def reading_of(spec: TextSpec, read: np.ndarray) -> ReadingRecord:
    """What became of texts, by ``read`` [n, 2] of an extraction: tokens, and those not read."""
    found = windows.reading_of(read, spec.max_tokens, spec.windows)
    if spec.words:
        return _reading_of_words(found, read)
    return replace(found, sentence=_sentence(found))


def _reading_of_words(found: ReadingRecord, read: np.ndarray) -> ReadingRecord:
    """Of texts whose words have features: they are read in as many windows as it takes, whatever their length."""
    lost = int(read[:, 1].sum())
    more = f" {found.cut:,} have no token that the base knows, and their {lost:,} words no features." if lost else ""
    if not found.long:
        return replace(found, sentence=f"No text has more than {_at_once(found)}.{more}")
    has, are = ("has", "it is") if found.long == 1 else ("have", "they are")
    head = f"{found.long:,} of {found.texts:,} texts {has} more than {_at_once(found)} (the longest {found.longest:,})"
    how = f"{head}: {are} read in overlapping windows, each word in the one that shows most around it."
    return replace(found, sentence=how + more)


def _at_once(found: ReadingRecord) -> str:
    return f"the {found.max_tokens:,} tokens that the base is given at once"


def _sentence(found: ReadingRecord) -> str:
    at_once = _at_once(found)
    if not found.long:
        return f"No text has more than {at_once}."
    has, are, their = ("has", "it is", "its") if found.long == 1 else ("have", "they are", "their")
    head = f"{found.long:,} of {found.texts:,} texts {has} more than {at_once} (the longest {found.longest:,})"
    if found.windows == 1:
        return f"{head}: {are} cut there, and {100 * found.unread:.0f} % of {their} tokens are not read."
    how = f"{head}: {are} read in overlapping windows, whose features are averaged"
    if not found.cut:
        return f"{how}."
    has, are, their = ("has", "it is", "its") if found.cut == 1 else ("have", "they are", "their")
    hold = f"{found.cut:,} {has} more than {found.windows} windows hold: {are} read in pieces from beginning to end"
    return f"{how}; {hold}, and {100 * found.unread:.0f} % of {their} tokens are not read."


def reading_advice(reading: ReadingRecord, most: int | None) -> str:
    """How more of the texts could be read; ``most`` tokens that the base can take at once, None: any number."""
    more = most is None or reading.max_tokens < most
    upto = "more" if most is None else f"up to {most:,}"
    wider = f"; --max-tokens gives the base {upto} at once" if more else ""
    if reading.windows == 1:
        return f"Drop --windows 1, so that long texts are read in windows{wider}."
    return f"A larger --windows reads more of them and takes longer{wider}."
