"""What every test gets: a cache of its own, no network, and small data to work on."""

from __future__ import annotations

import csv
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:  # one process a core: threads of several would wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when the libraries below are loaded

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


class NetworkRefused(RuntimeError):
    """A test reached for the network; not an OSError, so that no retry or fallback hides it."""


def pytest_configure(config: pytest.Config) -> None:
    # Read when huggingface_hub is imported, which may be as early as collection.
    os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """HEADSTART_CACHE points to a folder of this test run, for subprocesses too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(tmp_path_factory.mktemp("headstart-cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Refuses sockets that would leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _loopback_only(getattr(socket.socket, name)))
        yield


def _loopback_only(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise NetworkRefused(f"a test tried to connect to {address[0]!r}: tests may use this machine only.")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """``real_data(name)``: the folder of a real data set, or a skip that says where it was looked for."""

    def find(name: str) -> Path:
        home = Path(os.environ.get("HEADSTART_DATA") or ROOT.parent / "shared" / "data")
        if not (home / name).exists():
            pytest.skip(f"real data {name!r} is not in {home}; set HEADSTART_DATA to the folder that holds it")
        return home / name

    return find


@pytest.fixture(scope="session")
def tiny_image_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ViT of two layers with random weights: whole runs in a tenth of a second."""
    from tests.bases.checkpoints import vit_folder

    return str(vit_folder(tmp_path_factory.mktemp("base") / "tiny-vit"))


@pytest.fixture(scope="session")
def tiny_text_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT of two layers with random weights, which knows the words of `tests.toys.sentences`."""
    from tests.bases.checkpoints import bert_folder

    return str(bert_folder(tmp_path_factory.mktemp("base") / "tiny-bert"))


@pytest.fixture
def toy_images(tmp_path: Path) -> Path:
    """A folder of 3 class folders (checks, rings, stripes) of 12 PNGs; colour and pattern tell the class.

    Direction, scale, place and size vary, so that no two pictures are near duplicates.
    """
    rng = np.random.default_rng(0)
    folder = tmp_path / "toy_images"
    for label in _TINTS:
        (folder / label).mkdir(parents=True)
        for i in range(12):
            _toy_image(label, rng).save(folder / label / f"{label}{i:02}.png")
    return folder


_TINTS = {"checks": (60, 90, 220), "rings": (50, 190, 80), "stripes": (220, 70, 50)}  # RGB, 0..255


def _toy_image(label: str, rng: np.random.Generator) -> Image.Image:
    height, width = rng.integers(48, 81, size=2)
    y, x = np.mgrid[:height, :width].astype(float)
    angle, period = rng.uniform(0, np.pi), rng.uniform(7, 18)  # radians, pixels
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    middle = rng.uniform(0.2, 0.8, size=2) * (width, height)
    phase = {
        "checks": np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period),
        "rings": np.sin(2 * np.pi * np.hypot(x - middle[0], y - middle[1]) / period),
        "stripes": np.sin(2 * np.pi * along / period),
    }[label]
    paint = np.where(phase[..., None] > 0, np.array(_TINTS[label]), rng.uniform(200, 255))  # [h, w, 3]
    noisy = paint * rng.uniform(0.7, 1.0) + rng.normal(0, 8, paint.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@pytest.fixture
def toy_texts(tmp_path: Path) -> Path:
    """A CSV with the columns ``text,label``: 30 rows each of "food" and "travel", all different."""
    rng = np.random.default_rng(0)
    path = tmp_path / "toy_texts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for i in range(30):
            for label, words in _WORDS.items():
                writer.writerow([" ".join([*rng.permutation(words)[:7], f"no{i}"]), label])
    return path


_WORDS = {
    "food": [
        "bread",
        "soup",
        "pepper",
        "oven",
        "butter",
        "garlic",
        "sauce",
        "bake",
        "taste",
        "lemon",
        "rice",
        "salt",
    ],
    "travel": [
        "train",
        "ticket",
        "hotel",
        "airport",
        "border",
        "map",
        "flight",
        "visa",
        "island",
        "tour",
        "bus",
        "hike",
    ],
}
