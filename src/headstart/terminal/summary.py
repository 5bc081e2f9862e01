"""Records as text for the terminal."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from headstart.cachedir import cache_root
from headstart.files import shown_path
from headstart.records import Result
from headstart.report import words
from headstart.report.figures import known
from headstart.report.sentences import handed_over, independent, judged
from headstart.terminal.beside import beside_lines
from headstart.terminal.climb import ladder_lines, learning_lines
from headstart.training.cache_use import OTHERS, SpaceUse, others, size_limit, spaces
from headstart.workflow import Inspection, Run

_LABELS_SHOWN = 12


def summary(run: Run) -> str:
    """A finished run: verdict first, then the evidence, the cost, and where things are."""
    result = run.result
    if not result.test.n:
        return _untested(run)
    lines = [
        "",
        result.verdict.sentence,
        f"Next: {result.verdict.next_step}" if result.verdict.next_step else "",
        f"Handed over: {handed_over(result)}",
        *([f"From: {result.base['chain']}"] if result.base.get("lineage") else []),
        "",
        *_block(ladder_lines(result)),
        *_block(_scores(result)),
        *_block(beside_lines(result)),
        *_block(learning_lines(result)),
    ]
    lines += [_cost(result), *(f"cut      {said}" for said in result.ladder.cut)]
    place = Path(shown_path(run.path))
    lines.append(f"report   {place / 'report.html'}")
    lines.append(f"model    {place}   (headstart predict {place} NEW)")
    return "\n".join(lines)


def _block(lines: list[str]) -> list[str]:
    """The lines with an empty one after them; nothing of nothing."""
    return [*lines, ""] if lines else []


def _untested(run: Run) -> str:
    """A run without any test score: what was selected, by what, and what to do."""
    result, place = run.result, shown_path(run.path)
    lines = ["", result.verdict.sentence, f"Next: {result.verdict.next_step}"]
    lines += [f"Selected model: {handed_over(result)}", "", *_block(ladder_lines(result)), _cost(result)]
    return "\n".join([*lines, f"report   {place}/report.html", f"model    {place}   (headstart predict {place} NEW)"])


def _scores(result: Result) -> list[str]:
    """The borrowed model and the controls on the test part, aligned, and what a control's name leaves unsaid."""
    name = f"{judged(result)} ({result.chosen.head})" if result.chosen.head else judged(result)
    borrowed = (name, result.test.score, result.test.low, result.test.high)
    rows = [borrowed, *((c.name, c.score, c.low, c.high) for c in result.controls)]
    width = max(len(name) for name, *_ in rows)
    earlier = f", {_times(result.test.opened_before)} before by earlier runs" if result.test.opened_before else ""
    times = f"of run {result.refit.run}" if result.refit else f"opened {_times(result.test.opened)}"
    opened = f"({result.test.n:,} rows{independent(result.test)}, {times}{earlier})"
    title = f"{'test ' + result.metric:<{width}}  score  95 % interval   {opened}"
    return [
        title,
        *(f"{name:<{width}}  {_told(score):>5}  {_told(low)} - {_told(high)}" for name, score, low, high in rows),
        *(f"({c.name}: {meaning})" for c in result.controls if (meaning := words.control(c.name))),
    ]


def _told(score: float) -> str:
    """Three decimals, two figures where those would be zeros: an error has the target's unit."""
    return f"{score:.2g}" if 1e-12 < abs(score) < 0.0005 else f"{score:.3f}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _cost(result: Result) -> str:
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.timing.items() if seconds >= 0.05)
    budget = result.ladder.budget_seconds
    given = f" of {budget:g} s" if known(budget) else ""
    return f"took     {result.seconds:.1f} s{given} ({steps})"


def inspection_text(seen: Inspection) -> str:
    """What is understood of a source."""
    lines = [f"{seen.source}: {seen.rows:,} {seen.modality}s" + (f", {seen.task}" if seen.task else ", no labels")]
    lines += [f"  {fact.what}: {fact.value} ({fact.reason})" for fact in seen.facts]
    given = {part or "not assigned": count for part, count in seen.parts.items()}
    lines.append("  parts: " + ", ".join(f"{part} {count:,}" for part, count in given.items()))
    if seen.labels:
        lines.append(f"  {len(seen.labels)} labels: {_label_line(seen.labels)}")
    lines += [f"  set aside: {row.id} ({row.reason})" for row in seen.rejected[:10]]
    if len(seen.rejected) > 10:
        lines.append(f"  set aside: {len(seen.rejected) - 10} more")
    lines.append(f"  base: {seen.base} (the default for {seen.modality}s; --base chooses another)")
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
