"""What the documents say must be so: commands and flags, the changelog, the pins, the examples."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.sh")])

# --- Commands in documents ------------------------------------------------------------------------


def shell_text(path: Path) -> str:
    """The shell lines of a script, or of a page's fenced code blocks that hold shell."""
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".sh" else "\n".join(fenced(text))


def fenced(page: str) -> Iterator[str]:
    """What the code blocks of a markdown page hold whose language is a shell's, or is not named."""
    for language, block in re.findall(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL):
        if language in {"", "sh", "bash", "shell", "console"}:
            yield block


def calls(text: str) -> Iterator[list[str]]:
    """The arguments of every ``headstart …`` call in shell ``text``; pipes and redirections end a call."""
    for line in text.replace("\\\n", " ").splitlines():
        if not re.search(r"\bheadstart\s", line):
            continue
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;()<>"):
                while words and re.fullmatch(r"\w+=.*", words[0]):
                    words.pop(0)
                if words and words[0] == "headstart":
                    yield words[1:]
                words = []
            else:
                words.append(word)


def command_faults(words: list[str], command: Any) -> list[str]:
    """What in a call is no subcommand or flag of ``command``, a click command or group."""
    words = list(words)
    said = "headstart"
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in command.commands:
            return [f"{said} has no command {name!r}"]
        command, said = command.commands[name], f"{said} {name}"
    known = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)} | {"--help"}
    flags = [w.split("=")[0] for w in words if re.match(r"--?[A-Za-z]", w)]
    return [f"{said} has no option {flag}" for flag in flags if flag not in known]


@pytest.mark.skipif(not (ROOT / "src/headstart/cli.py").exists(), reason="cli.py does not exist yet")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_documents_exist(path: Path) -> None:
    from headstart.cli import app

    command = get_command(app)
    assert [f for words in calls(shell_text(path)) for f in command_faults(words, command)] == []


def _made_up() -> Any:
    app, registry = typer.Typer(), typer.Typer()

    @app.command()
    def fit(source: str, out: str = "", overwrite: bool = False) -> None: ...

    @registry.command("list")
    def show(all_: bool = typer.Option(False, "--all", "-a")) -> None: ...

    app.add_typer(registry, name="registry")
    return get_command(app)


@pytest.mark.parametrize(
    ("call", "faults"),
    [
        ("headstart fit data --out=run --no-overwrite -- x", 0),
        ("headstart registry list -a", 0),
        ("headstart --help", 0),
        ("headstart fit data --outt run", 1),
        ("headstart fitt data", 1),
        ("headstart registry drop", 1),
        ("headstart registry list --out x", 1),
    ],
)
def test_unknown_commands_and_flags_are_found(call: str, faults: int) -> None:
    [words] = calls(call)
    assert len(command_faults(words, _made_up())) == faults


def test_calls_are_read_as_a_shell_would() -> None:
    page = (
        "headstart in prose\n"
        "```sh\n$ A=1 headstart fit x \\\n  --out y | head -3  # note\ncd headstart && ls\n```\n"
        "```python\nheadstart fit z\n```\n"
        "```\nheadstart predict run 'a | b' > out.csv; headstart serve run\n```\n"
    )
    assert [words for block in fenced(page) for words in calls(block)] == [
        ["fit", "x", "--out", "y"],
        ["predict", "run", "a | b"],
        ["serve", "run"],
    ]


# --- The project's own papers ---------------------------------------------------------------------


def test_changelog_knows_the_version() -> None:
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"Unreleased", PROJECT["version"]} & set(sections)


def test_constraints_are_pins_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert [line for line in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    assert [line for line in pins if re.match(r"nvidia-|cuda-|triton", line)] == []


def test_every_dependency_is_pinned_within_its_range() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    wanted = [Requirement(line) for line in [*PROJECT["dependencies"], *extras]]
    others = [r for r in wanted if r.name != PROJECT["name"]]
    assert [str(r) for r in others if not r.specifier.contains(pins.get(canonicalize_name(r.name), "0"))] == []


def test_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Copyright The headstart authors" in text


# --- The examples ---------------------------------------------------------------------------------


def test_support_requests_are_well_formed() -> None:
    with (ROOT / "examples/support_requests.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["request", "team"]
    assert all(len(row) == 2 and row[0].strip() == row[0] != "" for row in rows)
    assert len({" ".join(re.findall(r"\w+", request.lower())) for request, _ in rows}) == len(rows)
    teams = Counter(team for _, team in rows)
    assert set(teams) == {"billing", "delivery", "returns", "account", "technical"}
    assert min(teams.values()) >= 25


def make_digits(*args: str | Path) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(ROOT / "examples/make_digits.py")]
    return subprocess.run([*script, *map(str, args)], capture_output=True, text=True, check=False)


def test_make_digits_writes_the_same_folder_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make_digits(tmp_path / name, "--per-class", "3", "--size", "32").returncode == 0
    one, two = ({p.relative_to(tmp_path / n): p for p in (tmp_path / n).rglob("*.png")} for n in ("one", "two"))
    assert Counter(p.parent.name for p in one) == {str(label): 3 for label in range(10)}
    assert {p: f.read_bytes() for p, f in one.items()} == {p: f.read_bytes() for p, f in two.items()}
    assert {Image.open(f).size for f in one.values()} == {(32, 32)}


def test_make_digits_refuses_a_folder_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    done = make_digits(tmp_path)
    assert done.returncode != 0
    assert "not an empty folder" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_make_digits_names_what_is_possible(tmp_path: Path) -> None:
    done = make_digits(tmp_path / "d", "--per-class", "500")
    assert done.returncode != 0
    assert "give 1 to 174" in done.stderr
    assert not (tmp_path / "d").exists()
