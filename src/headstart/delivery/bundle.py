"""The bundle: changed weights only, and all that is needed to use them as in training.

bundle/
  bundle.json        base identity, preprocessing, task and labels, how the head was made
  head.safetensors   weight [width, outputs], bias [outputs]
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.identity import Identity
from headstart.errors import BundleError
from headstart.files import write_atomically
from headstart.heads.linear import LinearHead
from headstart.tasks import from_dict as task_from_dict
from headstart.tasks.task import Task

#: Version of the layout. 1: the first.
SCHEMA = 1
_FILE, _WEIGHTS = "bundle.json", "head.safetensors"


@dataclass(frozen=True)
class Bundle:
    """What is handed over.

    Attributes:
        base: identity of the base; its weights are not copied.
        modality: "image" or "text".
        preprocessing: as the base's `preprocessing()` gives it, checked when the bundle is used.
        dtype: precision the training features came in.
        task: labels and target coding.
        head: on the base's pooled features.
        about: metric, scores, verdict and versions, for people.
    """

    base: Identity
    modality: str
    preprocessing: str
    dtype: str
    task: Task
    head: LinearHead
    about: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write the bundle into ``folder``, which is made.

        Raises:
            OutputError: where it cannot be written.
        """
        from safetensors.numpy import save

        record = {
            "schema": SCHEMA,
            "base": self.base.to_dict(),
            "modality": self.modality,
            "preprocessing": json.loads(self.preprocessing),
            "dtype": self.dtype,
            "task": self.task.to_dict(),
            "head": {"kind": self.head.kind, "settings": self.head.settings},
            "about": self.about,
        }
        tensors = {
            "weight": np.ascontiguousarray(self.head.weight),
            "bias": np.ascontiguousarray(self.head.bias),
        }
        write_atomically(folder / _WEIGHTS, save(tensors))
        write_atomically(folder / _FILE, json.dumps(record, indent=2, ensure_ascii=False))

    @classmethod
    def load(cls, path: str | Path) -> Bundle:
        """Read a bundle, or the one in a run's folder.

        Raises:
            BundleError: there is none, it is damaged, or it was written by a newer headstart.
        """
        folder = _find(Path(path))
        record = _record(folder)
        try:
            task = task_from_dict(record["task"])
            head = LinearHead(*_tensors(folder), task.name, record["head"]["kind"], record["head"]["settings"])
            preprocessing = json.dumps(record["preprocessing"], sort_keys=True)
            bundle = cls(
                Identity.from_dict(record["base"]),
                record["modality"],
                preprocessing,
                record["dtype"],
                task,
                head,
                record["about"],
            )
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise BundleError(
                f"{folder / _FILE} is damaged: {type(error).__name__} {error}; restore it or fit again."
            ) from error
        if head.weight.ndim != 2 or head.weight.shape[1] != task.outputs or head.bias.shape != (task.outputs,):
            raise BundleError(
                f"{folder / _WEIGHTS} has shape {head.weight.shape} for {task.outputs} outputs; restore it or "
                f"fit again."
            )
        return bundle


def _find(path: Path) -> Path:
    for folder in (path, path / "bundle"):
        if (folder / _FILE).is_file():
            return folder
    what = "is not a run or bundle" if path.exists() else "does not exist"
    raise BundleError(f"{path} {what}; give the folder that 'headstart fit' wrote, such as runs/NAME.")


def _record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder / _FILE} cannot be read ({error}); restore it or fit again.") from error
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise BundleError(f"{folder / _FILE} is not a bundle's record; restore it or fit again.")
    if record["schema"] > SCHEMA:
        raise BundleError(
            f"{folder} has layout {record['schema']}, this headstart reads up to {SCHEMA}; upgrade headstart."
        )
    return record


def _tensors(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(folder / _WEIGHTS)
        return tensors["weight"], tensors["bias"]
    except (OSError, SafetensorError, KeyError) as error:
        raise BundleError(f"{folder / _WEIGHTS} cannot be read ({error}); restore it or fit again.") from error
