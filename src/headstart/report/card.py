"""The card of a model: what it is, what it can do and what not, in one page of Markdown that goes with the bundle."""

from __future__ import annotations

from headstart.evaluation.wording import metric_name
from headstart.records import Result
from headstart.report.figures import bounded, number, rate
from headstart.report.sentences import independent, judged, opened, selected, slice_name, worse_slices
from headstart.report.usage import usage
from headstart.tasks import get

_GRAVE = ("error", "warning")
_SHOWN = 10  # findings and labels listed
_MOVED = "This is where the run was made; where its folder was moved, use its new path, or that of this bundle."


def card(result: Result, place: str = "") -> str:
    """The page; what was not measured is left out, and where a baseline is selected what is of the transfer model.

    Args:
        place: path of the run's folder, for the lines that use it; "": its name.
    """
    parts = [
        f"# {result.name}",
        f"{result.verdict.sentence} {result.verdict.next_step}",
        f"Selected model: {selected(result)}",
        _section("What it does", _purpose(result)),
        _section("How good it is", _scores(result)),
        _section("Limits", _limits(result)),
        _section("Where it comes from", _origin(result)),
        f"## How to use it\n\n```\n{usage(result, place)}\n```\n\n{_MOVED}",
    ]
    return "\n\n".join(part for part in parts if part).replace("\u00a0", " ") + "\n"


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {line}" for line in lines)]) if lines else ""


def _purpose(result: Result) -> list[str]:
    task = get(result.task)(labels=tuple(result.data.labels))
    names, more = task.names, len(task.names) - _SHOWN
    lines = [f"{task.purpose()} of {result.data.inputs or result.data.modality}"]
    if result.reading and result.reading.long:
        lines.append(result.reading.sentence)
    if names:
        counted = task.named if task.each else f"{len(names)} labels"
        lines.append(f"{counted}: {', '.join(names[:_SHOWN])}" + (f" and {more} more" if more > 0 else ""))
    return lines


def _scores(result: Result) -> list[str]:
    test, own = result.test, result.chosen
    if not test.n and result.refit:
        return [result.refit.sentence]
    transfer = f"{judged(result)}: {metric_name(result.metric)} {bounded(test.score, test.low, test.high)}"
    beside = [one for one in result.controls if own.base or one.name != own.strategy]
    lines = [f"baseline {one.name}: {bounded(one.score, one.low, one.high)}" for one in beside]
    first = next((one for one in result.controls if one not in beside), None)
    if first is not None:
        lines.insert(0, transfer)
        transfer = f"{first.name}: {metric_name(result.metric)} {bounded(first.score, first.low, first.high)}"
    lines.insert(0, f"selected model, {transfer} on {test.n:,} test rows{independent(test)}")
    lines.append(result.refit.sentence if result.refit else opened(test))
    told = result.calibration
    if told:
        lines.append(f"calibration error {bounded(told.ece, told.low, told.high)}")
        if told.conformal:
            sets = told.conformal
            lines.append(
                f"conformal sets: coverage {rate(sets.coverage)}, mean size {sets.mean_size:.2f} "
                f"(target {rate(sets.level)})"
            )
    if result.ood and result.ood.n and own.base:  # else it was measured of the transfer model
        ood = result.ood
        lines.append(f"OOD detection: AUROC {bounded(ood.auroc, ood.low, ood.high)}; on {ood.judged_on}")
    return lines


def _limits(result: Result) -> list[str]:
    lines = [f"{one.name}: {one.sentence} {one.suggestion}".rstrip() for one in result.diagnosis]
    lines += [
        f"worse than elsewhere: {slice_name(one)}, {bounded(one.score, one.low, one.high)}"
        for one in worse_slices(result)[:_SHOWN]
    ]
    grave = [one for one in result.audit.findings if one.severity in _GRAVE]
    lines += [f"data: {one.sentence}" for one in grave[:_SHOWN]]
    if len(grave) > _SHOWN:
        lines.append(f"data: {result.audit.found - _SHOWN:,} more findings; `headstart audit` lists all")
    if result.shift:
        worst = min(result.shift.damage, key=lambda one: one.score)
        lines.append(
            f"corruption robustness: worst under {worst.kind} of strength {worst.strength}, {number(worst.score)}"
        )
    return lines


def _origin(result: Result) -> list[str]:
    names = {"name": "base", "source": "from", "revision": "revision", "weights": "sha256 of the weights"}
    names |= {"licence": "licence", "trained_on": "trained on"}
    if not result.chosen.base:
        return [f"a baseline: fitted on these data alone, without a pretrained base; {_data(result)}"]
    lines = [result.base["chain"]] if result.base.get("chain") else []
    lines += [f"{title}: {result.base[key]}" for key, title in names.items() if result.base.get(key)]
    if result.base.get("remote_code"):
        lines.append("runs code of the checkpoint's own, which was allowed for this run")
    return [*lines, _data(result)]


def _data(result: Result) -> str:
    parts = ", ".join(f"{count:,} {part}" for part, count in result.data.parts.items())
    return f"adapted on {result.data.source}: {parts}; seed {result.seed}, {result.created}"
