"""Several processes that share the rows of each batch come to what one comes to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.base import Base
from headstart.training.phase import Phase
from headstart.training.run import Job, train
from tests.training.small import base_of, job_of, rows_of, weights_of

ROOT = Path(__file__).resolve().parents[2]
Bases = Callable[[str], Base]

_CHILD = """
import sys
from pathlib import Path
import numpy as np
from headstart.training.processes import Processes
from headstart.training.run import train
from headstart.training.checkpoint import Checkpoints
from tests.training.small import weights_of
from tests.training.test_processes import shared_job
saves, own = [], Checkpoints.save
def save(self, *arguments):
    saves.append(1)
    own(self, *arguments)
Checkpoints.save = save
job = shared_job(Path(sys.argv[1]), Path(sys.argv[3]))
trained = train(job)
number = Processes(job.base).number
told = {"held": trained.held, "saves": np.array(len(saves)), "count": np.array(Processes(job.base).count)}
np.savez(f"{sys.argv[2]}{number}.npz", **weights_of(trained), **told)
"""


def shared_job(folder: Path, keep: Path | None) -> Job:
    """25 rows, so that shares differ; two phases, the first from the cached prefix."""
    torch.set_num_threads(1)
    base = base_of("vit", folder)
    phases = Phase(thaw=1, epochs=2.0, least_steps=1), Phase(thaw=1.0, epochs=2.0, least_steps=1, body=0.3)
    given: dict[str, Any] = {"n": 25, "keep": keep, "every": 0.0, "l2sp": 0.1, "replay": 0.5, "seconds": 500.0}
    return job_of(base, *phases, retained=rows_of(base, 8, seed=3), **given)


def free_port() -> int:
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        return int(here.getsockname()[1])


@pytest.mark.slow
def test_two_processes_come_to_what_one_comes_to(bases: Bases, tmp_path: Path) -> None:
    folder = Path(bases("vit").folder)  # type: ignore[attr-defined]
    command = [sys.executable, "-c", _CHILD, str(folder), str(tmp_path / "out"), str(tmp_path / "kept")]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    shared |= {"PYTHONPATH": str(ROOT), "HEADSTART_DEVICE": "cpu", "ACCELERATE_USE_CPU": "true"}
    children = []
    try:
        for number in range(2):
            own = {"RANK": str(number), "LOCAL_RANK": str(number)}
            children.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **shared, **own}))
        assert [child.wait(timeout=120) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
    whole = train(shared_job(folder, None))
    expected = weights_of(whole)
    for number in range(2):
        given = np.load(f"{tmp_path / 'out'}{number}.npz")
        assert int(given["count"]) == 2
        assert (int(given["saves"]) > 0) == (number == 0)
        assert given["held"] == pytest.approx(whole.held, abs=1e-4)
        for name, tensor in expected.items():
            if not name.endswith("k_proj.bias"):  # softmax is blind to it
                assert given[name] == pytest.approx(tensor, abs=1e-4), name
    assert not list((tmp_path / "kept").rglob("checkpoint.safetensors"))
