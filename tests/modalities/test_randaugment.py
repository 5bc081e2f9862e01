"""Each operation does something, more of it at a greater magnitude, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.modalities.image.randaugment import GEOMETRIC, OPERATIONS, randaugment

from .pictures import photo

PICTURE = photo(64, 48)
WITHOUT_AMOUNT = {"autocontrast", "equalize"}


def change(name: str, amount: float) -> float:
    changed = OPERATIONS[name](PICTURE, amount)
    assert changed.size == PICTURE.size
    assert changed.mode == "RGB"
    return float(np.abs(np.asarray(changed, int) - np.asarray(PICTURE)).mean())


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_AMOUNT))
@pytest.mark.parametrize("sign", [1, -1])
def test_more_amount_changes_more(name: str, sign: int) -> None:
    changes = [change(name, sign * amount) for amount in (0, 0.5, 1)]
    assert changes[0] == 0
    assert changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("name", sorted(WITHOUT_AMOUNT))
def test_the_others_know_no_amount(name: str) -> None:
    assert change(name, 0) == change(name, 1) > 0


def test_what_comes_into_view_has_the_mean_colour() -> None:
    moved = np.asarray(OPERATIONS["translate x"](PICTURE, 1.0), int)
    assert np.abs(moved[:, -5:] - np.asarray(PICTURE).mean((0, 1))).max() <= 1
    assert np.array_equal(moved[:, :10], np.asarray(PICTURE)[:, 29:39])  # 150 / 331 of 64


def test_geometry_limits_turning_and_shifting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[float]] = {name: set() for name in OPERATIONS}
    for name in OPERATIONS:

        def watched(picture: object, amount: float, name: str = name) -> object:
            seen[name].add(round(amount, 6))
            return picture

        monkeypatch.setitem(OPERATIONS, name, watched)  # type: ignore[arg-type]
    randaugment(PICTURE, 300, 5, 0.2, np.random.default_rng(0))
    assert all(seen[name] == ({-0.1, 0.1} if name in GEOMETRIC else {-0.5, 0.5}) for name in OPERATIONS)


def test_no_operations_change_nothing() -> None:
    assert randaugment(PICTURE, 0, 10, 1, np.random.default_rng(0)) is PICTURE
