"""A model made of every row, without a test set: as an earlier run made its own, whose scores it shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.data.naming import some
from headstart.data.table import Table
from headstart.delivery.parts import earlier_parts
from headstart.errors import BundleError, SettingError
from headstart.evaluation.baselines import option_of
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import number
from headstart.flow.calibration import Calibrated
from headstart.flow.fit.output import Scores
from headstart.flow.fit.training_curves import learnt
from headstart.flow.preparation import Prepared
from headstart.flow.search import Climbed
from headstart.flow.selection import Preferred
from headstart.records import DiagnosisRecord, GainRecord, RefitRecord, Result, TestRecord, VerdictRecord
from headstart.settings import FitSettings, option_name
from headstart.unicode import writable

_NAN = float("nan")


@dataclass(frozen=True)
class Earlier:
    """The run whose scores are shown: its ``folder`` as given, and as it can be written."""

    folder: str
    result: Result

    @property
    def path(self) -> str:
        """The folder as text that can be written."""
        return writable(self.folder)


def check_test_size(settings: FitSettings) -> None:
    """Refuse what asks for a test set where there is none, before any work.

    Raises:
        SettingError: what came, and what goes with it.
    """
    if settings.split.test:
        if settings.evidence:
            raise SettingError(
                f"--evidence {settings.evidence} shows the scores of an earlier run, for a model of all rows; it goes "
                f"with --test-size 0, and test-size is {settings.split.test:g}."
            )
        return
    for option, given in (("--corruptions", settings.judging.damage), ("--ood", settings.judging.ood is not None)):
        if given:
            raise SettingError(f"{option} is scored beside the test set, and with --test-size 0 there is none.")


def earlier_run(settings: FitSettings) -> Earlier | None:
    """The run that ``settings`` names as evidence; None where it names none.

    Raises:
        BundleError: there is no finished run.
        SettingError: it has no test score of its own.
    """
    if settings.evidence is None:
        return None
    path = Path(settings.evidence) / "result.json"
    try:
        result = Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BundleError(
            f"{settings.evidence} is not a finished run (result.json: {error.strerror}); name the folder of one."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}); fit again.") from error
    if result.refit is not None:
        other = f"; name {result.refit.run}, whose score it shows" if result.refit.run else ""
        raise SettingError(f"--evidence {settings.evidence}: it was trained on all rows and has no test score{other}.")
    return Earlier(settings.evidence, result)


def repeated(settings: FitSettings, earlier: Earlier) -> FitSettings:
    """``settings`` with base, strategy and all that makes a model as in the ``earlier`` run.

    Raises:
        SettingError: something else is asked for than was done.
    """
    was, usual, result = earlier.result.settings, FitSettings(), earlier.result
    base = was.get("base") or result.base["name"]

    def taken(name: str, own: Any, default: Any, before: Any) -> Any:
        before = tuple(before) if isinstance(before, list) else before
        if own not in (default, before):
            raise SettingError(
                f"--evidence {earlier.path}: it was made with {option_name(name)} {before}, and {own} is asked "
                "for; its scores are not those of such a model. Leave that out, or fit with a test set first."
            )
        return before if own == default else own

    def group(name: str, *left: str) -> Any:
        own, default, before = getattr(settings, name), getattr(usual, name), was.get(name, {})
        names = [one.name for one in fields(own) if one.name not in left]
        told = {one: before.get(one, getattr(default, one)) for one in names}
        return replace(own, **{one: taken(one, getattr(own, one), getattr(default, one), told[one]) for one in names})

    names = ("size", "max_tokens", "windows", "folds", "seed")
    plain = {one: taken(one, getattr(settings, one), getattr(usual, one), was.get(one)) for one in names}
    return replace(
        settings,
        source=group("source"),
        split=group("split", "test", "like"),
        judging=group("judging", "ood", "damage"),
        training=replace(group("training", "scratch_control"), scratch_control=False),
        base=taken("base", settings.base, None, base),
        strategy=taken("strategy", settings.strategy, usual.strategy, _strategy(result)),
        metric=taken("metric", settings.metric, None, result.metric),
        **plain,
    )


def _strategy(result: Result) -> str:
    """What selects the model that was handed over."""
    chosen = result.chosen
    return chosen.strategy if chosen.base else option_of(chosen.strategy).removeprefix("--strategy ")


def split_as(settings: FitSettings, earlier: Earlier, table: Table) -> FitSettings:
    """``settings`` by which rows of the earlier run that were held out are held out again, where no part is given."""
    if (table.split != "").any():
        return settings
    return replace(settings, split=replace(settings.split, like=earlier.folder))


def check_base_as(base: Base, earlier: Earlier) -> None:
    """Refuse another base than the earlier run's of that name.

    Raises:
        SettingError: its weights are others.
    """
    before = earlier.result.base.get("weights", "")
    if before and base.identity.weights != before:
        raise SettingError(
            f"--evidence {earlier.path}: base {base.identity.name!r} has other weights than it had there, so its "
            "scores are not those of a model on this base."
        )


def refit_scores(
    earlier: Earlier | None,
    prepared: Prepared,
    climbed: Climbed,
    calibrated: Calibrated,
    preferred: Preferred | None,
) -> Scores:
    """The scores to show for a model of all rows: the earlier run's, or none.

    Raises:
        SettingError: the earlier run has other labels, or none of these rows.
    """
    ground = climbed.ground
    held = preferred.held if preferred else calibrated.held
    valid = float(METRICS[ground.metric].function(ground.held_y, held))
    rows = len(prepared.working())
    return _of_none(climbed, rows, valid) if earlier is None else _of_run(earlier, prepared, rows, valid)


def _of_run(earlier: Earlier, prepared: Prepared, rows: int, valid: float) -> Scores:
    result = earlier.result
    other = sorted(set(result.data.labels) ^ set(prepared.task.labels))
    if other or result.task != prepared.task.name:
        told = f"labels {some(map(repr, other))} are not in both" if other else f"its task is {result.task}"
        raise SettingError(f"--evidence {earlier.path}: {told}, so its scores are not those of a model of these data.")
    tested = [key for key, part in earlier_parts(Path(earlier.folder)).parts.items() if part == "test"]
    learned = int(np.isin(tested, prepared.keys.astype(str)).sum())
    before = result.data.parts["train"] + result.data.parts["valid"]
    sentence = (
        f"This model was trained on all {rows:,} rows and has no test score of its own: the scores are those of run "
        f"{earlier.path}, made in the same way from {before:,} rows and evaluated on {result.test.n:,} test rows"
        + (f", of which this model has been trained on {learned:,}." if learned else ".")
    )
    verdict = result.verdict
    return Scores(
        VerdictRecord(verdict.outcome, f"{verdict.sentence} {sentence}", verdict.next_step),
        replace(result.test, opened=0),
        result.transfer_gain,
        result.controls,
        result.diagnosis,
        result.classes,
        result.slices,
        result.calibration,
        result.ood,
        result.shift,
        RefitRecord(earlier.path, sentence, rows, before, learned, valid),
    )


def _of_none(climbed: Climbed, rows: int, valid: float) -> Scores:
    name = climbed.ground.metric.replace("_", " ")
    sentence = (
        f"This model was trained on all {rows:,} rows, so there is no test score. Its {name} on held-out rows, by "
        f"which it was selected, is {number(valid)}."
    )
    step = (
        "For a test score fit without `--test-size 0`; then `--test-size 0 --evidence RUN` trains on all rows and "
        "shows that run's score."
    )
    found = [
        DiagnosisRecord(one.name, one.sentence, one.suggestion) for one in learnt(climbed) if one.name != "healthy"
    ]
    return Scores(
        VerdictRecord("cannot tell", f"No test set. {sentence}", step),
        TestRecord(_NAN, _NAN, _NAN, 0, {}, {}, 0, 0),
        GainRecord(_NAN, _NAN, _NAN, ""),
        [],
        found or [DiagnosisRecord("no test set", "Without a test set nothing is known of new rows.", step)],
        [],
        [],
        None,
        None,
        None,
        RefitRecord("", sentence, rows, 0, 0, valid),
    )
