"""Advice: what it says of data of every task, what it refuses, and that nothing of the test part is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.data import seal
from headstart.errors import LabelError, SettingError, SourceError
from headstart.evaluation.extrapolation import FURTHEST
from headstart.flow.advise.advice import Advice, BaseFacts, ControlFacts, DataFacts, Option
from headstart.flow.advise.advise import advise_source
from headstart.flow.advise.words import beside_control, cautions, not_foretold, what_to_do
from headstart.settings import SourceSettings
from headstart.terminal.advising import advice_text
from headstart.terminal.tables import WIDTH
from headstart.training.distance.measured import Distance
from headstart.training.distance.measures import warning
from tests import toys
from tests.flow.test_tasks import tags, values

_WORDS = ("cat", "dog", "letter", "stamp", "sun", "rain", "bread", "cheese")


def noisy(path: Path, rows: int = 160) -> Path:
    """Two classes that a few words tell apart, with a fifth of the labels wrong."""
    rng = np.random.default_rng(0)
    table = []
    for i in range(rows):
        label = i % 2
        words = [*rng.choice(_WORDS[4 * label : 4 * label + 4], 2), *rng.choice(_WORDS, 3)]
        table.append([" ".join(words) + f" {i}", ("pets" if label else "food") if rng.random() > 0.1 else "pets"])
    return toys.table(path, ["text", "label"], table)


def advised(
    path: Path, base: str, goal: float | None = None, reference: Path | None = None, **source: object
) -> Advice:
    settings = SourceSettings(**source)  # type: ignore[arg-type]
    return advise_source(path, settings=settings, base=base, goal=goal, reference=reference)


def narrow(text: str) -> bool:
    """Whether every line but the command keeps to the page."""
    return all(len(line) <= WIDTH for line in text.splitlines() if not line.startswith("next "))


def test_advice_on_classes(settled_bases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the test part was opened")

    monkeypatch.setattr(seal.SealedTest, "open", never)
    other = toys.text_table(tmp_path / "other.csv", 30)
    path = noisy(tmp_path / "table.csv")
    advice = advised(path, settled_bases["text"], goal=0.9, reference=other, target=("label",))
    assert advice.data.rows == 160
    assert advice.data.learn + advice.data.test == 160
    assert advice.data.classes == 2
    assert advice.options[0].strategy == "probe"
    assert advice.options[0].worth
    for option in advice.options:
        assert 0 < option.least <= option.seconds <= option.at_most
    measures = {one.name: one for one in advice.base.measures}
    assert measures["token fragmentation"].value == pytest.approx(advice.base.distance)
    assert measures["proxy A-distance"].value > 1
    assert len(advice.more_data.points) >= 5
    assert bool(advice.more_data.ahead) != bool(advice.more_data.refused)
    assert advice.next_step.startswith("headstart fit ")
    assert "--target label" in advice.next_step
    written = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
    assert {one["name"] for one in written["base"]["measures"]} == set(measures)
    assert advice.answer.startswith("160 texts of 2 classes")
    assert advice.what in advice.answer
    assert advice.buys in advice.answer
    short = advice_text(advice)
    assert " ".join(short.split()).startswith(" ".join(advice.what.split()))
    told = [line.split()[0] for line in short.splitlines() if line[:1].strip()]
    assert [name for name in ("data", "probe", "baseline", "more", "next", "details") if name not in told] == []
    assert "proxy A-distance" not in short
    assert len(short.splitlines()) <= 30
    assert narrow(short)
    text = advice_text(advice, verbose=True)
    for told in ("next ", "at most", "proxy A-distance", "10 draws", *(one.strategy for one in advice.options)):
        assert told in text
    assert narrow(text)
    assert any("look unlike" in one for one in advice.cautions) == bool(advice.base.warning)


def test_a_warning_is_a_caution() -> None:
    data = DataFacts("text", "classification", 5_000, 0, 400, 1_000, 2, 200, 200, 200, 0, ())
    base = BaseFacts("some base", "asked for", "MIT", "news", 0.9, "tokens", (), "The data look unlike news (far).")
    assert cautions(data, base, [], "accuracy", 0.9, 400) == [
        "the data look unlike news (far); another base may fit better: `headstart rank` compares them"
    ]
    assert cautions(data, replace(base, warning=""), [], "accuracy", 0.9, 400) == []


@pytest.mark.parametrize(
    ("make", "task", "target", "metric"),
    [(values, "regression", ("value",), "r2"), (tags, "multilabel", ("animal", "mail"), "f1_micro")],
)
def test_advice_on_other_tasks(
    settled_bases: dict[str, str],
    tmp_path: Path,
    make: Callable[[Path], Path],
    task: str,
    target: tuple[str, ...],
    metric: str,
) -> None:
    advice = advised(make(tmp_path / "table.csv"), settled_bases["text"], task=task, target=target)
    assert advice.metric == metric
    assert len(advice.more_data.points) >= 5
    if advice.more_data.ahead:
        assert [one.times for one in advice.more_data.ahead] == [1, 2, FURTHEST]
    assert {"token fragmentation", "proxy A-distance"} < {one.name for one in advice.base.measures}
    text = advice_text(advice, verbose=True)
    assert "proxy A-distance" not in text
    assert narrow(text)


def test_too_few_of_a_class_are_refused_before_any_work(tmp_path: Path) -> None:
    path = toys.table(tmp_path / "few.csv", ["text", "label"], [[f"text {i}", "ab"[i > 3]] for i in range(40)])
    with pytest.raises(LabelError, match=r"1 of 2 classes have fewer than 5 .* smallest 'a' with 4"):
        advised(path, "no such base", target=("label",))


def test_pictures_are_no_reference_for_texts(settled_bases: dict[str, str], toy_images: Path, tmp_path: Path) -> None:
    path = noisy(tmp_path / "table.csv", 40)
    with pytest.raises(SourceError, match=r"--reference .* holds images, but .* takes texts"):
        advised(path, settled_bases["text"], reference=toy_images, target=("label",))


def test_a_goal_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="goal is 95; it is a score between 0 and 1"):
        advise_source(tmp_path, goal=95)


@pytest.mark.parametrize(
    ("metric", "low", "told"),
    [
        ("accuracy", 0.988, "More data, or anything else, can gain little: 1.2 points at most."),
        ("accuracy", 0.9, "The gain from more data is not predicted: the curve is flat."),
        ("log_loss", 0.988, "The gain from more data is not predicted: the curve is flat."),
    ],
)
def test_near_the_best_there_is_more_data_buy_little(metric: str, low: float, told: str) -> None:
    assert not_foretold(metric, low, "the curve is flat") == told


@pytest.mark.parametrize(("score", "told"), [(0.9, "expect less from its frozen features"), (0.99, "features do here")])
def test_far_data_that_are_answered_well_all_the_same(score: float, told: str) -> None:
    far = (Distance("entropy", 0.7, "made up", 0.5),)
    base = BaseFacts("lite0", "the default", "MIT", "photos", 0.7, "made up", far, warning(far))
    data = DataFacts("image", "classification", 9_000, 0, 360, 9_000, 3, 120, 120, 120, 0, ())
    (caution,) = cautions(data, base, (), "accuracy", score, 360)
    assert caution.startswith("the data are different from the pretraining data (entropy 0.70, different from 0.5 on)")
    assert told in caution


PIXELS = ControlFacts("pixels + linear", 0.55, 0.3, 0.2, 0.4, False)
ON_BASE = BaseFacts("lite0", "the default", "MIT", "photos", 0.7, "made up", (), "")


def option(name: str, worth: bool = True, why: str = "") -> Option:
    return Option(name, worth, why, 60.0, 60.0, 60.0, 1e9)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (
            PIXELS,
            "The best baseline, pixels + linear, reaches 55 % on the same rows: transfer learning improves accuracy.",
        ),
        (replace(PIXELS, low=-0.1), "reaches 55 % on the same rows: no significant difference."),
        (
            replace(PIXELS, gain=-0.3, low=-0.4, high=-0.2, better=True),
            "reaches 55 % on the same rows, which is better.",
        ),
    ],
)
def test_the_probe_is_held_against_what_borrows_nothing(control: ControlFacts, said: str) -> None:
    assert beside_control(control, "accuracy").replace("\u00a0", " ").endswith(said)


@pytest.mark.parametrize(
    ("options", "better", "said"),
    [
        (
            [option("probe")],
            False,
            "Start with the probe: a linear classifier fitted on frozen features of lite0 (about 1 min 0 s).",
        ),
        ([option("probe"), option("full", False, "too few rows")], False, "Leave it at that: too few rows."),
        ([option("probe"), option("full")], False, "Then full (about 1 min 0 s) is worth trying"),
        ([option("probe"), option("full")], True, "full (about 1 min 0 s) is worth trying, and so is another base"),
        ([option("probe"), option("full", False, "…")], True, "Transfer learning has to beat that: try another base"),
    ],
)
def test_what_to_do(options: list[Option], better: bool, said: str) -> None:
    told = what_to_do(options, ON_BASE, replace(PIXELS, better=better)).replace("\u00a0", " ")
    assert said in told
    assert ("use pixels + linear" in told) == better
