"""A reader that searches while another process ingests: no error, never half a source."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pymupdf

from secondsight import Library
from tests.conftest import MANUAL, command

PAGES = (3, 4, 6)


def test_a_reader_sees_whole_sources_only(tmp_path: Path) -> None:
    files = []
    for page in PAGES:
        files.append(tmp_path / f"page{page}.pdf")
        with pymupdf.open(MANUAL) as manual:
            manual.select([page])
            manual.save(files[-1])
    directory = tmp_path / "library"
    library = Library.open(directory)
    writer = subprocess.Popen(
        command("ingest", "-L", directory, *files),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen: list[dict[str, int]] = []
    searches = 0
    while writer.poll() is None:
        held = library.status().moments_by_source
        hits = library.search("how is the tide gauge calibrated", k=50).hits
        assert {hit.source.id for hit in hits} <= set(library.status().moments_by_source)
        seen += [held] if held not in seen else []
        searches += 1
        time.sleep(0.05)  # the processes of ingest run at a lower priority and need their turn
    assert writer.returncode == 0
    whole = library.status().moments_by_source
    assert len(whole) == len(files)
    assert all(held == {source: whole[source] for source in held} for held in seen)
    assert searches > 10
    assert len(seen) >= 3, "the reader should have seen the library grow"
