"""headstart: adapt a pre-trained model to your labelled data, and measure what transfer learning gained over baselines.

    import headstart as hs

    run = hs.fit("photos/")              # class subfolders, optional train/valid/test
    print(run.result.verdict.sentence)
    model = hs.load("runs/photos")
    model.predict(["new.jpg"])

Heavy libraries are imported when work needs them, not here.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headstart.began import LOADED as _LOADED  # noqa: F401 (early: imports take their time, which counts)
from headstart.errors import HeadstartError, HeadstartWarning, UserError

if TYPE_CHECKING:
    from headstart.api import advise, audit, compare, embed, evaluate, fit, inspect, list_bases, rank, shift
    from headstart.delivery.model import Model, load
    from headstart.estimators import TransferClassifier, TransferRegressor
    from headstart.flow.fit.fit import Inspection, Run
    from headstart.records import Result
    from headstart.targets import TargetEvaluations, TargetRuns

__version__ = "0.1.0"

_HOMES = {
    "advise": "headstart.api",
    "audit": "headstart.api",
    "compare": "headstart.api",
    "embed": "headstart.api",
    "evaluate": "headstart.api",
    "fit": "headstart.api",
    "inspect": "headstart.api",
    "list_bases": "headstart.api",
    "load": "headstart.delivery.model",
    "rank": "headstart.api",
    "shift": "headstart.api",
    "Model": "headstart.delivery.model",
    "Result": "headstart.records",
    "Run": "headstart.flow.fit.fit",
    "Inspection": "headstart.flow.fit.fit",
    "TargetEvaluations": "headstart.targets",
    "TargetRuns": "headstart.targets",
    "TransferClassifier": "headstart.estimators",
    "TransferRegressor": "headstart.estimators",
}

__all__ = [
    "HeadstartError",
    "HeadstartWarning",
    "Inspection",
    "Model",
    "Result",
    "Run",
    "TargetEvaluations",
    "TargetRuns",
    "TransferClassifier",
    "TransferRegressor",
    "UserError",
    "__version__",
    "advise",
    "audit",
    "compare",
    "embed",
    "evaluate",
    "fit",
    "inspect",
    "list_bases",
    "load",
    "rank",
    "shift",
]


class _Names(ModuleType):
    """This module, where verbs keep their names: importing the room ``headstart.audit`` would take that of one."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Names


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
