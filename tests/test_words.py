"""The field's terms stand in what users read, as the table in CONTRIBUTING has them; the old words are gone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "src/headstart"

#: Where sentences are held to the table: every room and module.
PLACES = sorted(one.name for one in HOME.iterdir() if one.suffix == ".py" or (one.is_dir() and any(one.glob("*.py"))))

#: The old words, by the term of the table that stands in their place.
OLD = {
    "transfer learning improved / reduced accuracy": r"\bborrow\w*|\bmend(s|ed|ing)?\b",
    "baseline": r"(?<!-)\bcontrols?\b",
    "selected model": r"\bhand(s|ed|ing)? over\b",
    "test set, split": r"\b(test|validation|training) parts?\b",
    "test set evaluated once": r"\bopen(s|ed|ing)?\b[^.]{0,30}\b(once|times|test|seal)\b|\bunder seal\b",
    "no significant difference": r"\btold (from|apart)\b|\bto be told\b|\btells? them apart\b",
    "conformal sets: coverage, mean size": r"\bholds? the true\b|\bheld it for\b",
    "target": r"\bpromis\w+",
    "strategy search, step, accepted": (
        r"\bladders?\b|\brungs?\b|\bclimb\w*|\b(is|was|not|are) taken\b(?! (for|from|by))"
    ),
    "a linear classifier fitted on frozen features": r"\bheads? (is |are )?solved\b|\bsolved? heads?\b",
    "predicted": r"\bforet(old|ell\w*)\b",
    "training rows": r"\blearn(t|ed|s)? from\b",
    "corruption robustness": r"(?<!-)\bdamag(?!ed\b)\w+|undamag|\bdamaged (rows|inputs|test)\b",
    "unfreeze": r"(?<!-)\bthaw\w*",
    "learning rate": r"\bbody.rates?\b|\b(a lower|lower|the|its) rate\b|x the rate",
    "excluded rows": r"\bfound wanting\b",
    "predicts the label (possible leakage)": r"\bg[ia]ves? [\w ]{0,12}(label|class|answer)s? away\b|\bgives? away\b",
    "similar to / different from the pretraining data": r"\bwhat (the base|it) kn(ows|ew)\b",
    "(nothing)": r"\bprov(e|es|en|ing)\b|\bproof\b|\bhonest\w*|\bby heart\b|\bfaultless\b|\bbefalls?\b",
}
#: Literals that are names in code or in files, and go with those.
NAMES = {"not taken", "thaw is "}
#: Literals with an old word that is right: a file of a bundle.
FILES = r"[\w.\-]+\.(json|safetensors)"


def literals(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of ``source`` but docstrings and names of one word."""
    tree = ast.parse(source)
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    prose = {id(one.value) for one in bodies if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose:
            continue
        if not re.fullmatch(rf"[a-z_\-]*|{FILES}", node.value) and node.value not in NAMES:
            yield node.lineno, node.value


def template_text(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of what a template shows: outside its tags, and the strings within them."""
    for number, line in enumerate(source.splitlines(), 1):
        tags = re.findall(r"{[{%].*?[%}]}", line)
        shown = re.sub(r"{[{%#].*?[%}#]}|<[^>]*>", " ", line)
        yield number, " ".join([shown, *(text for tag in tags for text in re.findall(r"'([^']* [^']*)'", tag))])


def faults(path: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    found = literals(source) if path.suffix == ".py" else template_text(source)
    return [
        f"{path.name}:{line}: {text!r}: say {term!r}"
        for line, text in found
        for term, old in OLD.items()
        if re.search(old, text, re.IGNORECASE)
    ]


def files(place: str) -> list[Path]:
    home = HOME / place
    return [home] if home.is_file() else sorted([*home.rglob("*.py"), *home.rglob("*.jinja")])


@pytest.mark.parametrize("place", PLACES)
def test_old_words_are_gone(place: str) -> None:
    assert files(place)
    assert [fault for path in files(place) for fault in faults(path)] == []


def test_every_term_is_in_the_table_of_contributing() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [term for term in OLD if f"| {term} |" not in page] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('say("Borrowing helped")', 1),
        ('"""Borrowing helped."""', 0),  # a docstring is for those who write the code
        ('mode = "control"', 0),  # a name
        ('say("give --damage")', 0),  # an option
        ('say(f"the control {name} {score}")', 1),
        ('say(f"{path} is damaged ({error})")', 0),
        ('say("a damaged file")', 0),
        ('say("damaged rows (5)")', 1),
        ('say("it is mostly taken for another")', 0),
        ('say("the rung was not taken")', 1),
        ('say("known.json is damaged; fit again")', 0),  # a file
        ('say("scored on damaged rows")', 1),
        ('say("damage 5")', 1),
    ],
)
def test_sentences_are_found_and_names_are_not(text: str, found: int, tmp_path: Path) -> None:
    (tmp_path / "made_up.py").write_text(text)
    assert bool(faults(tmp_path / "made_up.py")) == bool(found)


def test_templates_are_read_without_their_tags(tmp_path: Path) -> None:
    page = tmp_path / "page.jinja"
    page.write_text(
        "{% if ladder %}<p class='control'>fine</p>{% endif %}\n<p>{{ 'the control was' if x }}</p>\nladder\n"
    )
    assert [fault.split(":")[1] for fault in faults(page)] == ["2", "3"]
