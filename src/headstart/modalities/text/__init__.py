"""Texts: strings as they are; the base's own tokenizer does the rest."""

from __future__ import annotations

from headstart.modalities.text.decode import TOKENS, WINDOWS, TextSpec

__all__ = ["TOKENS", "WINDOWS", "TextSpec"]
