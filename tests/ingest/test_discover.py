"""Discovery on real folders, files, links and permissions."""

import hashlib
import os
from pathlib import Path

import pytest

from index.errors import SourceError
from index.records import SourceKind
from ingest.discover import content_hash, discover, sniff_kind


def _touch(path: Path, content: bytes = b"x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def test_folders_are_walked_in_order_and_only_for_media(tmp_path: Path) -> None:
    wanted = [
        _touch(tmp_path / "a" / "2.MP4", b"four"),
        _touch(tmp_path / "a" / "sub" / "1.pdf"),
        _touch(tmp_path / "b.wav"),
        _touch(tmp_path / "c.webm"),
    ]
    _touch(tmp_path / "notes.log")
    _touch(tmp_path / ".hidden.mp4")
    _touch(tmp_path / ".git" / "clip.mp4")
    found = discover([tmp_path])
    assert [file.path for file in found.files] == wanted
    assert found.problems == ()
    status = os.stat(wanted[0])
    assert found.files[0].size_bytes == 4
    assert found.files[0].mtime_ns == status.st_mtime_ns


def test_a_file_given_by_name_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    odd = _touch(tmp_path / "recording.dat")
    assert [file.path for file in discover([odd]).files] == [odd]


def test_each_path_once_and_normalised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = _touch(tmp_path / "a" / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    found = discover(["a/../a/clip.mp4", "a", clip, tmp_path, "a"])
    assert [file.path for file in found.files] == [clip]
    assert found.problems == ()


def test_paths_that_give_nothing_are_named_once_each(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    clip = _touch(tmp_path / "clip.mp4")
    missing = tmp_path / "missing.mp4"
    found = discover([missing, tmp_path / "empty", clip, missing])
    assert [file.path for file in found.files] == [clip]
    assert [str(problem) for problem in found.problems] == [
        f"{missing}: no such file or folder",
        f"{tmp_path / 'empty'}: no video, audio or document in it",
    ]
    assert all(problem.stage == "discover" for problem in found.problems)


def test_link_loops_end_and_links_add_no_second_copy(tmp_path: Path) -> None:
    clip = _touch(tmp_path / "real" / "clip.mp4")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    found = discover([tmp_path])
    assert [file.path for file in found.files] == [clip]


def test_linked_folders_outside_are_walked(tmp_path: Path) -> None:
    _touch(tmp_path / "disk" / "clip.mp4")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "more").symlink_to(tmp_path / "disk")
    found = discover([tmp_path / "archive"])
    assert [file.path for file in found.files] == [str(tmp_path / "archive" / "more" / "clip.mp4")]


def test_broken_links_pipes_and_undecodable_names_are_problems(tmp_path: Path) -> None:
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.mp4", "wb") as file:
        file.write(b"x")
    found = discover([tmp_path])
    assert found.files == ()
    assert sorted(problem.reason for problem in found.problems) == [
        "is a broken link",
        "is not a regular file",
        "its name is not valid UTF-8; rename it",
    ]
    for problem in found.problems:
        str(problem).encode()


def test_kind_is_told_by_content_before_the_name(tmp_path: Path) -> None:
    pdf = b"%PDF-1.7\n"
    assert sniff_kind(_touch(tmp_path / "scan.bin", b"junk\n" + pdf)) is SourceKind.DOCUMENT
    assert sniff_kind(_touch(tmp_path / "late.bin", b"\0" * 1024 + pdf)) is SourceKind.VIDEO
    assert sniff_kind(_touch(tmp_path / "text.pdf", b"hello")) is SourceKind.DOCUMENT
    assert sniff_kind(_touch(tmp_path / "clip.mp4", b"\0\0\0\x18ftyp")) is SourceKind.VIDEO
    assert sniff_kind(_touch(tmp_path / "named.mp4", pdf)) is SourceKind.DOCUMENT


def test_hash_is_the_start_of_sha256(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    path = _touch(tmp_path / "clip.mp4", content)
    assert content_hash(path) == hashlib.sha256(content).hexdigest()[:32]
    moved = tmp_path / "moved.mp4"
    os.rename(path, moved)
    assert content_hash(str(moved)) == hashlib.sha256(content).hexdigest()[:32]


@pytest.mark.parametrize("read", [content_hash, sniff_kind])
def test_vanished_and_unreadable_files_are_typed_errors(tmp_path: Path, read: object) -> None:
    assert callable(read)
    with pytest.raises(SourceError, match="no such file or folder"):
        read(str(tmp_path / "gone.mp4"))
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        read(str(tmp_path))
