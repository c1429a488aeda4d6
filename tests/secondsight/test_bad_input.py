"""Files that cannot be read: one clear line each, listed with their reason, no harm to the rest."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import pymupdf
import pytest

from tests.clips import remux
from tests.conftest import MANUAL, TALK, ingest_json, secondsight


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind of bad file of the promise, by what is wrong with it."""
    folder = tmp_path_factory.mktemp("bad")
    files = {
        "truncated": folder / "truncated.mp4",
        "empty": folder / "empty.mp4",
        "text": folder / "notes.mp4",
        "missing": folder / "missing.mp4",
        "encrypted": folder / "encrypted.pdf",
        "no media": folder / "no_media",
    }
    whole = folder / "whole.mp4"
    remux(TALK, whole, index_first=False)
    files["truncated"].write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    files["empty"].touch()
    files["text"].write_text("These are notes, not a video.\n" * 50)
    with pymupdf.open(MANUAL) as manual:
        manual.select([3])
        manual.save(
            files["encrypted"],
            encryption=pymupdf.PDF_ENCRYPT_AES_256,
            owner_pw="owner",
            user_pw="user",
        )
    files["no media"].mkdir()
    (files["no media"] / "readme.log").write_text("nothing to see")
    return files


@pytest.fixture(scope="module")
def good_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("good") / "extract.pdf"
    with pymupdf.open(MANUAL) as manual:
        manual.select([3, 4])
        manual.save(file)
    return file


REASONS = {
    "truncated": "incomplete MP4",
    "empty": "is empty",
    "text": "is not a media file",
    "missing": "no such file|does not exist|not found",
    "encrypted": "is encrypted",
    "no media": "no video, audio or document in it",
}


def test_bad_files_are_told_listed_and_disturb_nothing_until_they_are_mended(
    bad_files: dict[str, Path], good_file: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    done = secondsight("ingest", "-L", library, *bad_files.values(), good_file, check=False)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("failed")]
    assert len(lines) == len(bad_files)
    status = json.loads(secondsight("status", "--json", "-L", library).stdout)
    failures = {failure["path"]: failure["reason"] for failure in status["failures"]}
    assert set(failures) == {os.path.abspath(path) for path in bad_files.values()}
    for what, path in bad_files.items():
        (line,) = [line for line in lines if str(path) in line]
        assert failures[str(path)] in line
        assert any(part in failures[str(path)].lower() for part in REASONS[what].lower().split("|"))
    (source,) = status["sources"]
    assert source["name"] == good_file.name
    assert source["moments"] > 0

    mended = bad_files["encrypted"]
    with pymupdf.open(MANUAL) as manual:
        manual.select([5])
        manual.save(mended)
    assert ingest_json(library, [mended])["sources"][0]["outcome"] == "added"
    status = json.loads(secondsight("status", "--json", "-L", library).stdout)
    assert {failure["path"] for failure in status["failures"]} == failures.keys() - {str(mended)}


def test_a_video_cut_off_behind_its_index_is_read_as_far_as_it_goes(tmp_path: Path) -> None:

    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    remux(TALK, whole, index_first=True)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 15])
    library = tmp_path / "library"
    (source,) = ingest_json(library, [cut])["sources"]
    assert source["outcome"] == "added"
    assert source["moments"] > 0
    (note,) = [note for note in source["notes"] if note.startswith("pictures end at 00:00:")]
    assert note in secondsight("status", "-L", library).stdout


def test_a_track_that_cannot_be_decoded_costs_only_itself(tmp_path: Path) -> None:
    for spoiled in ("audio", "video"):
        remux(TALK, tmp_path / f"{spoiled}.mp4", until=Fraction(12), spoiled=spoiled)
    remux(tmp_path / "audio.mp4", tmp_path / "both.mp4", spoiled="video")
    library = tmp_path / "library"
    files = [tmp_path / f"{name}.mp4" for name in ("audio", "video", "both")]
    report = ingest_json(library, files, check=False)
    no_sound, no_picture, nothing = report["sources"]
    assert (no_sound["outcome"], no_sound["notes"]) == (
        "added",
        ["its sound track cannot be decoded"],
    )
    assert no_picture["outcome"] == "added"
    assert "none of its pictures can be decoded" in no_picture["notes"]
    assert no_sound["moments"] > 0
    assert no_picture["moments"] > 0
    assert (nothing["outcome"], nothing["reason"]) == (
        "failed",
        "none of its pictures can be decoded",
    )
