"""Fit an image folder and read the verdict.

Usage: python examples/fit_folder.py        (writes digits/ and runs/digits/ where it is called)
"""

from __future__ import annotations

from pathlib import Path

from make_digits import write_digits

import headstart as hs


def main() -> None:
    """Sixteen small pictures of each digit: how far does a model of photographs get on them, in a minute at most?"""
    folder = Path("digits")
    if not folder.exists():
        write_digits(folder, per_class=16, size=32)
    run = hs.fit(folder, budget=60, overwrite=True)
    result = run.result
    for step in result.ladder.rungs:
        print(f"{step.strategy}: {step.decision}, {step.reason}")
    print(result.verdict.outcome, "-", result.verdict.sentence)
    print("next:", result.verdict.next_step)
    for baseline in result.controls:
        print(f"{baseline.name}: {baseline.score:.3f} [{baseline.low:.3f}, {baseline.high:.3f}]")
    print("report:", run.path.relative_to(Path.cwd()) / "report.html")


if __name__ == "__main__":
    main()
