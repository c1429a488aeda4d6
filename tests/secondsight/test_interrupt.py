"""Ctrl-C: the run ends at once, nothing is recorded as failed, and the next run goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pymupdf

from secondsight import Library
from tests.conftest import MANUAL

PAGES = 60
"""So many scanned pages take a minute or more to read."""
ENDS_WITHIN_S = 15.0
RUN = """
import signal
from secondsight.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background jobs ignore it
main()
"""


def _scanned(path: Path) -> Path:
    with pymupdf.open(MANUAL) as manual, pymupdf.open() as scan:
        for number in range(PAGES):
            page = manual[number % len(manual)]
            picture = page.get_pixmap(dpi=100)
            scan.new_page(width=page.rect.width, height=page.rect.height).insert_image(
                page.rect, pixmap=picture
            )
        scan.save(path)
    return path


def test_an_interrupted_run_ends_at_once_and_blames_no_file(tmp_path: Path) -> None:
    library, scan = tmp_path / "library", _scanned(tmp_path / "scan.pdf")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "ingest", "-L", str(library), str(scan)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr as lines:
        assert any("screen_text" in line for line in lines)
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = lines.read()
    assert process.wait(timeout=120) != 0
    assert time.monotonic() - interrupted < ENDS_WITHIN_S
    assert "Traceback" not in rest
    status = Library.open(library, create=False).status()
    assert (status.sources, status.failures) == ((), ())
    assert list((library / "staging").iterdir()) == []
