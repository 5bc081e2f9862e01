"""Text as Unicode has it: one spelling of what reads the same, and nothing that cannot be written."""

from __future__ import annotations

import codecs
import unicodedata

#: The error handler that writes what an encoding lacks as JSON does: \\u00e9.
ESCAPES = "headstart-escapes"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end


codecs.register_error(ESCAPES, _escaped)


def composed(text: str) -> str:
    """``text`` in the composed form (NFC), in which é is one character; macOS writes names decomposed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_valid(text: str) -> bool:
    """Whether ``text`` can be written as UTF-8: no half of a surrogate pair, nor bytes of a name that is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def writable(text: str) -> str:
    r"""``text`` with what cannot be written as UTF-8 escaped: the name b"caf\xe9" becomes ``caf\xe9``."""
    if text.isascii() or is_valid(text):
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # halves of surrogate pairs, which no file name has
        return text.encode("utf-8", "backslashreplace").decode()


def bare(text: str) -> str:
    """What the eye makes of ``text``: compatible forms as one, no characters without width, single plain spaces."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(seen.split())
