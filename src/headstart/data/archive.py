"""Zip and tar archives, extracted once and safely under the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from headstart.cachedir import cache_root
from headstart.data.folder import list_folder
from headstart.data.naming import ARCHIVE_TYPES, TABLE_TYPES, extension, modality_of
from headstart.errors import SourceError

MAX_BYTES = 50 * 2**30  # extracted, all members together
MAX_MEMBERS = 2_000_000

_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
_UTF8 = 0x800  # the flag of a member of a zip whose name is UTF-8


@dataclass(frozen=True)
class _Member:
    """One entry of an archive; ``fault`` says in words why it must not be extracted, if so."""

    name: str
    size: int  # bytes, extracted
    is_folder: bool
    fault: str
    open: Callable[[], IO[bytes] | None]


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive that can be opened."""
    return name.lower().endswith(ARCHIVE_TYPES)


def extract(path: Path) -> Path:
    """The folder that holds the content of the archive, extracted at the first call.

    It lies in the cache folder under the SHA-256 of the archive; where everything in the archive is inside
    one folder, that one is returned.

    Raises:
        SourceError: a member would land outside, is a link or a device; the archive is damaged, encrypted,
            larger than allowed once extracted, or there is no room for it.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        target = cache_root() / "archives" / (digest + ("-utf8" if _recoded(path) else ""))
        if not target.is_dir():
            _build(path, target)
    except _DAMAGE as error:
        raise SourceError(
            f"{path.name}: damaged, or not the archive its name says: {error or 'it ends early'}."
        ) from error
    except RuntimeError as error:  # what zipfile raises for a member under a password
        raise SourceError(f"{path.name}: cannot be extracted: {error}.") from error
    except OSError as error:
        raise SourceError(
            f"{path.name}: cannot be extracted under {cache_root()}: {error.strerror or error} "
            "(set HEADSTART_CACHE to a folder that can be written to)."
        ) from error
    return _descend(target)


def _build(path: Path, target: Path) -> None:
    """Extract aside, then move into place at one stroke, so that no reader meets half an archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    room = min(MAX_BYTES, shutil.disk_usage(target.parent).free)
    aside = Path(tempfile.mkdtemp(prefix=".extracting-", dir=target.parent))
    try:
        with _opened(path) as members:
            _check(path.name, members(), room)
            _write(members(), aside)
        try:
            aside.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was quicker, with the same content
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _check(archive: str, members: Iterator[_Member], room: int) -> None:
    """Look at every header before anything is written."""
    total, seen = 0, set()
    for count, member in enumerate(members, start=1):
        fault = member.fault or _name_fault(member.name)
        name = os.path.normpath(member.name)
        if not fault and name in seen and not member.is_folder:
            fault = "is there twice"
        if fault:
            raise SourceError(
                f"{archive}: member {member.name!r} {fault}; nothing was extracted: make the archive anew without it."
            )
        if not member.is_folder:
            seen.add(name)
        total += member.size
        if total > room or count > MAX_MEMBERS:
            raise SourceError(
                f"{archive}: too large once extracted: {total / 2**30:.3g} GiB by member {count} (at most "
                f"{MAX_BYTES / 2**30:.3g} GiB, {MAX_MEMBERS} members and the free space of {cache_root()}); "
                "extract it yourself and give the folder."
            )


def _name_fault(name: str) -> str:
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in re.split(r"[/\\]", name):
        return "would land outside the folder (..)"
    return ""


def _write(members: Iterator[_Member], folder: Path) -> None:
    for member in members:
        path = folder / member.name
        if member.is_folder:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        source = member.open()
        if source is None:
            raise tarfile.ReadError(f"member {member.name!r} has no content")
        with source, path.open("xb") as out:
            shutil.copyfileobj(source, out, 1 << 20)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Callable[[], Iterator[_Member]]]:
    """The archive as a function that lists its members from the start."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as file:
            yield lambda: _zip_members(file)
    else:
        with tarfile.open(path) as tar:
            yield lambda: _tar_members(tar)


def _zip_members(file: zipfile.ZipFile) -> Iterator[_Member]:
    for info in file.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        fault = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else _kind_fault(kind == stat.S_IFLNK)
        name = _name_of(info).replace("\\", "/")  # as some packers on Windows write it
        yield _Member(name, info.file_size, name.endswith("/"), fault, partial(file.open, info))


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name of a member: UTF-8 also where its flag for that is missing, as macOS and old packers leave it."""
    if info.flag_bits & _UTF8 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except ValueError:
        return info.filename


def _recoded(path: Path) -> bool:
    """Whether names in an archive are not as zipfile reads them; where those lay in the cache already, they differ."""
    return any(_name_of(info) != info.filename for info in _unflagged(path))


def foreign_names(path: Path) -> list[str]:
    """The names in a zip of which nothing says how they are encoded, read as code page 437, which zip files have then.

    Raises:
        SourceError: the archive is damaged.
    """
    try:
        return [info.filename for info in _unflagged(path) if _name_of(info) == info.filename]
    except _DAMAGE as error:
        raise SourceError(f"{path.name}: damaged: {error}.") from error


def _unflagged(path: Path) -> list[zipfile.ZipInfo]:
    if not path.name.lower().endswith(".zip"):
        return []
    with zipfile.ZipFile(path) as file:
        return [info for info in file.infolist() if not info.flag_bits & _UTF8 and not info.filename.isascii()]


def _tar_members(tar: tarfile.TarFile) -> Iterator[_Member]:
    for info in tar:
        fault = "" if info.isfile() or info.isdir() else _kind_fault(info.issym() or info.islnk())
        yield _Member(info.name, info.size, info.isdir(), fault, partial(tar.extractfile, info))


def _kind_fault(is_link: bool) -> str:
    return "is a link" if is_link else "is a device or another special file"


def _descend(folder: Path) -> Path:
    """Down to the first folder that holds more than one folder, images or tables: a README beside it is neither."""
    while True:
        inside = list_folder(folder)
        data = any(modality_of(name) or extension(name) in TABLE_TYPES for name in inside.files)
        if data or inside.odd or len(inside.folders) != 1:
            return folder
        folder /= inside.folders[0]
