"""The bases of the strategies' tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cli.running import decide_runtime
from tests.training.conftest import bases

__all__ = ["bases"]


@pytest.fixture(scope="session")
def settled_bases(tiny_image_base: str, tiny_text_base: str) -> Iterator[dict[str, str]]:
    """Modality -> a tiny base whose runtime is not measured, and the cache that knows it.

    Two runs are alike only where the base is run alike.
    """
    from pathlib import Path

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_DEVICE", "cpu")
        decide_runtime(Path(tiny_image_base), "image")
        decide_runtime(Path(tiny_text_base), "text")
        yield {"image": tiny_image_base, "text": tiny_text_base, "cache": os.environ["HEADSTART_CACHE"]}
