"""The audit's page: complete, escaped, and within a phone's width in a real browser."""

from __future__ import annotations

import io
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from headstart.records import FindingRecord
from headstart.report.audit_page import PAGE_CARDS, AuditPage, PageTopic, build
from tests.report.test_browser import BROWSER, FLAGS

_LONG = "a_file_name_without_any_blank_" * 6


def thumbnail() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def finding(number: int, kind: str = "leak", **evidence: object) -> FindingRecord:
    rows = [f"train/{_LONG}{number}.jpg", f"test/{number}.jpg"]
    shown = [{"id": row, "part": row.split("/")[0], "label": "<b>ant</b>"} for row in rows]
    facts = {"examples": shown, "similarity": 0.97, "how": ["picture hash"], **evidence}
    return FindingRecord(f"{kind}-{number:08x}", kind, "error", f"the same input in {rows[0]}", "keep one", rows, facts)


def page(count: int = 3) -> AuditPage:
    leak = PageTopic(
        "leak", "The same input in several splits", "error", "3 sets", "run `x`", [*map(finding, range(count))]
    )
    bare = FindingRecord("giveaway-1", "giveaway", "warning", "file size predicts", "ask", [], {"accuracy": 0.9})
    give = PageTopic(
        "giveaway", "Metadata that predict the label (possible leakage)", "warning", "file size predicts", "ask", [bare]
    )
    facts = [{"what": "task", "value": "classification", "reason": "the folders are the classes"}]
    pictures = {row: thumbnail() for one in leak.findings for row in one.rows}
    return AuditPage(
        *("bees <& ants", "1 error and 1 warning", "images", "classification", 12, {"train": 10, "test": 2}, facts),
        topics=[leak, give],
        naive="A naive split would flatter.",
        size="12 rows.",
        read_test=True,
        left_out=2,
        thumbnails=pictures,
    )


def test_everything_is_on_it_and_escaped() -> None:
    html = build(page())
    for text in (
        "bees &lt;&amp; ants",
        "&lt;b&gt;ant&lt;/b&gt;",
        "leak-00000001",
        "giveaway-1",
        "picture hash",
        "0.97",
    ):
        assert text in html
    for text in (
        "A naive split would flatter.",
        "12 rows.",
        "<code>x</code>",
        "test set was read",
        "leaves out 2 rows",
    ):
        assert text in html
    assert html.count("data:image/jpeg") == 6
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_many_findings_are_listed_but_not_all_pictured() -> None:
    html = build(page(PAGE_CARDS + 9))
    assert html.count("data:image/jpeg") == 2 * PAGE_CARDS
    assert f"leak-{PAGE_CARDS + 8:08x}" in html


def test_nothing_found_is_said() -> None:
    html = build(replace(page(), topics=[], headline="nothing found", thumbnails={}))
    assert "Nothing was found" in html


_FRAME = """<!DOCTYPE html><iframe id="f" src="page.html" style="width:390px;height:800px;border:0"></iframe>
<p id="out"></p><script>onload = () => {
  const root = document.getElementById("f").contentDocument.documentElement;
  const loaded = [...root.querySelectorAll("img")].filter((image) => image.naturalWidth > 0).length;
  document.getElementById("out").textContent = `wide ${root.scrollWidth} of ${root.clientWidth}; loaded ${loaded}`;
};</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on the path")
def test_fits_a_phone(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(build(page()), encoding="utf-8")
    (tmp_path / "frame.html").write_text(_FRAME, encoding="utf-8")
    flags = [*FLAGS, "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [str(BROWSER), *flags, (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(r"wide (\d+) of (\d+); loaded (\d+)", done.stdout)
    assert found, done.stderr[-500:]
    wide, allowed, loaded = map(int, found.groups())
    assert wide <= allowed <= 390
    assert loaded == 6
