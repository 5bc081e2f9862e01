"""Whether the distances from a base's training data order known data sets, and go with what a probe loses there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from statistics import fmean
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.examples import Example, capped, few
from benchmarks.pools import POOLS
from headstart.bases.base import Base
from headstart.bases.catalogue import EMBEDDED, default_base, open_base
from headstart.heads.scoring import best_factor
from headstart.heads.solve import solve
from headstart.modalities import get as get_modality
from headstart.modalities.image import damage as image_damage
from headstart.modalities.text import damage as text_damage
from headstart.tasks import Classification
from headstart.training.distance.fragmentation import fragmentation
from headstart.training.distance.measured import Distance
from headstart.training.distance.measures import warning
from headstart.training.distance.own_answers import own_entropy
from headstart.training.distance.statistics import batch_norm_distance
from headstart.training.features import extract

PHOTOS, FARTHEST = "hymenoptera", ("fsdd", "digits")
_PICTURES = (PHOTOS, "bccd", *FARTHEST)
_TEXTS = ("banking77", "clinc150")
#: The same photos and texts, worse and worse: only the distance changes, not the task.
_DAMAGED, _STRENGTHS, _QUICK_STRENGTHS = (PHOTOS, *_TEXTS), (1, 3, 5), (5,)
_KINDS = {"image": image_damage.KINDS, "text": text_damage.KINDS}
_PER_CLASS, _TEST, _RUN = 20, 400, 128  # rows a class that the probe learns from, test rows, inputs run through hooks
_QUICK_PER_CLASS, _QUICK_TEST, _QUICK_RUN = 5, 24, 16
_GOAL = 0.5  # rank correlation
_NAN = float("nan")


@dataclass(frozen=True)
class Case:
    """One data set, plain or damaged, seen by one base.

    Attributes:
        base, data: names.
        damage: "" where there is none.
        found: each measure with the seconds it took, features being there.
        loss: of the probe on test rows at their best temperature, over that of knowing nothing.
        accuracy: of it.
        warned: what a user is told, "" for nothing.
    """

    base: str
    data: str
    damage: str
    found: tuple[tuple[Distance, float], ...]
    loss: float
    accuracy: float
    warned: str

    def value(self, name: str) -> float:
        """Of one measure."""
        return next(one.value for one, _ in self.found if one.name == name)


def measure(options: Options) -> Findings:
    """Every embedded base of pictures on four sets, and the base of texts on two."""
    names = [name for name, entry in EMBEDDED.items() if entry.modality == "image"]
    cases = [case for name in (names[:1] if options.quick else names) for case in _cases(name, _PICTURES, options)]
    return findings(cases, _cases(default_base("text"), _TEXTS, options))


def findings(pictures: Sequence[Case], texts: Sequence[Case]) -> Findings:
    """The order, the correlations, then every value."""
    return Findings((_orders(pictures), _correlations(pictures, texts), _values(pictures), _values(texts)), _NOTES)


_NOTES = (
    f"The probe learns from {_PER_CLASS} rows a class of the frozen base's features; its loss is the mean −log p of "
    f"the true class on at most {_TEST} test rows at their best temperature, over log(classes), so that 1 is knowing "
    "nothing. (That temperature is told by the test labels: the order of the answers is judged, and not how sure the "
    "probe is.)",
    "Sensible order: photos of insects nearest; spectrograms (fsdd) and digits farther than all others. Damaged photos "
    "do not count there.",
    "The limit of BatchNorm statistics from which a user is warned was set on these plain pictures (docs/log.md, 31).",
    "Rank correlation: Spearman's, of a measure with the probe's loss. Over sets, the tasks differ in difficulty too; "
    "over damage, the rows and the task are the same and only the inputs get worse.",
    "Seconds: of the measure alone, features being there; BatchNorm statistics run the network once more.",
    "No masked-token loss: the embedded text base comes without a masked-language head. No proxy A-distance: no sample "
    "of a base's training data is here.",
)


def _cases(base_name: str, sets: Sequence[str], options: Options) -> list[Case]:
    modality = "image" if sets is _PICTURES else "text"
    base = open_base(base_name, modality)
    plain = [_case(base, data, ("", 0), options) for data in sets]
    strengths = _QUICK_STRENGTHS if options.quick else _STRENGTHS
    damage = [(kind, strength) for kind in _KINDS[modality] for strength in strengths]
    return plain + [_case(base, data, one, options) for data in sets if data in _DAMAGED for one in damage]


def _case(base: Base, data: str, damage: tuple[str, int], options: Options) -> Case:
    per_class, most, run = (_QUICK_PER_CLASS, _QUICK_TEST, _QUICK_RUN) if options.quick else (_PER_CLASS, _TEST, _RUN)
    pool = _pool(data)
    train, test = few(pool.train, per_class, seed=0), capped(pool.test, most, seed=0)
    inputs = [_input(base, example, damage) for example in train]
    vectors = extract(base, inputs).vectors
    classes, y = np.unique([example.label for example in train], return_inverse=True)
    head = solve(vectors, y, "classification", outputs=len(classes)).head
    scores = head.scores(extract(base, [_input(base, example, damage) for example in test]).vectors)
    truth = np.searchsorted(classes, [example.label for example in test])
    some = inputs if len(inputs) <= run else [inputs[i] for i in np.linspace(0, len(inputs) - 1, run).astype(int)]
    found = tuple(_timed(one) for one in _measures(base, inputs, some, vectors))
    scores = scores * best_factor(scores, truth, "classification")
    loss = float(Classification.row_losses(scores, truth).mean() / np.log(len(classes)))
    accuracy = float((scores.argmax(axis=1) == truth).mean())
    name = " ".join(str(part) for part in damage if part)
    return Case(base.identity.name, data, name, found, loss, accuracy, warning([one for one, _ in found]))


@cache
def _pool(data: str) -> Any:
    return POOLS[data]()


def _measures(
    base: Base, inputs: list[Any], some: list[Any], vectors: np.ndarray
) -> tuple[Callable[[], Distance], ...]:
    if base.modality == "text":
        return (partial(fragmentation, base, inputs),)
    return partial(own_entropy, base, vectors), partial(batch_norm_distance, base, some)


def _timed(one: Callable[[], Distance]) -> tuple[Distance, float]:
    start = time.perf_counter()
    return one(), time.perf_counter() - start


def _input(base: Base, example: Example, damage: tuple[str, int]) -> Any:
    """A text, or a picture as the base would take it; with ``damage`` done to it."""
    kind, strength = damage
    if isinstance(example.content, str):
        return text_damage.damaged_text(example.content, kind, strength, seed=0) if kind else example.content
    plain = example.content() if callable(example.content) else str(example.content)
    if not kind:
        return plain
    pixels = get_modality("image").decode(plain, base.spec)
    return Image.fromarray(image_damage.damaged(pixels, kind, strength, seed=0))


def _orders(cases: Sequence[Case]) -> Table:
    rows = []
    for name in _names(cases):
        for base in dict.fromkeys(case.base for case in cases):
            plain = {case.data: case.value(name) for case in cases if case.base == base and not case.damage}
            order = sorted(plain, key=lambda data: plain[data])
            sensible = order[0] == PHOTOS and set(order[-len(FARTHEST) :]) == set(FARTHEST)
            told = " < ".join(f"{data} {plain[data]:.2f}" for data in order)
            rows.append((name, base, told, "met" if sensible else "missed"))
    return Table(("measure", "base", "nearest to farthest", "sensible"), tuple(rows))


def _correlations(pictures: Sequence[Case], texts: Sequence[Case]) -> Table:
    rows = []
    for cases, of in ((pictures, _PICTURES), (texts, _TEXTS)):
        ways: tuple[tuple[str, Callable[[Case], bool]], ...] = (
            ("sets", lambda case: not case.damage),
            *((f"{data}, damaged and not", partial(_is_of, data)) for data in of if data in _DAMAGED),
            ("all", lambda case: True),
        )
        for name in _names(cases):
            for over, kept in ways:
                rows.append(_correlation(name, over, [case for case in cases if kept(case)]))
    return Table(("measure", "over", "points a base", "rank correlation with the probe's loss", "goal"), tuple(rows))


def _is_of(data: str, case: Case) -> bool:
    return case.data == data


def _correlation(name: str, over: str, cases: Sequence[Case]) -> tuple[str, ...]:
    """Of each base's cases, meaned over bases."""
    bases = list(dict.fromkeys(case.base for case in cases))
    found = [_spearman([(c.value(name), c.loss) for c in cases if c.base == base]) for base in bases]
    mean = fmean(found)
    goal = "too few" if np.isnan(mean) else f"≥ {_GOAL:g}: {'met' if mean >= _GOAL else 'missed'}"
    return name, over, str(len(cases) // len(bases)), f"{mean:.2f}", goal


def _spearman(pairs: Sequence[tuple[float, float]]) -> float:
    from scipy.stats import spearmanr

    if len(pairs) < 3:
        return _NAN
    return float(spearmanr(*zip(*pairs, strict=True)).statistic)


def _names(cases: Sequence[Case]) -> list[str]:
    return [one.name for one, _ in cases[0].found]


def _values(cases: Sequence[Case]) -> Table:
    names = _names(cases)
    header = ("base", "data", "damage", *names, "seconds", "probe's loss", "its accuracy", "warned")
    return Table(
        header,
        tuple(
            (
                case.base,
                case.data,
                case.damage,
                *(f"{case.value(name):.2f}" for name in names),
                " + ".join(f"{seconds:.1f}" for _, seconds in case.found),
                f"{case.loss:.2f}",
                f"{case.accuracy:.3f}",
                "yes" if case.warned else "no",
            )
            for case in cases
        ),
    )


BENCHMARK = Benchmark(
    "distance",
    "how far data are from what a base was trained on, without having that data",
    measure,
    "one draw, seed 0",
)
