"""What corrupted inputs do to the score: a small chart a kind of corruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from markupsafe import Markup

from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import metric_name
from headstart.records import DamageRecord, ShiftRecord
from headstart.report import words
from headstart.report.curves import DASHED
from headstart.report.drawing import ACCENT, PAPER, PLAIN, SOFT, axes, head_scale, number_axis, picture
from headstart.report.evidence import ScoredRows
from headstart.report.figures import bounded, interval, known, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 290, 286  # units of one small chart
_LEFT, _RIGHT = 42, 12


@dataclass(frozen=True)
class Robustness:
    """What the section shows: sentences, and a kind of corruption with its chart each."""

    sentences: list[str]
    charts: list[tuple[str, Markup]]


def robustness(result: ScoredRows) -> Robustness | None:
    """The section, or None where no corruption was tried."""
    record = result.shift
    if record is None or not record.damage:
        return None
    kinds = list(dict.fromkeys(d.kind for d in record.damage))
    charts = [(kind, _chart(i, kind, record, result.metric)) for i, kind in enumerate(kinds)]
    return Robustness(_sentences(record, result.metric), charts)


def _sentences(record: ShiftRecord, metric: str) -> list[str]:
    name = metric_name(metric)
    said = [f"Without corruption, {name} on these rows is {number(record.clean)}."] if known(record.clean) else []
    scored = [d for d in record.damage if known(d.score)]
    if scored:
        least = min(scored, key=lambda d: d.score if _higher(metric) else -d.score)
        worst = bounded(least.score, least.low, least.high)
        said.append(f"It is worst under {least.kind} of strength {least.strength} (of 5): {worst}.")
    return [*said, *_guesses(scored, record)]


def _guesses(scored: list[DamageRecord], record: ShiftRecord) -> list[str]:
    """How far off the estimate and the plain guess are, over every kind and strength."""
    both = [d for d in scored if known(d.estimated)]
    if not both:
        return []
    off = fmean(abs(d.estimated - d.score) for d in both)
    said = f"Estimated without labels, the score is {number(off)} off on average"
    if not known(record.valid):
        return [f"{said}."]
    plain = fmean(abs(record.valid - d.score) for d in both)
    return [f"{said}; the held-out score {number(record.valid)} as a guess is {number(plain)} off."]


def _higher(metric: str) -> bool:
    return metric not in METRICS or METRICS[metric].higher_is_better


def _chart(place: int, kind: str, record: ShiftRecord, metric: str) -> Markup:
    """The score above and the calibration error below, over strength; the scales are those of every kind."""
    own = sorted((d for d in record.damage if d.kind == kind), key=lambda d: d.strength)
    last = max(d.strength for d in record.damage)

    def paint(figure: Figure) -> None:
        score, error = axes(figure, (_LEFT, 136, _RIGHT, 30)), axes(figure, (_LEFT, 36, _RIGHT, 184))
        for ax in (score, error):
            ax.set_xlim(-0.2, last + 0.2)
            ax.set_xticks(range(last + 1))
            ax.grid(False, axis="x")
        number_axis(score, "y", [v for d in record.damage for v in _values(d)] + [record.clean, record.valid])
        number_axis(error, "y", [0.0, *(d.ece for d in record.damage)])
        _scores(score, own, record)
        _errors(error, own)
        for ax, title in ((score, words.title(metric)), (error, "Calibration error")):
            head_scale(ax, title)
        score.tick_params(labelbottom=False)
        error.set_xlabel("strength →", loc="right")

    spoken = "; ".join(
        f"strength {d.strength}: {number(d.score)}, interval {interval(d.low, d.high)}, estimated "
        f"{number(d.estimated)}, calibration error {number(d.ece)}"
        for d in own
    )
    title = f"{words.title(metric)} and calibration error under {kind}, by strength"
    return picture(
        paint, name=f"damage-{place}", title=title, spoken=f"Without corruption {number(record.clean)}; {spoken}.",
        height=_HEIGHT, width=_WIDTH,
    )  # fmt: skip


def _values(one: DamageRecord) -> tuple[float, ...]:
    return one.score, one.low, one.high, one.estimated


def _scores(ax: Axes, own: Sequence[DamageRecord], record: ShiftRecord) -> None:
    if known(record.valid):
        ax.axhline(record.valid, color=SOFT, linewidth=1.5, linestyle=(0, (1, 2)))
    guessed = [d for d in own if known(d.estimated)]
    ax.plot([d.strength for d in guessed], [d.estimated for d in guessed], color=PLAIN, linestyle=DASHED)
    sure = [d for d in own if known(d.low) and known(d.high)]
    ends = ([d.strength for d in sure], [d.low for d in sure], [d.high for d in sure])
    ax.fill_between(*ends, color=ACCENT, alpha=0.2, linewidth=0)
    found = [(d.strength, d.score) for d in own if known(d.score)]
    found = [(0, record.clean), *found] if known(record.clean) else found
    if found:
        ax.plot(*zip(*found, strict=True), "o-", color=ACCENT, markersize=8, clip_on=False)
        ax.plot(*found[0], "o", color=PAPER, markeredgecolor=ACCENT, markersize=8, clip_on=False)


def _errors(ax: Axes, own: Sequence[DamageRecord]) -> None:
    found = [(d.strength, d.ece) for d in own if known(d.ece)]
    if found:
        ax.plot(*zip(*found, strict=True), "o-", color=ACCENT, markersize=7, clip_on=False)
