"""What readers copy works: commands parse, Python compiles and names what there is, links lead somewhere."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import headstart
from headstart.cli import app
from tests.test_architecture import MAY_IMPORT
from tests.test_docs import ROOT, calls, shell_text

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINE = re.compile(r"^ *```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def parse(words: list[str], command: Any) -> None:
    """Parse a call of ``command``, options and arguments of the last subcommand included, without running it."""
    said = "headstart"
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command, said, words = command.commands[words[0]], f"{said} {words[0]}", words[1:]
    if words != ["--help"] and words != ["--version"]:
        command.make_context(said, list(words))


def python_blocks(page: str) -> list[str]:
    return [textwrap.dedent(block) for block in LINE.findall(page)]


def strangers(block: str) -> list[str]:
    """What a block takes from headstart that its ``__all__`` does not offer."""
    taken, aliases = [], set()
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name == "headstart"}
        elif isinstance(node, ast.ImportFrom) and node.module == "headstart":
            taken += [alias.name for alias in node.names]
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            taken.append(node.attr)
    return [name for name in taken if name not in headstart.__all__]


@pytest.mark.parametrize("path", [*PAGES, ROOT / "examples/demo.sh"], ids=lambda path: path.name)
def test_commands_parse(path: Path) -> None:
    for words in calls(shell_text(path)):
        parse(words, get_command(app))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_compiles_and_names_what_there_is(path: Path) -> None:
    for block in python_blocks(path.read_text(encoding="utf-8")):
        compile(block, path.name, "exec")
        assert strangers(block) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_readme_and_tour_show_all_three_ways_in() -> None:
    page, tour = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/tour.md"))
    verbs = {words[0] for words in calls(shell_text(ROOT / "README.md")) if words}
    assert {"fit", "predict"} <= verbs
    assert any("hs.load(" in block for block in python_blocks(page))
    assert any("hs.fit(" in block for block in python_blocks(tour))
    assert any("TransferClassifier(" in block for block in python_blocks(tour))


def test_index_lists_every_page() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    others = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "index.md"]
    assert [name for name in others if f"({name})" not in index] == []


def test_architecture_names_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {name for name in MAY_IMPORT if name != "headstart" and _is_there(name)}
    assert sorted(name for name in rooms if f"`{name}.py`" not in page and f"`{name}/`" not in page) == []


def _is_there(room: str) -> bool:
    home = ROOT / "src/headstart"
    return (home / room).is_dir() or (home / f"{room}.py").is_file()


@pytest.mark.parametrize(
    "call", [["fit"], ["fit", "x", "--seed", "one"], ["fit", "x", "y"], ["cache", "prune", "--too", "5G"]]
)
def test_calls_that_cannot_work_are_found(call: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)missing|valid|unexpected|no such"):
        parse(call, get_command(app))


def test_strangers_are_found() -> None:
    assert strangers("import headstart as hs\nhs.fit('x')\nhs.fitt('x')\nfrom headstart import Modell, load") == [
        "Modell",
        "fitt",
    ]
