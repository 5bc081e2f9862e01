"""What a run's evidence says beyond its score: each finding is one sentence with its numbers, and what to do next.

A finding is claimed only where its evidence is given and its interval excludes the opposite; what was not measured
supports none. Thresholds are reasoned where they stand, in `doubts` (the test part) and `weaknesses` (the model).
"""

from __future__ import annotations

from headstart.evaluation import doubts, weaknesses
from headstart.evaluation.diagnosis import Finding
from headstart.evaluation.run_evidence import RunEvidence
from headstart.evaluation.verdict import SCRATCH
from headstart.evaluation.wording import score

__all__ = ["RunEvidence", "about_run"]

#: What makes the score itself wrong comes first, then what the model cannot do, then what is merely not known well.
_ORDER = (
    "giveaway",
    "leak",
    "one class tested",
    "instability",
    "no signal",
    "no better than majority",
    "one answer",
    "negative transfer",
    "wrong base",
    "repeated rows",
    "inconsistent labels",
    "test unlike valid",
    "tiny test set",
    "imbalance",
    "class never predicted",
    "weak class",
    "forgetting",
    "over-fitting",
    "under-fitting",
    "too few data",
    "over-confidence",
    "under-confidence",
    "test set reused",
    "plateau",
)


def about_run(evidence: RunEvidence) -> list[Finding]:
    """The findings on a run, worst first, those of its training among them; at least one.

    Where nothing stands out that is said, "healthy", with what was looked at.
    """
    found = [*doubts.find(evidence), *weaknesses.find(evidence)]
    names = {finding.name for finding in found}
    found += [one for one in evidence.training if one.name != "healthy" and one.name not in names]
    if not found:
        return [_no_gain(evidence)] if _without_gain(evidence) else list(evidence.training) or [_healthy(evidence)]
    return sorted(found, key=lambda one: _ORDER.index(one.name) if one.name in _ORDER else len(_ORDER))


def _without_gain(e: RunEvidence) -> bool:
    return any(gain.low <= 0 for name, gain in e.gains.items() if name != SCRATCH)


def _no_gain(e: RunEvidence) -> Finding:
    control = min(e.gains, key=lambda name: e.gains[name].value)
    sentence = (
        f"No cause stands out for the missing gain over {control}: {e.name} {score(e.test)} on {e.test.n:,} test rows."
    )
    return Finding("no gain shown", sentence, "Try another `--base` or `--strategy`, or label more rows.")


def _healthy(e: RunEvidence) -> Finding:
    sentence = f"Nothing stands out: {e.name} {score(e.test)} on {e.test.n:,} test rows."
    return Finding("healthy", sentence, "No action needed; more data or another `--base` may still raise the score.")
