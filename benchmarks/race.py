"""Whole processes from data to accuracy: headstart and its peers on the same base weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera
from benchmarks.fitting import STATES, Fit, fit_in_each_state, fit_on_new_data, strategy_arguments
from benchmarks.peer import PEERS, Peer
from benchmarks.process import Failed
from benchmarks.spread import ratio, spread

_AUTO = "auto"  # the lane of `--strategy auto` on new data
_OURS = (*(f"probe, {state}" for state in STATES), _AUTO)


@dataclass
class _Lane:
    """Repeats of one runner: whole-process seconds and accuracy on the same test rows."""

    seconds: list[float]
    accuracy: list[float]

    def add(self, fit: Fit) -> None:
        """One more repeat."""
        self.seconds.append(fit.process.seconds)
        self.accuracy.append(fit.accuracy)


def measure(options: Options) -> Findings:
    """Both races, headstart and the peers in turn in every repeat."""
    photos, queries = hymenoptera(options), banking77(options)
    races = [
        _race("hymenoptera", photos, [photos / "train", "--test", photos / "val"], options),
        _race("banking77", queries, [queries / "train.csv", "--test", queries / "test.csv"], options),
    ]
    ratios = Table(
        ("data", "peer", "peer's seconds", *(f"÷ headstart, {lane}" for lane in _OURS)),
        tuple(row for race in races for row in race.ratio_rows()),
    )
    lanes = Table(("data", "runner", "accuracy", "whole process"), tuple(row for race in races for row in race.rows()))
    return Findings((ratios, lanes), (*_NOTES, *(_recipe(peer) for peer in PEERS)))


_NOTES = (
    "Seconds are those of the whole process, from its start to its end, imports and loading included; ratios are taken "
    "repeat by repeat. headstart's processes also fit the controls, draw the intervals and write the report.",
    "The lanes called probe are `headstart fit --strategy probe`, the base frozen. The lane called auto is "
    "`--strategy auto`, the default, on new data: it goes on to train where that may pay.",
    "The peers get the preprocessing that the base's weights were trained with, which their users would have to find "
    "out. The tutorial reports the best of its epochs, chosen on the rows it is judged by; the others the last.",
)


@dataclass(frozen=True)
class _Race:
    """One data set's lanes; ``absent``: peers that did not run, and why."""

    data: str
    ours: dict[str, _Lane]
    theirs: dict[str, _Lane]
    absent: dict[str, str]

    def ratio_rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for title, peer in self.theirs.items():
            times = spread(peer.seconds)
            over = [ratio(times, spread(self.ours[lane].seconds)).text("×", 1) for lane in _OURS]
            rows.append((self.data, title, times.text("s", 1), *over))
        return rows + [(self.data, title, why, *("",) * len(_OURS)) for title, why in self.absent.items()]

    def rows(self) -> list[tuple[str, ...]]:
        lanes = {**{f"headstart, {title}": lane for title, lane in self.ours.items()}, **self.theirs}
        ran: list[tuple[str, ...]] = [
            (self.data, title, spread(lane.accuracy).text(digits=3), spread(lane.seconds).text("s", 1))
            for title, lane in lanes.items()
        ]
        return ran + [(self.data, title, "", why) for title, why in self.absent.items()]


def _recipe(peer: Peer) -> str:
    interpreter = peer.interpreter()
    versions = peer.versions(interpreter) if interpreter else "not installed"
    return f"{peer.title}: {peer.recipe} ({versions})."


def _race(name: str, data: Path, arguments: Sequence[str | Path], options: Options) -> _Race:
    ours: dict[str, _Lane] = defaultdict(lambda: _Lane([], []))
    theirs: dict[str, _Lane] = defaultdict(lambda: _Lane([], []))
    absent: dict[str, str] = {}
    for i in range(options.repeat):
        folder = options.scratch / f"race-{name}-{i}"
        for state, fit in fit_in_each_state(arguments, folder):
            ours[f"probe, {state}"].add(fit)
        ours[_AUTO].add(fit_on_new_data([*arguments, *strategy_arguments("auto")], folder))
        for peer in (peer for peer in PEERS if peer.data == name and peer.title not in absent):
            why = _run_peer(peer, data, options.quick, theirs)
            if why:
                absent[peer.title] = why
                theirs.pop(peer.title, None)  # a lane with fewer repeats than the others compares with nothing
    return _Race(name, dict(ours), dict(theirs), absent)


def _run_peer(peer: Peer, data: Path, quick: bool, lanes: dict[str, _Lane]) -> str:
    """Add one run to the peer's lane; "" or why there is none."""
    interpreter = peer.interpreter()
    if interpreter is None:
        return peer.missing()
    try:
        process, accuracy = peer.run(interpreter, data, quick)
    except Failed as error:
        return f"failed: {error}".replace("|", "/").replace("\n", " ")
    lanes[peer.title].seconds.append(process.seconds)
    lanes[peer.title].accuracy.append(accuracy)
    return ""


BENCHMARK = Benchmark("race", "whole processes side by side with the peers' recipes on the same base", measure)
