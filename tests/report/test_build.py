"""The report: self-contained, escaped, whole, and quick to make."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from headstart.records import ClassRecord, ControlRecord, GainRecord, MetricRecord, Result
from headstart.report import plots, sentences, words
from headstart.report.bars import Dot, bars
from headstart.report.build import _page, build
from headstart.report.evidence import Evidence, Example
from tests.report import judged, ladders, made_up

Make = Callable[[], tuple[Result, Evidence]]
MAKERS = [made_up.images, made_up.texts, made_up.numbers, made_up.tags, made_up.climbed, made_up.control_kept]
ALL = pytest.mark.parametrize("make", MAKERS)
VOID = {"meta", "img", "br", "hr", "input", "link", "wbr"}


class Reader(HTMLParser):
    """Checks nesting and gathers elements, addresses, ids and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.faults: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")
        self.text += " " if tag in ("td", "th", "tr", "p", "li", "text", "caption", "dt", "dd", "h2", "h3") else ""

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    reader.text = " ".join(reader.text.split())
    return reader


@cache
def html_of(make: Make) -> str:
    return build(*make())


@cache
def page(make: Make) -> Reader:
    return read(html_of(make))


@ALL
def test_is_well_nested_with_unique_ids_and_live_references(make: Make) -> None:
    reader = page(make)
    assert reader.faults == []
    assert reader.open == []
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in reader.elements if tag in ("a", "use")]
    links += [a["clip-path"][4:-1] for _, a in reader.elements if "clip-path" in a]
    named = " ".join(a.get("aria-labelledby", "") for _, a in reader.elements).split()
    assert {link.removeprefix("#") for link in links} | set(named) <= set(ids)


@ALL
def test_loads_nothing_from_elsewhere(make: Make) -> None:
    html, reader = html_of(make), page(make)
    assert not {tag for tag, _ in reader.elements} & {"script", "link", "iframe", "object", "base"}
    for _, attributes in reader.elements:
        for name in ("src", "href", "srcset", "xlink:href", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:image/jpeg;base64,"))
    assert not re.search(r"url\((?!#)|@import|https?://", html)


@ALL
def test_serves_readers_of_every_kind(make: Make) -> None:
    reader = page(make)
    elements = reader.elements
    assert ("html", {"lang": "en"}) in elements
    assert any(a.get("name") == "viewport" for _, a in elements)
    tags = [tag for tag, _ in elements]
    assert all(tags.count(tag) == 1 for tag in ("header", "main", "footer", "h1"))
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in a for tag, a in elements if tag == "th")
    assert all(a.get("alt") for tag, a in elements if tag == "img")
    assert all(a["role"] == "img" for tag, a in elements if tag == "svg")


@ALL
def test_answers_come_first_and_the_rest_is_folded(make: Make) -> None:
    result, _ = make()
    reader = page(make)
    steps = [words.outcome(result.verdict.outcome).words, sentences.headline(result), result.verdict.next_step]
    steps += ["Selected model:", "against baselines", "All metrics", "Data and split", "Provenance", "repeat the run"]
    place = 0
    for step in filter(None, steps):
        place = reader.text.index(step, place)  # fails if it comes before the last one only
    for control in result.controls:
        assert control.name in reader.text
    assert set(sections(reader)) <= {"score", "confusion", "mistakes"}
    folded = [a for tag, a in reader.elements if tag == "details"]
    assert len(folded) >= 4
    assert not any("open" in a for a in folded)


def sections(reader: Reader) -> list[str]:
    return [a["id"] for tag, a in reader.elements if tag == "section"]


def test_a_probe_of_two_classes_takes_at_most_900_words() -> None:
    result, evidence = made_up.images()
    whole = replace(result, **{**judged.everything(), "shift": None}, diagnosis=ladders.findings())
    few = replace(evidence, examples=evidence.examples * 2)  # six of each split, as a run shows
    said = re.sub(r"<(style|title|desc)\b.*?</\1>", "", build(whole, few), flags=re.DOTALL)
    assert 300 < len(read(said).text.split()) <= 900
    assert "Strategy search" not in said  # one strategy ran


@ALL
def test_missing_numbers_are_dashes(make: Make) -> None:
    result, evidence = make()
    lacking = replace(
        result,
        test=replace(
            result.test, low=None, high=float("nan"), metrics={result.metric: MetricRecord(float("nan"), None, None)}
        ),
        transfer_gain=GainRecord(float("nan"), None, None, "mean"),  # as read back from JSON
        controls=[ControlRecord("mean", float("nan"), None, None, float("nan"))],
    )
    reader = read(build(lacking, evidence))
    assert not re.search(r"\b(nan|None|inf)\b", reader.text)
    assert "mean baseline –" in reader.text
    assert not any("nan" in value for _, a in reader.elements for key, value in a.items() if key in ("d", "x", "y"))


def test_text_from_the_data_is_escaped() -> None:
    evil = '<script>alert("1")</script>'
    result, evidence = made_up.images()
    result = replace(
        result,
        name=evil,
        verdict=replace(result.verdict, sentence=evil),
        controls=[ControlRecord(evil, 0.5, 0.4, 0.6, 1.0)],
        data=replace(result.data, source=evil, labels=[evil, "b"]),
        transfer_gain=replace(result.transfer_gain, against=evil),
        settings={evil: evil},
        classes=[ClassRecord(evil, 1, 1.0, 0.2, 1.0, 1.0, 0.2, 1.0)],
        test=replace(result.test, undefined={evil: evil}),
    )
    evidence = replace(
        evidence,
        labels=(evil, "b"),
        examples=(Example("test", evil, evil, evil + "b", 0.9, evil),),
    )
    html = build(result, evidence)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 10
    assert read(html).faults == []


def test_small_confusion_is_a_matrix_and_a_large_one_is_pairs() -> None:
    small, large = page(made_up.images), page(made_up.texts)
    assert "ants 36 3 bees 2 39" in small.text
    assert "Most confused pairs" not in small.text
    _, evidence = made_up.texts()
    counts = evidence.confusion
    assert counts is not None
    wrong = counts - np.diag(counts.diagonal())
    i, j = np.unravel_index(wrong.argmax(), wrong.shape)
    table = large.text[large.text.index("Most confused pairs") :]
    assert table.index(f"{evidence.labels[i]} {evidence.labels[j]} {wrong.max()}") < 150
    assert not any("confusion" in a.get("class", "") for _, a in large.elements)


def test_classes_come_worst_first() -> None:
    tags = page(made_up.tags).text
    assert tags.index("round 0.500 [0.350, 0.650] 0.600 [0.420, 0.750] 30") < tags.index("red 0.900 [0.700, 0.970]")
    assert tags.index("red 0.900") < tags.index("rare – – 0")
    assert "confusion" in sections(page(made_up.tags))  # of labels the table stands in its place
    texts = page(made_up.texts)
    assert "classes" in [a.get("id") for tag, a in texts.elements if tag == "details"]


def test_mistakes_of_both_splits_are_shown_with_their_pictures() -> None:
    result, _ = made_up.images()
    found = (
        Example("validation", "b.jpg", "a", "b", 0.6, picture=b"JPEG"),
        Example("test", "a.jpg", "a", "b", 0.9),
    )
    reader = read(build(result, Evidence(examples=found, wrong={"test": (1, 40), "validation": (2, 1200)})))
    assert reader.text.index("Test: 1 mistake in 40 rows") < reader.text.index("a.jpg")
    assert reader.text.index("Validation: 2 mistakes in 1,200 rows") < reader.text.index("b.jpg")
    assert ("data:image/jpeg;base64,SlBFRw==") in [a.get("src") for tag, a in reader.elements if tag == "img"]
    assert "mistakes" not in sections(read(build(result, Evidence())))


def test_regression_shows_a_scatter_and_no_classes() -> None:
    reader = page(made_up.numbers)
    assert "Predicted against true" in reader.text
    assert "Largest errors" in reader.text
    assert "Largest errors" in reader.text
    scatter = str(plots.scatter(made_up.numbers()[1].scatter, name="scatter", title="t")[0])
    assert scatter.count("<use") == 300
    assert "Predictions by range of the true value" in reader.text


def test_empty_evidence_leaves_sections_out() -> None:
    result, _ = made_up.images()
    reader = read(build(replace(result, controls=[], candidates=[]), Evidence()))
    assert reader.faults == []
    assert sections(reader) == ["score"]
    assert "No baseline was run" in reader.text


def test_says_how_to_repeat_and_how_often_the_test_set_was_evaluated() -> None:
    images, texts = page(made_up.images).text, page(made_up.texts).text
    assert "headstart fit data/hymenoptera --slice camera" in images
    assert "This run evaluated the test set once, after every choice was made." in images
    assert "headstart.fit( 'requests.csv', target=('category',), test_size=0.25, seed=0, )" in texts
    assert "evaluated the test set 3 times. Earlier runs on this machine evaluated the same rows 2 times." in texts
    assert "the score may be too optimistic" in texts
    assert "the score may be too optimistic" not in images


def test_scores_are_drawn_on_one_scale() -> None:
    rows = [Dot("a", 0.9, 0.8, 0.95), Dot("b", 0.5, None, None), Dot("c", float("nan"), None, None)]
    table = bars(rows, id="x", caption="", heads=("", ""), mark=0.7)
    assert [text for text, _ in table.ticks] == ["0.5", "0.6", "0.7", "0.8", "0.9", "1"]
    assert [(row.at, row.low, row.wide) for row in table.rows] == [(80, 60, 30), (0, None, 0), (None, None, 0)]
    assert table.mark == 40
    assert [row.text.replace("\u00a0", " ") for row in table.rows] == ["0.900 [0.800, 0.950]", "0.500", "–"]


def test_confusion_must_fit_the_labels() -> None:
    result, _ = made_up.images()
    with pytest.raises(ValueError, match="must be"):
        build(result, Evidence(labels=("a",), confusion=np.eye(2, dtype=int)))


def test_is_quick() -> None:
    result, evidence = made_up.texts()
    build(result, evidence)
    spent = []
    for _ in range(5):
        _page.cache_clear()
        start = time.process_time()
        build(result, evidence)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5  # seconds of one core, matplotlib's import not included
