"""The run's folder: never half there, never another's, never lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headstart.delivery.run_folder import RunFolder
from headstart.errors import OutputError


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
