"""A peer in the race: whose recipe, its script, and a Python that has what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.process import Finished, run

_ROOT = Path(__file__).resolve().parents[1]
_SCRIPTS = Path(__file__).parent / "peers"
_QUICK_LENGTH = "1"


@dataclass(frozen=True)
class Peer:
    """One peer.

    Attributes:
        title: as tables show it.
        data: the data set it runs on.
        script: in benchmarks/peers; takes the data's folder and how long, prints one line of JSON last.
        length: epochs, or steps, as the script has it.
        packages: modules beyond headstart's own dependencies, or among them.
        recipe: its settings in words.
    """

    title: str
    data: str
    script: str
    length: int
    packages: tuple[str, ...]
    recipe: str

    def interpreter(self) -> Path | None:
        """This Python, or else that of .venv-peers, whichever has the packages."""
        candidates = [Path(sys.executable), _ROOT / ".venv-peers" / "bin" / "python"]
        return next((python for python in candidates if has(python, self.packages)), None)

    def missing(self) -> str:
        """What to say where no Python has the packages."""
        return f"not installed: needs {', '.join(self.packages)} (make bench-peers)"

    def versions(self, interpreter: Path) -> str:
        """``fastai 2.8.12, timm 1.0.31``, as ``interpreter`` has them."""
        code = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
        return run([interpreter, "-c", code, *self.packages]).stdout.strip()

    def run(self, interpreter: Path, data: Path, quick: bool) -> tuple[Finished, float]:
        """The finished process and its accuracy.

        Raises:
            Failed: the script ended with an error.
        """
        finished, printed = self.printed(interpreter, data, quick)
        return finished, float(printed["accuracy"])

    def printed(self, interpreter: Path, data: Path, quick: bool) -> tuple[Finished, dict[str, Any]]:
        """The finished process and the values of the last line it printed.

        Raises:
            Failed: the script ended with an error.
        """
        length = _QUICK_LENGTH if quick else str(self.length)
        finished = run([interpreter, _SCRIPTS / self.script, data, length])
        values: dict[str, Any] = json.loads(finished.stdout.strip().splitlines()[-1])
        return finished, values


@cache
def has(python: Path, packages: tuple[str, ...]) -> bool:
    """Whether ``python`` finds all of ``packages``, without importing them."""
    if not python.exists():
        return False
    code = "import sys, importlib.util as u; sys.exit(not all(u.find_spec(name) for name in sys.argv[1:]))"
    return subprocess.run([python, "-c", code, *packages], check=False).returncode == 0


PEERS = (
    Peer(
        "PyTorch tutorial, frozen",
        "hymenoptera",
        "tutorial_frozen.py",
        5,
        ("torch", "torchvision", "timm"),
        "RandomResizedCrop and flip, batch 4, SGD 1e-3 with momentum 0.9, StepLR 7, 2 workers, 5 of its 25 epochs",
    ),
    Peer(
        "fastai, frozen",
        "hymenoptera",
        "fastai_frozen.py",
        5,
        ("fastai", "timm"),
        "Resize 256, aug_transforms to 224, batch 32, one-cycle at 3e-3, 5 epochs, 2 workers",
    ),
    Peer(
        "transformers Trainer",
        "banking77",
        "trainer_text.py",
        1,
        ("transformers", "accelerate"),
        "defaults, every layer, batch 32, 2e-4, float32, one epoch",
    ),
)
