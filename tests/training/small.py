"""Small jobs for the engine: tiny bases with random weights, a few dozen rows, heads that know a little."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from headstart.bases.base import Base
from headstart.bases.folder import open_folder
from headstart.bases.network import Network
from headstart.heads.linear import LinearHead
from headstart.training.answers import pooled
from headstart.training.interpolation import recompute_batchnorm
from headstart.training.objective import Linear
from headstart.training.options import TrainOptions
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows
from headstart.training.run import Job, Trained
from headstart.training.trainee import Trainee
from tests.bases.checkpoints import bert_folder, decoder_folder, timm_folder, vit_folder

WORDS = [["cat", "dog", "sat", "ran", "mat", "log"], ["my", "card", "parcel", "late", "lost", "new"]]
KINDS = ("resnet", "vit", "bert", "gpt2")


def base_of(kind: str, folder: Path) -> Base:
    """A base of ``folder``, which is made if it is not there; pictures are of 32 x 32."""
    if not folder.exists():
        if kind == "resnet":
            given = {"input_size": [3, 32, 32], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0}
            timm_folder(folder, "test_resnet", pretrained_cfg=given)
            _settle(folder)
        else:
            {"vit": vit_folder, "bert": bert_folder, "gpt2": decoder_folder}[kind](folder)
    return open_folder(folder)


def _settle(folder: Path) -> None:
    """Give BatchNorm the statistics of its inputs, as training would have."""
    network = open_folder(folder).network()
    random = torch.Generator().manual_seed(0)
    batches = [(torch.randint(0, 200, (32, 32, 32, 3), generator=random, dtype=torch.uint8),) for _ in range(2)]
    recompute_batchnorm(network, batches)
    body = {name.removeprefix("body."): t for name, t in network.state_dict().items()}
    save_file(load_file(folder / "model.safetensors") | body, folder / "model.safetensors")


def rows_of(base: Base, count: int, seed: int = 0, vectors: bool = True) -> TrainRows:
    """Rows of two classes in turn: dark and bright noise, or words of two kinds, of unlike length."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    inputs: list[Any] = []
    for label in y:
        if base.modality == "image":
            inputs.append(rng.integers(0, 140 + 100 * label, (32, 32, 3)).astype(np.uint8))
        else:
            inputs.append(" ".join(rng.choice(WORDS[label], rng.integers(3, 12))))
    keys = np.array([hashlib.sha256(repr(getattr(x, "tolist", lambda x=x: x)()).encode()).hexdigest() for x in inputs])
    rows = TrainRows(inputs, keys, y, np.zeros((0, base.width), np.float32))
    return replace(rows, vectors=pooled(base, base.network(), rows)) if vectors else rows


def head_of(rows: TrainRows, scale: float = 1.0) -> LinearHead:
    """A logistic head by ten steps of gradient descent on standardised features: it knows a little."""
    mean, std = rows.vectors.mean(0), rows.vectors.std(0) + 1e-6
    x, y = (rows.vectors - mean) / std, np.eye(2)[rows.y]
    weight = np.zeros((x.shape[1], 2))
    for _ in range(10):
        p = np.exp(x @ weight)
        weight += 0.05 * x.T @ (y - p / p.sum(1, keepdims=True)) / len(x)
    weight = (weight / std[:, None]) * scale
    return LinearHead(weight.astype(np.float32), (-mean @ weight).astype(np.float32), "classification", "logistic")


def job_of(base: Base, *phases: Phase, recipe: dict[str, Any] | None = None, **given: Any) -> Job:
    """A job on 24 rows in batches of 8, judged by 12; what is ``given`` goes to the job or its options."""
    train, held = rows_of(base, given.pop("n", 24)), rows_of(base, 12, seed=1)
    job = {k: given.pop(k) for k in list(given) if k in Job.__dataclass_fields__}
    options = TrainOptions(**{"metric": "log_loss", "batch": 8, "dropout": 0.0, "patience": 99, **given})
    whole = Recipe(phases or (Phase(thaw=1.0, epochs=2.0, least_steps=1),), **(recipe or {}))
    return Job(**{
        "base": base,
        "recipe": whole,
        "task": "classification",
        "outputs": 2,
        "train": train,
        "held": held,
        "head": head_of(train),
        "options": options,
        **job,
    })  # fmt: skip


def linear(task: str, y: Any, outputs: int, **given: Any) -> Linear:
    """The objective of a job on targets ``y``; features [n, width] and a head may be ``given``, else options."""
    features, head = given.pop("features", np.zeros((0, 4), np.float32)), given.pop("head", None)
    base: Any = SimpleNamespace(width=features.shape[1])
    rows = TrainRows([], np.array([]), y, features)
    options = TrainOptions(**{"metric": "", "dropout": 0.0, **given})
    return Linear(Job(base, Recipe((Phase(thaw=1.0),)), task, outputs, rows, None, head, options))


def trainee_of(base: Base, network: Network | None = None, dropout: float = 0.0) -> Trainee:
    """A base, or its ``network``, with a head of zeros for two classes."""
    objective = linear("classification", np.arange(2), 2, features=np.zeros((0, base.width)), dropout=dropout)
    return Trainee(network or base.network(), objective)


def weights_of(trained: Trained) -> dict[str, np.ndarray]:
    """All that a run gives: the changed tensors and the head."""
    return {**trained.changes.tensors, "head.weight": trained.head.weight, "head.bias": trained.head.bias}


def difference(a: Trained, b: Trained) -> float:
    """The greatest difference of any weight, as a share of the greatest in its tensor.

    Without the biases of attention's keys: softmax is blind to them, so that AdamW moves them by rounding errors.
    """
    first, second = weights_of(a), weights_of(b)
    assert first.keys() == second.keys()
    seen = [n for n in first if not n.endswith(("key.bias", "k_proj.bias"))]
    return max(float(np.abs(first[n] - second[n]).max() / (np.abs(first[n]).max() + 1e-8)) for n in seen)


class Killed(Exception):
    """Stands for a process that ends."""


@contextmanager
def forward(change: Callable[[Callable[..., Any], Trainee, tuple[Any, ...]], Any]) -> Iterator[None]:
    """Within, the trainee's forward pass is ``change(own, trainee, arguments)``."""
    own = Trainee.forward

    def changed(self: Trainee, *arguments: Any) -> Any:
        return change(own, self, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainee, "forward", changed)
        yield


def size_of(batch: Any) -> int:
    """Rows of a batch or state."""
    return len(batch.hidden) if hasattr(batch, "hidden") else len(batch[0])


def poisoned(result: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """A forward pass's result without a number in it."""
    return result[0] * float("nan"), result[1]
