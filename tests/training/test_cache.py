"""The feature cache: what is kept, shared, bounded and survived."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from headstart.errors import HeadstartWarning, OutputError, SettingError
from headstart.training import cache as room
from headstart.training.cache import FeatureCache, Space
from headstart.training.cache_use import OTHERS, clear_others, others, parse_size, prune, prune_others, spaces


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def space(name: str = "toy", width: int = 4) -> Space:
    return Space(name, "w", "pooled", "{}", "float32", width)


def key(value: int) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


def test_what_is_put_is_found_again_also_by_another_connection():
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    with FeatureCache(space()) as cache:
        cache.put([key(i) for i in range(3)], vectors)
    with FeatureCache(space()) as cache:
        found, got = cache.get([key(2), key(9), key(0), key(2)])
    assert found.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(got, np.stack([vectors[2], np.zeros(4), vectors[0], vectors[2]]))


def test_more_keys_than_one_query_takes():
    keys = [key(i) for i in range(1234)]
    vectors = np.random.default_rng(0).normal(size=(1234, 4)).astype(np.float32)
    with FeatureCache(space()) as cache:
        cache.put(keys, vectors)
        found, got = cache.get(keys)
    assert found.all()
    np.testing.assert_array_equal(got, vectors)


@pytest.mark.parametrize("field", ["weights", "stage", "preprocessing", "dtype"])
def test_spaces_that_differ_in_anything_share_nothing(field):
    other = Space(**{**space().__dict__, field: "other"})
    with FeatureCache(space()) as cache:
        cache.put([key(0)], np.ones((1, 4), np.float32))
    with FeatureCache(other) as cache:
        assert not cache.get([key(0)])[0].any()


def test_two_processes_write_one_space_at_once():
    script = textwrap.dedent("""
        import sys, hashlib, numpy as np
        from headstart.training.cache import FeatureCache, Space
        start = int(sys.argv[1])
        with FeatureCache(Space("toy", "w", "pooled", "{}", "float32", 4)) as cache:
            for i in range(start, start + 200):
                cache.put([hashlib.sha256(str(i).encode()).hexdigest()], np.full((1, 4), i, np.float32))
    """)
    runs = [subprocess.Popen([sys.executable, "-c", script, str(start)]) for start in (0, 100)]
    assert [run.wait(60) for run in runs] == [0, 0]
    with FeatureCache(space()) as cache:
        found, got = cache.get([key(i) for i in range(300)])
    assert found.all()
    np.testing.assert_array_equal(got[:, 0], np.arange(300))


def test_a_killed_writer_loses_no_finished_batch_and_blocks_nobody():
    script = textwrap.dedent("""
        import hashlib, numpy as np
        from headstart.training.cache import FeatureCache, Space
        cache = FeatureCache(Space("toy", "w", "pooled", "{}", "float32", 4))
        for i in range(10**6):
            cache.put([hashlib.sha256(str(i).encode()).hexdigest()], np.full((1, 4), i, np.float32))
            print(i, flush=True)
    """)
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    done = [int(run.stdout.readline()) for _ in range(50)]
    run.send_signal(signal.SIGKILL)
    run.wait(30)
    with FeatureCache(space()) as cache:
        found, got = cache.get([key(i) for i in done])
        cache.put([key(-1)], np.zeros((1, 4), np.float32))
    assert found.all()
    np.testing.assert_array_equal(got[:, 0], done)


def test_a_damaged_file_is_moved_aside_and_said():
    with FeatureCache(space()) as cache:
        path = cache.path
    path.write_bytes(b"not a database" * 100)
    for extra in path.parent.glob(path.name + "-*"):
        extra.unlink()
    with pytest.warns(HeadstartWarning, match="damaged"), FeatureCache(space()) as cache:
        cache.put([key(0)], np.ones((1, 4), np.float32))
    assert list(path.parent.glob("*.damaged-*"))


def test_prune_takes_the_least_recently_used_first_and_spares_what_is_kept():
    paths = []
    for i in range(3):
        with FeatureCache(space(f"s{i}", 256)) as cache:
            cache.put([key(j) for j in range(50)], np.ones((50, 256), np.float32))
            paths.append(cache.path)
        os.utime(paths[-1], (time.time() - 1000 + i, time.time() - 1000 + i))
    total = sum(use.bytes for use in spaces())
    removed = prune(total - 1)
    assert [use.space.name for use in removed] == ["s0"]
    assert [use.space.name for use in prune(0, keep=[paths[2]])] == ["s1"]
    assert [use.space.name for use in spaces()] == ["s2"]
    assert [use.rows for use in spaces()] == [50]


def test_an_unwritable_cache_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="HEADSTART_CACHE"):
        FeatureCache(space())


def test_a_full_disk_is_one_line(monkeypatch):
    with FeatureCache(space()) as cache:
        cache._connection.execute("PRAGMA max_page_count=8")
        with pytest.raises(OutputError, match="disk is full"):
            cache.put([key(i) for i in range(5000)], np.ones((5000, 4), np.float32))
        found, _ = cache.get([key(0)])
    assert not found.any()


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("5G", 5 * 2**30), ("500 MB", 500 * 2**20), ("1.5k", 1536), ("77", 77), ("2TiB", 2 * 2**40)],
)
def test_sizes(text, bytes_):
    assert parse_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "many", "5X", "G"])
def test_sizes_that_are_none(text):
    with pytest.raises(SettingError, match="is not a size"):
        parse_size(text)


def test_files_that_are_not_features_are_left_alone(tmp_path):
    root = room.features_root()
    root.mkdir(parents=True)
    (root / "notes.sqlite").write_text("mine")
    assert spaces() == []
    prune(0)
    assert (root / "notes.sqlite").read_text() == "mine"


def test_one_space_is_trimmed_to_the_limit_oldest_first():
    with FeatureCache(space(width=256)) as cache:
        for start in range(0, 1000, 100):
            cache.put([key(i) for i in range(start, start + 100)], np.ones((100, 256), np.float32))
        dropped = cache.trim(500_000)
        found, _ = cache.get([key(i) for i in range(1000)])
    assert 400 < dropped < 700
    assert found.tolist() == [False] * dropped + [True] * (1000 - dropped)
    assert sum(use.bytes for use in spaces()) < 600_000


def test_what_is_needed_is_not_trimmed_however_old():
    keys = [key(i) for i in range(1000)]
    with FeatureCache(space(width=256)) as cache:
        for start in range(0, 1000, 100):
            cache.put(keys[start : start + 100], np.ones((100, 256), np.float32))
        dropped = cache.trim(500_000, keys[:300])
        found, _ = cache.get(keys)
    assert found.tolist() == [True] * 300 + [False] * dropped + [True] * (700 - dropped)
    assert 400 < dropped < 700


def test_what_else_is_kept_is_bounded_least_recently_used_first(tmp_path):
    root = tmp_path / "cache"
    old = time.time() - 30 * 24 * 3600
    for number, folder in enumerate(("runtimes", "near", "ranking/results", "training")):
        for i in range(5):
            home = root / folder / f"{number}{i}" if folder == "training" else root / folder
            home.mkdir(parents=True, exist_ok=True)
            for name in (f"{number}{i}.onnx", f"{number}{i}.json", f"{number}{i}.ab.speed.json"):
                (home / name).write_bytes(bytes(100))
                os.utime(home / name, (old + i, old + i))
            os.utime(home, (old + i, old + i))
    os.utime(root / "runtimes" / "00.json")  # a graph that was used today
    assert prune_others(10_000) == 4 * 2 * 300
    left = {path.name for path in (root / "runtimes").iterdir()}
    assert {name.partition(".")[0] for name in left} == {"00", "03", "04"}
    assert len(left) == 9
    assert sorted(path.name for path in (root / "training").iterdir()) == ["32", "33", "34"]
    assert prune_others(0) > 0
    assert {path.name.partition(".")[0] for path in (root / "runtimes").iterdir()} == {"00"}


def test_a_space_within_the_limit_keeps_everything():
    with FeatureCache(space()) as cache:
        cache.put([key(0)], np.ones((1, 4), np.float32))
        assert cache.trim(10**6) == 0
        assert cache.get([key(0)])[0].all()


def test_what_else_is_kept_is_counted_and_cleared(tmp_path):
    (tmp_path / "cache" / "archives" / "x").mkdir(parents=True)
    (tmp_path / "cache" / "archives" / "x" / "a.txt").write_text("four")
    (tmp_path / "cache" / "training" / "run").mkdir(parents=True)
    (tmp_path / "cache" / "training" / "run" / "checkpoint.safetensors").write_text("seven b")
    (tmp_path / "cache" / "runtimes").mkdir()
    assert others() == {"archives": 4, "training": 7}  # what is empty is not told
    assert clear_others() == 11
    assert others() == {}


def test_checkpoints_are_where_training_keeps_them():
    from headstart.training.job import training_root

    assert training_root().name in OTHERS
    assert training_root().parent == room.features_root().parent


def test_states_of_frozen_stages_count_and_go_like_features():
    states = Space("tiny", "abc", "up to block 2", "{}", "torch.float32", 0)
    with FeatureCache(states) as cache:
        cache.put_blobs([key(0), key(1)], [b"x" * 1000, b"y" * 9000])
    [use] = spaces()
    assert (use.space, use.rows) == (states, 2)
    assert use.bytes >= 10_000
    assert [gone.space for gone in prune(0)] == [states]
    assert spaces() == []
