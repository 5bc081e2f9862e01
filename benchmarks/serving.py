"""A saved model that answers input by input, beside a bare ONNX Runtime session; its first answer; what it needs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import pictures
from benchmarks.fitting import PROBE, fit
from benchmarks.process import run
from benchmarks.spread import Spread, against, ratio, spread

_PROBE = Path(__file__).parent / "probes" / "serving.py"
_SINGLE, _QUICK_SINGLE = 100, 6
_FITTED, _QUICK_FITTED = 80, 24
_RATIO, _GAIN, _FIRST = 1.5, 1.7, 1.5  # goals: × the bare session, × one thread, seconds
_BASES = {"image": "efficientnet_lite0", "text": "all-MiniLM-L6-v2"}
_WORDS = {
    "garden": ["soil", "bulb", "fern", "hedge", "tulip", "lawn", "spade", "seed", "compost", "rose"],
    "kitchen": ["soup", "oven", "garlic", "salt", "pan", "butter", "onion", "whisk", "flour", "bread"],
}


def measure(options: Options) -> Findings:
    """Photos and texts, each by a model of a fitted run."""
    lines, firsts, needed = [], [], []
    for modality in _BASES:
        run_folder, inputs = _fitted(modality, options)
        lines.append(_answers(modality, run_folder, inputs, options))
        firsts.append(_first(modality, run_folder, inputs[0], options))
        needed.append((modality, _probe("sizes", run_folder, inputs[0], cache=options.scratch)["sizes"]))
    header = ("inputs", "÷ bare, 1 thread", "÷ bare, default threads", "goal", "one answer", "8 threads ÷ 1", "goal")
    return Findings((Table(header, tuple(lines)), _table_of_firsts(firsts), _table_of_sizes(needed)), _NOTES)


_NOTES = (
    "New inputs, one `Model.predict` each, in one process and in turn with a bare session of the same base, exported "
    "by torch, that decodes by Pillow or tokenises and runs: no head, no check of the input. Ratios are of medians.",
    "Threads: the same inputs by one client thread and by eight in turn; an answer itself works on one thread.",
    "First answer: a fresh process on a cache folder that cannot be made; files are in the page cache.",
    "Needed: the distributions that an answer imports, without compiled Python files, and the base's package.",
)


def _fitted(modality: str, options: Options) -> tuple[Path, list[str]]:
    """A run's folder, and new inputs."""
    folder = options.scratch / f"serving-{modality}"
    folder.mkdir(parents=True)
    fitted, single = (_QUICK_FITTED, _QUICK_SINGLE) if options.quick else (_FITTED, _SINGLE)
    if modality == "image":
        source: Path = pictures(folder / "known", fitted)
        inputs = [str(path) for path in sorted(pictures(folder / "new", single, seed=1).rglob("*.jpg"))]
    else:
        source = folder / "known.csv"
        lines = [f"{_text(label, i)},{label}" for i in range(fitted // 2) for label in _WORDS]
        source.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
        inputs = [_text(list(_WORDS)[i % 2], 10_000 + i) for i in range(single)]
    fit([source, *PROBE], options.scratch / "serving-cache", folder / "run")
    return folder / "run", inputs


def _text(label: str, seed: int) -> str:
    words = _WORDS[label]
    return " ".join([*(words[(seed * (3 + i) + i) % len(words)] for i in range(8)), f"number {seed}"])


def _probe(what: str, *given: str | Path, cache: Path) -> dict[str, Any]:
    done = run([sys.executable, _PROBE, what, *given], {"HEADSTART_CACHE": str(cache), "HEADSTART_DEVICE": "cpu"})
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _answers(modality: str, run_folder: Path, inputs: list[str], options: Options) -> tuple[str, ...]:
    graph, listed, cache = run_folder.parent / "bare.onnx", run_folder.parent / "inputs.json", options.scratch
    listed.write_text(json.dumps(inputs), encoding="utf-8")
    made = _probe("export", _BASES[modality], modality, graph, cache=cache)
    given = (run_folder, listed, graph, made["tokenizer"], json.dumps(made["spec"]), str(options.repeat))
    rounds = [_probe("answers", *given, cache=cache) for _ in range(options.repeat)]
    own, one, all_ = (spread([r["seconds"][name] for r in rounds]) for name in rounds[0]["seconds"])
    threads = spread([b / a for r in rounds for a, b in zip(r["rates"]["1"], r["rates"]["8"], strict=True)])
    milliseconds = Spread(tuple(1000 * value for value in own.values))
    gain = f"≥ {_GAIN:g}: {'met' if threads.median >= _GAIN else 'missed'}"
    return (
        modality,
        ratio(own, one).text("×"),
        ratio(own, all_).text("×"),
        against(ratio(own, all_).median, _RATIO, " ×"),
        milliseconds.text("ms", 1),
        threads.text("×"),
        gain,
    )


def _first(modality: str, run_folder: Path, one: str, options: Options) -> tuple[str, ...]:
    nowhere = run_folder.parent / "bare.onnx" / "cache"  # below a file, so that it cannot be made
    told = [_probe("first", run_folder, one, cache=nowhere) for _ in range(options.repeat + 1)][1:]
    whole, loaded, cpu = (spread([one[name] for one in told]) for name in ("first", "loaded", "cpu"))
    graph = run_folder / "bundle" / "graph.onnx"
    size = sum(file.stat().st_size for file in (graph, graph.with_suffix(".json"))) / 2**20
    goal = against(whole.median, _FIRST, " s")
    return modality, whole.text("s"), goal, loaded.text("s"), cpu.text("s"), f"{size:.2f} MiB", str(told[0]["torch"])


def _table_of_firsts(rows: list[tuple[str, ...]]) -> Table:
    header = ("inputs", "import, load and first answer", "goal", "of it loaded", "CPU", "graph in the bundle", "torch")
    return Table(header, tuple(rows))


def _table_of_sizes(needed: list[tuple[str, dict[str, float]]]) -> Table:
    names = sorted({name for _, sizes in needed for name in sizes})
    rows = [(name, *(f"{s[name]:.1f} MiB" if name in s else "" for _, s in needed)) for name in names]
    total = ("together", *(f"{sum(sizes.values()):.0f} MiB" for _, sizes in needed))
    return Table(("needed", *(modality for modality, _ in needed)), (*rows, total))


BENCHMARK = Benchmark("serving", "single answers beside a bare session, first answer, installed size", measure)
