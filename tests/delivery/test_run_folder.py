"""The run's folder: never half there, never another's, never lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from headstart.delivery.run_folder import RunFolder
from headstart.errors import OutputError
from headstart.files import claim


def publish(path, text, *, overwrite=False):
    with RunFolder(path, overwrite=overwrite) as folder:
        folder.write("result.json", text)
        folder.write("bundle/bundle.json", "{}")
        folder.publish()


def test_nothing_is_in_place_before_publishing(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.__enter__()
    folder.write("result.json", "{}")
    assert not (tmp_path / "run").exists()
    folder.__exit__(ZeroDivisionError, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_run_killed_between_the_two_moves_loses_nothing(tmp_path):
    path = tmp_path / "run"
    publish(path, "first")
    path.rename(tmp_path / ".run.old")  # what SIGKILL leaves between the moves
    with pytest.raises(OutputError, match="holds an earlier run"), RunFolder(path):
        pass
    assert (path / "result.json").read_text() == "first"
    publish(path, "second", overwrite=True)
    assert (path / "result.json").read_text() == "second"
    assert not (tmp_path / ".run.old").exists()


def test_the_folder_of_a_dead_run_is_taken_over_and_that_of_a_living_one_is_not(tmp_path):
    aside = tmp_path / ".run.building"
    aside.mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (aside / "pid").write_text(str(dead.pid))
    publish(tmp_path / "run", "{}")
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    aside.mkdir()
    (aside / "pid").write_text(str(living.pid))
    with pytest.raises(OutputError, match="another run"), RunFolder(tmp_path / "run", overwrite=True):
        pass
    living.communicate(b"\n")
    assert (aside / "pid").exists()


def test_two_of_one_process_do_not_share_a_place(tmp_path):
    path = tmp_path / "deep" / "run"
    with RunFolder(path) as first:
        first.write("result.json", "first")
        for _ in range(2):  # being refused leaves the first as it is
            with pytest.raises(OutputError, match="is being written by another run"), RunFolder(path):
                pass
        first.write("bundle/bundle.json", "{}")
        first.publish()
    assert (path / "result.json").read_text() == "first"
    publish(path, "second", overwrite=True)
    assert (path / "result.json").read_text() == "second"
    assert [one.name for one in path.parent.iterdir()] == ["run"]


def test_of_many_at_once_one_gets_the_place(tmp_path):
    path, gate, got = tmp_path / "run", threading.Barrier(8), []

    def enter():
        gate.wait(30)
        try:
            with RunFolder(path) as folder:
                folder.write("result.json", "{}")
                folder.write("bundle/bundle.json", "{}")
                told.wait(30)
                folder.publish()
            got.append("written")
        except OutputError:
            got.append("refused")
            if len(got) == 7:
                told.set()

    told = threading.Event()
    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(got) == ["refused"] * 7 + ["written"]
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_what_this_very_number_of_process_left_is_taken_over(tmp_path):
    aside = tmp_path / ".run.building"
    aside.mkdir()
    (aside / "pid").write_text(str(os.getpid()))  # as numbers come round, in containers at once
    publish(tmp_path / "run", "{}")


def test_a_killed_holder_holds_nothing(tmp_path):
    script = """if True:
        import sys
        from pathlib import Path
        from headstart.files import claim
        print(bool(claim(Path(sys.argv[1]))), flush=True)
        input()
    """
    place = tmp_path / "x.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "True\n"
    assert claim(place) is None
    holder.kill()
    holder.wait(30)
    release = claim(place)
    assert release is not None
    assert claim(place) is None
    release()
    assert not place.exists()
