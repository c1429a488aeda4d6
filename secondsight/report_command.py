"""`secondsight report`: the report of the latest run, written to files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from index.errors import QuestionError
from index.files import disk_error
from secondsight.library import Library
from secondsight.report_page import render
from secondsight.run_report import read_report, report_json


def write_report(library: Library, files: Sequence[Path], *, sources: Sequence[str]) -> None:
    """Write the report to each file: `.html` a page, `.json` data.

    `sources` are the ids or file names of those to draw on the page; none: those of the run.
    Raises QuestionError for another suffix or an unknown source, LibraryError when there is no
    run to report or a file cannot be written.
    """
    for file in files:
        if file.suffix not in (".html", ".json"):
            raise QuestionError(f"{file}: a report is a page (.html) or data (.json)")
    report, snapshot = read_report(library.directory), library.snapshot()
    drawn = [library.source(name).id for name in sources]
    for file in files:
        if file.suffix == ".html":
            text = render(report, snapshot, drawn=drawn)
        else:
            text = json.dumps(report_json(report, snapshot), ensure_ascii=False, indent=2) + "\n"
        try:
            file.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise disk_error(file, "write", error) from error
