"""The tables of the distance benchmark, on made-up cases."""

from __future__ import annotations

from benchmarks.distance import Case, findings

from headstart.training.distance.measured import Distance


def cases(values: dict[tuple[str, str], tuple[float, float]], measure: str = "a") -> list[Case]:
    """(data, damage) -> the measure's value and the probe's loss."""
    return [
        Case("base", data, damage, ((Distance(measure, value, ""), 0.1),), loss, 0.9, "")
        for (data, damage), (value, loss) in values.items()
    ]


PLAIN = {
    ("hymenoptera", ""): (0.1, 0.1),
    ("bccd", ""): (0.2, 0.5),
    ("digits", ""): (0.4, 0.3),
    ("fsdd", ""): (0.3, 0.8),
}
TEXTS = cases({("banking77", ""): (0.1, 0.2), ("clinc150", ""): (0.1, 0.3)}, "b")


def test_the_order_must_have_photos_first_and_drawings_last() -> None:
    order, *_ = findings(cases(PLAIN), TEXTS).tables
    assert order.rows == (("a", "base", "hymenoptera 0.10 < bccd 0.20 < fsdd 0.30 < digits 0.40", "met"),)
    order, *_ = findings(cases({**PLAIN, ("bccd", ""): (0.35, 0.5)}), TEXTS).tables
    assert order.rows[0][-1] == "missed"


def test_damage_is_left_out_of_the_order_and_has_a_correlation_of_its_own() -> None:
    worse = {("hymenoptera", f"noise {i}"): (float(i), 0.1 + i) for i in (3, 4, 5)}
    order, correlations, *_ = findings(cases({**PLAIN, **worse}), TEXTS).tables
    assert order.rows[0][-1] == "met"
    told = {(row[0], row[1]): row[2:] for row in correlations.rows}
    assert told["a", "sets"] == ("4", "0.40", "≥ 0.5: missed")  # ranks 1 2 4 3 and 1 3 2 4
    assert told["a", "hymenoptera, damaged and not"] == ("4", "1.00", "≥ 0.5: met")
    assert told["b", "sets"] == ("2", "nan", "too few")
