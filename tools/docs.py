"""Build the API pages from the docstrings with pdoc, and check that every public module got one.

Usage: python tools/docs.py FOLDER
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pdoc

SOURCE = Path(__file__).resolve().parents[1] / "src"


def public_modules() -> list[str]:
    """Dotted names of the modules in src/ whose names do not start with an underscore."""
    modules = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            modules.append(".".join(parts))
    return modules


def main(folder: Path) -> None:
    """Write the pages into ``folder``; fails where a module cannot be imported or got no page."""
    pdoc.render.configure(docformat="google")
    modules = public_modules()
    # Each by name: pdoc leaves out the submodules that a package's __all__ does not list, and warns of the
    # others because it met them in their package already.
    warnings.filterwarnings("ignore", message="The module specification .* adds a module named")
    pdoc.pdoc(*modules, output_directory=folder)
    missing = [m for m in modules if not (folder / (m.replace(".", "/") + ".html")).is_file()]
    if missing:
        sys.exit(f"pdoc wrote no page for {', '.join(missing)}.")
    print(f"{len(modules)} modules documented: {folder / 'index.html'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/docs.py FOLDER")
    main(Path(sys.argv[1]))
