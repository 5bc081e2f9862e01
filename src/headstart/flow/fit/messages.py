"""What a run says of its plan before the work."""

from __future__ import annotations

from headstart.bases.base import Base
from headstart.data.table import Opened, remarks
from headstart.evaluation.wording import metric_name
from headstart.flow.fit.output import ChosenMetric
from headstart.flow.preparation import Prepared
from headstart.flow.remarks import tell_facts
from headstart.modalities import get
from headstart.progress import Progress
from headstart.settings import FitSettings
from headstart.strategies.names import asked_baseline
from headstart.tasks import get as get_task

_WORK = {"auto": "then a strategy search", "probe": "no weights of the base are trained"}


def tell_plan(opened: Opened, base: Base, settings: FitSettings, progress: Progress) -> None:
    """What was understood of the data, and what will be done."""
    table, strategy = opened.table, settings.strategy
    last = (
        "baselines; the test set is evaluated once at the end"
        if settings.split.test
        else "no test set, as --test-size is 0"
    )
    aside = f", {len(opened.rejected):,} excluded" if opened.rejected else ""
    what = f"{get(table.modality).plural} for {get_task(table.task).purpose()}"
    progress.say(f"{len(table):,} {what}{aside}; base {base.identity.name}")
    changed = remarks(opened.facts)
    tell_facts(changed, progress)
    tell_facts([fact for fact in opened.facts if fact not in changed], progress, detail=True)
    baseline = asked_baseline(strategy)
    then = f"then the baseline {baseline}, which is the selected model" if baseline else f"then strategy {strategy}"
    progress.detail(
        f"plan: a linear model on frozen features of {base.identity.name}; {_WORK.get(strategy, then)}; {last}"
    )


def tell_prepared(opened: Opened, prepared: Prepared, metric: ChosenMetric, progress: Progress) -> None:
    """How the rows were split, where the features came from, and what is judged by."""
    features, found = prepared.features, prepared.facts[len(opened.facts) :]
    tell_facts(remarks(found), progress)
    tell_facts([fact for fact in found if fact not in remarks(found)], progress, detail=True)
    if prepared.rejected:
        first = prepared.rejected[0]
        progress.say(
            f"  excluded: {len(prepared.rejected):,} unusable rows, listed in rejected.csv; "
            f"the first is {first.id} ({first.reason})"
        )
    runtime = f" ({features.runtime})" if features.runtime else ""
    cached = prepared.rows - features.computed
    progress.detail(f"  features: {features.computed:,} computed{runtime}, {cached:,} from the cache")
    progress.detail(f"  metric: {metric_name(metric.name)} ({metric.reason})")
