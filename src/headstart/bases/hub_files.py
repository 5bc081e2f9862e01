"""Files of a Hub repository in the local cache: fetched by huggingface_hub, with our progress, and checked."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headstart.bases.hub_errors import explained, is_final
from headstart.bases.hub_progress import MEGABYTE, bars
from headstart.bases.identity import hash_file
from headstart.errors import BaseError
from headstart.progress import Progress

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

_ATTEMPTS = 3  # beyond what huggingface_hub itself resumes: files that are complete stay
_WAITS = ("connect", "read", "write", "pool")
_HASHES = {64: "sha256", 40: "Git blob id"}  # by their number of hexadecimal digits


def fetch(name: str, repo: str, revision: str, files: Sequence[str], progress: Progress) -> Path:
    """The folder of the local cache that holds those of ``files`` that ``repo`` has; its name is the commit.

    A connection that breaks is resumed. What came is checked against the hashes that the Hub names; a file that
    differs is removed again.

    Args:
        name: what the user wrote, for messages.
        revision: branch, tag or commit; "" for the default branch.

    Raises:
        BaseError: not found, gated, unreachable, or damaged on the way.
    """
    with _quiet(), _patient(), _told(name, repo, revision, files, progress) as bar:
        folder = _downloaded(name, repo, revision, files, bar)
    _refuse_damaged(name, folder, files)
    return folder


def listed(repo: str, commit: str) -> list[RepoFile]:
    """All files of ``repo`` at ``commit`` with sizes and hashes, as the Hub listed them; [] where it never did."""
    from huggingface_hub import constants, get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        return get_cached_repo_tree(repo, revision=commit, cache_dir=constants.HF_HUB_CACHE)
    except CachedRepoTreeNotFoundError:
        return []


def mirror() -> str:
    """`` at HOST`` where HF_ENDPOINT names another server than the Hub's own; else ""."""
    from huggingface_hub import constants

    host = urlsplit(constants.ENDPOINT)
    return "" if host.hostname == "huggingface.co" else f" at {host.netloc.rpartition('@')[2]}"


def _downloaded(name: str, repo: str, revision: str, files: Sequence[str], bar: type) -> Path:
    from huggingface_hub import snapshot_download

    patterns = [file.replace("[", "[[]") for file in files]
    for attempt in range(_ATTEMPTS):
        try:
            found = snapshot_download(repo, revision=revision or None, allow_patterns=patterns, tqdm_class=bar)
        except Exception as error:  # transport errors are of the HTTP library's own kinds
            if is_final(error) or attempt == _ATTEMPTS - 1:
                raise explained(error, name, repo, revision) from error
        else:
            return Path(found)
    raise AssertionError("unreachable")


@contextmanager
def _told(name: str, repo: str, revision: str, files: Sequence[str], progress: Progress) -> Iterator[type]:
    """Within, the bytes that arrive are told to ``progress``, where it is known how many will."""
    from huggingface_hub import try_to_load_from_cache

    missing = sum(
        file.size
        for file in listed(repo, revision)
        if file.path in files and not isinstance(try_to_load_from_cache(repo, file.path, revision=revision), str)
    )
    if not missing:
        with Progress().track("", 0) as track:
            yield bars(track)
        return
    total = max(1, round(missing / MEGABYTE))
    progress.say(f"Downloading base {name!r} from the Hub: {total:,} MB.")
    with progress.track(f"downloading {name} (MB)", total) as track:
        yield bars(track)


@contextmanager
def _patient() -> Iterator[None]:
    """Within, no request waits longer for a sign of life than HF_HUB_ETAG_TIMEOUT; huggingface_hub sets no limit to
    some, and would wait for a dead server for ever.
    """
    from huggingface_hub import constants, get_session

    def limit(request: Any) -> None:
        given, most = request.extensions.get("timeout", {}), constants.HF_HUB_ETAG_TIMEOUT
        request.extensions["timeout"] = {key: min(given.get(key) or most, most) for key in _WAITS}

    hooks = get_session().event_hooks["request"]
    hooks.append(limit)
    try:
        yield
    finally:
        hooks.remove(limit)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within, huggingface_hub says nothing of its own on the terminal."""
    from huggingface_hub.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _refuse_damaged(name: str, folder: Path, files: Sequence[str]) -> None:
    """Compare what came with its hash by the Hub, after which the cache calls it.

    That is sha256 of large files and Git's blob id of others; where the cache cannot link, names are lost and nothing
    can be compared.
    """
    for file in files:
        path = folder / file
        expected = path.readlink().name if path.is_symlink() else ""
        kind = _HASHES.get(len(expected))
        if kind is None or set(expected) - set(string.hexdigits):
            continue
        found = hash_file(path) if kind == "sha256" else _blob_id(path)
        if found == expected:
            continue
        for part in (path.resolve(), path.parent / path.readlink(), path):  # content, its name in the cache, the file
            part.unlink(missing_ok=True)
        raise BaseError(
            f"{file} of base {name!r} is not as it is on the Hub{mirror()}: its {kind} is {found[:12]}…, not "
            f"{expected[:12]}…; the file was removed, try again."
        )


def _blob_id(path: Path) -> str:
    """Git's own hash of a file's content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
