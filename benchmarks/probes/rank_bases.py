"""One ranking in a process of its own: `python -m benchmarks.probes.rank_bases DATA SOURCE OPTIONS`, JSON out.

DATA is left out of the prior, SOURCE is ranked, OPTIONS are `rank_source`'s and the source's as JSON.
"""

from __future__ import annotations

import json
import sys

from headstart.flow.rank.rank import rank_source
from headstart.settings import SourceSettings


def main(data: str, source: str, options: str) -> None:
    """Print the ranking as JSON."""
    given = json.loads(options)
    test = given.pop("test", None)
    if "target" in given:
        given["target"] = (given["target"],)
    seed = given.pop("seed", 0)
    found = rank_source(source, settings=SourceSettings(**given), test=test, without=(data,), seed=seed)
    print(json.dumps(found.to_dict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
