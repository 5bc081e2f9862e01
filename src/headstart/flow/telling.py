"""What a run says of its plan before the work."""

from __future__ import annotations

from headstart.bases.base import Base
from headstart.data.table import Opened
from headstart.evaluation.baselines import baseline_of
from headstart.flow.handing import ChosenMetric
from headstart.flow.preparing import Prepared
from headstart.flow.remarking import tell_facts
from headstart.progress import Progress
from headstart.settings import FitSettings

_WORK = {"auto": "climb on to dearer strategies while they pay", "probe": "no weights of the base are trained"}


def tell_plan(opened: Opened, base: Base, settings: FitSettings, progress: Progress) -> None:
    """What was understood of the data, and what will be done."""
    table, strategy = opened.table, settings.strategy
    last = "fit the controls; open the test part once" if settings.split.test else "no test set, as --test-size is 0"
    aside = f", {len(opened.rejected)} set aside" if opened.rejected else ""
    progress.say(f"{len(table):,} {table.modality}s for {table.task}{aside}")
    tell_facts(opened.facts, progress)
    baseline = baseline_of(strategy)
    then = f"then the baseline {baseline}, which is the selected model" if baseline else f"then strategy {strategy}"
    progress.say(
        f"plan: pass each {table.modality} once through {base.identity.name}, frozen; solve heads on its features; "
        f"{_WORK.get(strategy, then)}; {last}"
    )


def tell_prepared(opened: Opened, prepared: Prepared, metric: ChosenMetric, progress: Progress) -> None:
    """How the rows were split, where the features came from, and what is judged by."""
    features = prepared.features
    tell_facts(prepared.facts[len(opened.facts) :], progress)
    if prepared.rejected:
        first = prepared.rejected[0]
        progress.say(
            f"  set aside: {len(prepared.rejected)} unusable rows, listed in rejected.csv; "
            f"the first is {first.id} ({first.reason})"
        )
    runtime = f" ({features.runtime})" if features.runtime else ""
    cached = prepared.rows - features.computed
    progress.say(f"  features: {features.computed:,} computed{runtime}, {cached:,} from the cache")
    progress.say(f"  metric: {metric.name} ({metric.reason})")
