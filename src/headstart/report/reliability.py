"""How far probabilities can be taken at their word: the reliability diagram, label sets, "I don't know"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from headstart.records import AbstainRecord, BinRecord, CalibrationRecord, ConformalRecord, Result
from headstart.report.curves import DASHED
from headstart.report.drawing import ACCENT, SOFT, axes, head_scale, number_axis, picture
from headstart.report.figures import between, bounded, count, interval, known, number, rate
from headstart.report.tables import Line, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Calibration:
    """What the section shows."""

    sentences: list[str]
    chart: Markup | None  # None where there are no bins
    bins: Table | None
    sets: str  # on conformal sets
    abstaining: str  # on "I don't know"; "" where it was not asked for


def calibration(result: Result) -> Calibration | None:
    """The section, or None where the task has no probabilities to judge."""
    record = result.calibration
    if record is None:
        return None
    bins = [b for b in record.bins if known(b.confidence) and known(b.right)]
    return Calibration(
        _sentences(record),
        _chart(bins) if bins else None,
        _table(bins) if bins else None,
        _sets(record.conformal),
        _abstaining(record.abstain) if record.abstain else "",
    )


def _sentences(record: CalibrationRecord) -> list[str]:
    said = [f"The calibration error is {bounded(record.ece, record.low, record.high)}, with its 95\u00a0% interval."]
    if known(record.temperature):
        changed = "leaves them as they are" if abs(record.temperature - 1) < 0.005 else _direction(record.temperature)
        before = f"; without it the calibration error would be {number(record.before)}" if known(record.before) else ""
        said.append(f"The model divides by a temperature of {record.temperature:.2f}, which {changed}{before}.")
    return said


def _direction(temperature: float) -> str:
    return "makes it less sure of its answers" if temperature > 1 else "makes it surer of its answers"


def _sets(record: ConformalRecord | None) -> str:
    if record is None:
        return "There are too few held-out examples to promise anything about sets of labels."
    promise = f"Sets of labels that are promised to hold the true one with {rate(record.level)} probability"
    got = f"held it for {rate(record.coverage)} of the test examples ({between(record.low, record.high)})"
    size = f"with {record.mean_size:.2f} labels a set on average"
    return f"{promise} {got}, {size}. {_kept(record)} They were calibrated on {count(record.n)} held-out examples."


def _kept(record: ConformalRecord) -> str:
    """Whether the test part bears the promise out."""
    if not (known(record.low) and known(record.high)):
        return "These examples are too few to check the promise."
    if record.high < record.level:
        return "The whole interval is below the promise: it does not hold on the test part."
    if record.coverage < record.level:
        return "That is below the promise, by no more than chance may do."
    return "The promise is kept on the test part."


def _abstaining(record: AbstainRecord) -> str:
    asked = f"Asked for at most {rate(record.risk)} errors among its answers"
    if not known(record.threshold) or record.threshold > 1:
        return f"{asked}, the model always says “I don't know”: no confidence can be shown to be enough for that."
    answers = f"the model answers where its confidence is {number(record.threshold)} or more"
    if not known(record.error):
        return f"{asked}, {answers}, which no test example reaches."
    wrong = f"{rate(record.error)} of these answers are wrong ({between(record.low, record.high)})"
    return (
        f"{asked}, {answers} and otherwise says “I don't know”. It answers {rate(record.answered)} of the test "
        f"examples; {wrong}."
    )


def _table(bins: list[BinRecord]) -> Table:
    lines = [Line((number(b.confidence), number(b.right), interval(b.low, b.high), count(b.n))) for b in bins]
    heads = ("Mean confidence", "Share right", "95\u00a0% interval", "Test examples")
    caption = "Test examples from the least to the most confident, in bins of like size"
    return Table("reliability-table", caption, heads, lines, (0, 1, 2, 3), fold="The diagram as numbers")


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
        head_scale(ax, "share of answers that are right")
        ax.set_xlabel("confidence →", loc="right")

    spoken = "; ".join(
        f"confidence {number(b.confidence)}: {number(b.right)} right, interval {interval(b.low, b.high)}" for b in bins
    )
    title = "Share of right answers against confidence, with 95 % intervals; the dashed line is where they agree"
    return picture(paint, name="reliability-chart", title=title, spoken=spoken + ".", height=372)


def _floor(bins: list[BinRecord]) -> float:
    """From where the scales run: 0, or 0.5 where nothing lies below."""
    least = min(v for b in bins for v in (b.confidence, b.right, b.low) if known(v))
    return 0.5 if least >= 0.5 else 0.0


def _point(ax: Axes, one: BinRecord, foot: float) -> None:
    if known(one.low) and known(one.high):
        ax.plot([one.confidence] * 2, [max(one.low, foot), one.high], color=ACCENT, linewidth=3, clip_on=False)
    ax.plot([one.confidence], [one.right], "o", color=ACCENT, markersize=10, clip_on=False)
