"""A feature file that is damaged anywhere: said once, set aside, and never a wrong vector."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from headstart.bases import runtime
from headstart.bases.catalogue import open_base
from headstart.cli import main
from headstart.data.table import objects
from headstart.errors import HeadstartWarning
from headstart.modalities.text.tokens import Tokens
from headstart.training.cache import FeatureCache, Space
from headstart.training.cache_use import prune, spaces
from headstart.training.features import extract
from tests.bases.checkpoints import bert_folder

SPACE = Space("toy", "w", "pooled", "{}", "float32", 1280)  # wider than a page
KEYS = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(24)]
VECTORS = np.random.default_rng(0).normal(size=(24, 1280)).astype(np.float32)
PAGE = 4096


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def file() -> Path:
    with FeatureCache(SPACE) as cache:
        cache.put(KEYS, VECTORS)
    return cache.path


def overwrite(file: Path, page: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(page * PAGE)
        opened.write(content)


def noise(page: int) -> bytes:
    return np.random.default_rng(page).bytes(PAGE)


def whole() -> None:
    """The cache takes and gives again, and warns no more."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with FeatureCache(SPACE) as cache:
            cache.put(KEYS, VECTORS)
            found, got = cache.get(KEYS)
    assert found.all()
    np.testing.assert_array_equal(got, VECTORS)


@pytest.mark.parametrize("content", [lambda page: bytes(PAGE), noise], ids=["zeros", "noise"])
def test_no_page_is_trusted(file: Path, content: Callable[[int], bytes]) -> None:
    kept = shutil.copyfile(file, file.with_suffix(".copy"))
    pages = file.stat().st_size // PAGE
    assert pages > 30
    said = 0
    for page in range(pages):
        shutil.copyfile(kept, file)
        overwrite(file, page, content(page))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with FeatureCache(SPACE) as cache:
                found, got = cache.get(KEYS)
                cache.put(KEYS, VECTORS)
                again, after = cache.get(KEYS)
        np.testing.assert_array_equal(got[found], VECTORS[found])
        assert again.all()
        np.testing.assert_array_equal(after, VECTORS)
        assert len(told) == (0 if found.all() else 1)
        assert len(list(file.parent.glob("*.damaged-*"))) <= 1
        said += len(told)
    assert said > 24  # at least the pages of the vectors


@pytest.mark.parametrize("work", ["get", "holds", "blobs", "put", "trim"])
def test_every_way_into_a_damaged_file_sets_it_aside(file: Path, work: str) -> None:
    for page in range(2, file.stat().st_size // PAGE):
        overwrite(file, page, noise(page))
    other = [hashlib.sha256(key.encode()).hexdigest() for key in KEYS]
    call: dict[str, Callable[[FeatureCache], object]] = {
        "get": lambda cache: cache.get(KEYS),
        "holds": lambda cache: cache.holds(KEYS),
        "blobs": lambda cache: cache.blobs(KEYS),
        "put": lambda cache: cache.put(other, VECTORS),
        "trim": lambda cache: cache.trim(50_000),
    }
    with pytest.warns(HeadstartWarning, match="is damaged; it was moved") as told, FeatureCache(SPACE) as cache:
        call[work](cache)
    assert len(told) == 1
    whole()


def test_a_byte_that_changed_on_disk_is_no_vector(file: Path) -> None:
    content = bytearray(file.read_bytes())
    at = content.index(VECTORS[7].tobytes()[100:160])
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.warns(HeadstartWarning, match="damaged"), FeatureCache(SPACE) as cache:
        found, _ = cache.get(KEYS)
    assert not found.any()
    whole()


def test_damage_that_comes_while_it_is_open(file: Path) -> None:
    with FeatureCache(SPACE) as cache:
        for page in range(1, file.stat().st_size // PAGE):
            overwrite(file, page, noise(page))
        with pytest.warns(HeadstartWarning, match="damaged"):
            assert not cache.get(KEYS)[0].any()
        cache.put(KEYS, VECTORS)
        assert cache.get(KEYS)[0].all()
    whole()


def test_two_that_find_it_damaged_set_it_aside_once(file: Path) -> None:
    first, second = FeatureCache(SPACE), FeatureCache(SPACE)
    for page in range(1, file.stat().st_size // PAGE):
        overwrite(file, page, noise(page))
    with pytest.warns(HeadstartWarning, match="damaged") as told:
        found, _ = first.get(KEYS)
    assert not found.any()
    assert len(told) == 1
    first.put(KEYS, VECTORS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second.get(KEYS)
    first.close()
    second.close()
    whole()


def test_an_extraction_from_a_damaged_file_computes_again(tmp_path: Path) -> None:
    base = open_base(str(bert_folder(tmp_path / "b")), "text")
    texts = objects([f"the {a} {b} on a mat" for a in ("cat", "dog", "parcel") for b in ("sat", "ran", "is late")])
    before = extract(base, texts)
    for use in spaces():  # vectors, and how long texts are
        for page in range(1, use.path.stat().st_size // PAGE):
            overwrite(use.path, page, noise(page))
    with pytest.warns(HeadstartWarning, match="damaged"):
        again = extract(base, texts)
    assert again.computed == len(texts)
    np.testing.assert_allclose(again.vectors, before.vectors, atol=1e-4)
    assert extract(base, texts).computed == 0


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_graph_is_exported_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: bool) -> None:
    monkeypatch.setattr(runtime, "CANDIDATES", (runtime.ONNX,))  # one precision, whatever is fastest here
    base = open_base(str(bert_folder(tmp_path / "b")), "text")
    texts = [objects([f"the {a} {b} no{i}" for a in ("cat", "dog") for b in ("sat", "ran")]) for i in range(3)]
    extract(base, texts[0])
    choice, graph = runtime.remembered(base), runtime.graph_path(base)
    if choice is None or not choice.graph:
        pytest.skip("ONNX Runtime is not used on this machine")
    quickest = tuple(replace(m, rate=1e6, load=0.0) if m.name == runtime.ONNX else m for m in choice.tried)
    runtime.measured_path(base, ".json").write_text(json.dumps(asdict(replace(choice, tried=quickest))))
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 64
    graph.write_bytes(content[:1000] if cut else content)
    with pytest.warns(HeadstartWarning, match="exported graph .* is damaged") as told:
        again = extract(base, texts[1])
    assert len(told) == 1
    assert again.runtime.startswith(runtime.ONNX)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(base, texts[2])
    plain = extract(base, texts[0])
    assert plain.computed == 0
    torch_run = runtime.build(runtime.REFERENCE, base, None)
    ids, mask = Tokens(base).padded(Tokens(base).ids(list(texts[1])))
    np.testing.assert_allclose(again.vectors, torch_run((ids, mask)), atol=1e-4)


def test_damaged_files_are_listed_and_go(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overwrite(file, 0, noise(0))
    [use] = spaces()
    assert (use.space.name, use.rows, use.path) == ("damaged", 0, file)
    assert main(["cache"]) == 0
    assert "damaged" in capsys.readouterr().out
    with pytest.warns(HeadstartWarning):
        FeatureCache(SPACE).close()
    assert list(file.parent.glob("*.damaged-*"))
    prune(0)
    assert list(file.parent.iterdir()) == []


def test_the_command_line_warns_in_one_line(
    tiny_text_base: str, toy_texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = ["fit", str(toy_texts), "--base", tiny_text_base, "--strategy", "probe", "--quiet", "--out"]
    assert main([*fit, str(tmp_path / "one")]) == 0
    damaged = spaces()
    for use in damaged:
        for page in range(1, use.path.stat().st_size // PAGE):
            overwrite(use.path, page, noise(page))
    capsys.readouterr()
    assert main([*fit, str(tmp_path / "two")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "damaged" in line] == [line for line in lines if line.startswith("warning: ")]
    assert len([line for line in lines if "damaged" in line]) == len(damaged)
