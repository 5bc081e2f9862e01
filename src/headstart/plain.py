"""Plain values, as JSON has them, and dataclasses made of them again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

_NAME, _WORDS = "name", "words"


def called(name: str = "", words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Metadata of a field that JSON has under another name, or whose values it has in other words."""
    return {**({_NAME: name} if name else {}), **({_WORDS: dict(words)} if words else {})}


def written(value: Any) -> Any:
    """``value`` with every dataclass in it as a dict, its fields called as JSON has them; the inverse of `restored`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_name(one): _worded(one, written(getattr(value, one.name))) for one in fields(value)}
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    return [written(item) for item in value] if isinstance(value, (list, tuple)) else value


def _name(one: Field[Any]) -> str:
    return str(one.metadata.get(_NAME, one.name))


def _worded(one: Field[Any], value: Any) -> Any:
    return one.metadata[_WORDS].get(value, value) if _WORDS in one.metadata else value


def restored(kind: Any, value: Any) -> Any:
    """``value``, as `finite` left it, as the type ``kind``; a field that it lacks takes its default.

    A field is taken from its own name too, which older files have.
    """
    if is_dataclass(kind):
        kinds, known = get_type_hints(kind), {}
        for one in fields(kind):
            name = _name(one) if _name(one) in value else one.name
            if name in value:
                own = {said: word for word, said in one.metadata.get(_WORDS, {}).items()}
                known[one.name] = restored(
                    kinds[one.name], own[value[name]] if own and value[name] in own else value[name]
                )
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
