"""What `rank` found: the candidates with their evidence, the race, the winner and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from headstart.notebook import panel
from headstart.ranking.halving import Round


@dataclass(frozen=True)
class Evidence:
    """One score of one base on the rows looked at."""

    name: str  # "linear classifier", "nearest neighbours", "LogME", "H-score", "PARC" or "N-LEEP"
    value: float  # points for the first two, else the score's own unit; higher is better; nan: undefined
    sd: float  # standard error; nan where the score has none
    seconds: float  # that it took now; 0 where it was kept from before
    counts: bool  # whether it enters what is expected; the others are shown only


@dataclass(frozen=True)
class RankedBase:
    """One candidate."""

    base: str
    source: str
    licence: str
    parameters: float  # millions; nan where it is not known
    evidence: tuple[Evidence, ...]
    prior: float  # points above or below the mean base, from results on other tasks
    prior_sd: float  # infinite: nothing is known
    expected: float  # points of the metric: prior and evidence together
    expected_sd: float
    raced: bool
    computed: int  # examples that went through the base now
    cached: int  # examples that did not need to
    seconds: float  # that the features took, loading included


@dataclass(frozen=True)
class NotRanked:
    """A base that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Which base promises most for a source."""

    source: str
    modality: str
    task: str
    metric: str
    metric_reason: str
    rows: int  # looked at
    available: int  # labelled rows outside the test part, of which those are drawn
    set_aside: int  # rows of the test part, whose labels are not looked at
    facts: tuple[str, ...]  # what else should be known of the rows
    candidates: tuple[RankedBase, ...]  # the most expected first
    rounds: tuple[Round, ...]
    winner: str
    why: str
    next_step: str
    left_out: tuple[NotRanked, ...]
    seconds: dict[str, float]  # of each step
    seed: int

    def _repr_html_(self) -> str:
        """What a notebook shows: the winner and why, the candidates, the next step."""
        rows = [(one.base, f"{one.expected:.1f}", one.licence) for one in self.candidates]
        header = ("base", f"expected {self.metric}, points", "licence")
        return panel(f"{self.winner}: {self.why}", (f"Next: {self.next_step}",), header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        from headstart.plain import finite

        cleaned: dict[str, Any] = finite(asdict(self))
        return cleaned
