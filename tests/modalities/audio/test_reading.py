"""What is said of long recordings: how many there are, how they are read, what is left out and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.modalities.audio import AudioSpec
from headstart.modalities.audio.reading import reading_advice, reading_of
from headstart.records import ReadingRecord

from .sounds import RATE


def told(windows: int, *seconds: float) -> ReadingRecord:
    spec = AudioSpec("waveform", longest=10 * RATE, windows=windows)
    lengths = [round(one * RATE) for one in seconds]
    return reading_of(spec, np.array([[one, spec.stretches(one).unread] for one in lengths], np.float32))


def test_short_recordings() -> None:
    found = told(3, 1.0, 10.0)
    assert (found.long, found.cut, found.unread) == (0, 0, 0.0)
    assert found.sentence == "No recording is longer than the 10 s that the base is given at once."


def test_long_ones_in_windows() -> None:
    found = told(3, 1.0, 25.0)
    assert (found.texts, found.long, found.longest, found.cut) == (2, 1, 25, 0)
    assert found.sentence.endswith("they are read in overlapping windows, whose features are averaged.")


@pytest.mark.parametrize(("windows", "share", "words"), [(1, 75, "cut off there"), (3, 25, "longer than 3 windows")])
def test_what_is_not_read_is_said_with_what_to_do(windows: int, share: int, words: str) -> None:
    found = told(windows, 40.0, 2.0)
    assert found.cut == 1
    assert found.unread == pytest.approx(share / 100, abs=0.01)
    assert words in found.sentence
    assert f"{share} % of their sound is not read" in found.sentence
    assert "--windows" in reading_advice(found)
