"""The bases of the engine's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headstart.bases.base import Base
from tests.training.small import base_of


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Base]:
    """``bases(kind)``: one of `tests.training.small.KINDS`, tiny and with random weights."""
    home = tmp_path_factory.mktemp("bases")
    return lambda kind: base_of(kind, home / kind)
