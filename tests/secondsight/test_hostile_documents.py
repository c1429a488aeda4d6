"""Locked and hostile documents through the command line: opened, noted, and nothing given away."""

# mypy: allow-untyped-calls

from __future__ import annotations

from pathlib import Path

import pymupdf

from tests.conftest import ingest_json, secondsight
from tests.media.broken_pdfs import CASES, WORDS

PASSWORD = "correct horse 7"


def test_a_hostile_page_is_noted_and_a_password_opens_without_being_kept(tmp_path: Path) -> None:
    library, bomb, locked = (tmp_path / name for name in ("library", "bomb.pdf", "locked.pdf"))
    bomb.write_bytes(CASES["nested_bomb"]())
    document = pymupdf.open()
    document.new_page().insert_text((72, 400), WORDS)
    document.save(locked, encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="o", user_pw=PASSWORD)
    passwords = tmp_path / "passwords.txt"
    passwords.write_text(f"wrong\n{PASSWORD}\n")
    config = tmp_path / "config.yaml"
    config.write_text("ingest:\n  documents:\n    page_limit_s: 1\n")
    options = [Path("--password-file"), passwords, Path("--config"), config]
    done = ingest_json(library, [bomb, locked, *options])
    noted, opened = done["sources"]
    assert noted["outcome"] == "added"
    assert noted["pages"] == 3
    assert noted["notes"] == ["page 2 could not be read: no end after 1 s"]
    assert opened["outcome"] == "added"
    assert "no end after 1 s" in secondsight("status", "-L", library).stdout
    kept = [path for path in library.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]


def test_a_password_file_that_is_not_there_ends_the_run_at_once(tmp_path: Path) -> None:
    done = secondsight(
        *("ingest", "-L", tmp_path / "library", tmp_path),
        *("--password-file", tmp_path / "gone.txt"),
        check=False,
    )
    assert done.returncode == 2
    assert "gone.txt: No such file" in done.stderr
