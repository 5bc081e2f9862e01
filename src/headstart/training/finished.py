"""What trainings came to, kept until the run that they are part of has ended: after a kill they are not made again."""

from __future__ import annotations

import contextlib
import json
import math
import types
import typing
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from headstart.errors import OutputError
from headstart.files import claim, moved_into_place
from headstart.progress import Progress

FILE = "finished.safetensors"
T = TypeVar("T")
_ALIKE = 1.5  # times the seconds that one run was allowed are about as many for the next


def serves(cut_to: float, seconds: float | None) -> bool:
    """Whether training that was cut short for want of time will do for a run that may take ``seconds``.

    Args:
        cut_to: the seconds that it was allowed; nan where it was not cut.
        seconds: None: as many as it needs. From one start to the next the same budget leaves training more or less.
    """
    return math.isnan(cut_to) or (seconds is not None and seconds <= _ALIKE * cut_to)


@dataclass(frozen=True)
class Finished:
    """The trainings of one run, each in the folder of its checkpoint.

    Attributes:
        folders: those that this run kept or found.
    """

    folders: list[Path] = field(default_factory=list)

    def load(self, folder: Path, kind: type[T], seconds: float | None) -> T | None:
        """What the training of ``folder`` came to; None where it did not end, or does not serve (see `serves`).

        Args:
            kind: the dataclass that was saved.
            seconds: that this training may take.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, framework="np") as file:
                told = json.loads(file.metadata()["trained"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            found: T = _rebuilt(told["trained"], kind, arrays)
            cut_to = float(told["cut_to"])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return None
        if not serves(cut_to, seconds):
            return None
        self.folders.append(folder)
        return found

    def save(self, folder: Path, trained: object, cut_to: float, progress: Progress) -> None:
        """Keep ``trained``; on a full disk it is not kept, which is said.

        Args:
            cut_to: see `serves`.
        """
        from safetensors.numpy import save_file

        arrays: dict[str, np.ndarray] = {}
        told = json.dumps({"trained": _plain(trained, arrays), "cut_to": cut_to})
        try:
            with moved_into_place(folder / FILE) as aside:
                save_file(arrays, aside, {"trained": told})
            self.folders.append(folder)
        except OutputError as error:
            progress.say(f"  this training is not kept for a run that goes on after a kill: {error}")

    def clear(self) -> None:
        """The whole run is safe elsewhere: remove what was kept; what another run is at work in stays its own."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                release = claim(lock_of(folder))
                if release is None:
                    continue
                (folder / FILE).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # a checkpoint is there
                    folder.rmdir()
                release()
        self.folders.clear()


def lock_of(folder: Path) -> Path:
    """The file that is claimed for the folder of one training."""
    return folder.with_suffix(".lock")


def _plain(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """``value`` as JSON has it; arrays go into ``arrays``, and their names stand for them."""
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.array(value, order="C")  # memory of its own, as safetensors has it
        return name
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name), arrays) for one in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(one, arrays) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one, arrays) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _rebuilt(value: Any, kind: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of `_plain`, for a value annotated as ``kind``."""
    if value is None or kind is Any:
        return value
    if kind is np.ndarray:
        return arrays[value]
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _rebuilt(one, hints[name], arrays) for name, one in value.items()})
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        kinds = [one for one in inner if one is not types.NoneType]
        fitting = (one for one in kinds if is_dataclass(one) == isinstance(value, dict))
        return _rebuilt(value, next(fitting, kinds[0]), arrays)
    if origin is dict:
        return {name: _rebuilt(one, inner[1], arrays) for name, one in value.items()}
    if origin in (tuple, list):
        each = inner if len(inner) == len(value) and ... not in inner else inner[:1] * len(value)
        return origin(_rebuilt(one, part, arrays) for one, part in zip(value, each, strict=True))
    return value
