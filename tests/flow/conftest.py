"""The bases of the flow's tests."""

from __future__ import annotations

from tests.strategies.conftest import settled_bases

__all__ = ["settled_bases"]
