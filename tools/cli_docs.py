"""Write docs/cli.md, the command line's reference, from what every command answers to --help.

Usage: python tools/cli_docs.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
WIDTH = 100  # columns
HEADER = """\
# Command line

What `--help` says, command by command. Exit codes: 0 done; 1 a failure of headstart, or rows given to `predict` or
`embed` that cannot be read (each has its reason in the output); 2 something in the input or the options to be mended
(one line on stderr says what); 130 interrupted.

Made by `python tools/cli_docs.py`; change the words in `src/headstart/verbs/` and
`src/headstart/arguments.py`.
"""
#: What would make the help wider, coloured, or otherwise than everywhere else.
_VARIABLES = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command, the bare ``headstart`` first: (), ("fit",), … ("cache", "prune")."""
    from typer.main import get_command

    from headstart.cli import app

    return _below((), get_command(app))


def _below(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below((*words, name), inner)


def help_text(words: tuple[str, ...]) -> str:
    """What ``headstart WORDS --help`` prints at `WIDTH` columns, without colours and white space at line ends."""
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
    environment |= {"COLUMNS": str(WIDTH), "TERMINAL_WIDTH": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    environment |= {"PYTHONIOENCODING": "utf-8"}
    call = [sys.executable, "-m", "headstart.cli", *words, "--help"]
    done = subprocess.run(call, env=environment, capture_output=True, encoding="utf-8", check=True)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def page() -> str:
    """The whole page."""
    sections = [f"## {' '.join(('headstart', *words))}\n\n```text\n{help_text(words)}\n```" for words in commands()]
    return "\n\n".join([HEADER.rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
