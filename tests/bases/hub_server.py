"""A small Hub on this machine: enough of its protocol for huggingface_hub, and the ways in which it can fail."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest


@dataclass
class Repo:
    """One repository at one commit.

    Attributes:
        files: content by path.
        refuse: (status, X-Error-Code) given instead of anything; None to serve.
    """

    files: dict[str, bytes]
    branches: tuple[str, ...] = ("main",)
    refuse: tuple[int, str] | None = None

    @property
    def commit(self) -> str:
        total = hashlib.sha1(usedforsecurity=False)
        for path, content in sorted(self.files.items()):
            total.update(path.encode() + b"\0" + content)
        return total.hexdigest()


@dataclass
class Hub:
    """The server's state; tests change it while it runs.

    Attributes:
        requests: (method, path, Range header) of everything that was asked.
        broken: path -> bytes after which the connection breaks, once.
        reset: whether it breaks by a reset rather than by an end.
        corrupt: paths of which another content of the same length is sent.
        silent: seconds to wait before each answer.
    """

    address: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    reset: bool = False
    corrupt: set[str] = field(default_factory=set)
    silent: float = 0.0

    def add(self, name: str, folder: Path, *extra: str) -> Repo:
        """Serve the files of ``folder`` as ``name``, besides "main" at the branches ``extra``."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self.repos[name] = Repo(files, ("main", *extra))
        return self.repos[name]

    def asked(self, file: str, method: str = "GET") -> list[str]:
        """The Range headers of all requests for ``file``."""
        return [given for how, path, given in self.requests if how == method and path.endswith(f"/{file}")]


@contextmanager
def served() -> Iterator[Hub]:
    """A running server."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def point_to(hub: Hub, cache: Path, patch: pytest.MonkeyPatch, *, offline: bool = False) -> None:
    """Make this process's huggingface_hub use ``hub`` and ``cache``."""
    from huggingface_hub import constants

    patch.setattr(constants, "ENDPOINT", hub.address)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.address + "/{repo_id}/resolve/{revision}/{filename}")
    patch.setattr(constants, "HF_HUB_CACHE", str(cache))
    patch.setattr(constants, "HF_HUB_OFFLINE", offline)
    patch.setenv("NO_PROXY", "127.0.0.1")
    patch.delenv("HF_TOKEN", raising=False)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        time.sleep(self.hub.silent)
        parts = path.strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        route = parts[2:] if api else parts
        owner, model, verb, revision, *rest = [*route, *[""] * (4 - len(route))]
        repo = self.hub.repos.get(f"{owner}/{model}")
        if repo is None:
            self._refuse(404, "RepoNotFound")
        elif repo.refuse:
            self._refuse(*repo.refuse)
        elif revision not in (*repo.branches, repo.commit):
            self._refuse(404, "RevisionNotFound")
        elif verb == "revision":
            siblings = [{"rfilename": file} for file in repo.files]
            self._json({"id": f"{owner}/{model}", "sha": repo.commit, "siblings": siblings})
        elif verb == "tree":
            self._json([_entry(file, content) for file, content in repo.files.items()])
        else:
            self._file(repo, "/".join(rest))

    def _file(self, repo: Repo, path: str) -> None:
        content = repo.files.get(path)
        if content is None:
            self._refuse(404, "EntryNotFound", repo.commit)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{_entry(path, content)["etag"]}"')
        self.send_header("X-Repo-Commit", repo.commit)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "GET":
            self._body(path, content, start)

    def _body(self, path: str, content: bytes, start: int) -> None:
        if path in self.hub.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        limit = self.hub.broken.pop(path, None)
        self.wfile.write(content[start : len(content) if limit is None else start + limit])
        self.wfile.flush()
        if limit is not None:
            if self.hub.reset:  # what was sent must arrive before the reset
                time.sleep(0.2)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close() if self.hub.reset else self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(path: str, content: bytes) -> dict[str, object]:
    """One row of the list of files: large files by sha256 (LFS), others by Git's blob id."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    row: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": blob, "etag": blob}
    if path.endswith((".safetensors", ".bin")):
        sha256 = hashlib.sha256(content).hexdigest()
        row |= {"lfs": {"oid": sha256, "size": len(content), "pointerSize": 134}, "etag": sha256}
    return row
