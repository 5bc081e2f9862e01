"""A fit that was killed: the same command makes only what was not made, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.settings import TrainingSettings
from headstart.training.job import training_root
from headstart.training.stepping import Stepper
from tests.strategies import data
from tests.strategies.whole import check, fit, repeated, surely_taken
from tests.training.small import Killed

FAST = TrainingSettings(epochs=4, rate=0.003, body_rate=1.0, augment="none", scratch_control=True)


class Steps:
    """Counts training steps, and ends the run after some."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        own = Stepper.step
        self.made, self.most = 0, 10**9

        def step(stepper: Stepper, *given: Any) -> float:
            if self.made == self.most:
                raise Killed
            self.made += 1
            return own(stepper, *given)

        patch.setattr(Stepper, "step", step)


@pytest.mark.parametrize("share", [0.4, 0.7, 0.9])
def test_folds_that_ended_are_not_trained_again(
    settled_bases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """Killed in the second fold, in the last training or in that of the control."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    texts = data.texts(tmp_path / "texts.csv", 120)
    surely_taken(monkeypatch)
    steps = Steps(monkeypatch)
    given = (texts, tmp_path / "run", settled_bases["text"], "full", FAST)
    whole, _ = fit(*given, folds=3)
    assert whole.result.chosen.strategy == "full"
    assert not list(training_root().iterdir())
    most, steps.made = steps.made, 0
    longest = most // 4  # three folds, all rows, and the control
    steps.most = int(share * most)
    with pytest.raises(Killed):
        fit(texts, tmp_path / "again", *given[2:], folds=3)
    assert list(training_root().iterdir())
    first, steps.made, steps.most = steps.made, 0, 10**9
    again, told = fit(texts, tmp_path / "again", *given[2:], folds=3)
    check(again)
    assert any("known from a run that was broken off" in line for line in told)
    assert most <= first + steps.made < most + longest  # at most the training that was under way is made again
    assert not list(training_root().iterdir())
    inputs = ["my card was late", "the cat sat on a mat"]
    np.testing.assert_array_equal(again.model.predict_proba(inputs), whole.model.predict_proba(inputs))
    ours, theirs = repeated(again.result), repeated(whole.result)
    assert {name for name in ours if ours[name] != theirs[name]} <= {"features"}
