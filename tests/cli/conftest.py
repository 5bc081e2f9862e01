"""What the tests of the command line share: tiny bases whose runtime is settled, and a folder to work in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bases.checkpoints import bert_folder, timm_folder
from tests.cli.running import decide_runtime, noise_images


@pytest.fixture(scope="session", autouse=True)
def _on_the_cpu() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_DEVICE", "cpu")
        yield


@pytest.fixture(scope="session")
def image_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = timm_folder(tmp_path_factory.mktemp("images") / "tiny", "test_resnet")
    decide_runtime(folder, "image")
    return folder


@pytest.fixture(scope="session")
def text_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = bert_folder(tmp_path_factory.mktemp("texts") / "tiny-bert")
    decide_runtime(folder, "text")
    return folder


@pytest.fixture(scope="session")
def known_cache(image_base: Path) -> Path:
    """The cache of this test run, which knows how to run the tiny image base."""
    return Path(os.environ["HEADSTART_CACHE"])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that nothing is written into the checkout."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def photos(here: Path) -> Path:
    return noise_images(here / "photos", 24)
