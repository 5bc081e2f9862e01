"""What is measured to choose a runtime: python rates.py BASE INPUTS.json, with an empty HEADSTART_CACHE."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from headstart.bases.catalogue import EMBEDDED, open_base
from headstart.bases.runtime import remembered
from headstart.training.features import extract


def main(name: str, listing: Path) -> None:
    """Extract features, which chooses a runtime, and print what was tried."""
    base = open_base(name, EMBEDDED[name].modality)
    if remembered(base):
        sys.exit("the cache knows this base's runtimes; give an empty HEADSTART_CACHE.")
    extract(base, json.loads(listing.read_text(encoding="utf-8")))
    choice = remembered(base)
    if choice is None:
        sys.exit(f"no runtimes were remembered for {name}.")
    print(json.dumps(asdict(choice)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
