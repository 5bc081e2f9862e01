"""Entities of WNUT 2017: headstart beside its baselines and transformers' own recipe, on the same test sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.benchmark import Benchmark, Findings, Options, Table, Unavailable
from benchmarks.data import real
from benchmarks.fitting import PROBE, Fit, fit, strategy_arguments
from benchmarks.peer import Peer
from benchmarks.process import run
from benchmarks.spread import against
from headstart.controls.tagging import Crf, MostFrequentTag
from headstart.data.source import open_source
from headstart.data.table import Table as Rows
from headstart.data.table import objects
from headstart.delivery.answers import TEST, Answers
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.ragged import Ragged
from headstart.tasks.tag.tag import Tag

_MOST_SECONDS, _TIMES, _WITHIN = 60.0, 3.0, 0.01  # goals: the probe's seconds; the peer's time ÷ ours; points of F1
_RATES = ("3e-4",)  # usual for networks as small as this one; the library's default, 5e-5, is made for larger ones
_MOST_EPOCHS = 60
_QUICK = {"train": 120, "valid": 40, "test": 60}  # sentences
_METRIC = "entity_f1"
_OURS = {"probe": PROBE, "auto": (*strategy_arguments("auto"), "--no-scratch-baseline")}
_TRAINER = Peer(
    "transformers Trainer",
    "wnut17",
    "trainer_tags.py",
    _MOST_EPOCHS,
    ("transformers", "accelerate"),
    "every layer, the label on a word's first token, batch 8, linear schedule, float32",
)


@dataclass(frozen=True)
class Lane:
    """One runner on the test sentences.

    Attributes:
        title: as tables show it.
        said: of the test rows, tag numbers or probabilities a word.
        seconds: of the whole process; nan where it has none of its own.
        how: what it chose, or was given.
    """

    title: str
    said: Ragged
    seconds: float
    how: str


def measure(options: Options) -> Findings:
    """Ours in turn, each on an empty cache; then the baselines, and the peer in three times the time of `auto`."""
    source = _source(options)
    fits = {name: _fitted(name, source, options.scratch) for name in _OURS}
    table = open_source(source).table
    kept = Answers.load(options.scratch / "tags-probe").part_of(TEST)
    test = _by_id(table, kept.ids)
    learnt = table.take(np.flatnonzero(table.split != "test"))
    ours = [
        Lane(f"headstart, {name}", _ours(options.scratch / f"tags-{name}", kept), one.process.seconds, _chosen(one))
        for name, one in fits.items()
    ]
    theirs, absent = _peers(learnt, test, kept, fits["auto"].process.seconds, options)
    lanes = [*ours, *_baselines(learnt, test, kept), *theirs]
    tables = (_scores(lanes, kept), _gains(ours, lanes, kept), _seconds(fits["probe"], table))
    return Findings(tables, (*_NOTES, f"{_TRAINER.title}: {_TRAINER.recipe} ({_versions()}).{absent}"))


_NOTES = (
    "Strict entity F1: type, first and last word are right. 95 % intervals, also of differences, by sentence; near "
    "duplicates count as one.",
    "headstart's seconds are those of the whole process on an empty cache, with both baselines, intervals and report; "
    "auto, the default, without the network from random weights, which has no part in the model. "
    "The Trainer's are of its process from loading the base to the answers, without a trial that tells how many whole "
    "epochs fit; it gets three times the seconds of auto, at most 60 epochs, and the last epoch is what counts.",
    "The model that headstart judges, the baselines and the Trainer learn from training and validation sentences. The "
    "base reads all texts in lower case.",
)


def _source(options: Options) -> Path:
    """The files of the data set; the first sentences of each where quick."""
    source = real("wnut17")
    if not options.quick:
        return source
    folder = options.scratch / "wnut17"
    folder.mkdir()
    for part, name in (
        ("train", "wnut17train.conll"),
        ("valid", "emerging.dev.conll"),
        ("test", "emerging.test.annotated"),
    ):
        sentences = (source / name).read_text(encoding="utf-8").split("\n\n")[: _QUICK[part]]
        (folder / f"{part}.conll").write_text("\n\n".join(sentences) + "\n", encoding="utf-8")
    return folder


def _fitted(name: str, source: Path, scratch: Path) -> Fit:
    cache = scratch / f"tags-cache-{name}"
    cache.mkdir()
    return fit([source, *_OURS[name]], cache, scratch / f"tags-{name}")


def _chosen(one: Fit) -> str:
    """The strategy whose model was judged."""
    return str(one.result["selected"]["strategy"])


def _ours(folder: Path, like: Answers) -> Ragged:
    """The probabilities of the run in ``folder`` for the test rows of ``like``, in their order.

    Raises:
        Unavailable: the runs do not have the same test rows.
    """
    found = Answers.load(folder).part_of(TEST)
    places = {one: i for i, one in enumerate(found.ids.tolist())}
    if set(places) != set(like.ids.tolist()) or found.labels != like.labels:
        raise Unavailable("the runs have other test rows or tags than each other, so they cannot be compared")
    return found.take(np.array([places[one] for one in like.ids.tolist()])).probabilities


def _by_id(table: Rows, ids: np.ndarray) -> Rows:
    places = {one: i for i, one in enumerate(table.ids.tolist())}
    return table.take(np.array([places[one] for one in ids.tolist()]))


def _baselines(learnt: Rows, test: Rows, kept: Answers) -> list[Lane]:
    """What headstart holds its models against, fitted on the same sentences."""
    y = Tag(kept.labels).encode(_targets(learnt))
    found = []
    for control in (MostFrequentTag(len(kept.labels)), Crf(len(kept.labels))):
        control.fit(learnt.inputs, y, "tag", 0)
        found.append(Lane(control.name, control.probabilities(test.inputs), float("nan"), ""))
    return found


def _peers(learnt: Rows, test: Rows, kept: Answers, ours: float, options: Options) -> tuple[list[Lane], str]:
    """The peer at each of its rates; what to say where it cannot be run."""
    interpreter = _TRAINER.interpreter()
    if interpreter is None:
        return [], f" It did not run: {_TRAINER.missing()}."
    _written(options.scratch / "train.jsonl", learnt)
    _written(options.scratch / "test.jsonl", test)
    length = ("1", "0") if options.quick else (str(_MOST_EPOCHS), f"{_TIMES * ours:.0f}")
    script = Path(__file__).parent / "peers" / _TRAINER.script
    lanes = []
    for rate in _RATES:
        done = run([interpreter, script, options.scratch, length[0], rate, length[1]])
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        lines = (options.scratch / "said.jsonl").read_text(encoding="utf-8").splitlines()
        said = Tag(kept.labels).encode(objects(tuple(json.loads(line)) for line in lines))
        title = f"{_TRAINER.title}, {rate}"
        lanes.append(Lane(title, said, float(told["training_seconds"]), f"{told['epochs']} epochs"))
    return lanes, ""


def _targets(rows: Rows) -> np.ndarray:
    if rows.targets is None:
        raise Unavailable("the sentences have no tags")
    return rows.targets


def _written(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8") as file:
        for text, tags in zip(rows.inputs, _targets(rows), strict=True):
            file.write(json.dumps({"tokens": text.tokens, "tags": list(tags)}) + "\n")


def _versions() -> str:
    interpreter = _TRAINER.interpreter()
    return _TRAINER.versions(interpreter) if interpreter else "not installed"


def _scores(lanes: Sequence[Lane], kept: Answers) -> Table:
    rows = []
    for lane in lanes:
        values = [score_interval(m, kept.truth, lane.said, units=kept.unit) for m in (_METRIC, "token_accuracy")]
        parts = [score_interval(m, kept.truth, lane.said).value for m in ("entity_precision", "entity_recall")]
        shown = "" if np.isnan(lane.seconds) else f"{lane.seconds:.0f} s"
        rows.append(
            (lane.title, lane.how, _interval(values[0]), *(f"{p:.3f}" for p in parts), f"{values[1].value:.3f}", shown)
        )
    header = ("runner", "what", "entity F1", "precision", "recall", "token accuracy", "seconds")
    return Table(header, tuple(rows))


def _gains(ours: Sequence[Lane], lanes: Sequence[Lane], kept: Answers) -> Table:
    """Each of ours less each of the others, paired."""
    own = {lane.title for lane in ours}
    rows = []
    for lane in ours:
        for other in (one for one in lanes if one.title not in own):
            gain = paired_gain(_METRIC, kept.truth, lane.said, other.said, units=kept.unit)
            rows.append((lane.title, other.title, _interval(gain, "+"), _goal(gain, other)))
    return Table(("runner", "less", "entity F1", "goal"), tuple(rows))


def _goal(gain: Interval, other: Lane) -> str:
    """Above a baseline by the interval; within a point of the peer."""
    if other.title.startswith(_TRAINER.title):
        return f"≥ −{_WITHIN:g}: {'met' if gain.value >= -_WITHIN else 'missed'}"
    return f"interval above 0: {'met' if gain.low > 0 else 'missed'}"


def _seconds(probe: Fit, table: Rows) -> Table:
    whole, timing = probe.process.seconds, probe.result["timing"]
    features = float(timing.get("features", float("nan")))
    header = ("sentences", "whole process of the probe", "goal", "of it features")
    row = (f"{len(table):,}", f"{whole:.1f} s", against(whole, _MOST_SECONDS, " s"), f"{features:.1f} s")
    return Table(header, (row,))


def _interval(one: Interval, sign: str = "") -> str:
    return f"{one.value:{sign}.3f} [{one.low:{sign}.3f}, {one.high:{sign}.3f}]"


BENCHMARK = Benchmark(
    "tags", "entities beside a word's most frequent tag, a CRF and transformers' recipe", measure, how="measured once"
)
