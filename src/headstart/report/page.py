"""What every page is made of: a template that escapes all it is given, and the one style sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).parent


def page(
    template: str, filters: Iterable[Callable[..., Any]], names: Mapping[str, Any]
) -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet.

    Args:
        filters: functions that the template calls by their names.
        names: what else it may use.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    for function in filters:
        environment.filters[function.__name__] = function
    environment.globals |= names
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # ours, and free of "<"
    return environment.get_template(template), style
