"""How far probabilities can be relied on: the reliability diagram, conformal sets, abstention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from headstart.records import AbstainRecord, BinRecord, CalibrationRecord, ConformalRecord
from headstart.report.curves import DASHED
from headstart.report.drawing import ACCENT, SOFT, axes, head_scale, number_axis, picture
from headstart.report.evidence import ScoredRows
from headstart.report.figures import between, bounded, count, interval, known, number, rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Calibration:
    """What the section shows: a sentence a fact, and the reliability diagram; None where there are no bins."""

    sentences: list[str]
    chart: Markup | None


def calibration(result: ScoredRows, rows: str = "test") -> Calibration | None:
    """The section, or None where the task has no probabilities to judge."""
    record = result.calibration
    if record is None:
        return None
    bins = [b for b in record.bins if known(b.confidence) and known(b.right)]
    said = [_error(record), _sets(record.conformal)]
    said += [_abstaining(record.abstain, rows)] if record.abstain else []
    return Calibration(said, _chart(bins) if bins else None)


def _error(record: CalibrationRecord) -> str:
    said = f"Calibration error {bounded(record.ece, record.low, record.high)}"
    if known(record.temperature):
        before = f", {number(record.before)} without it" if known(record.before) else ""
        said += f" at temperature {record.temperature:.2f}{before}"
    return f"{said}."


def _sets(record: ConformalRecord | None) -> str:
    if record is None:
        return "There are too few held-out rows for conformal sets."
    coverage = f"coverage {rate(record.coverage)} {between(record.low, record.high)}"
    return (
        f"Conformal sets: {coverage}, mean size {record.mean_size:.2f}, target {rate(record.level)}; calibrated on "
        f"{count(record.n)} held-out rows. {_kept(record)}"
    )


def _kept(record: ConformalRecord) -> str:
    """Whether the rows bear the target out."""
    if not (known(record.low) and known(record.high)):
        return "These rows are too few to check the target."
    if record.high < record.level:
        return "The target is missed: the whole interval lies below it."
    if record.coverage < record.level:
        return "That is below the target, within chance."
    return "The target is met."


def _abstaining(record: AbstainRecord, rows: str) -> str:
    asked = f"Abstention, for an error of at most {rate(record.risk)}"
    if not known(record.threshold) or record.threshold > 1:
        return f"{asked}: nothing is answered, as no confidence is shown to be enough."
    answers = f"{asked}: answers where the confidence is {number(record.threshold)} or more"
    if not known(record.error):
        return f"{answers}, which none of the {rows} rows reaches."
    wrong = f"{rate(record.error)} of these wrong {between(record.low, record.high)}"
    return f"{answers}: {rate(record.answered)} of the {rows} rows, {wrong}."


def _chart(bins: list[BinRecord]) -> Markup:
    def paint(figure: Figure) -> None:
        ax = axes(figure, (44, 38, 12, 30))
        low = _floor(bins)
        for way in "xy":
            number_axis(ax, way, [low, 1.0])
        foot = ax.get_xlim()[0]
        ax.plot([foot, 1], [foot, 1], color=SOFT, linewidth=1.5, linestyle=DASHED)
        for one in bins:
            _point(ax, one, foot)
        head_scale(ax, "accuracy")
        ax.set_xlabel("confidence →", loc="right")

    spoken = "; ".join(
        f"confidence {number(b.confidence)}: {number(b.right)} right, interval {interval(b.low, b.high)}" for b in bins
    )
    title = "Accuracy against confidence, with 95 % intervals; the dashed line is where they agree"
    return picture(paint, name="reliability-chart", title=title, spoken=spoken + ".", height=372)


def _floor(bins: list[BinRecord]) -> float:
    """From where the scales run: 0, or 0.5 where nothing lies below."""
    least = min(v for b in bins for v in (b.confidence, b.right, b.low) if known(v))
    return 0.5 if least >= 0.5 else 0.0


def _point(ax: Axes, one: BinRecord, foot: float) -> None:
    if known(one.low) and known(one.high):
        ax.plot([one.confidence] * 2, [max(one.low, foot), one.high], color=ACCENT, linewidth=3, clip_on=False)
    ax.plot([one.confidence], [one.right], "o", color=ACCENT, markersize=10, clip_on=False)
