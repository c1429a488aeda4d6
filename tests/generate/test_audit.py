"""The audit log: whole lines, from several processes, bounded, and forgetful."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from generate.answer import answer
from generate.audit import (
    AUDIT_NAME,
    LOG_NAME,
    append_line,
    audit_line,
    forget_in_audit,
    prompt_sha256,
    read_lines,
)
from generate.prompt import ClipPart, Prompt, TextPart, Turn
from generate.settings import AuditSettings, GenerateSettings
from index.embedders import Embedder
from index.errors import LibraryError, SettingsError
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings

SETTINGS = AuditSettings()
MANY = """
import sys
from pathlib import Path
from generate.audit import append_line
from generate.settings import AuditSettings
for number in range(40):
    line = {"who": sys.argv[2], "number": number, "text": "x" * 500}
    append_line(Path(sys.argv[1]), line, AuditSettings(file_bytes=20_000, files=100))
"""


def test_several_processes_write_whole_lines(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", MANY, str(tmp_path), str(who)]) for who in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = list(read_lines(tmp_path))
    assert sorted((line["who"], line["number"]) for line in lines) == sorted(
        (str(who), number) for who in range(3) for number in range(40)
    )
    sizes = [log.stat().st_size for log in (tmp_path / AUDIT_NAME).glob("*.jsonl")]
    assert len(sizes) > 2
    assert max(sizes) <= 20_000


def test_the_oldest_file_goes(tmp_path: Path) -> None:
    settings = AuditSettings(file_bytes=100, files=3)
    for number in range(10):
        append_line(tmp_path, {"number": number, "text": "x" * 60}, settings)
    assert [line["number"] for line in read_lines(tmp_path)] == [7, 8, 9]


def test_a_line_that_a_crash_cut_off_hurts_no_other(tmp_path: Path) -> None:
    append_line(tmp_path, {"number": 1}, SETTINGS)
    log = tmp_path / AUDIT_NAME / LOG_NAME
    with log.open("ab") as stream:
        stream.write(b'{"number": 2, "te')
    append_line(tmp_path, {"number": 3}, SETTINGS)
    assert [line["number"] for line in read_lines(tmp_path)] == [1, 3]


def test_it_is_for_the_owner_alone(tmp_path: Path) -> None:
    append_line(tmp_path, {"number": 1}, SETTINGS)
    for path in (tmp_path / AUDIT_NAME, tmp_path / AUDIT_NAME / LOG_NAME):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_switched_off_it_writes_nothing(tmp_path: Path) -> None:
    append_line(tmp_path, {"number": 1}, replace(SETTINGS, enabled=False))
    assert list(tmp_path.iterdir()) == []
    assert list(read_lines(tmp_path)) == []


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"generate\.audit\.files"):
        AuditSettings(files=0)


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / AUDIT_NAME).write_text("a file where the folder should be")
    with pytest.raises(LibraryError, match="audit"):
        append_line(tmp_path, {"number": 1}, SETTINGS)


def test_a_line_tells_what_was_asked_read_and_said(
    tmp_path: Path, archive: Snapshot, embedder: Embedder
) -> None:
    question = "When were hives lost to frost?"
    given = answer(
        question,
        archive,
        embedder,
        filters=Filters(),
        retrieve=RetrieveSettings(),
        settings=GenerateSettings(),
    )
    append_line(tmp_path, audit_line(given, frozenset({"staff"})), SETTINGS)
    (line,) = read_lines(tmp_path)
    assert (line["question"], line["found"], line["backend"]) == (question, True, "extractive")
    assert (line["permissions"], line["prompt_sha256"]) == (["staff"], None)
    assert line["answer"] == given.text
    assert [one["id"] for one in line["evidence"]] == [piece.id for piece in given.evidence]
    assert line["sentences"][0]["verdict"] == "supported"
    assert (
        line["sentences"][0]["citations"][0]["evidence"] == given.sentences[0].citations[0].evidence
    )
    assert line["at"].endswith("+00:00")
    told = json.dumps(line)
    unread = set(archive.sources) - {piece.source.id for piece in given.evidence}
    assert not any(source in told for source in unread)


def test_what_is_forgotten_leaves_it(tmp_path: Path) -> None:
    settings = AuditSettings(file_bytes=200, files=9)
    for number, source in enumerate(("aaaa", "bbbb", "aaaa", "bbbb")):
        line = {"number": number, "evidence": [{"source_id": source}], "text": "x" * 90}
        append_line(tmp_path, line, settings)
    append_line(tmp_path, {"number": 4, "question": 'what does "tälk".mp4 say?'}, settings)
    forget_in_audit(tmp_path, "aaaa", '"tälk".mp4')
    assert [line["number"] for line in read_lines(tmp_path)] == [1, 3]
    forget_in_audit(tmp_path / "nowhere", "aaaa", "talk.mp4")
    assert not (tmp_path / "nowhere").exists()


def prompt(text: str, second: int, load: Callable[[], list[Image.Image]] = list) -> Prompt:
    clip = ClipPart("E1", (Fraction(second),), 32, 64, load)
    return Prompt("Answer.", (Turn("user", (TextPart(text), clip)),))


def test_a_prompt_is_known_by_its_hash() -> None:
    own = prompt_sha256(prompt("What?", 3))
    assert len(own) == 64
    assert own == prompt_sha256(prompt("What?", 3, lambda: []))
    assert own != prompt_sha256(prompt("Who?", 3))
    assert own != prompt_sha256(prompt("What?", 4))
