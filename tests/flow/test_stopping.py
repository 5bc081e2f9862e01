"""A fit that is stopped in the middle of training: what it leaves, and what the next one makes of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.running import PATIENCE, call, timeless
from tests.strategies import data

_SLOW = """
import sys, time
from pathlib import Path
import headstart.training.options as options
from headstart.training.stepping import Stepper
from headstart.cli import run

mark, steps = Path(sys.argv.pop(1)), int(sys.argv.pop(1))
options.TrainOptions.__init__.__defaults__ = tuple(
    0.0 if value == 30.0 else value for value in options.TrainOptions.__init__.__defaults__
)  # a checkpoint after every step
own, done = Stepper.step, 0

def step(*given):
    global done
    if done == steps:
        mark.touch()
        time.sleep(600)
    done += 1
    return own(*given)

Stepper.step = step
run()
"""
ARGUMENTS = ("--strategy", "full", "--epochs", "4", "--no-scratch-baseline", "--quiet", "--json")


@pytest.fixture
def place(tmp_path: Path, settled_bases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with texts, and a cache of its own that knows the base."""
    data.texts(tmp_path / "texts.csv", 120)
    cache = tmp_path / "cache"
    shutil.copytree(settled_bases["cache"] + "/runtimes", cache / "runtimes")
    monkeypatch.setenv("HEADSTART_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(base: str, mark: Path, steps: int) -> subprocess.Popen[str]:
    """A fit in a process of its own, once it hangs after ``steps`` training steps."""
    command = [sys.executable, "-c", _SLOW, str(mark), str(steps), "fit", "texts.csv", "--base", base, *ARGUMENTS]
    threads = str(torch.get_num_threads())  # sums of more threads differ in their last digits
    env = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    until = time.monotonic() + PATIENCE
    while not mark.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            pytest.fail(f"the run never reached step {steps}: {process.communicate()}")
        time.sleep(0.02)
    return process


def result(capsys: pytest.CaptureFixture[str], base: str) -> dict[str, Any]:
    """The same fit in this process, to its end."""
    said = call(capsys, "fit", "texts.csv", "--base", base, *ARGUMENTS)
    assert said.code == 0, said
    plain = timeless(json.loads(said.out))
    for record in plain["training"]:
        record.pop("examples_per_second")
    return plain


def test_a_killed_run_goes_on_and_comes_to_the_same(
    capsys: pytest.CaptureFixture[str], place: Path, settled_bases: dict[str, str]
) -> None:
    base, mark = settled_bases["text"], place / "mark"
    killed = start(base, mark, 9)
    killed.kill()
    killed.communicate(timeout=PATIENCE)
    assert not (place / "runs" / "texts").exists()
    checkpoints = list((place / "cache" / "training").rglob("checkpoint.safetensors"))
    assert len(checkpoints) == 1
    resumed = result(capsys, base)
    assert [path.name for path in (place / "runs").iterdir()] == ["texts"]
    assert not list((place / "cache" / "training").rglob("checkpoint.safetensors"))
    changes = (place / "runs" / "texts" / "bundle" / "changes.safetensors").read_bytes()

    shutil.rmtree(place / "runs")
    shutil.rmtree(place / "cache" / "training")
    unbroken = result(capsys, base)
    assert resumed == unbroken
    assert (place / "runs" / "texts" / "bundle" / "changes.safetensors").read_bytes() == changes


def test_ctrl_c_ends_with_one_line_and_nothing_half_written(place: Path, settled_bases: dict[str, str]) -> None:
    process = start(settled_bases["text"], place / "mark", 5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("interrupted; ")
    assert err.endswith("run the same command again to go on\n")
    assert not (place / "runs").exists()
