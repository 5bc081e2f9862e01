"""The prior and the combination on published tables of models × data sets, each data set left out in turn.

Nothing is trained: accuracies and scores are those that others published (``headstart/ranking/published``). Judged by
the weighted Kendall τ between what is expected of the models and the accuracies they reached, as the papers do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from headstart.ranking.combining import combine
from headstart.ranking.prior import Belief, Recorded, belief


@dataclass(frozen=True)
class Published:
    """One table.

    Attributes:
        models: their names.
        data: names of the data sets.
        accuracy: [data sets, models] in per cent.
        scores: name -> [data sets, models], higher is better.
        tau: name -> [data sets], the weighted τ that a paper gives for a score; scores themselves not published.
    """

    name: str
    citation: str
    source: str
    models: tuple[str, ...]
    data: tuple[str, ...]
    accuracy: np.ndarray
    scores: dict[str, np.ndarray]
    tau: dict[str, np.ndarray]


def load() -> tuple[Published, ...]:
    """The tables that are shipped."""
    folder = files("headstart.ranking").joinpath("published")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name)
    return tuple(_read(one.name.removesuffix(".json"), json.loads(one.read_text(encoding="utf-8"))) for one in found)


def _read(name: str, values: dict) -> Published:
    data = tuple(values["accuracy"])
    return Published(
        name,
        values["citation"],
        values["source"],
        tuple(values["models"]),
        data,
        np.array([values["accuracy"][one] for one in data]),
        {score: np.array([rows[one] for one in data]) for score, rows in values["scores"].items()},
        {score: np.array(taus) for score, taus in values["published_tau"].items()},
    )


def weighted_tau(expected: np.ndarray, reached: np.ndarray) -> float:
    """Weighted Kendall τ (Vigna 2015), hyperbolic weights as in SciPy: mistakes at the top count most."""
    from scipy.stats import weightedtau

    return float(weightedtau(expected, reached)[0])


def plain(table: Published, i: int) -> np.ndarray:
    """[models]: the mean accuracy on the other data sets."""
    return np.delete(table.accuracy, i, axis=0).mean(axis=0)


def prior(table: Published, i: int) -> Belief:
    """What the other data sets say."""
    records = [
        Recorded(data, data, "image", "classification", model, float(table.accuracy[row, column]))
        for row, data in enumerate(table.data)
        for column, model in enumerate(table.models)
        if row != i
    ]
    return belief(records, table.models, modality="image", kind="classification")


def evidence(table: Published, score: str, i: int) -> Belief:
    """What a score says, its scale learnt on the other data sets alone.

    With z the score standardised within a data set and c the centred accuracy, c = slope · z + error; the slope by
    least squares and the error's variance over the others.
    """
    values = table.scores[score]
    z = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    centred = table.accuracy - table.accuracy.mean(axis=1, keepdims=True)
    others = np.arange(len(z)) != i
    slope = float((z[others] * centred[others]).sum() / (z[others] ** 2).sum())
    variance = float(((centred[others] - slope * z[others]) ** 2).sum() / (z[others].size - 1))
    return Belief(slope * z[i], np.full(len(z[i]), variance))


def taus(table: Published) -> dict[str, np.ndarray]:
    """way -> [data sets] weighted τ, of the mean, the prior, each score, and the prior with each score."""
    ways: dict[str, Callable[[int], np.ndarray]] = {
        "plain mean": lambda i: plain(table, i),
        "prior": lambda i: prior(table, i).mean,
    }
    for score, values in table.scores.items():
        ways[score] = lambda i, values=values: values[i]  # type: ignore[misc]
        ways[f"prior + {score}"] = lambda i, score=score: combine(prior(table, i), evidence(table, score, i)).mean  # type: ignore[misc]
    found = {
        way: np.array([weighted_tau(of(i), table.accuracy[i]) for i in range(len(table.data))])
        for way, of in ways.items()
    }
    return found | {f"{score}, as published": values for score, values in table.tau.items()}


def measure(options: Options) -> Findings:
    """One table each; nothing is timed."""
    tables = load()
    return Findings(tuple(_table(table) for table in tables), tuple(_note(table) for table in tables))


def _table(table: Published) -> Table:
    found = taus(table)
    rows = [(way, f"**{values.mean():.3f}**", *(f"{value:.2f}" for value in values)) for way, values in found.items()]
    return Table((f"weighted τ, {table.name}", "mean", *table.data), tuple(rows))


def _note(table: Published) -> str:
    return f"{table.name}: {len(table.models)} models × {len(table.data)} data sets; {table.citation}; {table.source}."


BENCHMARK = Benchmark(
    "published",
    "the prior and the combination on published tables of models × data sets",
    measure,
    how="leave one data set out; nothing is timed",
)
