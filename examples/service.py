"""Use a run inside a service: load once, answer many times.

Usage: python examples/service.py           (writes runs/support_requests/ where it is called)
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import headstart as hs

RUN = Path("runs/support_requests")


@lru_cache(maxsize=1)
def model() -> hs.Model:
    """The model, read once a process; `BundleError` says in one line why it cannot be."""
    return hs.load(RUN)


def route(request: str, least: float = 0.7) -> str:
    """The team that should answer, or "a person" where the model is not sure enough."""
    [said] = model().predict_proba([request])
    return model().labels[said.argmax()] if said.max() >= least else "a person"


def likeness(one: str, other: str) -> float:
    """Cosine of two texts' features: how much alike they are to the base, whatever the labels."""
    a, b = model().embed([one, other])
    return float(a @ b / (a @ a * (b @ b)) ** 0.5)


if __name__ == "__main__":
    if not RUN.exists():
        hs.fit(Path(__file__).parent / "support_requests.csv", strategy="probe")
    for text in ("where is my parcel?", "I paid twice", "tell me a joke"):
        print(f"{text} -> {route(text)}")
    print(f"alike: {likeness('where is my parcel?', 'my parcel has not come'):.2f}")
