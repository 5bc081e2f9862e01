"""Advice as text for the terminal: the answer first, then the evidence in small tables."""

from __future__ import annotations

from headstart.evaluation.extrapolation_words import said
from headstart.evaluation.wording import count, metric_name
from headstart.flow.advise.advice import (
    Advice,
    AheadPoint,
    BaseFacts,
    ClassFacts,
    CurvePoint,
    DataFacts,
    GoalFacts,
    Option,
)
from headstart.modalities import get
from headstart.report.figures import MISSING, bounded, duration, interval, known, number
from headstart.tasks import get as get_task
from headstart.terminal.summary import bytes_text
from headstart.terminal.tables import aligned, columns, fitted, labelled, paragraph

_CLASSES = 5  # shown
_OTHERS = "`headstart rank` compares bases on these data"
_NARROW = 100  # columns under which times at least and at most, and memory, are left to --json


def advice_text(advice: Advice, *, verbose: bool = False) -> str:
    """What to do, the scores that it rests on, what more data buys, what can go wrong, and the next command.

    ``verbose`` adds the evidence in tables.
    """
    facts = [
        ("data", _data(advice.data)),
        ("probe", _probe(advice)),
        ("baseline", _control(advice)),
        ("more data", advice.buys),
        *(("warning", one) for one in advice.cautions),
        ("next", advice.next_step),
        ("details", "" if verbose else "--verbose shows times, learning curve and more, --json all of it"),
    ]
    blocks = [[*paragraph(advice.what), *labelled(facts)], *(_evidence(advice) if verbose else [])]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines).replace("\u00a0", " ")


def _data(data: DataFacts) -> str:
    set_aside = f", {data.set_aside:,} excluded" if data.set_aside else ""
    of = f" of {data.classes} {get_task(data.task).plural}" if data.classes else ""
    sets = f"{data.learn:,} training and validation, {data.test:,} kept for the test"
    return f"{data.rows:,} {get(data.modality).plural}{of} for {data.task}{set_aside}: {sets}"


def _evidence(advice: Advice) -> list[list[str]]:
    data, base = advice.data, advice.base
    facts = [
        ("metric", f"{metric_name(advice.metric)}, because {advice.metric_reason}"),
        ("classes", _spread(data) if data.classes else ""),
        ("copies", _copies(data)),
        ("base", f"{base.name}, {base.why} ({base.licence}; trained on {base.trained_on}); " + _OTHERS),
    ]
    return [
        labelled(facts),
        _distances(base),
        _options(advice.options),
        _curve(advice),
        _ahead(advice),
        _classes(advice.more_data.classes),
        _rules(advice),
    ]


def _probe(advice: Advice) -> str:
    score = f"{bounded(advice.score, advice.low, advice.high)} (90 % interval)"
    ahead, same = advice.more_data.ahead, advice.more_data.metric == advice.metric
    all_rows = f"; with all rows {number(ahead[0].score)} is predicted" if ahead and same else ""
    return f"{metric_name(advice.metric)} {score} on {advice.held_out}{all_rows}"


def _control(advice: Advice) -> str:
    control, metric = advice.control, advice.metric
    gain = f"{bounded(control.gain, control.low, control.high, sign=True)} (90 % interval)"
    return f"{control.name}: {metric_name(metric)} {number(control.score)}; gain of the probe {gain}"


def _copies(data: DataFacts) -> str:
    rows = (
        "no row has a near duplicate"
        if not data.near
        else f"{count(data.near, 'row has', 'rows have')} a near duplicate"
    )
    return "; ".join([rows, *data.leaks])


def _spread(data: DataFacts) -> str:
    kind = get_task(data.task).plural
    if data.smallest == data.largest:
        return f"{data.classes} {kind} of {data.median:,} training rows each"
    return (
        f"{data.classes} {kind}; training rows of the smallest {data.smallest:,}, median {data.median:,}, largest "
        f"{data.largest:,}"
    )


def _distances(base: BaseFacts) -> list[str]:
    """What every measure that could be taken says."""
    told = [one for one in base.measures if one.told]
    if not told:
        why = "; ".join(f"{one.name} {one.how}" for one in base.measures)
        return paragraph(f"difference from the pretraining data: {why}") if why else []
    title = ("difference from the pretraining data", "value", "large from", "what is measured")
    rows = [(one.name, f"{one.value:.2f}", f"{one.far:g}" if known(one.far) else MISSING, one.how) for one in told]
    note = "(More is more different, on a scale of its own for each measure. These warn, and decide nothing.)"
    return [*fitted([title, *rows], right=(1, 2), wrapped=(3,)), *paragraph(note)]


def _options(options: tuple[Option, ...]) -> list[str]:
    title = ("a whole run by", "usually", "at least", "at most", "memory", "worth it", "why")
    note = (
        "(Predicted on this machine, the base's features being there. At least: where training does not pay and stops "
        "early; at most: where it runs to the end of its schedule; memory: at the peak.)"
    )
    rows = [title, *map(_option, options)]
    if columns() < _NARROW:  # what matters most: the usual time, and whether and why it is worth it
        return [*fitted([(row[0], row[1], row[5], row[6]) for row in rows], right=(1,), wrapped=(3,)), *paragraph(note)]
    return [*fitted(rows, right=(1, 2, 3, 4), wrapped=(6,)), *paragraph(note)]


def _option(one: Option) -> tuple[str, ...]:
    memory = bytes_text(one.memory) if known(one.memory) else MISSING
    times = duration(one.seconds), duration(one.least), duration(one.at_most)
    return one.strategy, *times, memory, "yes" if one.worth else "no", one.why


def _curve(advice: Advice) -> list[str]:
    more = advice.more_data
    if not more.points:
        return paragraph(f"learning curve: none; {more.refused}")
    by_class = known(more.points[0].per_class)
    title = ("training rows", *(("a class",) if by_class else ()), metric_name(more.metric), "±")
    lines = aligned([title, *(_point(one, by_class) for one in more.points)], right=(0, 1, 2, 3)[: 3 + by_class])
    note = paragraph(f"(The mean of {more.points[0].draws} draws of so many rows ± their standard deviation.)")
    return [*lines, *note, *(paragraph(f"no prediction: {more.refused}") if more.refused else [])]


def _point(one: CurvePoint, by_class: bool) -> tuple[str, ...]:
    per_class = (f"{one.per_class:.0f}",) if by_class else ()
    return f"{one.rows:,.0f} rows", *per_class, number(one.score), number(one.sd)


def _ahead(advice: Advice) -> list[str]:
    """The curve carried on, and what it takes for the goal."""
    more = advice.more_data
    if not more.ahead:
        return []
    title = ("predicted for", "training rows", metric_name(more.metric), "90 % interval")
    lines = aligned([title, *map(_foretold, more.ahead)], (1, 2))
    by_class = bool(more.points) and known(more.points[0].per_class)
    return lines if more.goal is None else [*lines, _goal(more.goal, more.metric, "a class" if by_class else "")]


def _foretold(one: AheadPoint) -> tuple[str, ...]:
    times = "the rows there are" if one.times == 1 else f"{one.times:g} times as many"
    return times, f"{one.rows:,}", number(one.score), interval(one.low, one.high)


def _goal(goal: GoalFacts, metric: str, each: str) -> str:
    if not known(goal.more):
        return f"goal {said(metric, goal.goal)}: not within four times the rows"
    if goal.more < 1:
        return f"goal {said(metric, goal.goal)}: reached, or as good as"
    upper = f"{goal.more_high:,.0f}" if known(goal.more_high) else "beyond four times the rows"
    unit = f"labels {each}" if each else "labels"
    return f"goal {said(metric, goal.goal)}: {goal.more:,.0f} more {unit} [{goal.more_low:,.0f}, {upper}]"


def _classes(classes: tuple[ClassFacts, ...]) -> list[str]:
    told = [one for one in classes if one.gains_more]
    if not told:
        return []
    title = ("labels help most in", "held-out rows", "recall", "recall with a quarter of the rows")
    rows = [
        (one.name, f"{one.held:,}", said("accuracy", one.recall, 0), said("accuracy", one.recall - one.gain, 0))
        for one in told[:_CLASSES]
    ]
    return aligned([title, *rows], right=(1, 2, 3))


def _rules(advice: Advice) -> list[str]:
    rows = [("> " if one.yours else "  ") + one.rows for one in advice.rules]
    table = [(row, one.advice, one.source) for row, one in zip(rows, advice.rules, strict=True)]
    return fitted([("  rule of thumb", "what usually holds", "source"), *table], right=(), wrapped=(1, 2))
