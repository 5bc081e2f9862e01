"""The report in a real browser, at phone width."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from headstart.report.build import build
from tests.report import made_up

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
#: Frames the report at phone width and writes what it measures into the page around it.
FRAME = """<!DOCTYPE html><iframe id="f" src="{name}.html" style="width:360px;height:800px;border:0"></iframe>
<p id="out"></p><script>onload = () => {{
  const root = document.getElementById("f").contentDocument.documentElement;
  document.getElementById("out").textContent = `wide ${{root.scrollWidth}} of ${{root.clientWidth}}; ` +
    `charts ${{root.querySelectorAll("svg circle").length}}`;
}};</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on the path")
@pytest.mark.parametrize("name", ["images", "texts", "climbed"])
def test_fits_a_phone(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.html").write_text(build(*getattr(made_up, name)()), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(name=name), encoding="utf-8")
    flags = [
        *FLAGS,
        "--allow-file-access-from-files",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
    ]
    done = subprocess.run(
        [str(BROWSER), *flags, frame.as_uri()], capture_output=True, text=True, timeout=60, check=False
    )
    found = re.search(r"wide (\d+) of (\d+); charts (\d+)", done.stdout)
    assert found, done.stderr[-500:]
    wide, allowed, dots = map(int, found.groups())
    assert wide <= allowed
    assert allowed <= 360
    assert dots >= 3
