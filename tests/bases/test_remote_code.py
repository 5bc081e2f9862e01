"""Which code counts as a checkpoint's own."""

from __future__ import annotations

from pathlib import Path

from headstart.bases.remote_code import code_files


def test_code_in_folders_counts_and_hidden_folders_do_not(tmp_path: Path) -> None:
    for name in ("modeling.py", "layers/attention.py", ".git/hook.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [str(path.relative_to(tmp_path)) for path in code_files(tmp_path)] == ["layers/attention.py", "modeling.py"]
