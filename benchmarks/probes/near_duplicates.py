"""Near duplicates of what a JSON file lists, found in this process; prints them with the seconds they took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from headstart.audit.duplicates import near_duplicates
from headstart.bases.catalogue import open_base
from headstart.training.features import extract


def main(listing: Path) -> None:
    """``listing``: {"modality", "inputs", "labels" or null}."""
    given = json.loads(listing.read_text(encoding="utf-8"))
    start = time.perf_counter()
    found = extract(open_base(None, given["modality"]), given["inputs"], classical=True)
    embedding, before = time.perf_counter() - start, _peak()
    start = time.perf_counter()
    labels = None if given["labels"] is None else np.array(given["labels"], dtype=object)
    shapes = None if found.classical is None else found.classical[:, :256]  # a grey thumbnail
    pairs = near_duplicates(given["inputs"], given["modality"], found.keys, found.vectors, labels, shapes=shapes)
    told = {
        "pairs": np.stack([pairs.first, pairs.second], axis=1).tolist(),
        "how": pairs.how,
        "unlooked": pairs.unlooked,
        "embedding": embedding,
        "seconds": time.perf_counter() - start,
        "grown": _peak() - before,
    }
    print(json.dumps(told))


def _peak() -> float:
    """Greatest resident memory so far, GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


if __name__ == "__main__":
    main(Path(sys.argv[1]))
