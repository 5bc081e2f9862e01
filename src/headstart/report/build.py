"""The report: one page that needs nothing but itself."""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup

from headstart.records import Result
from headstart.report import figures, sentences, tables, words
from headstart.report.evidence import Evidence
from headstart.report.findings import findings
from headstart.report.measured import FILTERS, measured
from headstart.report.page import page
from headstart.report.repeat import repeat
from headstart.report.search import search
from headstart.report.trained import trained
from headstart.report.usage import usage

_WARNED = 3  # findings shown unfolded
_BASE = {"weights": "Weights (sha256)", "trained_on": "Pretraining data", "name": "Base"}


def build(result: Result, evidence: Evidence, place: str = "") -> str:
    """The page as HTML: style, charts and thumbnails inside, no script, nothing loaded from elsewhere.

    Two screens answer whether it worked, against what, and where it is wrong; all else is folded under headings.
    ``evidence`` may be empty; sections without content are left out. `ValueError` if its confusion counts are
    not [k, k] for its k labels. ``place`` is the path of the run's folder, for the lines that use it.
    """
    template, style = _page()
    found = sentences.grave(result)
    return template.render(
        r=result,
        style=style,
        outcome=words.outcome(result.verdict.outcome),
        baseline=not result.chosen.base,
        scores=tables.scores(result),
        gain=_gain(result),
        warnings=found[:_WARNED],
        more=found[_WARNED:],
        **measured(result, evidence, "" if result.chosen.base else sentences.judged(result)),
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
    names = {"known": figures.known, "sentences": sentences}
    return page("report.html.jinja", FILTERS, names)


def _gain(result: Result) -> str:
    """The gain over the best baseline, and whether it is significant."""
    gain = result.transfer_gain
    if not result.controls:
        return "No baseline was run, so nothing says whether transfer learning helped."
    told = f"Gain over {gain.against}: {figures.bounded(gain.value, gain.low, gain.high, sign=True)}"
    if not (figures.known(gain.low) and figures.known(gain.high)):
        return f"{told}; the rows are too few for an interval."
    return f"{told}, {'significant' if gain.low > 0 or gain.high < 0 else 'no significant difference'}."


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
