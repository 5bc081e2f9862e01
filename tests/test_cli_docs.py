"""docs/cli.md says what --help says."""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cli_docs", ROOT / "tools" / "cli_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date(tool: ModuleType) -> None:
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("typer", "rich"):  # they lay the help out, each version a little differently
        if version(name) != pins[name]:
            pytest.skip(f"{name} is {version(name)} here; the page is made with {pins[name]} of constraints.txt")
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/cli_docs.py"


def test_every_command_has_its_section(tool: ModuleType) -> None:
    found = list(tool.commands())
    assert {(), ("fit",), ("predict",), ("inspect",), ("cache",), ("cache", "prune")} <= set(found)
    sections = re.findall(r"^## headstart ?(.*)$", tool.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == [" ".join(words) for words in found]


def test_help_has_its_width_and_no_colour_whatever_the_terminal(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tool.help_text(("fit",))
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "GITHUB_ACTIONS": "true", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    assert tool.help_text(("fit",)) == plain
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) == tool.WIDTH
