"""Spoken digits of speakers that were never trained on: the frozen encoder beside MFCCs, speaker by speaker."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import read_csv, real
from benchmarks.fitting import PROBE, Fit, fit
from benchmarks.spread import against

_LEAST, _MOST_SECONDS = 0.95, 60.0  # goals: mean accuracy, seconds of one fit without a cache
_QUICK_TAKES = 3  # of each digit and speaker
_BASELINE = "MFCC + linear"


def measure(options: Options) -> Findings:
    """A fit for each speaker that is left out; features come from the cache but for the first."""
    source = real("fsdd")
    rows = [{**row, "path": str(source / row["path"])} for row in read_csv(source / "labels.csv")]
    if options.quick:
        rows = [row for row in rows if int(row["take"]) < _QUICK_TAKES]
    speakers = sorted({row["speaker"] for row in rows})
    cache, fits = options.scratch / "audio-cache", dict[str, Fit]()
    for speaker in speakers:
        folder = options.scratch / f"audio-{speaker}"
        folder.mkdir()
        train = _table(folder / "train.csv", [row for row in rows if row["speaker"] != speaker])
        test = _table(folder / "test.csv", [row for row in rows if row["speaker"] == speaker])
        arguments = [train, "--test", test, "--target", "digit", "--group", "speaker", *PROBE]
        fits[speaker] = fit(arguments, cache, folder / "run")
    return Findings((_speakers(fits), _seconds(fits[speakers[0]], len(rows))), _NOTES)


_NOTES = (
    "Each speaker's recordings are the test set of a model of the other five; the validation set is one of these.",
    "The interval is Student's t over the six speakers, of the mean accuracy and of the mean difference.",
    "Seconds: the whole process of the first fit, no cache, loading included; of it features and linear classifiers.",
)


def _table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _baseline(one: Fit) -> float:
    found = next(control for control in one.result["baselines"] if control["name"] == _BASELINE)
    return float(found["score"])


def _speakers(fits: dict[str, Fit]) -> Table:
    own, plain = (np.array([of(one) for one in fits.values()]) for of in (lambda one: one.accuracy, _baseline))
    rows = [
        (speaker, f"{a:.3f}", f"{b:.3f}", f"{a - b:+.3f}", "") for speaker, a, b in zip(fits, own, plain, strict=True)
    ]
    met = f"≥ {_LEAST:g}: {'met' if own.mean() >= _LEAST else 'missed'}"
    rows.append(("mean", _interval(own), _interval(plain), _interval(own - plain, "+"), met))
    return Table(("speaker left out", "whisper-tiny.en, probe", _BASELINE, "gain", "goal"), tuple(rows))


def _interval(values: np.ndarray, sign: str = "") -> str:
    """The mean with its interval, neither above 1."""
    from scipy.stats import t

    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return f"{mean:{sign}.3f} [{mean - half:{sign}.3f}, {min(1.0, mean + half):{sign}.3f}]"


def _seconds(first: Fit, recordings: int) -> Table:
    whole, features = first.process.seconds, float(first.result["timing"].get("features", float("nan")))
    header = ("recordings", "whole process", "goal", "of it features")
    return Table(
        header, ((f"{recordings:,}", f"{whole:.1f} s", against(whole, _MOST_SECONDS, " s"), f"{features:.1f} s"),)
    )


BENCHMARK = Benchmark("audio", "spoken digits of speakers never trained on, beside MFCCs", measure, how="measured once")
