"""How fast every layer is trained: examples/s of headstart and of its peers on the same base and rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera
from benchmarks.fitting import fit, strategy_arguments
from benchmarks.peer import PEERS, Peer
from benchmarks.process import Failed
from benchmarks.spread import ratio, spread

_OURS = "headstart, full"

THROUGHPUT_PEERS = (
    *(peer for peer in PEERS if peer.title == "transformers Trainer"),
    Peer(
        "transformers Trainer, batch 8",
        "banking77",
        "trainer_rate.py",
        100,
        ("transformers", "accelerate"),
        "nothing but defaults, so batch 8 and 5e-5, 100 steps after 5 that do not count; accuracy not measured",
    ),
    Peer(
        "fastai fine_tune",
        "hymenoptera",
        "fastai_finetune.py",
        4,
        ("fastai", "timm"),
        "one frozen epoch, then 4 of every layer, which are what is timed, validation left out; batch 32, 2e-3, "
        "aug_transforms to 224, 2 workers",
    ),
)


@dataclass
class _Lane:
    """Repeats of one runner; no accuracy where it measures none."""

    rate: list[float] = field(default_factory=list)  # examples/s in training
    accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of the whole process


@dataclass(frozen=True)
class _Side:
    """One data set's lanes by title, headstart's the first; ``absent``: peers that did not run, and why."""

    data: str
    lanes: dict[str, _Lane]
    absent: dict[str, str]


def measure(options: Options) -> Findings:
    """Both data sets, headstart and the peers in turn in every repeat."""
    photos, queries = hymenoptera(options), banking77(options)
    sides = [
        _side("banking77", queries, [queries / "train.csv", "--test", queries / "test.csv"], options),
        _side("hymenoptera", photos, [photos / "train", "--test", photos / "val"], options),
    ]
    return Findings(
        (
            Table(
                ("data", "peer", "headstart's examples/s ÷ peer's"),
                tuple(row for side in sides for row in ratio_rows(side)),
            ),
            Table(
                ("data", "runner", "examples/s in training", "accuracy", "whole process"),
                tuple(row for side in sides for row in lane_rows(side)),
            ),
        ),
        (*_NOTES, *(f"{peer.title}: {peer.recipe}." for peer in THROUGHPUT_PEERS)),
    )


_NOTES = (
    "Examples/s are those of the stretch that trains every layer, as result.json and the peers' own clocks have them; "
    "loading, and the head that headstart solves first, are in the whole process only.",
    "headstart keeps rows back for early stopping and trains as many epochs as that allows; the peers train on all "
    "training rows. The accuracy is that on the test part, after each one's own recipe.",
)


def _side(data: str, folder: Path, arguments: Sequence[str | Path], options: Options) -> _Side:
    lanes: dict[str, _Lane] = defaultdict(_Lane)
    absent: dict[str, str] = {}
    for i in range(options.repeat):
        place = options.scratch / f"throughput-{data}-{i}"
        ours = fit([*arguments, *strategy_arguments("full")], place / "cache", place / "run")
        lanes[_OURS].rate.append(float(ours.result["training"][0]["examples_per_second"]))
        lanes[_OURS].accuracy.append(ours.accuracy)
        lanes[_OURS].seconds.append(ours.process.seconds)
        for peer in (peer for peer in THROUGHPUT_PEERS if peer.data == data and peer.title not in absent):
            why = _run_peer(peer, folder, options.quick, lanes)
            if why:
                absent[peer.title] = why
                lanes.pop(peer.title, None)  # a lane with fewer repeats than the others compares with nothing
    return _Side(data, dict(lanes), absent)


def _run_peer(peer: Peer, folder: Path, quick: bool, lanes: dict[str, _Lane]) -> str:
    """Add one run to the peer's lane; "" or why there is none."""
    interpreter = peer.interpreter()
    if interpreter is None:
        return peer.missing()
    try:
        process, printed = peer.printed(interpreter, folder, quick)
    except Failed as error:
        return f"failed: {error}".replace("|", "/").replace("\n", " ")
    lanes[peer.title].rate.append(float(printed["examples_per_second"]))
    lanes[peer.title].seconds.append(process.seconds)
    if "accuracy" in printed:
        lanes[peer.title].accuracy.append(float(printed["accuracy"]))
    return ""


def ratio_rows(side: _Side) -> list[tuple[str, ...]]:
    """headstart's rate over each peer's."""
    ours = spread(side.lanes[_OURS].rate)
    peers = {title: lane for title, lane in side.lanes.items() if title != _OURS}
    ran = [(side.data, title, ratio(ours, spread(lane.rate)).text("×")) for title, lane in peers.items()]
    return [*ran, *((side.data, title, why) for title, why in side.absent.items())]


def lane_rows(side: _Side) -> list[tuple[str, ...]]:
    """Every runner's rate, accuracy and seconds."""
    return [
        (
            side.data,
            title,
            spread(lane.rate).text("/s", 1),
            spread(lane.accuracy).text(digits=3) if lane.accuracy else "",
            spread(lane.seconds).text("s", 1),
        )
        for title, lane in side.lanes.items()
    ]


BENCHMARK = Benchmark("throughput", "examples/s of training every layer, beside Trainer and fastai", measure)
