"""Several processes that share the rows of each batch come to what one comes to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.base import Base
from headstart.training.objective import Linear
from headstart.training.phase import Phase
from headstart.training.run import Job, train
from tests.training.small import base_of, difference, job_of, rows_of, weights_of
from tests.training.test_weights_of_losses import loss_per_token, token_job

_TOKENS = """
import sys
from pathlib import Path
import numpy as np
import headstart.training.run as run
from headstart.training.objective import Linear
from headstart.training.processes import Processes
from tests.training.small import base_of, weights_of
from tests.training.test_weights_of_losses import loss_per_token, token_job
Linear.loss = loss_per_token
job = token_job(base_of("vit", Path(sys.argv[1])), n=25)
np.savez(f"{sys.argv[2]}{Processes(job.base).number}.npz", **weights_of(run.train(job)))
"""

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


def two_processes(code: str, folder: Path, place: Path) -> None:
    """Run ``code`` in two processes that train together."""
    command = [sys.executable, "-c", code, str(folder), str(place / "out"), str(place / "kept")]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    shared |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "HEADSTART_DEVICE": "cpu",
        "ACCELERATE_USE_CPU": "true",
    }
    children = []
    try:
        for number in range(2):
            own = {"RANK": str(number), "LOCAL_RANK": str(number)}
            children.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **shared, **own}))
        assert [child.wait(timeout=120) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()


@pytest.mark.slow
def test_two_processes_come_to_what_one_comes_to(bases: Bases, tmp_path: Path) -> None:
    folder = Path(bases("vit").folder)  # type: ignore[attr-defined]
    two_processes(_CHILD, folder, tmp_path)
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


@pytest.mark.slow
def test_a_loss_per_token_adds_up_over_two_processes(
    bases: Bases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(bases("vit").folder)  # type: ignore[attr-defined]
    two_processes(_TOKENS, folder, tmp_path)
    monkeypatch.setattr(Linear, "loss", loss_per_token)
    expected = weights_of(train(token_job(base_of("vit", folder), n=25)))
    for number in range(2):
        given = np.load(f"{tmp_path / 'out'}{number}.npz")
        for name, tensor in expected.items():
            if not name.endswith("k_proj.bias"):
                assert given[name] == pytest.approx(tensor, abs=1e-4), name


# --- A program that has an Accelerator of its own ----------------------------------------------------


@pytest.fixture
def fresh_accelerate() -> Iterator[None]:
    """accelerate's state is one for the whole process: none of it before and after."""
    from accelerate.state import AcceleratorState, GradientState

    def forget() -> None:
        AcceleratorState._reset_state(True)
        GradientState._reset_state()

    forget()
    yield
    forget()


@pytest.mark.usefixtures("fresh_accelerate")
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_hosts_own_accelerator_changes_nothing_and_is_not_changed(bases: Bases, precision: str) -> None:
    from accelerate import Accelerator

    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=1.0, least_steps=1))
    alone = train(job)
    hosts = Accelerator(cpu=True, mixed_precision=precision, gradient_accumulation_steps=4)
    assert difference(alone, train(job)) == 0
    assert (hosts.mixed_precision, hosts.gradient_accumulation_steps) == (precision, 4)


@pytest.mark.usefixtures("fresh_accelerate")
def test_a_program_may_make_an_accelerator_after_training(bases: Bases) -> None:
    from accelerate import Accelerator

    train(job_of(bases("vit"), Phase(thaw=0, epochs=1.0, least_steps=1)))
    assert Accelerator(cpu=True, mixed_precision="bf16").mixed_precision == "bf16"
