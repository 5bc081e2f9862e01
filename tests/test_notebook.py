"""What a notebook shows: results as HTML, everything escaped, and bars."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

import headstart as hs
from headstart.api import listener
from headstart.notebook import NotebookProgress, in_notebook, panel
from headstart.progress import Progress
from tests.toys import sentences

BAD = '<script>alert("x")</script>'


class Checker(HTMLParser):
    """Collects the tags, and what is text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a kernel has it; what was displayed, picture after picture."""
    shown: list[str] = []

    def display(data, **options):
        shown.append(data["text/html"])
        return SimpleNamespace(update=lambda data, **options: shown.append(data["text/html"]))

    module = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()), display=None)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return shown


def test_everything_from_outside_is_escaped(tmp_path):
    found = Checker(panel(BAD, [BAD, ""], [BAD], [[BAD, BAD]], tmp_path / f"{BAD.replace('/', '')}"))
    assert "script" not in found.tags
    assert found.text.count(BAD) == 5
    assert found.tags.count("p") == 3


def test_results_show_themselves(tiny_text_base, tmp_path):
    pair = sentences(30)
    run = hs.fit(pair, base=tiny_text_base, out=tmp_path / "run")
    page = Checker(run._repr_html_())
    result = run.result
    for said in (result.verdict.sentence, f"{result.test.score:.3f} [", "report.html", "majority (baseline)"):
        assert said in page.text
    assert "a" in page.tags
    evaluation = hs.evaluate(run.path, pair)
    assert f"{evaluation.score.value:.3f} [" in Checker(evaluation._repr_html_()).text
    ranking = hs.rank(pair, bases=[tiny_text_base])
    assert ranking.next_step in Checker(ranking._repr_html_()).text
    advice = hs.advise(pair, base=tiny_text_base)
    assert advice.answer in Checker(advice._repr_html_()).text
    audit = hs.audit(pair, base=tiny_text_base, out=tmp_path / "audit")
    assert audit.headline in Checker(audit._repr_html_()).text


def test_a_bar_counts_and_goes(notebook, capsys):
    with NotebookProgress().track(f"reading {BAD}", 3) as track:
        for _ in range(3):
            track.advance()
    assert "0 of 3" in notebook[0]
    assert "3 of 3" in notebook[-2]
    assert notebook[-1] == ""
    assert all("script" not in Checker(one).tags for one in notebook)
    NotebookProgress().say("a plan")
    assert capsys.readouterr().out == "a plan\n"


def test_where_progress_is_shown(notebook, monkeypatch):
    assert in_notebook()
    assert isinstance(listener(None), NotebookProgress)
    assert type(listener(False)) is Progress
    monkeypatch.delitem(sys.modules, "IPython")
    monkeypatch.delattr(sys, "ps1", raising=False)
    assert type(listener(None)) is Progress
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert type(listener(None)).__name__ == "Console"
