"""Print constraints.txt: exact pins of what headstart[dev] needs, as installed in the running environment.

Used by ``make constraints``. Only names and versions are printed. Packages that exist for one platform or
accelerator only (nvidia-*, cuda-*, triton) are left to torch's own requirements, so that the pins hold on
machines without them.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = "headstart"
PLATFORM_ONLY = re.compile(r"^(nvidia-|cuda-|triton$|pytorch-triton)")
# pip brings its own idea of these when it builds.
BUILD_TOOLS = {"pip", "setuptools", "wheel"}
HEADER = """\
# The versions that the tests passed with. Regenerate: make constraints (tools/constraints.py).
# Platform-specific packages (nvidia-*, cuda-*, triton) are left out on purpose: torch asks for what it needs.
"""


def needed(requirement: Requirement, extras: set[str]) -> bool:
    """Whether ``requirement`` applies here, given the ``extras`` asked of the package that states it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras})


def closure(project: str, extras: set[str]) -> dict[str, str]:
    """Canonical name -> public version of every package that ``project[extras]`` needs, itself included.

    Raises SystemExit where a needed package is not installed: pins of half an environment would mislead.
    """
    asked: dict[str, set[str]] = {}
    pins: dict[str, str] = {}
    todo = [(project, extras)]
    while todo:
        name, wanted = todo.pop()
        key = str(canonicalize_name(name))
        if key in asked and wanted <= asked[key]:
            continue
        asked[key] = asked.get(key, set()) | wanted
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"'{name}' is needed and not installed here: run make setup first.")
        pins[key] = Version(installed.version).public  # a local build tag (+cu…) exists on few machines
        requirements = (Requirement(line) for line in installed.requires or [])
        todo += [(r.name, set(r.extras)) for r in requirements if needed(r, asked[key])]
    return pins


def main() -> None:
    """Print the header and one pin a line, by name."""
    pins = closure(PROJECT, {"dev"})
    kept = {n: v for n, v in pins.items() if n != PROJECT and n not in BUILD_TOOLS and not PLATFORM_ONLY.match(n)}
    print(HEADER + "\n".join(f"{name}=={version}" for name, version in sorted(kept.items())))


if __name__ == "__main__":
    main()
