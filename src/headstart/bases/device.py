"""The device to compute on, and what goes through it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import SettingError

if TYPE_CHECKING:
    import torch

#: Arrays whose first axis is the example; a `Run` makes features [batch, width] float32 of them, or [words, width] of
#: all their words where a base gives a vector a word.
Batch = tuple[np.ndarray, ...]
Run = Callable[[Batch], np.ndarray]


_VARIABLE = "HEADSTART_DEVICE"
_NAMES = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_WRITTEN = "write it as auto, cpu, cuda, cuda:1 or mps"
_PINNED: ContextVar[str | None] = ContextVar("device", default=None)


@contextmanager
def using(name: str | None) -> Iterator[None]:
    """Compute on the device ``name`` meanwhile, in processes begun meanwhile too; None leaves what was chosen before.

    Raises:
        SettingError: it is no device's name, or this machine lacks it.
    """
    if name is None:
        yield
        return
    _check(name)
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = name
    try:
        if name not in ("auto", "cpu"):  # torch need not be loaded to know that those are there
            device("device")
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


@contextmanager
def pinned(name: str | None) -> Iterator[None]:
    """Compute on the device ``name`` meanwhile in this thread alone; None leaves what was chosen before.

    Raises:
        SettingError: it is no device's name.
    """
    if name is None:
        yield
        return
    _check(name)
    token = _PINNED.set(name)
    try:
        yield
    finally:
        _PINNED.reset(token)


def check_device(name: str | None) -> None:
    """`SettingError` unless ``name`` is a device of this machine; None is the one chosen before."""
    with pinned(name):
        if name not in (None, "auto", "cpu"):
            device()


def _check(name: object) -> None:
    if not isinstance(name, str) or not _NAMES.fullmatch(name):
        raise SettingError(f"device is {name!r}; {_WRITTEN}.")


def device_name() -> str:
    """The device pinned in this thread, or named by HEADSTART_DEVICE, or "auto"."""
    return _PINNED.get() or os.environ.get(_VARIABLE, "").strip() or "auto"


def device(told: str = "") -> torch.device:
    """The device to compute on: see `device_name`; "auto" is the first there is of CUDA, MPS and CPU.

    Raises:
        SettingError: it names none, or one that this machine lacks; ``told`` says what the name is called.
    """
    import torch

    told = told or ("device" if _PINNED.get() else _VARIABLE)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = device_name()
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    kind = name.partition(":")[0]
    if not there.get(kind):
        have = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise SettingError(f"{told} is {name!r}; this machine has {have} (auto takes the first).")
    try:
        found = torch.device(name)
    except RuntimeError as error:
        raise SettingError(f"{told} is {name!r}; {_WRITTEN}.") from error
    if kind == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise SettingError(
            f"{told} is {name!r}; this machine has {torch.cuda.device_count()} CUDA devices, counted from cuda:0."
        )
    return found
