"""Runs that begin where an earlier one ended: foundation, general, specialised, yours."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.bases.learnt import learnt_keys
from headstart.delivery.model import Model
from headstart.errors import SplitError
from headstart.flow.fit.fit import Places, fit_source
from headstart.settings import FitSettings, SplitSettings, TrainingSettings
from tests.strategies import data
from tests.strategies.whole import check, fit, surely_taken

FAST = TrainingSettings(epochs=4, rate=0.003, body_rate=1.0, augment="none", scratch_control=False)
INPUTS = ["my card was late", "the cat sat on a mat", "new parcel"]


@pytest.mark.parametrize("second", ["full", "lora"])
def test_the_second_run_stands_on_its_own(
    settled_bases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    surely_taken(monkeypatch)
    first, _ = fit(
        data.texts(tmp_path / "a.csv", 120), tmp_path / "runs" / "letters", settled_bases["text"], "lora", FAST
    )
    assert first.result.chosen.head == "trained"
    root = Path(settled_bases["text"])
    assert first.result.base["chain"] == f"{root} → yours"
    source = data.texts(tmp_path / "b.csv", 120, seed=1)
    run, told = fit(source, tmp_path / "runs" / "mine", str(first.path), second, FAST)
    assert run.result.chosen.head == "trained"
    check(run)
    trail = f"{root} → letters"
    assert run.result.base["chain"] == f"{trail} → yours"
    assert run.result.base["name"] == str(root)
    assert run.result.base["weights"] != first.result.base["weights"]
    assert any(trail in line for line in told)
    for page in ("report.html", "bundle/card.md"):
        assert f"{trail} → yours" in (run.path / page).read_text(encoding="utf-8")
    shutil.rmtree(first.path)
    again = Model.load(run.path)
    np.testing.assert_allclose(again.embed(INPUTS), run.model.embed(INPUTS), atol=1e-4)
    np.testing.assert_allclose(again.predict_proba(INPUTS), run.model.predict_proba(INPUTS), atol=1e-4)
    assert again.bundle.base is not None
    assert [one.name for one in again.bundle.base.lineage] == [str(root), "letters"]
    assert again.bundle.base.lineage[1].trained_on == "a.csv"


def test_rows_that_the_base_learnt_from_prove_nothing(
    settled_bases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = data.texts(tmp_path / "a.csv", 120)
    first, _ = fit(source, tmp_path / "runs" / "first", settled_bases["text"], "full", FAST)
    assert first.result.chosen.head == "trained"
    same = Places(source, tmp_path / "runs" / "same")
    settings = FitSettings(base=str(first.path), strategy="probe")
    assert not [fact for fact in fit_source(same, settings).result.data.facts if fact["what"] == "leak"]
    other = Places(source, tmp_path / "runs" / "other")
    run = fit_source(other, replace(settings, split=SplitSettings(seed=1), seed=1))
    (leak,) = (fact for fact in run.result.data.facts if fact["what"] == "leak")
    assert "an earlier run trained the base on them" in leak["reason"]
    assert set(learnt_keys(first.path)) <= set(learnt_keys(run.path))
    learnt = tmp_path / "learnt.csv"
    answered = first.result.data.parts["train"] + first.result.data.parts["valid"]
    rows = source.read_text(encoding="utf-8").splitlines()
    keys = {hashlib.sha256(row.rpartition(",")[0].encode()).hexdigest(): row for row in rows[1:]}
    known = [keys[key] for key in learnt_keys(first.path) if key in keys]
    assert len(known) == answered
    learnt.write_text("\n".join([rows[0], *known]), encoding="utf-8")
    with pytest.raises(SplitError, match=r"trained base .* on every one of the"):
        fit_source(Places(source, tmp_path / "runs" / "none", test=learnt), settings)


@pytest.mark.slow
def test_on_the_embedded_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = data.pictures(tmp_path / "bees", 40)
    training = TrainingSettings(epochs=1, augment="none", scratch_control=False)
    first, _ = fit(photos, tmp_path / "runs" / "bees", "efficientnet_lite0", "partial", training)
    assert first.result.base["chain"] == "efficientnet_lite0 (ImageNet-1k, Apache-2.0) → yours"
    run, _ = fit(photos, tmp_path / "runs" / "mine", str(first.path), "partial", training)
    assert run.result.base["chain"] == "efficientnet_lite0 (ImageNet-1k, Apache-2.0) → bees → yours"
    assert (run.result.base["weights"] != first.result.base["weights"]) == (first.result.chosen.head == "trained")
    shutil.rmtree(first.path)
    inputs = [str(path) for path in sorted(photos.glob("*/*.png"))[::9]]
    np.testing.assert_allclose(Model.load(run.path).predict_proba(inputs), run.model.predict_proba(inputs), atol=1e-4)
