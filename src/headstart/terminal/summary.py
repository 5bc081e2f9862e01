"""Records as text for the terminal."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import asdict
from pathlib import Path

from headstart.cachedir import cache_root
from headstart.delivery.target_folder import INDEX
from headstart.evaluation.wording import metric_name
from headstart.files import shown_path
from headstart.flow.fit.fit import Inspection, Run
from headstart.modalities import get
from headstart.records import Result
from headstart.report.figures import MISSING, bounded, capital, interval, known, number
from headstart.report.sentences import headline, independent, judged, selected, understood, warnings
from headstart.targets import TargetRuns
from headstart.tasks import get as get_task
from headstart.terminal.details import details
from headstart.terminal.tables import labelled, paragraph
from headstart.training.cache_use import OTHERS, SpaceUse, others, size_limit, spaces

_LABELS_SHOWN = 12


def summary(run: Run, *, verbose: bool = False) -> str:
    """A finished run in about eight lines: did it work, how well, what to do next, where things are.

    ``verbose`` adds `details`; the report has all of it.
    """
    result, place = run.result, Path(shown_path(run.path))
    facts = [
        ("data", understood(result)),
        ("selected", selected(result)),
        *(_scores(result) if result.test.n else _untested(result)),
        *([("refit", result.verdict.sentence)] if result.refit and result.test.n else []),
        *(("warning", one) for one in warnings(result)),
        ("budget", capital(result.ladder.unused) + "." if result.ladder.unused else ""),
        ("next", result.verdict.next_step),
        ("report", str(place / "report.html")),
        ("use it", f"headstart predict {shlex.quote(str(place))} NEW"),
    ]
    return "\n".join(["", *paragraph(headline(result)), *labelled(facts), *(details(result) if verbose else [])])


def targets_summary(found: TargetRuns, *, verbose: bool = False) -> str:
    """Finished runs of several target columns: each column's score and what to do, then where things are.

    ``verbose`` adds the whole summary of each run.
    """
    place = shown_path(found.path)
    facts = [
        *((row.target, f"{metric_name(row.metric)} {row.scored}; gain {row.gained}") for row in found.rows),
        ("next", f"what to do for each target is in {INDEX}"),
        ("report", str(Path(place) / INDEX)),
        ("use it", f"headstart predict {shlex.quote(place)} NEW"),
    ]
    title = f"{len(found)} target columns, one model each; scores of the selected models on test rows:"
    lines = ["", *paragraph(title), *labelled(facts)]
    if verbose:
        lines += [line for column, run in found.runs.items() for line in ["", f"target {column}", summary(run)]]
    return "\n".join(lines)


def _scores(result: Result) -> list[tuple[str, str]]:
    """The selected model's test score, then what it is compared with: the best baseline, or the transfer model.

    The metric goes by the name that ``--metric`` takes; scores and intervals are columns, for eyes and scripts alike.
    """
    test, gain = result.test, result.transfer_gain
    told = f"gain {bounded(gain.value, gain.low, gain.high, sign=True)}"
    own = _columns(test.score, test.low, test.high)
    baseline = {c.name: _columns(c.score, c.low, c.high) for c in result.controls}
    on = f"on {test.n:,} test rows{independent(test)}" + (f" of run {result.refit.run}" if result.refit else "")
    name = f"test {result.metric}"
    if result.chosen.base:
        best = f"{baseline[gain.against]} {gain.against}; {told}" if gain.against in baseline else ""
        return [(name, f"{own} {on}"), ("baseline", best)]
    score = baseline.get(result.chosen.strategy, MISSING)
    return [(name, f"{score} {on}"), ("transfer", f"{own} {judged(result)}; {told} over {gain.against}")]


def _columns(score: float, low: float, high: float) -> str:
    """A score and its interval, two spaces apart."""
    return f"{number(score)}  {interval(low, high)}" if known(low) and known(high) else f"{number(score)} "


def _untested(result: Result) -> list[tuple[str, str]]:
    """Of a run without any test score: what it was selected by."""
    return [("score", result.refit.sentence)] if result.refit else []


def inspection_text(seen: Inspection) -> str:
    """What is understood of a source."""
    labels = f", {get_task(seen.task).purpose()}" if seen.task else ", no labels"
    lines = [f"{seen.source}: {seen.rows:,} {get(seen.modality).plural}{labels}"]
    lines += [f"  {fact.what}: {fact.value} ({fact.reason})" for fact in seen.facts]
    given = {part or "not assigned": count for part, count in seen.parts.items()}
    lines.append("  parts: " + ", ".join(f"{part} {count:,}" for part, count in given.items()))
    if seen.labels:
        lines.append(f"  {len(seen.labels)} labels: {_label_line(seen.labels)}")
    lines += [f"  excluded: {row.id} ({row.reason})" for row in seen.rejected[:10]]
    if len(seen.rejected) > 10:
        lines.append(f"  excluded: {len(seen.rejected) - 10} more")
    lines.append(f"  base: {seen.base} (the default for {get(seen.modality).plural}; --base chooses another)")
    return "\n".join(lines)


def _label_line(labels: dict[str, int]) -> str:
    ordered = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    shown = ordered if len(ordered) <= _LABELS_SHOWN else ordered[: _LABELS_SHOWN - 3]
    line = ", ".join(f"{name} {count:,}" for name, count in shown)
    if len(shown) < len(ordered):
        line += f" … {len(ordered) - len(shown)} more, the rarest {ordered[-1][0]} {ordered[-1][1]:,}"
    return line


def inspection_json(seen: Inspection) -> str:
    """The same as JSON."""
    return json.dumps(asdict(seen), indent=2, ensure_ascii=False)


def cache_text() -> str:
    """What the cache holds, as a table."""
    held, beside = spaces(), others()
    if not held and not beside:
        return f"{cache_root()}: empty"
    size = f"features take {bytes_text(sum(use.bytes for use in held))} of at most {bytes_text(size_limit())}"
    lines = [f"{cache_root()}: {size}"]
    lines += [_space_line(use) for use in held]
    lines += [f"  {OTHERS[name]}: {bytes_text(count)}" for name, count in beside.items()]
    return "\n".join(lines)


def _space_line(use: SpaceUse) -> str:
    space = use.space
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(use.used))
    return (
        f"  {space.name:<22} {space.stage:<15} {space.dtype:<9} {use.rows:>9,} examples "
        f"{bytes_text(use.bytes):>10}  last used {used}"
    )


def cache_json() -> str:
    """The same as JSON."""
    held = [
        {**asdict(use.space), "rows": use.rows, "bytes": use.bytes, "used": use.used, "path": str(use.path)}
        for use in spaces()
    ]
    about = {"folder": str(cache_root()), "limit": size_limit(), "spaces": held, "others": others()}
    return json.dumps(about, indent=2)


def bytes_text(count: float) -> str:
    """Bytes in the unit people read."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
