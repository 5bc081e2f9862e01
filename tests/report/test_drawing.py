"""The one style of all charts."""

from __future__ import annotations

import re
import warnings

import matplotlib
import pytest
from matplotlib.figure import Figure

from headstart.report import drawing
from headstart.report.curves import Curve, curves


def chart(name: str = "n", up: str = "loss") -> str:
    lines = [Curve("a", [(0, 0.9), (1, 0.8)], "strong"), Curve("b", [(0, 0.7), (1, 0.75)], "plain")]
    return str(curves(lines, name=name, title="t", up=up, across="epoch"))


def test_equal_data_make_equal_drawings() -> None:
    assert chart() == chart()


def test_colours_are_the_style_sheets_and_texts_are_texts_of_its_font() -> None:
    svg = chart()
    assert not re.search(r"#0000f|#[0-9a-f]{6}\b|font-family", svg)
    assert "var(--accent)" in svg
    assert re.search(r"<text [^>]*>0\.9</text>", svg)
    assert not re.search(r"<(style|metadata|\?xml|!DOCTYPE)", svg)


def test_ids_of_two_charts_are_apart_and_all_are_used() -> None:
    first, second = (set(re.findall(r' id="([^"]*)"', chart(name))) for name in ("one", "two"))
    assert not first & second
    assert all(name.startswith("one-") for name in first)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]*)', chart("one")))
    assert used == first - {"one-title", "one-desc"}


def test_settings_of_the_user_neither_change_it_nor_are_changed() -> None:
    plain = chart()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert chart() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_letters_that_matplotlibs_font_lacks_are_left_to_the_browser() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = chart(up="漢字 <b>")
    assert ">↑ 漢字 &lt;b&gt;<" in svg


def test_picture_has_no_size_of_its_own() -> None:
    def paint(figure: Figure) -> None:
        drawing.axes(figure, (10, 10, 10, 10)).plot([0, 1], [0, 1])

    svg = drawing.picture(paint, name="n", title="T", spoken="S", height=100)
    assert svg.startswith(
        '<svg role="img" aria-labelledby="n-title n-desc" viewBox="0 0 360 100"><title id="n-title">T<'
    )


@pytest.mark.parametrize(
    ("tick", "text"), [(0.85, "0.85"), (1000, "1,000"), (-0.1, "−0.1"), (2.5e6, "2.5e+06"), (0, "0")]
)
def test_ticks_are_short(tick: float, text: str) -> None:
    assert drawing.short(tick) == text


@pytest.mark.parametrize(("low", "high"), [(1.7e9, 1.7e9 + 4000), (-1e6, -1e6 + 0.1), (0, 1e-13), (3e30, 5e30)])
def test_ticks_are_told_apart_wherever_they_lie(low: float, high: float) -> None:
    ticks = drawing.round_ticks([low, high])
    assert (ticks[0] <= low, ticks[-1] >= high, 3 <= len(ticks) <= 7) == (True, True, True)
    assert len({drawing.short(tick, ticks[1] - ticks[0]) for tick in ticks}) == len(ticks)
