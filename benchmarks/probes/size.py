"""A probe run on many made-up texts whose features are in the cache: where its seconds go, and its peak memory.

Prints JSON. The features are made up too, as embedding so many texts would take longer than all the rest; what that
would take is measured on further texts of the same kind.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import numpy as np

from headstart.bases.base import POOLED, Base
from headstart.bases.catalogue import open_base
from headstart.flow.fit.fit import Places, fit_source
from headstart.settings import FitSettings
from headstart.training.cache import FeatureCache, Space
from headstart.training.features import content_keys, extract

_WORDS = 20_000  # of the made-up language, by Zipf's law
_OWN, _TYPICAL = 40, 0.3  # words that tell a class, and their share of a text
_LENGTH = (6, 16)  # words of a text
_COPIED = 100  # one text in so many is a near duplicate of the one before
_CENTRES = 0.3  # standard deviation of the classes' centres, where that within a class is 1
_CLOSE = 0.1  # and that of a copy around its original
_BLOCK = 10_000  # vectors put at a time
_FIRST = 64  # texts on which the runtime is chosen
_EVERY = 0.01  # seconds between looks at what is running
#: Steps by the functions that must be running, in modules of the library; the first that fits counts.
STEPS = (
    ("heads", ("flow.search:climb_and_finish", "heads.")),
    ("features, from the cache", ("training.features:extract",)),
    ("near duplicates", ("flow.near:near_of",)),
    ("baselines", ("flow.judgement:_controls",)),
    ("opening and splitting", ("data.",)),
    ("test set: metrics, classes, slices, calibration", ("flow.judgement:",)),
    ("evidence: copies, unknown inputs", ("flow.fit.assessment:",)),
    ("report, bundle, answers", ("flow.fit.output:",)),
    ("else", ()),
)


def main(rows: int, classes: int, sample: int, folder: Path) -> None:
    """A run in ``folder`` on ``rows`` texts of ``classes`` classes; ``sample`` further ones are embedded."""
    texts, labels = made_texts(rows + sample, classes)
    base = open_base(None, "text")
    extract(base, texts[rows : rows + _FIRST])
    embedded = extract(base, texts[rows + _FIRST :])
    texts, labels = texts[:rows], labels[:rows]
    _plant(base, texts, labels, embedded.dtype)
    _write(folder / "texts.csv", texts, labels)
    del texts
    start = time.perf_counter()
    with Watch(threading.get_ident()) as watch:
        run = fit_source(Places(folder / "texts.csv", folder / "run"), FitSettings(strategy="probe"))
    if run.result.features.computed:
        raise ValueError(f"{run.result.features.computed} features were computed that were to come from the cache")
    told = {
        "seconds": time.perf_counter() - start,
        "embedding": embedded.seconds * rows / (sample - _FIRST),
        "steps": watch.seconds,
        "peak": _peak(),
        "rows": run.result.data.rows,
        "score": run.result.test.score,
    }
    print(json.dumps(told))


def made_texts(count: int, classes: int) -> tuple[list[str], np.ndarray]:
    """``count`` texts and their classes [count]."""
    rng = np.random.default_rng(0)
    words, often = np.array(_words(rng)), 1 / np.arange(1, _WORDS + 1)
    lengths, labels = rng.integers(*_LENGTH, count), rng.integers(0, classes, count)
    own = rng.integers(_COPIED, _WORDS, (classes, _OWN))
    drawn = rng.choice(_WORDS, lengths.sum(), p=often / often.sum())
    typical = rng.random(len(drawn)) < _TYPICAL
    drawn[typical] = own[np.repeat(labels, lengths)[typical], rng.integers(0, _OWN, int(typical.sum()))]
    texts = [" ".join(part) for part in np.split(words[drawn], np.cumsum(lengths)[:-1])]
    for row in range(_COPIED, count, _COPIED):
        texts[row], labels[row] = f"Hello, {texts[row - 1]}!", labels[row - 1]
    return texts, labels


def _words(rng: np.random.Generator) -> list[str]:
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
    made: dict[str, None] = {}
    while len(made) < _WORDS:
        made["".join(rng.choice(syllables, rng.integers(1, 5)))] = None
    return list(made)


def _plant(base: Base, texts: list[str], labels: np.ndarray, dtype: str) -> None:
    """Features in the cache: a normal cloud a class, copies close to their originals."""
    rng = np.random.default_rng(1)
    centres = _CENTRES * rng.standard_normal((labels.max() + 1, base.width), np.float32)
    keys = content_keys(texts, "text")[0].tolist()
    known = (base.identity.name, base.identity.weights, POOLED, base.preprocessing(), dtype, base.width)
    space = Space(*known, base.computed_by())
    with FeatureCache(space) as cache:
        for start in range(0, len(texts), _BLOCK):
            some = slice(start, start + _BLOCK)
            vectors = centres[labels[some]] + rng.standard_normal((len(keys[some]), base.width), np.float32)
            copies = np.arange(_COPIED, len(vectors), _COPIED)
            vectors[copies] = vectors[copies - 1] + _CLOSE * rng.standard_normal((len(copies), base.width), np.float32)
            cache.put(keys[some], vectors)


def _write(path: Path, texts: list[str], labels: np.ndarray) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([text, f"class {label:04}"] for text, label in zip(texts, labels.tolist(), strict=True))


class Watch:
    """Seconds of each of `STEPS` in one thread, looked at every 10 ms."""

    def __init__(self, thread: int) -> None:
        self.seconds = Counter[str]()
        self._thread, self._stop = thread, threading.Event()
        self._watcher = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()

    def _look(self) -> None:
        last = time.perf_counter()
        while not self._stop.wait(_EVERY):
            running, now = _running(sys._current_frames().get(self._thread)), time.perf_counter()
            self.seconds[_step(running)] += now - last  # a look that came late counts for more
            last = now


def _running(frame: FrameType | None) -> list[str]:
    """module:function of every frame of the library, without its own name."""
    names = []
    while frame is not None:
        names.append(f"{frame.f_globals.get('__name__', '')}:{frame.f_code.co_name}")
        frame = frame.f_back
    return [name.removeprefix("headstart.") for name in names if name.startswith("headstart.")]


def _step(running: list[str]) -> str:
    return next(
        name for name, wanted in STEPS if all(any(one.startswith(start) for one in running) for start in wanted)
    )


def _peak() -> float:
    """Greatest resident memory so far, GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), Path(sys.argv[4]))
