"""How well unknown inputs are told from known ones: real data sets against one another's inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import read_csv, real
from benchmarks.examples import Example, capped, few
from benchmarks.pools import POOLS
from headstart.bases.catalogue import open_base
from headstart.evaluation.unknown import THRESHOLD, Known, fit_known, separate_scores, unknown_scores
from headstart.evaluation.unknown_made import made_unknown
from headstart.evaluation.unknown_scores import judge_gain, judge_unknown, max_softmax
from headstart.heads.linear import LinearHead
from headstart.heads.solve import refit, solve
from headstart.tasks.classification import Classification
from headstart.training.features import extract

#: Known data -> what is strange to it. clinc150 has requests on banking of its own, so banking77 is not strange to it.
CASES = {
    "clinc150": ("clinc150 out of scope",),
    "clinc150, 20 a class": ("clinc150 out of scope",),
    "banking77": ("clinc150 out of scope", "clinc150"),
    "hymenoptera": ("bccd", "digits", "fsdd"),
    "bccd": ("hymenoptera", "digits", "fsdd"),
    "digits": ("hymenoptera", "bccd", "fsdd"),
    "fsdd": ("hymenoptera", "bccd", "digits"),
}
_QUICK_CASES = {"banking77": ("clinc150 out of scope",)}
_PICTURES, _PICTURES_TEST, _QUICK_ROWS = 600, 200, 300  # drawn pictures take long
_NAMES = ("probabilities", "neighbours", "classes")


@dataclass(frozen=True)
class _Part:
    x: np.ndarray  # [n, d]
    labels: np.ndarray  # [n] str


@dataclass(frozen=True)
class _Fitted:
    """A head on one data set, what is known of it, and its test inputs."""

    train: _Part
    test: _Part
    head: LinearHead
    known: Known


def measure(options: Options) -> Findings:
    """Every case."""
    cases = _QUICK_CASES if options.quick else CASES
    limit = _QUICK_ROWS if options.quick else None
    fitted = {name: _fitted(name, limit) for name in cases}
    rows = []
    for name, strange in cases.items():
        for other in strange:
            x = fitted[other].test.x if other in fitted else _strange(other, limit)
            rows.append(_row(name, other, fitted[name], x))
    made = [_made_row(name, one) for name, one in fitted.items()]
    header = ("known", "unknown", "max softmax", "GEN", "k-NN", "relative Mahalanobis", "together", "gain", "alarms")
    left = ("known", "max softmax", "together", "gain", "rows left out")
    return Findings((Table(header, tuple(rows)), Table(left, tuple(made))), _NOTES)


_NOTES = (
    "AUROC on test inputs; together: `headstart.evaluation.unknown`, with DeLong's 95 % interval; gain: over maximum "
    f"softmax, paired; alarms: share of known test inputs above {THRESHOLD}, which should be 5 %.",
    "The embedded base and a solved head; ranks among the head's out-of-fold rows. The test part of fsdd is of "
    "speakers that training does not have, so that its known inputs are strange too.",
    "Second table: what a fit says where no unknown inputs are given; a third of the classes left out, three times.",
)


def _fitted(name: str, limit: int | None) -> _Fitted:
    train, test = _parts(name, limit)
    classes, y = np.unique(train.labels, return_inverse=True)
    solved = solve(train.x, y, "classification", outputs=len(classes))
    held = np.isfinite(solved.scores).all(axis=1)
    p = Classification.probabilities(solved.scores[held])
    return _Fitted(train, test, solved.head, fit_known(train.x, y, p, train.x[held]))


def _row(name: str, other: str, on: _Fitted, strange: np.ndarray) -> tuple[str, ...]:
    p, q = on.head.probabilities(on.test.x), on.head.probabilities(strange)
    plain = max_softmax(p), max_softmax(q)
    own, far = separate_scores(on.known, p, on.test.x), separate_scores(on.known, q, strange)
    scores = unknown_scores(on.known, p, on.test.x), unknown_scores(on.known, q, strange)
    each = [f"{judge_unknown(own[part], far[part])[0]:.3f}" for part in _NAMES]
    alarms = f"{100 * float((scores[0] > THRESHOLD).mean()):.1f} %"
    return name, other, f"{judge_unknown(*plain)[0]:.3f}", *each, *_judged(scores, plain), alarms


def _made_row(name: str, on: _Fitted) -> tuple[str, ...]:
    _, y = np.unique(on.train.labels, return_inverse=True)
    made = made_unknown(on.train.x, y, lambda x, y, k: refit(on.head, x, y, "classification", outputs=k).probabilities)
    if made.reason:
        return name, "", made.reason, "", ""
    plain = made.known_plain, made.unknown_plain
    return name, f"{judge_unknown(*plain)[0]:.3f}", *_judged((made.known, made.unknown), plain), str(len(made.unknown))


def _judged(scores: tuple[np.ndarray, np.ndarray], plain: tuple[np.ndarray, np.ndarray]) -> tuple[str, str]:
    auroc, low, high = judge_unknown(*scores)
    gain, gain_low, gain_high = judge_gain(*scores, *plain)
    return f"{auroc:.3f} ({low:.3f}–{high:.3f})", f"{gain:+.3f} ({gain_low:+.3f} to {gain_high:+.3f})"


def _parts(name: str, limit: int | None) -> tuple[_Part, _Part]:
    data, _, cut = name.partition(", ")
    pool = POOLS[data]()
    train, test = list(pool.train), list(pool.test)
    if cut:
        train = few(train, int(cut.split()[0]), seed=0)
    if pool.modality == "image":
        train, test = capped(train, _PICTURES, seed=0), capped(test, _PICTURES_TEST, seed=0)
    if limit is not None:
        train, test = capped(train, limit, seed=0), capped(test, limit, seed=0)
    return _part(train, pool.modality), _part(test, pool.modality)


def _part(examples: list[Example], modality: str) -> _Part:
    inputs = np.empty(len(examples), dtype=object)
    inputs[:] = [_input(example) for example in examples]
    labels = np.array([example.label for example in examples])
    return _Part(extract(open_base(None, modality), inputs).vectors, labels)


def _input(example: Example) -> str | Image.Image:
    return example.content() if callable(example.content) else str(example.content)


def _strange(name: str, limit: int | None) -> np.ndarray:
    """Features of test inputs: clinc150's out-of-scope requests, or a data set's."""
    if name != "clinc150 out of scope":
        return _parts(name, limit)[1].x
    rows = read_csv(real("clinc150") / "utterances.csv")
    texts = [row["text"] for row in rows if row["split"] == "oos_test"]
    return extract(open_base(None, "text"), texts[:limit]).vectors


BENCHMARK = Benchmark(
    "unknown", "telling unknown inputs from known ones, against maximum softmax", measure, how="one draw, seed 0"
)
