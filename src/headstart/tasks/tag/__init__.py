"""A label for every word of a text: named entities, parts of speech."""

from headstart.tasks.tag.spans import Span
from headstart.tasks.tag.tag import Tag, Tags

__all__ = ["Span", "Tag", "Tags"]
