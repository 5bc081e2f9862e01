"""Numbers, words, charts and counts that the report is made of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headstart.evaluation.metrics import METRICS
from headstart.report import confusion, drawing, figures, plots, words
from headstart.report.evidence import ClassScore
from headstart.report.plots import Dot

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9375, "0.938"),
        (-0.25, "−0.250"),
        (0.0, "0.000"),
        (0.00012, "0.00012"),
        (12.345, "12.35"),
        (123456.7, "123,457"),
        (None, "–"),
        (NAN, "–"),
        (float("inf"), "–"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert figures.number(value) == text


def test_figures_in_words() -> None:
    durations = [figures.duration(s).replace("\u00a0", " ") for s in (0.001, 0.04, 1.84, 59.9, 200, 3900)]
    assert durations == ["< 0.01 s", "0.04 s", "1.8 s", "1 min 0 s", "3 min 20 s", "1 h 5 min"]
    shares = [figures.share(s).replace("\u00a0", " ") for s in (0.5, 0.9999, 1.0, NAN)]
    assert shares == ["50 %", "99.9 %", "100 %", "–"]
    assert figures.signed(0.25) == "+0.250"
    assert figures.interval(0.1, NAN) == "–"
    assert (
        figures.plain({"c": 0.31623, "tags": ["a", "b"], "x": None, "on": True}) == "c 0.3162, tags a, b, x –, on yes"
    )


def test_every_metric_has_its_words() -> None:
    assert set(words.WORDINGS) == set(METRICS)
    assert words.direction("mae") == "lower is better"
    assert (words.title("own"), words.sentence("own"), words.direction("own")) == ("own", "", "")


def _numbers(svg: str, name: str) -> list[float]:
    return [float(v) for v in re.findall(rf' {name}="([-\d.]+)%"', svg)]


def test_dots_lie_in_order_on_one_scale() -> None:
    rows = [Dot("a", 0.9, 0.8, 0.95, strong=True), Dot("b", 0.5, 0.4, 0.6), Dot("c", NAN, None, None)]
    svg = plots.dots(rows, name="n", title="t & u")
    first, second = _numbers(svg, "cx")
    assert 0 < second < first < 100
    assert "t &amp; u" in svg
    assert "c: –, interval –" in svg


def test_mark_is_on_the_scale() -> None:
    svg = plots.dots([Dot("gain", 0.3, 0.2, 0.4)], name="n", title="t", mark=0.0)
    mark = re.search(r'class="mark" x1="([\d.]+)%"', svg)
    assert mark is not None
    assert 0 <= float(mark.group(1)) < _numbers(svg, "cx")[0]


def test_scatter_thins_many_points_and_drops_undefined_ones() -> None:
    points = np.column_stack([np.arange(9000.0), np.arange(9000.0)])
    points[0] = np.nan
    svg, shown = plots.scatter(points, name="n", title="t")
    assert shown == svg.count("<circle") == 1500
    assert all(abs(x + y - 100) < 0.02 for x, y in zip(_numbers(svg, "cx"), _numbers(svg, "cy"), strict=True))


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5], [-3.0, 1e6], [1e-9, 2e-9]])
def test_ticks_span_what_they_are_given(values: list[float]) -> None:
    ticks = drawing.round_ticks(values)
    assert 2 <= len(ticks) <= 7
    assert all(ticks[0] <= v <= ticks[-1] for v in values)


def test_pairs_and_classes_are_sorted() -> None:
    counts = np.array([[5, 1, 0], [0, 6, 4], [1, 0, 0]])
    found = confusion.pairs(counts, ("a", "b", "c"))
    assert [(p.truth, p.predicted, p.count) for p in found] == [("b", "c", 4), ("c", "a", 1), ("a", "b", 1)]
    assert found[0].share == pytest.approx(0.4)
    rows = [
        ClassScore("none", NAN, NAN, 0),
        ClassScore("good", 1.0, 1.0, 3),
        ClassScore("missed", NAN, 0.0, 2),
    ]
    assert [row.label for row, _ in confusion.worst_first(rows)] == ["missed", "good", "none"]
    assert confusion.f1(ClassScore("x", 0.5, 1.0, 4)) == pytest.approx(2 / 3)
