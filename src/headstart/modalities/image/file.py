"""Picture files: bytes to a PIL image whose pixels are loaded, or the reason why not."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image as pil

from headstart.modalities.types import Unreadable

#: From a picture's two sides, in pixels and in either order, to the shorter side that is enough.
Need = Callable[[int, int], int]

_HEADER_FAULTS = (SyntaxError, IndexError, TypeError, struct.error)  # what PIL's own open passes over
_RUNS_PROGRAMS = {"EPS"}  # PIL hands these to Ghostscript


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file; `Unreadable` with the reason in words."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except IsADirectoryError:
        raise Unreadable("a folder, not a file") from None
    except PermissionError:
        raise Unreadable("no permission to read the file") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise Unreadable(f"the file cannot be read: {error}") from None


def load(data: bytes, need: Need) -> pil.Image:
    """The first picture in ``data``, loaded, both sides at least ``need`` pixels where they were.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough.
    """
    picture = opened(data)
    check_size(picture)
    with reading():
        least = need(*picture.size)
        picture.draft(None, (least, least))
        picture.load()
    return picture


def check_size(picture: pil.Image) -> None:
    """`Unreadable` above the number of pixels at which PIL suspects a decompression bomb."""
    pixels, limit = picture.width * picture.height, pil.MAX_IMAGE_PIXELS
    if limit is not None and pixels > limit:
        raise Unreadable(
            f"too large: {picture.width} x {picture.height} is {pixels:,} pixels, "
            f"the limit is {limit:,} (PIL.Image.MAX_IMAGE_PIXELS)"
        )


@contextmanager
def reading() -> Iterator[None]:
    """Turns whatever PIL raises on bad data into `Unreadable`.

    Its decoders raise nearly every kind of error on bad data, so that no shorter list would hold.
    """
    try:
        yield
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        early = isinstance(error, EOFError) or "truncated" in str(error).lower()
        raise Unreadable(f"{'truncated' if early else 'damaged'}: {_words(error)}") from error


def opened(data: bytes) -> pil.Image:
    """The picture with its header read; as `PIL.Image.open`, but without its bomb warning.

    That warning could only be kept from the host program by changing Python's warning filters, which all
    threads share.
    """
    if not data:
        raise Unreadable("empty file (0 bytes)")
    claimed = ""
    for discover in (pil.preinit, pil.init):  # the common formats first, as PIL does
        discover()
        for name in list(pil.ID):
            factory, accept = pil.OPEN[name]
            if name in _RUNS_PROGRAMS or not _accepted(accept, data[:16]):
                continue
            try:
                with reading():
                    return factory(io.BytesIO(data), "")
            except Unreadable as fault:
                if not isinstance(fault.__cause__, _HEADER_FAULTS):
                    raise
                claimed = claimed or (name if accept else "")
    if claimed:
        raise Unreadable(f"truncated or damaged: the header of this {claimed} file of {len(data)} bytes is broken")
    raise Unreadable(f"not an image: {_looks_like(data)}")


def _accepted(accept: Callable[[bytes], bool | str] | None, head: bytes) -> bool:
    """Whether a format of PIL's takes files that begin with ``head``; some fail on files of a few bytes."""
    try:
        accepted = accept is None or accept(head)
    except _HEADER_FAULTS:
        return False
    return bool(accepted) and not isinstance(accepted, str)  # a str says what is missing to read it


def _looks_like(data: bytes) -> str:
    """What the first bytes of a file that PIL does not know suggest."""
    if data[4:8] == b"ftyp" and data[8:11] in (b"hei", b"hev", b"mif"):
        return "HEIC, which Pillow reads only with a plugin such as pillow-heif; convert it to JPEG"
    if data[:4] == b"%!PS":
        return "EPS; convert it to PNG"
    try:
        start = data[:40].decode("ascii")
    except UnicodeDecodeError:
        return f"{len(data)} bytes of no known picture format"
    return f"the file is text that starts with {start!r}" if start.isprintable() or start.split() else "blank text"


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
