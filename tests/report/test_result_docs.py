"""docs/result.md says what records.py says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "result_docs.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("result_docs", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date(tool: ModuleType) -> None:
    made = tool.page(tool.SOURCE.read_text(encoding="utf-8"))
    assert tool.PAGE.read_text(encoding="utf-8") == made, "run python tools/result_docs.py"


def test_every_field_has_its_comment_and_parts_are_linked(tool: ModuleType) -> None:
    source = (
        "SCHEMA = 3\n\nclass Part:\n    '''A part.'''\n\n    n: int  # how many\n\n"
        "class Result:\n    '''All.'''\n\n    parts: list[Part]  # in order\n    x: float | None\n"
    )
    page = tool.page(source)
    assert "`schema` is 3" in page
    assert "| `n` | `int` | how many |" in page
    assert "| `parts` | [`list[Part]`](#part) | in order |" in page
    assert "| `x` | `float \\| None` |  |" in page
    assert page.index("## Result") < page.index("## Part")
