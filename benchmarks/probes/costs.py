"""What headstart says each strategy will cost: python costs.py INSPECT.json.

The file says ``source``, ``test`` and the fields of the source's settings; the costs are printed as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from headstart.bases.catalogue import open_base
from headstart.data.source import open_sources
from headstart.flow.advise.costs import predicted_costs
from headstart.flow.preparation import prepare
from headstart.progress import Progress
from headstart.settings import FitSettings, SourceSettings, TrainingSettings


def costs(source: str, test: str, how: dict[str, Any]) -> list[dict[str, Any]]:
    """Of every strategy, without the control from random weights."""
    told = {**how, "target": tuple(how["target"]) if "target" in how else None}
    settings = FitSettings(source=SourceSettings(**told), training=TrainingSettings(scratch_control=False))
    opened = open_sources(source, valid=None, test=test, settings=settings.source)
    base = open_base(settings.base, opened.table.modality)
    prepared = prepare(opened, base, settings, Progress())
    metric = prepared.task.default_metric(prepared.train.y)[0]
    return [one.to_dict() for one in predicted_costs(prepared, base, metric, settings)]


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(costs(asked["source"], asked["test"], asked["how"])))
