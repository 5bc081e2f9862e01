"""Fit texts from a table in which rows of one customer must not be parted by the split.

Usage: python examples/grouped_texts.py     (writes requests.csv and runs/requests/ where it is called)
"""

from __future__ import annotations

import csv
from pathlib import Path

import headstart as hs

SHIPPED = Path(__file__).parent / "support_requests.csv"


def write_table(path: Path) -> None:
    """The shipped requests with two more columns: a made-up customer, and the channel it came by."""
    with SHIPPED.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["request", "team", "customer", "channel"])
        for i, row in enumerate(rows):
            writer.writerow([row["request"], row["team"], f"customer {i % 70}", ("mail", "chat")[i % 2]])


def main() -> None:
    """Columns are named, so that nothing is guessed; ``slices`` gives the score by channel too."""
    write_table(Path("requests.csv"))
    columns = {"target": "team", "group": "customer", "slices": ["channel"]}
    result = hs.fit("requests.csv", **columns, strategy="probe", overwrite=True).result
    test = result.test
    print(result.verdict.sentence)
    for part in (one for one in result.slices if not one.found):
        print(f"{part.column} {part.value}: {part.score:.3f} on {part.n} of {test.n} test rows")


if __name__ == "__main__":
    main()
