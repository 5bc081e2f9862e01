"""Archives: extracted once, and never outside their folder."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from headstart.cachedir import cache_root
from headstart.data import archive
from headstart.data.source import open_source
from headstart.errors import SourceError
from tests.data.making import fact


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archives"


IMAGES = {"set/a/1.png": b"1", "set/a/2.png": b"2", "set/b/3.png": b"3"}


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], *special: tarfile.TarInfo) -> Path:
    kind = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, kind) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in special:
            tar.addfile(info)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("name", ["s.zip", "s.tar", "s.tar.gz", "s.tgz", "s.tar.bz2", "s.tar.xz", "S.ZIP"])
def test_each_kind_opens_as_its_folder(tmp_path: Path, cache: Path, name: str) -> None:
    make = zipped if name.lower().endswith("zip") else tarred
    table = open_source(make(tmp_path / name, IMAGES)).table
    assert table.ids.tolist() == ["a/1.png", "a/2.png", "b/3.png"]
    assert Path(table.inputs[2]).read_bytes() == b"3"
    assert Path(table.inputs[2]).is_relative_to(cache)


def test_extracted_once_by_content(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_source(zipped(tmp_path / "one.zip", IMAGES)).table
    (tmp_path / "two.zip").write_bytes((tmp_path / "one.zip").read_bytes())
    monkeypatch.setattr(archive, "_build", None)  # another extraction would fail
    second = open_source(tmp_path / "two.zip").table
    assert first.inputs.tolist() == second.inputs.tolist()
    assert len(os.listdir(cache)) == 1


def test_tables_with_images_and_part_tables(tmp_path: Path) -> None:
    members = {"labels.csv": b"path,label\nim/1.png,a\nim/2.png,b\n", "im/1.png": b"1", "im/2.png": b"2"}
    assert open_source(zipped(tmp_path / "t.zip", members)).table.ids.tolist() == [
        "labels.csv:2",
        "labels.csv:3",
    ]
    parts = {"x/train.csv": b"text,label\na,x\nb,y\n", "x/test.csv": b"text,label\nc,x\n"}
    assert open_source(tarred(tmp_path / "t.tar", parts)).table.split.tolist() == ["train", "train", "test"]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("/etc/evil.png", "absolute path"),
        ("C:\\evil.png", "absolute path"),
        ("\\\\host\\evil.png", "absolute path"),
        ("../evil.png", r"outside the folder \(\.\.\)"),
        ("a/../../evil.png", r"outside the folder"),
        ("a\\..\\..\\evil.png", "outside the folder"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_that_would_escape(tmp_path: Path, cache: Path, name: str, fault: str, kind: str) -> None:
    path = (zipped if kind == "zip" else tarred)(tmp_path / f"t.{kind}", {"a/1.png": b"", name: b"evil"})
    with pytest.raises(SourceError, match=fault) as caught:
        open_source(path)
    assert "evil.png" in str(caught.value)
    assert os.listdir(cache) == []
    assert list(tmp_path.rglob("evil.png")) == []


@pytest.mark.parametrize(
    ("member", "fault"),
    [
        (special("a/l.png", tarfile.SYMTYPE, "/etc/passwd"), "'a/l.png' is a link"),
        (special("a/l.png", tarfile.LNKTYPE, "../../x"), "'a/l.png' is a link"),
        (special("a/dev", tarfile.CHRTYPE), "'a/dev' is a device"),
        (special("a/pipe", tarfile.FIFOTYPE), "'a/pipe' is a device"),
    ],
)
def test_links_and_devices(tmp_path: Path, cache: Path, member: tarfile.TarInfo, fault: str) -> None:
    path = tarred(tmp_path / "t.tar", {"a/1.png": b""}, member)
    with pytest.raises(SourceError, match=fault):
        open_source(path)
    assert os.listdir(cache) == []


def test_link_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a/l.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(SourceError, match=r"'a/l\.png' is a link"):
        open_source(tmp_path / "t.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as file:
        file.writestr("a/1.png", b"1")
        file.writestr("a/./1.png", b"2")
    with pytest.raises(SourceError, match="is there twice"):
        open_source(tmp_path / "t.zip")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    make = zipped if kind == "zip" else tarred
    make(path, {f"a/{i}.png": bytes(1 << 16) for i in range(8)})
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 18)
    with pytest.raises(SourceError, match=r"too large once extracted.*extract it yourself"):
        open_source(path)
    assert os.listdir(cache) == []
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 7)
    with pytest.raises(SourceError, match=r"at most .* 7 members"):
        open_source(path)


@pytest.mark.parametrize("name", ["t.zip", "t.tar", "t.tar.gz", "t.tar.bz2", "t.tar.xz"])
def test_damaged(tmp_path: Path, cache: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"this is no archive at all")
    with pytest.raises(SourceError, match="damaged, or not the archive its name says"):
        open_source(tmp_path / name)
    good = (zipped if name == "t.zip" else tarred)(tmp_path / f"good{name}", {"a/1.png": os.urandom(200_000)})
    good.write_bytes(good.read_bytes()[:100_000])
    with pytest.raises(SourceError, match=r"damaged"):
        open_source(good)
    assert not cache.exists() or os.listdir(cache) == []


def test_content_that_does_not_match_its_checksum(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", {"a/1.png": b"content"})
    path.write_bytes(path.read_bytes().replace(b"content", b"CONTENT"))
    with pytest.raises(SourceError, match=r"damaged.*CRC"):
        open_source(path)


def test_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path / "t.zip", {"a/1.png": b"x"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1  # the flag of encryption
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"password|encrypted"):
        open_source(path)


def test_messages_name_the_archive_and_not_the_cache(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^t.zip: no image or audio file found") as caught:
        open_source(zipped(tmp_path / "t.zip", {"a/x.txt": b"", "b/y.txt": b""}))
    assert str(cache_root()) not in str(caught.value)


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file"))
    with pytest.raises(SourceError, match=r"set HEADSTART_CACHE"):
        open_source(zipped(tmp_path / "t.zip", IMAGES))


def test_cache_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "x"))
    assert cache_root() == tmp_path / "x"
    monkeypatch.delenv("HEADSTART_CACHE")
    assert cache_root().name == "headstart"


class _Unflagged(zipfile.ZipInfo):
    """A member whose name is in ``encoding``, without the flag that would say that it is UTF-8."""

    encoding = "utf-8"

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def unflagged(path: Path, encoding: str, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            info = _Unflagged("x")
            info.filename, info.encoding = name, encoding
            file.writestr(info, name.encode())
    return path


def test_names_in_utf8_without_the_flag_are_read(tmp_path: Path) -> None:
    path = unflagged(tmp_path / "t.zip", "utf-8", "p/Gänse/1.png", "p/Ameisen/1.png")
    opened = open_source(path)
    assert opened.table.targets is not None
    assert sorted(opened.table.targets) == ["Ameisen", "Gänse"]
    assert not [f for f in opened.facts if f.what == "names"]


def test_names_that_nothing_tells_the_encoding_of_are_said(tmp_path: Path) -> None:
    opened = open_source(unflagged(tmp_path / "t.zip", "cp1252", "p/Gänse/1.png", "p/Ameisen/1.png"))
    assert len(opened.table) == 2
    said = fact(opened.facts, "names")
    assert said.value == "1 read as code page 437"
    assert "pack it anew" in said.reason


def test_a_table_of_notes_beside_the_only_folder_hides_no_classes(tmp_path: Path) -> None:
    opened = open_source(zipped(tmp_path / "t.zip", {**IMAGES, "metadata.csv": b"a,b\n1,2\n"}))
    assert opened.table.ids.tolist() == ["a/1.png", "a/2.png", "b/3.png"]
    assert fact(opened.facts, "not read").value == "metadata.csv"


def test_an_archive_in_an_archive_is_named(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", IMAGES)
    with pytest.raises(
        SourceError, match=r"no image or audio file found, but inner.zip; give an archive by its own name"
    ):
        open_source(zipped(tmp_path / "t.zip", {"inner.zip": inner.read_bytes()}))
