"""The ground the other tests stand on."""

from __future__ import annotations

import csv
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest


def test_network_is_refused_and_loopback_is_not() -> None:
    with socket.socket() as outside, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as inside:
        inside.connect(server.getsockname())


def test_cache_is_not_the_users() -> None:
    assert "headstart-cache" in os.environ["HEADSTART_CACHE"]
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_real_data_is_found_or_skipped(
    real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="HEADSTART_DATA"):
        real_data("thing")
    (tmp_path / "thing").mkdir()
    assert real_data("thing") == tmp_path / "thing"


def test_toys_have_the_promised_shape(toy_images: Path, toy_texts: Path) -> None:
    assert {d.name: len(list(d.glob("*.png"))) for d in toy_images.iterdir()} == {
        "checks": 12,
        "rings": 12,
        "stripes": 12,
    }
    with toy_texts.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["text"] for row in rows}) == 60
    assert [row["label"] for row in rows].count("food") == 30
