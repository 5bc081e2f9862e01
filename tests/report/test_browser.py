"""The report in a real browser: nothing wider than the screen, nothing loaded, nothing complained of, and printable."""

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
    *("--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"),
    *("--enable-logging=stderr", "--v=0"),
]
#: Frames the report at each width and writes what it measures, and what it loaded, into the page around it.
FRAME = """<!DOCTYPE html><meta charset="utf-8">{frames}<p id="out"></p><script>onload = () => {{
  document.getElementById("out").textContent = [...document.querySelectorAll("iframe")].map(f => {{
    const root = f.contentDocument.documentElement;
    const high = root.querySelector("details").offsetTop;
    root.querySelectorAll("details").forEach(d => {{ d.open = true; }});
    const small = [...root.querySelectorAll("svg text")].filter(t => t.getBoundingClientRect().height < 9).length;
    const out = [...root.querySelectorAll("svg text")].filter(t => {{
      const box = t.getBoundingClientRect();
      return box.width && (box.right > root.clientWidth || box.left < 0);
    }}).length;
    const loaded = f.contentWindow.performance.getEntriesByType("resource")
      .filter(r => !r.name.startsWith("data:")).length;
    const ink = f.contentWindow.getComputedStyle(root.querySelector("svg text")).fill;
    const dots = root.querySelectorAll("svg use").length;
    return `high ${{high}}; wide ${{root.scrollWidth}} of ${{root.clientWidth}}; charts ${{dots}}; ` +
      `outside ${{out}}; small ${{small}}; loaded ${{loaded}}; ink ${{ink}}.`;
  }}).join(" | ");
}};</script>"""
IFRAME = '<iframe src="{name}.html" style="width:{width}px;height:800px;border:0"></iframe>'

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on the path")


def browse(place: Path, page: Path, *more: str) -> subprocess.CompletedProcess[str]:
    flags = [*FLAGS, f"--user-data-dir={place / 'profile'}", *more, page.as_uri()]
    return subprocess.run([str(BROWSER), *flags], capture_output=True, text=True, timeout=90, check=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["climbed", "texts", "numbers"])
def test_fits_phone_and_desk_and_loads_nothing(name: str, scheme: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.html").write_text(build(*getattr(made_up, name)()), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frames = "".join(IFRAME.format(name=name, width=width) for width in (390, 1280))
    frame.write_text(FRAME.format(frames=frames), encoding="utf-8")
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    done = browse(tmp_path, frame, "--dump-dom", *dark)
    pattern = r"high (\d+); wide (\d+) of (\d+); charts (\d+); outside (\d+); small (\d+); loaded (\d+); ink rgb\((\d+)"
    found = [tuple(map(int, numbers)) for numbers in re.findall(pattern, done.stdout)]
    assert len(found) == 2, done.stderr[-500:]
    for (high, wide, allowed, dots, outside, small, loaded, ink), width in zip(found, (390, 1280), strict=True):
        assert wide <= allowed <= width
        assert dots >= 3
        if width == 1280:
            assert high <= 2000  # what is not folded: two screens
        assert (outside, small, loaded) == (0, 0, 0)
        assert (ink > 128) is (scheme == "dark")
    assert "CONSOLE" not in done.stderr


def test_prints(tmp_path: Path) -> None:
    page, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(build(*made_up.climbed()), encoding="utf-8")
    browse(tmp_path, page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 25
