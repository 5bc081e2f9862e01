"""Single answers of a saved model beside a bare ONNX Runtime session, in one process: python serving.py WHAT …

WHAT is ``export BASE MODALITY FILE``, ``answers RUN INPUTS.json FILE TOKENIZER SPEC ROUNDS``, ``first RUN INPUT`` or
``sizes RUN INPUT``.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

_THREADS = 8
_ORDER = ("headstart", "bare, 1 thread", "bare, default threads")
_MIB = 2**20


def export(base: str, modality: str, file: str) -> dict[str, Any]:
    """The base as torch exports it, weights and all: what a user who serves it by hand would have."""
    import torch

    from headstart.bases.catalogue import open_base

    opened = open_base(base, modality)
    network = opened.network()
    example = network.example()
    names = [f"input{i}" for i in range(len(example))]
    axes = {name: {i: f"{name}_{i}" for i in range(2 if len(example) > 1 else 1)} for name in names}
    torch.onnx.export(network, example, file, input_names=names, dynamic_axes=axes, dynamo=False)
    return {"tokenizer": str(opened.tokenizer_file or ""), "spec": opened.spec.to_dict()}


def answers(run: str, inputs: str, file: str, tokenizer: str, spec: str, rounds: str) -> dict[str, Any]:
    """Median seconds of one answer by each way, input by input in turn, and answers/s from one and eight threads."""
    import headstart as hs

    given, model = json.loads(Path(inputs).read_text(encoding="utf-8")), hs.load(run)
    ways: dict[str, Callable[[Any], Any]] = {
        "headstart": lambda one: model.predict([one]),
        "bare, 1 thread": _bare(file, tokenizer, json.loads(spec), 1),
        "bare, default threads": _bare(file, tokenizer, json.loads(spec), 0),
    }
    for way in ways.values():
        way(given[0])
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number, one in enumerate(given):
        for name in np.roll(_ORDER, number):  # none always follows the same other
            start = time.perf_counter()
            ways[str(name)](one)
            took[str(name)].append(time.perf_counter() - start)
    rates: dict[str, list[float]] = {"1": [], str(_THREADS): []}
    for _ in range(int(rounds)):
        for threads in rates:
            rates[threads].append(_rate(ways["headstart"], given, int(threads)))
    return {"seconds": {name: median(values) for name, values in took.items()}, "rates": rates}


def _bare(file: str, tokenizer: str, spec: dict[str, Any], threads: int) -> Callable[[Any], Any]:
    """Decode or tokenise, and run: nothing else."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    if tokenizer:
        from tokenizers import Tokenizer

        words = Tokenizer.from_file(tokenizer)
        words.no_padding()
        words.no_truncation()

        def read(text: str) -> Any:
            ids = np.array([words.encode(text).ids], np.int64)
            return session.run(None, {"input0": ids, "input1": np.ones_like(ids)})

        return read
    from PIL import Image

    def look(path: str) -> Any:
        picture = Image.open(path).convert("RGB")
        wide, high = (spec["resize"] * side // min(picture.size) for side in picture.size)
        left, top = (wide - spec["size"]) // 2, (high - spec["size"]) // 2
        picture = picture.resize((wide, high), Image.Resampling.BICUBIC)
        picture = picture.crop((left, top, left + spec["size"], top + spec["size"]))
        return session.run(None, {"input0": np.asarray(picture)[None]})

    return look


def _rate(answer: Callable[[Any], Any], given: list[Any], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        list(pool.map(answer, given))
        return len(given) / (time.perf_counter() - start)


def first(run: str, one: str) -> dict[str, Any]:
    """Seconds from the start of the interpreter's work to the first answer."""
    start = time.perf_counter()
    import headstart as hs

    model = hs.load(run)
    loaded = time.perf_counter() - start
    model.predict([one])
    cpu = time.process_time()
    return {"loaded": loaded, "first": time.perf_counter() - start, "cpu": cpu, "torch": "torch" in sys.modules}


def sizes(run: str, one: str) -> dict[str, Any]:
    """MiB on disk of each distribution that an answer imports, and of the base's own package."""
    import headstart as hs

    model = hs.load(run)
    model.predict([one])
    owners = importlib.metadata.packages_distributions()
    tops = {name.partition(".")[0] for name in sys.modules if not name.startswith("_")}
    needed = {owner for top in tops for owner in owners.get(top, ())} | {"headstart"}
    kind, name, *_ = model.base.identity.source.split()
    needed |= {name} if kind == "package" else set()
    return {"sizes": {one: size for one in sorted(needed) if (size := _size(one))}}


def _size(distribution: str) -> float:
    files = importlib.metadata.files(distribution) or []
    if distribution == "headstart":  # may be installed from its sources
        import headstart

        paths = [*Path(headstart.__file__).parent.rglob("*")]
    else:
        paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc") / _MIB


if __name__ == "__main__":
    what = {"export": export, "answers": answers, "first": first, "sizes": sizes}[sys.argv[1]]
    print(json.dumps(what(*sys.argv[2:])))
