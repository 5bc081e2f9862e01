"""The benchmark of estimated accuracies: how its averages are taken."""

from __future__ import annotations

from benchmarks.shift import _Suite, findings

from headstart.records import DamageRecord


def _record(kind: str, strength: int, score: float, estimated: float) -> DamageRecord:
    return DamageRecord(kind, strength, score, score, score, 0.0, estimated, 100)


def test_averages_are_of_absolute_points_over_all_kinds_and_strengths() -> None:
    a = _Suite("a", 50, 0.9, 0.91, [_record("blur", 1, 0.9, 0.92), _record("blur", 2, 0.6, 0.56)])
    b = _Suite("b", 70, 0.8, 0.79, [_record("typos", 1, 0.7, 0.7)])
    average, kinds, sizes = findings([a, b]).tables
    assert average.rows == (
        ("a", "3.0", "≤ 3: met", "−4", "15.0"),
        ("b", "0.0", "≤ 3: met", "+0", "10.0"),
        ("all kinds of both", "2.0", "≤ 3: met", "−4", "13.3"),
    )
    assert kinds.rows[0] == ("a", "blur", "100", "0.90 0.60", "0.92 0.56", "3.0", "15.0")
    assert sizes.rows[1] == ("b", "70", "0.800", "0.790")
