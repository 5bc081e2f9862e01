"""A base inside scikit-learn: a Pipeline, cross-validated against words counted.

Usage: python examples/sklearn_pipeline.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from headstart import TransferClassifier

SHIPPED = Path(__file__).parent / "support_requests.csv"


def tidy(texts: list[str]) -> list[str]:
    """White space put right; any step that gives strings can stand before the classifier."""
    return [" ".join(text.split()) for text in texts]


def main() -> None:
    """Features are computed once and cached, so five folds cost five small heads."""
    with SHIPPED.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts, teams = [row["request"] for row in rows], [row["team"] for row in rows]
    counted = (TfidfVectorizer(), LogisticRegression())
    for name, steps in (("transfer learning", (TransferClassifier(),)), ("words counted", counted)):
        scores = cross_val_score(make_pipeline(FunctionTransformer(tidy), *steps), texts, teams, cv=5)
        print(f"{name}: accuracy {scores.mean():.3f} over {len(scores)} folds")


if __name__ == "__main__":
    main()
