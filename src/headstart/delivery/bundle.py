"""The bundle: changed weights only, and all that is needed to use them as in training.

bundle/
  bundle.json          what is handed over: base identity, preprocessing, task and labels, how the head was made and
                       what it acts on, which of the base's tensors were changed, and the sha256 of every other file
  head.safetensors     weight [width, outputs], bias [outputs]
  changes.safetensors  the base's tensors that were changed, or the adapters'; only where the base was adapted
  known.safetensors    features and answers of known inputs, which new ones are compared with to tell strange ones
  graph.onnx           the changed base for ONNX Runtime, without the weights that lie in the base's files or changes
  graph.json           where those weights lie; both only where the base can be served so
  card.md              what it is, how good, what to mind: for people, and not read again

or, where a control that borrows nothing is handed over:
  bundle.json          control's name, how inputs are read, task and labels, the sha256 of every other file
  control.safetensors  what the control learnt, numbers
  control.json         what it learnt besides, such as a vocabulary
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.adapted import flattened
from headstart.bases.base import Base
from headstart.bases.bundle_record import (
    CHANGES,
    DAMAGE,
    RECORD,
    SCHEMA,
    damaged,
    find_bundle,
    read_changes,
    read_part,
    read_record,
)
from headstart.bases.changes import Changes
from headstart.bases.identity import Identity
from headstart.bases.portable import Graph
from headstart.bases.staged import StagedBase
from headstart.bases.stored import checksum, pack, unpack
from headstart.controls.control import Control, ControlState
from headstart.controls.panel import restore
from headstart.data.sheet import Choice
from headstart.delivery.caution import Caution
from headstart.delivery.serving import GRAPH, PLACES, Serving, serving_of
from headstart.delivery.target_folder import refuse_several
from headstart.errors import BundleError
from headstart.files import as_path, write_atomically
from headstart.heads.linear import LinearHead
from headstart.modalities import get
from headstart.tasks import Task
from headstart.tasks import from_dict as task_from_dict

_WEIGHTS, _KNOWN = "head.safetensors", "known.safetensors"
_CONTROL, _CONTROL_VALUES = "control.safetensors", "control.json"


@dataclass(frozen=True)
class Bundle:
    """What is handed over: a head on a base, or a control; see `of_base` and `of_control`.

    Attributes:
        base: identity of the base without ``changes``; its weights are not copied. Where the run began from an earlier
            run, that is in its lineage only: ``changes`` are from the root on. None for a control.
        modality: the name of one.
        preprocessing: as the base's `preprocessing()` gives it, checked when the bundle is used; for a control, how
            pictures are read.
        dtype: precision the training features came in.
        task: labels and target coding.
        head: on the (changed) base's pooled features, or on those of all its stages; None for a control.
        about: metric, scores, verdict and versions, for people.
        changes: what training changed in the base, or None.
        control: handed over instead of head and base, or None.
        stages: widths of the stages where the head acts on those of all; () where it acts on the pooled features.
        caution: what the model says besides its answer; nothing in layouts before 3.
        serving: how the base is run for answers; without a graph in bundles that older versions wrote.
    """

    base: Identity | None
    modality: str
    preprocessing: str
    dtype: str
    task: Task
    head: LinearHead | None
    about: dict[str, Any]
    changes: Changes | None = None
    control: Control | None = None
    stages: tuple[int, ...] = ()
    caution: Caution = field(default_factory=Caution)
    serving: Serving = field(default_factory=Serving)

    @classmethod
    def of_base(
        cls,
        base: Base,
        dtype: str,
        task: Task,
        head: LinearHead,
        about: dict[str, Any],
        caution: Caution | None = None,
    ) -> Bundle:
        """A head on ``base``; of an `AdaptedBase`, its root's identity and what was changed; see `StagedBase` too."""
        stages = base.parts if isinstance(base, StagedBase) else ()
        base = base.base if isinstance(base, StagedBase) else base
        root, changes = flattened(base)
        identity = replace(base.identity, weights=root.identity.weights)
        caution = caution or Caution()
        return cls(
            identity,
            base.modality,
            base.preprocessing(),
            dtype,
            task,
            head,
            about,
            changes,
            stages=stages,
            caution=caution,
        )

    @classmethod
    def of_control(
        cls, control: Control, base: Base, task: Task, about: dict[str, Any], caution: Caution | None = None
    ) -> Bundle:
        """A fitted control; of ``base``, only how pictures were read for its classical features is kept."""
        reading = json.dumps(base.spec.to_dict() if get(base.modality).classical else {}, sort_keys=True)
        caution = caution or Caution()
        return cls(None, base.modality, reading, "float32", task, None, about, control=control, caution=caution)

    def served(self, base: Base) -> Bundle:
        """The same, with what serves ``base``, the bundle's with its changes, as a graph where it can be one."""
        return replace(self, serving=serving_of(base, self.dtype, self.changes))

    @property
    def model(self) -> LinearHead | Control:
        """What gives the probabilities: the head, of features; or the control, of its inputs."""
        if self.head is not None:
            return self.head
        if self.control is not None:
            return self.control
        raise BundleError("the bundle has neither a head nor a baseline; fit again.")

    @property
    def like(self) -> Choice | None:
        """How the table it was made from was read, to find the same columns in others; None where it was no table."""
        named = self.about.get("columns")
        if not isinstance(named, dict) or not isinstance(named.get("input"), str):
            return None
        return Choice(named["input"], tuple(named.get("targets") or ()), self.modality, self.task.name, firm=False)

    def save(self, folder: Path) -> None:
        """Write the bundle into ``folder``, which is made; its record comes last, so that half a bundle is none.

        Raises:
            OutputError: where it cannot be written.
        """
        files = self._files()
        record = {
            "schema": SCHEMA,
            "modality": self.modality,
            "preprocessing": json.loads(self.preprocessing),
            "dtype": self.dtype,
            "task": self.task.to_dict(),
            **self._parts(),
            "caution": self.caution.to_dict(),
            "files": {name: checksum(content) for name, content in files.items()},
            "about": self.about,
        }
        for name, content in files.items():
            write_atomically(folder / name, content)
        write_atomically(folder / RECORD, json.dumps(record, indent=2, ensure_ascii=False))

    def _parts(self) -> dict[str, Any]:
        """What the record says of head, base and changes, or of the control."""
        if self.control is not None:
            return {"control": {"name": self.control.name}}
        head = self.head and {"kind": self.head.kind, "settings": self.head.settings}
        changes = {"changes": self.changes.to_dict()} if self.changes else {}
        features = {"features": "stages", "stages": list(self.stages)} if self.stages else {"features": "pooled"}
        return {"base": self.base and self.base.to_dict(), "head": head, **features, **changes}

    def _files(self) -> dict[str, bytes]:
        model, known = self.model, self.caution.known
        beside = {_KNOWN: pack(known.to_tensors())} if known else {}
        if isinstance(model, Control):
            state = model.state()
            return {_CONTROL: pack(state.tensors), _CONTROL_VALUES: json.dumps(state.values).encode(), **beside}
        files = {_WEIGHTS: pack({"weight": model.weight, "bias": model.bias}), **beside}
        if graph := self.serving.graph:
            files |= {GRAPH: graph.content, PLACES: graph.places_json().encode()}
        return {**files, CHANGES: self.changes.to_bytes()} if self.changes else files

    @classmethod
    def load(cls, path: str | Path) -> Bundle:
        """Read a bundle, or the one in a run's folder.

        Raises:
            BundleError: there is none, it is damaged, or it was written by a newer headstart.
        """
        folder = _find(as_path(path))
        record = read_record(folder)
        try:
            task = task_from_dict(record["task"])
            control = _control(folder, record, task) if "control" in record else None
            return cls(
                None if control else Identity.from_dict(record["base"]),
                record["modality"],
                json.dumps(record["preprocessing"], sort_keys=True),
                record["dtype"],
                task,
                None if control else _head(folder, record, task),
                record["about"],
                read_changes(folder, record),
                control,
                _stages(record),
                _caution(folder, record),
                _serving(folder, record),
            )
        except DAMAGE as error:
            raise damaged(folder, error) from error


def _caution(folder: Path, record: dict[str, Any]) -> Caution:
    has_known = _KNOWN in record.get("files", {})
    tensors = unpack(folder / _KNOWN, read_part(folder, record, _KNOWN)) if has_known else None
    return Caution.of(record.get("caution") or {}, tensors)


def _serving(folder: Path, record: dict[str, Any]) -> Serving:
    if GRAPH not in record.get("files", {}):
        return Serving()
    graph = Graph.of(read_part(folder, record, GRAPH), read_part(folder, record, PLACES))
    return Serving(graph, {CHANGES: folder.absolute() / CHANGES} if "changes" in record else {})


def _find(path: Path) -> Path:
    folder = find_bundle(path)
    if folder is None:
        refuse_several(path)
        what = "is not a run or bundle" if path.exists() else "does not exist"
        raise BundleError(f"{path} {what}; give the folder that 'headstart fit' wrote, such as runs/NAME.")
    return folder


def _head(folder: Path, record: dict[str, Any], task: Task) -> LinearHead:
    tensors = unpack(folder / _WEIGHTS, read_part(folder, record, _WEIGHTS))
    if not {"weight", "bias"} <= tensors.keys():
        raise BundleError(f"{folder / _WEIGHTS} holds no weight and bias; restore it or fit again.")
    weight, bias = tensors["weight"], tensors["bias"]
    if weight.ndim != 2 or weight.shape[1] != task.outputs or bias.shape != (task.outputs,):
        raise BundleError(
            f"{folder / _WEIGHTS} has shape {weight.shape} for {task.outputs} outputs; restore it or fit again."
        )
    return LinearHead(weight, bias, task.name, record["head"]["kind"], record["head"]["settings"])


def _stages(record: dict[str, Any]) -> tuple[int, ...]:
    """Layout 1 and the first records of layout 2 do not say what the head acts on: the pooled features."""
    features = record.get("features", "pooled")
    if features not in ("pooled", "stages"):
        raise ValueError(f"features {features!r}")
    return tuple(int(width) for width in record["stages"]) if features == "stages" else ()


def _control(folder: Path, record: dict[str, Any], task: Task) -> Control:
    tensors: dict[str, np.ndarray] = unpack(folder / _CONTROL, read_part(folder, record, _CONTROL))
    values = json.loads(read_part(folder, record, _CONTROL_VALUES))
    return restore(record["control"]["name"], record["modality"], task, task.outputs, ControlState(tensors, values))
