"""The machine and the versions in words: what figures depend on, and nothing that names a host."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

_PACKAGES = ("headstart", "torch", "torchvision", "timm", "transformers", "onnxruntime", "scikit-learn", "pillow")
#: Flags of a CPU that decide which kernels run, the strongest first, and how they are written.
_FLAGS = (("amx_tile", "AMX"), ("avx512_bf16", "AVX-512 with bfloat16"), ("avx512f", "AVX-512"), ("avx2", "AVX2"))


def machine() -> str:
    """``2 cores, x86_64 with AVX-512, 23 GiB memory, Linux, load 0.1 before``."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kind = f"{platform.machine()}{_flags()}"
    load = os.getloadavg()[0]
    return f"{_cores()}, {kind}, {memory:.0f} GiB memory, {platform.system()}, {_device()}, load {load:.1f} before"


def versions(more: tuple[str, ...] = ()) -> str:
    """Versions of Python and of the libraries that figures depend on."""
    found = [f"Python {platform.python_version()}"]
    for name in (*_PACKAGES, *more):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _cores() -> str:
    """Those that the process may run on, and of how many where it is kept from some."""
    there = os.cpu_count() or 1
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    return f"{own} core{'' if own == 1 else 's'}{'' if own == there else f' of {there}'}"


def _flags() -> str:
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return ""
    return next((f" with {words}" for flag, words in _FLAGS if flag in flags), "")


def _device() -> str:
    """Whether NVIDIA's driver shows a GPU; asked of the files, as torch must not be loaded here."""
    count = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    return f"{count} NVIDIA GPUs" if count else "no NVIDIA GPU"
