"""Running the command line as a user does: in this process, which takes milliseconds, or in one of its own."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.bases.catalogue import open_base
from headstart.bases.runtime import ONNX, REFERENCE, Choice, Measured, build, graph_path
from headstart.cli import main

#: A run that got stuck or was never killed fails the test after this many seconds.
PATIENCE = 60
BATCH = 16  # headstart.modalities.stream.IMAGE_BATCH


@dataclass(frozen=True)
class Said:
    """How a call ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that names the mistake; it is the last one, and plain prose alone may stand before it."""
        lines = self.err.splitlines()
        assert "Traceback" not in self.err, self.err
        assert [line.startswith("error:") for line in lines] == [False] * (len(lines) - 1) + [True], self.err
        return lines[-1]


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """``headstart ARGUMENTS`` in this process."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return Said(code, *capsys.readouterr())


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The error line of ``headstart ARGUMENTS``, which must end with 2, say nothing else, and change no file here."""
    before = snapshot(Path.cwd())
    said = call(capsys, *arguments)
    assert (said.code, said.out) == (2, ""), said
    assert snapshot(Path.cwd()) == before
    return said.error


def fitted(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """The result of ``headstart fit ARGUMENTS --json``, which must succeed."""
    said = call(capsys, "fit", *arguments, "--json")
    assert said.code == 0, said
    result: dict[str, Any] = json.loads(said.out)
    return result


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every entry below ``folder``, hidden ones too, with the content of the files."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """``result`` without what may differ between two runs of one command: times, told and foretold, where features came
    from, and how often the same test rows were opened before."""
    own = {"seconds", "predicted_seconds", "timing", "created", "features", "name", "command", "evaluated_before"}

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key not in own}
        return [strip(item) for item in value] if isinstance(value, list) else value

    told = [one for one in result["diagnosis"] if one["name"] != "test set reused"]
    stripped: dict[str, Any] = strip({**result, "diagnosis": told})
    ladder = stripped["search"]
    if ladder["plan"].startswith("probe, then"):  # says how long it will take
        ladder["plan"] = ladder["plan"].rpartition(";")[0]
    return stripped


def decide_runtime(folder: Path, modality: str) -> None:
    """Write down that the base in ``folder`` runs by ONNX Runtime, which needs no torch.

    Measuring takes seconds, and decides by the clock: two runs are alike only where they run the base alike.
    """
    base = open_base(str(folder), modality)
    build(ONNX, base, base.network())
    tried = Measured(REFERENCE, rate=100, load=5, cosine=1), Measured(ONNX, rate=1000, load=0.1, cosine=1)
    graph_path(base).with_suffix(".json").write_text(json.dumps(asdict(Choice(tried))), encoding="utf-8")


def fresh_cache(known: Path, folder: Path) -> Path:
    """A cache without features that knows the runtimes that ``known`` does."""
    shutil.copytree(known / "runtimes", folder / "runtimes")
    return folder


def noise_images(folder: Path, count: int, start: int = 0) -> Path:
    """``count`` PNGs of 32 x 32, numbered from ``start``: noise around a dark or a bright grey, by class."""
    for i in range(start, start + count):
        label, level = (("dark", 80), ("bright", 150))[i % 2]
        pixels = np.random.default_rng(i).normal(level, 50, (32, 32, 3)).clip(0, 255).astype(np.uint8)
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / label / f"{i:04}.png", compress_level=1)
    return folder


_STUCK = """
import sys, time
from pathlib import Path
import headstart.training.extraction as extraction
from headstart.cli import run

build, batches, mark = extraction.build, int(sys.argv.pop(1)), Path(sys.argv.pop(1))

def build_slow(*given):
    runner, done = build(*given), 0

    def slow(batch):
        nonlocal done
        if done == batches:
            mark.touch()
            time.sleep(600)
        done += 1
        return runner(batch)

    return slow

extraction.build = build_slow
run()
"""


def stuck(mark: Path, batches: int, *arguments: object) -> subprocess.Popen[str]:
    """``headstart ARGUMENTS`` in a process of its own, once it hangs in the base after ``batches`` batches."""
    command = [sys.executable, "-c", _STUCK, str(batches), str(mark), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + PATIENCE
    while not mark.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            pytest.fail(f"the run never reached batch {batches}: {process.communicate()}")
        time.sleep(0.02)
    return process


def process(*arguments: object, **environment: str) -> Said:
    """``headstart ARGUMENTS`` in a process of its own, its output no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "headstart.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environment},
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def write_table(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


ROWS = [[f"the {'cat' if i % 2 else 'dog'} sat on mat no{i}", "cat" if i % 2 else "dog"] for i in range(24)]
