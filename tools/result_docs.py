"""Write docs/result.md, the layout of result.json, from the dataclasses and comments of records.py.

Usage: python tools/result_docs.py
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "headstart" / "records.py"
PAGE = ROOT / "docs" / "result.md"
HEADER = """\
# result.json

Every run leaves a file `result.json`. It is UTF-8 JSON with one object, `Result`; the other
tables are its parts. Numbers that are undefined or not finite are `null`. `schema` is {schema}
and is raised when a name or a meaning changes; files of schema 3 are read too. Some attributes in Python have older
names, which the tables give.

Made from `src/headstart/records.py` by `python tools/result_docs.py`; change it there.
"""


def comments(source: str) -> dict[int, str]:
    """Line number -> text of the comment on it."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("#: ").strip() for t in tokens if t.type == tokenize.COMMENT}


def records(tree: ast.Module) -> list[ast.ClassDef]:
    """The classes, the outermost (``Result``) first and then as they are written."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return sorted(classes, key=lambda node: node.name != "Result")


def section(record: ast.ClassDef, notes: dict[int, str], names: set[str]) -> str:
    """A heading, the docstring, and a table of the fields."""
    lines = [f"## {record.name}", "", ast.get_docstring(record) or "", "", "| field | type | meaning |"]
    lines.append("|---|---|---|")
    for node in record.body:
        if isinstance(node, ast.AnnAssign):
            own = ast.unparse(node.target)
            field = json_name(node) or own
            note = notes.get(node.end_lineno or node.lineno, "").replace("|", "\\|")
            told = [one for one in (note, f"in Python `{own}`" * (field != own)) if one]
            lines.append(f"| `{field}` | {_type(ast.unparse(node.annotation), names)} | {'; '.join(told)} |")
    return "\n".join(lines)


def json_name(node: ast.AnnAssign) -> str:
    """The name that ``called`` gives a field in its metadata; "" where it gives none."""
    metadata = next((word.value for word in getattr(node.value, "keywords", []) if word.arg == "metadata"), None)
    names = metadata.args if isinstance(metadata, ast.Call) else []
    return str(ast.literal_eval(names[0])) if names else ""


def _type(annotation: str, names: set[str]) -> str:
    """The annotation in code; a record, alone or in a list, as a link to its section."""
    inner = annotation.removeprefix("list[").removesuffix("]") if annotation.startswith("list[") else annotation
    shown = f"`{annotation}`".replace("|", "\\|")
    return f"[{shown}](#{inner.lower()})" if inner in names else shown


def page(source: str) -> str:
    """The page for the source of records.py."""
    tree, notes = ast.parse(source), comments(source)
    found = records(tree)
    names = {record.name for record in found}
    schema = next(
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SCHEMA"
    )
    sections = [section(record, notes, names) for record in found]
    return "\n\n".join([HEADER.format(schema=schema).rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
