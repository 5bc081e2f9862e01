"""What a checkpoint's model card says of licence and training data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Card:
    """The two facts of a model card that travel with a base; "unknown" where it is silent."""

    licence: str = "unknown"
    trained_on: str = "unknown"


def read_card(folder: Path) -> Card:
    """The metadata at the head of ``README.md`` (``license``, ``datasets``), as the Hub defines it.

    See https://huggingface.co/docs/hub/model-cards#model-card-metadata. A card that cannot be read says nothing.
    """
    import yaml

    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
        found = yaml.safe_load(_head(text))
    except (OSError, yaml.YAMLError):
        return Card()
    if not isinstance(found, dict):
        return Card()
    licence = _words(found.get("license"))
    if licence == "other":  # the name proper stands beside it
        licence = _words(found.get("license_name")) or licence
    return Card(licence or "unknown", _words(found.get("datasets")) or "unknown")


def _head(text: str) -> str:
    """What stands between the first two lines of three dashes; "" where the text does not begin so."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return ""
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    return "\n".join(lines[1:end])


def _words(value: Any) -> str:
    """A text, or a list of texts, as one."""
    given = value if isinstance(value, list) else [value]
    return ", ".join(str(one).strip() for one in given if isinstance(one, (str, int, float)) and str(one).strip())
