"""Memory does not grow with the number of pictures: only features stay, decoded pixels pass through."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image

from headstart.modalities import stream
from headstart.modalities.image import ImageSpec, decode
from headstart.modalities.image.modality import image_pieces
from tests.conftest import ROOT

SPEC = ImageSpec(size=8, resize=8)


class Watched:
    """Counts decoded pictures that are alive."""

    def __init__(self, decode):
        self._decode, self._lock = decode, threading.Lock()
        self.alive = self.most = self.total = 0

    def __call__(self, value, spec):
        pixels = self._decode(value, spec)
        with self._lock:
            self.total += 1
            self.alive += 1
            self.most = max(self.most, self.alive)
        weakref.finalize(pixels, self._gone)
        return pixels

    def _gone(self):
        with self._lock:
            self.alive -= 1


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(stream, "WINDOW", 40)
    watch = Watched(decode.decoded)
    monkeypatch.setattr(decode, "decoded", watch)
    return watch


def streamed(count, classical=True):
    pictures = [np.full((8, 8, 3), i % 251, np.uint8) for i in range(count)]
    mask = np.ones(count, dtype=bool)
    return image_pieces(pictures, SPEC, mask, mask & classical, lambda *_: None)


def test_pictures_alive_are_bounded_however_slow_the_base(watched):
    pieces, seen = streamed(400), 0
    for piece in pieces:
        pieces.settle()  # the decoders are as far ahead as they may get
        seen += len(piece.rows)
        assert watched.total - seen <= stream.WINDOW
    assert (seen, watched.total) == (400, 400)
    batch = stream.BATCH
    assert watched.most <= stream.WINDOW + 2 * batch  # those waiting, one batch gathered and one in use
    pieces.close()


def test_nothing_more_is_decoded_once_the_stream_is_closed(watched):
    pieces = streamed(400)
    next(pieces)
    pieces.close()
    time.sleep(0.1)
    assert watched.total <= stream.WINDOW + stream.BATCH


def test_decoding_starts_before_the_first_batch_is_asked_for(watched):
    pieces = streamed(400, classical=False)
    pieces.settle()
    assert watched.total == stream.WINDOW
    pieces.close()


FIT = """
import json, resource, sys
import headstart as hs
run = hs.fit(sys.argv[1], base=sys.argv[2], out=sys.argv[3])
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({"rows": run.result.data.rows, "peak": peak}))
"""


@pytest.mark.slow
def test_twenty_thousand_pictures_fit_in_three_gigabytes(tmp_path, tiny_image_base):
    folder = tmp_path / "many"
    rng = np.random.default_rng(0)
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        tint = rng.integers(60, 200, 3)
        for i in range(2000):
            coarse = rng.integers(0, 56, (8, 8, 3)) + tint
            Image.fromarray(coarse.astype(np.uint8)).resize((64, 64)).save(folder / str(label) / f"{i}.jpg")
    done = subprocess.run(
        [sys.executable, "-c", FIT, folder, tiny_image_base, tmp_path / "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["rows"] == 20_000
    assert said["peak"] < 3 * 2**30
