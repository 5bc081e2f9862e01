from __future__ import annotations

import pytest

from headstart.errors import SettingError
from headstart.modalities import get
from headstart.modalities.text import TextSpec
from headstart.modalities.types import Unreadable

SPEC = TextSpec(16)


@pytest.mark.parametrize("text", ["hello", "  indented", "naïve ☕ 😀", "e\u0301", "今日は", "null \0 inside"])
def test_text_is_unchanged(text: str) -> None:
    assert get("text").decode(text, SPEC) == text
    assert get("text").content(text) == text.encode()


def test_composed_and_decomposed_letters_are_two_contents() -> None:
    assert get("text").content_key("é") != get("text").content_key("e\u0301")


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), (" \n\t", "empty"), ("half \ud83d", "surrogate")])
def test_blank_and_broken_texts_are_unreadable(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        get("text").decode(text, SPEC)
    with pytest.raises(Unreadable, match=reason):
        get("text").content_key(text)


def test_a_spec_needs_room_for_a_token() -> None:
    with pytest.raises(SettingError, match="max_tokens is 0"):
        TextSpec(0)
