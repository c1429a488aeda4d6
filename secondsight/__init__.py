"""Secondsight: ask an archive of videos and documents; get the second or page that proves it.

from secondsight import Library

library = Library.open("archive/")
library.ingest(["lectures/", "manual.pdf"])
library.search("how do I reset the device")
library.ask("What did she say about margins in the second hour?")
"""

from generate.answer import Answer
from index.errors import SecondsightError
from index.records import Box, MomentKind, PageArea, Source, SourceKind, Span
from ingest.report import IngestReport
from retrieve.hits import Hit
from secondsight.library import Library

__all__ = [
    "Answer",
    "Box",
    "Hit",
    "IngestReport",
    "Library",
    "MomentKind",
    "PageArea",
    "SecondsightError",
    "Source",
    "SourceKind",
    "Span",
]
