"""A ranking of bases as text for the terminal."""

from __future__ import annotations

from headstart.evaluation.wording import metric_name
from headstart.modalities import get
from headstart.ranking.halving import Round
from headstart.ranking.ranked import Evidence, RankedBase, Ranking
from headstart.report.figures import MISSING, duration, known
from headstart.terminal.tables import aligned, columns, labelled, paragraph

_BEST = 3  # bases whose expected score the summary has
_NAMED = 4  # of those left out for one reason, before "and N more"
_LONGEST = 31  # letters of a base's name in a table
_SHORT = {"linear classifier": "linear", "nearest neighbours": "neighbours"}


def ranking_text(found: Ranking, *, verbose: bool = False) -> str:
    """The winner and why, what is expected of the best, and the next command.

    ``verbose`` adds the evidence, the race, what was left out and what it took.
    """
    facts = [
        ("data", _seen(found)),
        ("expected", _expected(found)),
        ("race", _raced(found.rounds)),
        ("left out", _counted(found)),
        *(("note", fact) for fact in found.facts),
        ("next", found.next_step),
        ("details", "" if verbose else "--verbose shows the evidence for each base, --json all of it"),
    ]
    blocks = [[*paragraph(f"Take {found.winner}: {found.why}."), *labelled(facts)]]
    if verbose:
        blocks += [
            paragraph(f"{metric_name(found.metric)} in points, because {found.metric_reason}"),
            _candidates(found),
            _race(found.rounds, [one.base for one in found.candidates]),
            _left_out(found),
            _took(found),
        ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines).replace("\u00a0", " ")


def _seen(found: Ranking) -> str:
    rows = f"all {found.rows:,}" if found.rows == found.available else f"{found.rows:,} of {found.available:,}"
    return f"{found.source}: {rows} labelled {get(found.modality).plural} outside the test set, for {found.task}"


def _expected(found: Ranking) -> str:
    """The best few by what is expected of them."""
    told = [f"{one.base} {_with_sd(one.expected, one.expected_sd)}" for one in found.candidates[:_BEST]]
    more = f", and {len(found.candidates) - _BEST} more" if len(found.candidates) > _BEST else ""
    return f"{metric_name(found.metric)} in points ± standard error: {', '.join(told)}{more}"


def _raced(rounds: tuple[Round, ...]) -> str:
    """How far the others are behind the leader of the last round."""
    if not rounds:
        return "no race: there is one candidate"
    last = rounds[-1]
    behind = [f"{one.base} {_plain(one.gain)} [{_plain(one.low)}, {_plain(one.high)}]" for one in last.behind]
    return f"{last.leader} leads on {last.judged:,} held-out rows; points behind it: {', '.join(behind)}"


def _counted(found: Ranking) -> str:
    """How many were left out, by reason."""
    reasons: dict[str, int] = {}
    for one in found.left_out:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    return "; ".join(f"{number} {reason}" for reason, number in reasons.items())


def _name(base: str) -> str:
    """A base's name, the start of a long one left out."""
    return base if len(base) <= _LONGEST else f"…{base[1 - _LONGEST :]}"


def _candidates(found: Ranking) -> list[str]:
    """What counts, what follows from it, and the scores that are shown only."""
    counted, shown = _parted(found.candidates[0])
    names = [_SHORT.get(row.name, row.name) for row in (*counted, *shown)]
    title = ("base", "params", *names[: len(counted)], "prior", "expected", *names[len(counted) :])
    note = (
        "(Points ± standard error; prior: above or below the mean base on other tasks. Expected is what linear, "
        "neighbours and prior come to by their precision. The scores to the right of it do not count: their scale says "
        "nothing of points.)"
    )
    rows = [title, *map(_cells, found.candidates)]
    lines = aligned(rows, right=tuple(range(1, len(title))))
    if max(map(len, lines)) > columns():  # the scores that do not count are left to --json
        rows, note = [row[: -len(shown)] if shown else row for row in rows], note.partition(" The scores to")[0] + ")"
        lines = aligned(rows, right=tuple(range(1, len(rows[0]))))
    return [*lines, *paragraph(note)]


def _parted(one: RankedBase) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence that counts, and the rest."""
    return [row for row in one.evidence if row.counts], [row for row in one.evidence if not row.counts]


def _cells(one: RankedBase) -> tuple[str, ...]:
    size = f"{one.parameters:g}M" if known(one.parameters) else MISSING
    counted, shown = _parted(one)
    prior = _with_sd(one.prior, one.prior_sd, sign=True) if known(one.prior_sd) else MISSING
    expected = _with_sd(one.expected, one.expected_sd)
    points = [_with_sd(row.value, row.sd) for row in counted]
    scores = [_plain(row.value, 3) for row in shown]
    return _name(one.base), size, *points, prior, expected, *scores


def _with_sd(value: float, sd: float, *, sign: bool = False) -> str:
    if not known(value):
        return MISSING
    text = f"{'+' if sign and value >= 0.05 else ''}{_plain(value)}"
    return f"{text} ± {sd:.1f}" if known(sd) else text


def _plain(value: float, digits: int = 1) -> str:
    """With so many digits, and no sign before a zero."""
    if not known(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def _race(rounds: tuple[Round, ...], order: list[str]) -> list[str]:
    """A column a round: each base's points, and how far it is behind the leader."""
    if not rounds:
        return ["no race: there is one candidate"]
    title = ("race on", *(f"{one.rows:,} rows" for one in rounds))
    raced = [base for base in order if base in rounds[0].scores]
    note = (
        "(Points on held-out rows; in brackets how far it is behind the best. What is shown to be behind is out: "
        "with 95 % confidence two equal bases differ in no round.)"
    )
    rows = [(_name(base), *(_standing(base, one) for one in rounds)) for base in raced]
    return [*aligned([title, *rows], right=()), *paragraph(note)]


def _standing(base: str, one: Round) -> str:
    if base not in one.scores:
        return ""
    points = _plain(one.scores[base])
    if base == one.leader:
        return f"{points} best"
    behind = next(other for other in one.behind if other.base == base)
    return f"{points} ({_plain(behind.low)} to {_plain(behind.high)}){' out' if behind.dropped else ''}"


def _left_out(found: Ranking) -> list[str]:
    """A paragraph a reason."""
    reasons: dict[str, list[str]] = {}
    for one in found.left_out:
        reasons.setdefault(one.reason, []).append(one.name)
    return [line for reason, names in reasons.items() for line in paragraph(f"{_few(names)}: {reason}", "left out: ")]


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _took(found: Ranking) -> list[str]:
    """The whole and its steps, and what each base's features and evidence took."""
    steps = ", ".join(f"{name} {duration(seconds)}" for name, seconds in found.seconds.items() if name != "in all")
    title = ("what it took", "features", "computed", "from the cache", "evidence")
    rows = [
        (_name(one.base), duration(one.seconds), f"{one.computed:,}", f"{one.cached:,}", _evidence_took(one))
        for one in found.candidates
    ]
    whole = paragraph(f"in all {duration(found.seconds['in all'])}: {steps}")
    return [*aligned([title, *rows], right=(1, 2, 3, 4)), *whole]


def _evidence_took(one: RankedBase) -> str:
    seconds = sum(row.seconds for row in one.evidence)
    return duration(seconds) if seconds else "kept"
