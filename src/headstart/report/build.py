"""The report: one page that needs nothing but itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from headstart.evaluation.wording import count as counted
from headstart.records import Result
from headstart.report import confusion, figures, plots, sentences, tables, words
from headstart.report.evidence import Evidence, Example
from headstart.report.findings import findings
from headstart.report.page import page
from headstart.report.reliability import calibration
from headstart.report.repeat import repeat
from headstart.report.robustness import robustness
from headstart.report.search import search
from headstart.report.tables import Table
from headstart.report.trained import trained
from headstart.report.unknown import unknown
from headstart.report.usage import usage

_TEXT = 240  # characters shown of one row's text
_WARNED = 3  # findings shown unfolded
_FILTERS = (
    *(figures.count, figures.share, figures.duration, figures.number, figures.capital),
    *(words.title, words.sentence, sentences.with_code, sentences.independent),
)
_BASE = {"weights": "Weights (sha256)", "trained_on": "Pretraining data", "name": "Base"}


def build(result: Result, evidence: Evidence, place: str = "") -> str:
    """The page as HTML: style, charts and thumbnails inside, no script, nothing loaded from elsewhere.

    Two screens answer whether it worked, against what, and where it is wrong; all else is folded under headings.
    ``evidence`` may be empty; sections without content are left out. `ValueError` if its confusion counts are
    not [k, k] for its k labels. ``place`` is the path of the run's folder, for the lines that use it.
    """
    counts, k = evidence.confusion, len(evidence.labels)
    if counts is not None and counts.shape != (k, k):
        raise ValueError(f"confusion has shape {counts.shape}; for {k} labels it must be ({k}, {k}).")
    template, style = _page()
    many = counts is not None and k > confusion.READABLE
    found = sentences.grave(result)
    return template.render(
        r=result,
        style=style,
        outcome=words.outcome(result.verdict.outcome),
        baseline=not result.chosen.base,
        judged=sentences.judged(result),
        scores=tables.scores(result),
        gain=_gain(result),
        warnings=found[:_WARNED],
        more=found[_WARNED:],
        labels=evidence.labels,
        matrix=confusion.matrix(counts) if counts is not None and not many else None,
        pairs=tables.pairs(counts, evidence.labels) if counts is not None and many else None,
        scatter=_scatter(evidence),
        curves=_curves(result),
        interval=sentences.interval_sentence(result.intervals),
        mistakes=_mistakes(result, evidence),
        classes=tables.classes(result),
        slices=tables.slices(result),
        calibration=calibration(result),
        unknown=unknown(result),
        robustness=robustness(result),
        trained=trained(result),
        search=search(result),
        findings=findings(result),
        facts=tables.facts(result),
        origin=_origin(result),
        repeat=repeat(result),
        use=usage(result, place),
    )


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    names = {"known": figures.known, "tables": tables, "sentences": sentences}
    return page("report.html.jinja", _FILTERS, names)


def _gain(result: Result) -> str:
    """The gain over the best baseline, and whether it is significant."""
    gain = result.transfer_gain
    if not result.controls:
        return "No baseline was run, so nothing says whether transfer learning helped."
    told = f"Gain over {gain.against}: {figures.bounded(gain.value, gain.low, gain.high, sign=True)}"
    if not (figures.known(gain.low) and figures.known(gain.high)):
        return f"{told}; the rows are too few for an interval."
    return f"{told}, {'significant' if gain.low > 0 or gain.high < 0 else 'no significant difference'}."


@dataclass(frozen=True)
class Scatter:
    """The chart, the points in it, how many there were, and the same as numbers."""

    chart: Markup
    shown: int
    total: int
    ranges: Table


def _scatter(evidence: Evidence) -> Scatter | None:
    if evidence.scatter is None or not len(evidence.scatter):
        return None
    chart, shown = plots.scatter(evidence.scatter, name="scatter", title="Predicted against true values")
    return Scatter(chart, shown, len(evidence.scatter), tables.ranges(evidence.scatter))


@dataclass(frozen=True)
class Curves:
    """Of two classes: what is said of the positive one and its threshold, and the two charts."""

    said: str
    roc: Markup
    precision_recall: Markup


def _curves(result: Result) -> Curves | None:
    two = result.two_classes
    if two is None or not two.roc or not two.precision_recall:  # of one class in the test set there is no curve
        return None
    return Curves(sentences.two_class_sentence(two), plots.roc(two), plots.precision_recall(two))


@dataclass(frozen=True)
class Shown:
    """An example as the page shows it."""

    example: Example
    image: str  # data URI, or ""
    text: str  # shortened, or ""


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes of one split."""

    title: str
    items: list[Shown]
    pictures: bool


def _mistakes(result: Result, evidence: Evidence) -> list[Mistakes]:
    """Those on the test set, then those on validation rows; splits without any are left out."""
    found = []
    for split in ("test", "validation"):
        items = [_shown(one) for one in evidence.examples if one.split == split]
        if not items:
            continue
        wrong, rows = evidence.wrong.get(split, (0, 0))
        title = f"{figures.capital(split)}: {counted(wrong, 'mistake')} in {figures.count(rows)} rows"
        title = f"{figures.capital(split)}: largest errors" if result.task == "regression" else title
        found.append(Mistakes(title, items, bool(items[0].image)))
    return found


def _shown(example: Example) -> Shown:
    image = base64.b64encode(example.thumbnail).decode() if example.thumbnail else ""
    text = example.text or ""
    return Shown(
        example,
        f"data:image/jpeg;base64,{image}" if image else "",
        text if len(text) <= _TEXT else text[: _TEXT - 1] + "…",
    )


def _origin(result: Result) -> list[tuple[str, str]]:
    """Where the model and the numbers came from."""
    base = result.base
    facts = [("From first to last", base["chain"])] if base.get("chain") else []
    facts += [(_BASE.get(k, figures.capital(k)), str(v)) for k, v in base.items() if k not in _HIDDEN and v]
    if base.get("remote_code"):
        facts.append(("Code", "runs code of the checkpoint's own, which was allowed for this run"))
    features = f"{figures.count(result.features.computed)} computed, {figures.count(result.features.cached)} cached"
    facts += [("Features", f"{features}; {result.features.runtime}")]
    facts += [("Made", f"{result.created}, in {figures.duration(result.seconds)}, seed {result.seed}")]
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return [*facts, *([("Versions", versions)] if versions else [])]


_HIDDEN = ("chain", "lineage", "remote_code")
