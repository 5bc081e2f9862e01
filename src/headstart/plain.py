"""Plain values, as JSON has them, and dataclasses made of them again."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def restored(kind: Any, value: Any) -> Any:
    """``value``, as `finite` left it, as the type ``kind``; a field that it lacks takes its default."""
    if is_dataclass(kind):
        kinds = get_type_hints(kind)
        known = {one.name: restored(kinds[one.name], value[one.name]) for one in fields(kind) if one.name in value}
        return kind(**known)  # type: ignore[operator]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else restored(next(one for one in inner if one is not NoneType), value)
    if origin is list:
        return [restored(inner[0], one) for one in value]
    if origin is dict:
        return {name: restored(inner[1], one) for name, one in value.items()}
    if kind is float:
        return math.nan if value is None else float(value)
    return value


def finite(value: Any) -> Any:
    """Plain values with None in place of numbers that are not finite, as JSON has no others."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, (list, tuple)) else value
