"""Empty arguments, lines of other systems, names and streams that are no UTF-8."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import headstart
from headstart.errors import UserError
from tests.cli.running import ROWS, call, fitted, noise_images, refused, write_table

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def text_run(capsys: Capsys, here: Path, text_base: Path) -> Path:
    write_table(here / "queries.csv", ROWS)
    fitted(capsys, "queries.csv", "--base", text_base, "--out", "run", "--strategy", "probe")
    return here / "run"


def typed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """What comes by stdin."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


# --- Nothing where something is expected --------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        *(
            "--valid",
            "--test",
            "--input",
            "--target",
            "--group",
            "--slice",
            "--split",
            "--task",
            "--modality",
            "--base",
        ),
        *(
            "--licence",
            "--max-params",
            "--strategy",
            "--metric",
            "--budget",
            "--augment",
            "--retain",
            "--ood",
            "--name",
        ),
    ],
)
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_option_is_refused(capsys: Capsys, here: Path, option: str, empty: str) -> None:
    write_table(here / "queries.csv", ROWS)
    verb = "rank" if option == "--max-params" else "fit"
    assert f"{option[2:]} is empty; give it a value" in refused(capsys, verb, "queries.csv", option, empty)


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", ""],
        ["fit", ""],
        ["fit", "queries.csv", "--out", ""],
        ["audit", ""],
        ["audit", "queries.csv", "--out", ""],
        ["audit", "queries.csv", "--pretraining-sample", ""],
        ["rank", ""],
        ["advise", ""],
        ["advise", "queries.csv", "--reference", ""],
        ["predict", "", "a text"],
        ["evaluate", "", "queries.csv"],
        ["shift", "", "queries.csv"],
        ["compare", "", ""],
        ["bases", "--modality", ""],
        ["cache", "prune", "--to", ""],
    ],
    ids=" ".join,
)
def test_an_empty_argument_is_not_the_current_folder(capsys: Capsys, here: Path, arguments: list[str]) -> None:
    write_table(here / "queries.csv", ROWS)
    assert "empty" in refused(capsys, *arguments)


def test_an_empty_text_is_no_text_and_no_folder(capsys: Capsys, text_run: Path) -> None:
    said = call(capsys, "predict", text_run, "")
    assert (said.code, said.out.splitlines()) == (1, ["input,label,confidence,error", ",,,empty text"])
    said = call(capsys, "predict", text_run, "", "the cat sat")
    assert (said.code, len(said.out.splitlines())) == (1, 3)
    assert "not readable: an empty argument (empty text)" in said.err
    for arguments in (["evaluate", text_run, ""], ["shift", text_run, ""], ["evaluate", text_run, "q", "--ood", ""]):
        assert "empty" in refused(capsys, *arguments)


def test_python_refuses_what_is_empty_too(here: Path) -> None:
    table = write_table(here / "queries.csv", ROWS)
    for wrong in (
        lambda: headstart.fit(""),
        lambda: headstart.fit(table, ood=""),
        lambda: headstart.fit(table, target=[""]),
        lambda: headstart.fit(table, out=""),
        lambda: headstart.load(""),
        lambda: headstart.inspect(" "),
        lambda: headstart.evaluate("", table),
        lambda: headstart.compare(["", ""]),
    ):
        with pytest.raises(UserError, match="empty"):
            wrong()
    with pytest.raises(UserError, match="list of 1 input without targets"):
        headstart.fit([["a text", "a label"]])  # type: ignore[arg-type]


# --- Lines of stdin -----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_are_the_same_from_every_system(
    capsys: Capsys, text_run: Path, monkeypatch: pytest.MonkeyPatch, end: str, mark: str
) -> None:
    typed(monkeypatch, b"the cat sat\nthe dog sat\n")
    plain = call(capsys, "predict", text_run, "-").out
    typed(monkeypatch, (mark + f"the cat sat{end}the dog sat{end}").encode())
    assert call(capsys, "predict", text_run, "-").out == plain


def test_blank_lines_are_counted(capsys: Capsys, text_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, b"the cat sat\n\nthe dog sat\n")
    said = call(capsys, "predict", text_run, "-")
    assert (said.code, len(said.out.splitlines())) == (1, 4)
    assert "not readable: line 2 of standard input (empty text)" in said.err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"plain\ncaf\xe9\n", "standard input: not UTF-8: byte 9 (line 2) is 0xe9"),
        ("the cat\n".encode("utf-16"), "standard input is UTF-16, not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "standard input holds a PNG image"),
        (b"the cat\0", "standard input holds null bytes"),
    ],
)
def test_stdin_that_is_no_text(
    capsys: Capsys, text_run: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, says: str
) -> None:
    typed(monkeypatch, data)
    assert says in refused(capsys, "predict", text_run, "-")


# --- What is no UTF-8 ---------------------------------------------------------------------------------


def named(name: bytes) -> Path:
    return Path(os.fsdecode(name))


def test_names_that_are_not_utf8_from_fit_to_predict(
    capsys: Capsys, here: Path, image_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = named(b"ph\xe9")
    noise_images(odd, 24)
    (odd / "dark").rename(odd / named(b"d\xe4rk"))
    noise_images(named(b"t\xe9st"), 8, start=100)
    (named(b"t\xe9st") / "dark").rename(named(b"t\xe9st") / named(b"d\xe4rk"))
    (odd / "bright" / named(b"b\xe4d.png")).write_bytes(b"")
    run = named(b"r\xfcn")
    given = ["--base", image_base, "--strategy", "probe", "--out", run, "--max-rejected", "0.1"]
    result = fitted(capsys, odd, "--test", named(b"t\xe9st"), *given)
    assert result["data"]["source"] == "ph\\xe9"
    assert result["data"]["labels"] == ["bright", "d\\xe4rk"]
    assert "d\\xe4rk" in (run / "report.html").read_text(encoding="utf-8")
    assert "bright/b\\xe4d.png" in (run / "rejected.csv").read_text(encoding="utf-8")
    said = call(capsys, "predict", run, odd, "--out", "answers.csv")
    assert said.code == 0
    with (here / "answers.csv").open(encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file))
    assert {row["label"] for row in answers} == {"bright", "d\\xe4rk"}
    assert sum("d\\xe4rk/" in row["input"] for row in answers) == 12
    assert call(capsys, "evaluate", run, named(b"t\xe9st"), "--out", "record.json").code == 0
    assert json.loads((here / "record.json").read_text(encoding="utf-8"))["n"] == 8
    assert call(capsys, "shift", run, odd).code == 0
    assert call(capsys, "audit", odd, "--base", image_base, "--out", "audit").code == 0
    error = refused(capsys, "audit", odd, "--base", image_base, "--out", "again", "--apply")
    assert "--apply writes a table in UTF-8" in error


def in_a_shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    headstart_now = f"{sys.executable} -m headstart.cli"
    return subprocess.run(
        ["bash", "-c", command.replace("HEADSTART", headstart_now)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )


def test_streams_of_another_encoding_escape_what_they_lack(here: Path) -> None:
    write_table(
        here / "queries.csv", [[f"caf\u00e9 {i} \u2026", "caf\u00e9" if i % 2 else "\U0001f600"] for i in range(24)]
    )
    done = in_a_shell("HEADSTART inspect queries.csv", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "caf\\u00e9 12" in done.stdout
    done = in_a_shell("HEADSTART inspect queries.csv --json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["labels"] == {"caf\u00e9": 12, "\U0001f600": 12}


def test_streams_that_are_closed_or_full(here: Path) -> None:
    write_table(here / "queries.csv", ROWS)
    for closing in ("2>&-", ">&-", "<&- >&- 2>&-"):
        done = in_a_shell(f"HEADSTART inspect queries.csv {closing}")
        assert (done.returncode, done.stderr) == (0, "")
    done = in_a_shell("HEADSTART inspect nothing.csv 2>&-")
    assert (done.returncode, done.stdout) == (2, "")
    if os.path.exists("/dev/full"):
        done = in_a_shell("HEADSTART inspect queries.csv >/dev/full")
        assert (done.returncode, done.stderr) == (2, "error: the output cannot be written: No space left on device.\n")
