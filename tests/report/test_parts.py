"""Numbers, words, charts and counts that the report is made of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headstart.evaluation.metrics import METRICS
from headstart.report import confusion, drawing, figures, plots, words

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
    assert figures.bounded(0.5, 0.4, 0.6).replace("\u00a0", " ") == "0.500 [0.400, 0.600]"
    assert figures.bounded(0.1, -0.1, 0.3, sign=True).replace("\u00a0", " ") == "+0.100 [−0.100, +0.300]"
    assert figures.bounded(0.5, NAN, 0.6) == "0.500"
    rates = [figures.rate(s).replace("\u00a0", " ") for s in (0.9375, 0.99999, 1.0, 0.0001, 0.0, NAN)]
    assert rates == ["93.8 %", "> 99.9 %", "100.0 %", "< 0.1 %", "0.0 %", "–"]
    assert figures.between(NAN, 1.0) == "too few for an interval"
    assert (figures.capital("JPEG blur"), figures.capital("")) == ("JPEG blur", "")
    assert (
        figures.plain({"c": 0.31623, "tags": ["a", "b"], "x": None, "on": True}) == "c 0.3162, tags a, b, x –, on yes"
    )


def test_every_metric_has_its_words() -> None:
    assert set(words.METRICS_IN_WORDS) <= set(METRICS)
    assert all(words.sentence(name).endswith(".") for name in METRICS)
    assert words.sentence("entity_recall") == "Share of entities found."
    assert words.title("entity_f1_macro") == "Macro entity F1"
    assert words.direction("mae") == "lower is better"
    assert (words.title("own"), words.sentence("own"), words.direction("own")) == ("Own", "", "")


def _places(svg: str) -> list[tuple[float, float]]:
    """Across and down of the dots."""
    return [(float(x), float(y)) for x, y in re.findall(r'<use [^>]*x="([-\d.]+)" y="([-\d.]+)"', svg)]


def test_scatter_thins_many_points_and_drops_undefined_ones() -> None:
    points = np.column_stack([np.arange(9000.0), np.arange(9000.0)])
    points[0] = np.nan
    svg, shown = plots.scatter(points, name="n", title="t")
    places = np.array(_places(svg))
    assert shown == len(places) == 1500
    assert abs(np.corrcoef(places.T)[0, 1] + 1) < 1e-6  # further right is higher


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.5], [-3.0, 1e6], [1e-9, 2e-9]])
def test_ticks_span_what_they_are_given(values: list[float]) -> None:
    ticks = drawing.round_ticks(values)
    assert 2 <= len(ticks) <= 7
    assert all(ticks[0] <= v <= ticks[-1] for v in values)


def test_pairs_are_sorted() -> None:
    counts = np.array([[5, 1, 0], [0, 6, 4], [1, 0, 0]])
    found = confusion.pairs(counts, ("a", "b", "c"))
    assert [(p.truth, p.predicted, p.count) for p in found] == [("b", "c", 4), ("c", "a", 1), ("a", "b", 1)]
    assert found[0].share == pytest.approx(0.4)
