"""Recordings from a folder to a report, a bundle and answers."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.cli import main
from tests.bases.checkpoints import audio_folder
from tests.modalities.audio.sounds import encoded, voice

pytest.importorskip("soundfile", reason="recordings are read by the extra audio")

PITCHES = {"deep": 110.0, "high": 420.0}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 24 recordings each, of many lengths, rates and formats, and one file that is no sound."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    for label, pitch in PITCHES.items():
        (folder / label).mkdir()
        for number in range(24):
            rate, kind = [(8_000, "WAV"), (44_100, "FLAC"), (16_000, "WAV"), (192_000, "WAV")][number % 4]
            seconds = 0.05 if number == 0 else float(rng.uniform(0.2, 1.2))
            wave = voice(seconds, rate, pitch * rng.uniform(0.9, 1.1), seed=number)
            samples = np.stack([wave, 0.5 * wave], axis=1) if number % 4 == 1 else wave
            path = folder / label / f"{number:02}.{kind.lower()}"
            path.write_bytes(encoded(samples, rate, kind))
    (folder / "deep" / "broken.wav").write_text("no sound at all")
    return folder


@pytest.fixture(scope="module")
def fitted(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    base = audio_folder(folder / "base")
    out = folder / "run"
    given = ["fit", recordings, "--base", base, "--strategy", "probe", "--max-rejected", "0.1", "--out", out]
    assert main([*map(str, given), "--quiet"]) == 0
    return out


def test_a_folder_of_recordings_is_fitted_and_judged(fitted: Path) -> None:
    result = json.loads((fitted / "result.json").read_text())
    assert (result["data"]["modality"], result["data"]["rows"], result["data"]["rejected"]) == ("audio", 48, 1)
    assert {"majority", "MFCC + linear"} <= {control["name"] for control in result["baselines"]}
    assert {one["column"] for one in result["slices"]} <= {"duration", "loudness", "sample rate", "cluster"}
    assert "text that starts with" in (fitted / "rejected.csv").read_text()


def test_mistakes_are_played_and_shown(fitted: Path) -> None:
    wrong = list(csv.DictReader(io.StringIO((fitted / "mistakes.csv").read_text())))
    page = (fitted / "report.html").read_text()
    assert page.count("<audio controls") == page.count("data:audio/wav;base64,")
    assert (page.count("<audio controls") > 0) or not wrong


def test_the_model_answers_elsewhere_as_it_did(fitted: Path, recordings: Path, tmp_path: Path) -> None:
    moved = tmp_path / "another place"
    shutil.copytree(fitted, moved)
    names = [str(recordings / label / f"{number:02}.wav") for label in PITCHES for number in (0, 2, 4)]
    inputs = [*names, (voice(0.4, 8_000, 110.0), 8_000), Path(names[0]).read_bytes()]
    one, other = hs.load(fitted).predict_proba(inputs), hs.load(moved).predict_proba(inputs)
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(one[0], one[-1], atol=1e-6)  # the same file, by its path and by its bytes
    alone = np.concatenate([hs.load(fitted).predict_proba([value]) for value in inputs])
    np.testing.assert_allclose(one, alone, atol=1e-4)


def test_one_that_cannot_be_read_has_a_row_with_the_reason(
    fitted: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = recordings / "high" / "02.wav", recordings / "deep" / "broken.wav"
    assert main(["predict", str(fitted), str(good), str(bad)]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [bool(row["label"]) for row in rows] == [True, False]
    assert "not a sound file" in rows[1]["error"]


@pytest.mark.parametrize("strategy", ["partial", "lora"])
def test_its_weights_are_trained(recordings: Path, tmp_path: Path, strategy: str) -> None:
    base = audio_folder(tmp_path / "base")
    run = hs.fit(
        recordings,
        base=str(base),
        strategy=strategy,
        epochs=2,
        max_rejected=0.1,
        damage=True,
        out=tmp_path / "run",
        progress=False,
    )
    assert run.result.candidates[-1].strategy == strategy
    assert {record.kind for record in run.result.shift.damage} == {"noise", "band", "clipping", "reverberation"}


def test_a_table_of_paths_with_speakers(recordings: Path, tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    lines = [
        f"{recordings / label / path.name},{label},{'abcdef'[int(path.stem) % 6]}"
        for label in PITCHES
        for path in sorted((recordings / label).iterdir())
        if path.stem != "broken"
    ]
    table.write_text("\n".join(["audio,sound,speaker", *lines]))
    base = audio_folder(tmp_path / "base")
    run = hs.fit(
        table, base=str(base), target="sound", group="speaker", strategy="probe", out=tmp_path / "run", progress=False
    )
    assert run.result.data.modality == "audio"
    assert 0 < run.result.test.units < run.result.test.n
