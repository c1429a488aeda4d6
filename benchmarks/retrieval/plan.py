"""What the archive is made of: talks, documents and clips, and which half each belongs to.

The halves have no document in common: what is tuned on one says nothing of the other by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.ingest.slides import find_unpacked

Split = Literal["dev", "test"]

PACKAGES = (
    "c++-annotations-pdf",
    "r-doc-pdf",
    "why3-doc-pdf",
    "lilypond-doc-pdf",
    "lilypond-doc-pdf-de",
    "lilypond-doc-pdf-fr",
)
"""Debian packages with the documents below."""


@dataclass(frozen=True, slots=True)
class TalkPlan:
    """A talk about one document, or a look back at other talks."""

    name: str
    split: Split
    document: str = ""
    """Where it ends up below the folder of the packages."""
    first_page: int = 1
    language: str = "en"
    pictures: tuple[str, ...] = ()
    """Photographs and clips shown in between; see `pictures.py`."""
    looks_back_at: tuple[str, ...] = ()
    """Talks whose scenes it shows and says again."""


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """A document of the archive. Those without a split are distractors."""

    document: str
    split: Split | None
    language: str = "en"


TALKS = (
    TalkPlan("classes_in_cpp", "dev", "cplusplus.pdf", 70, pictures=("cat", "bikes")),
    TalkPlan("the_r_language", "dev", "R-lang.pdf", 5, pictures=("flower",)),
    TalkPlan("first_steps_in_lilypond", "dev", "learning.pdf", 8, pictures=("bikes", "cat")),
    TalkPlan("statistics_with_r", "dev", "R-intro.pdf", 8, pictures=("flower",)),
    TalkPlan("running_lilypond", "dev", "usage.pdf", 1, pictures=("cat",)),
    TalkPlan("lilypond_fuer_einsteiger", "dev", "learning.de.pdf", 8, "de", ("bikes",)),
    TalkPlan("writing_r_extensions", "test", "R-exts.pdf", 8, pictures=("rocket", "bunny")),
    TalkPlan("proving_programs", "test", "why3-doc-pdf/manual.pdf", 9, pictures=("coffee",)),
    TalkPlan("musical_notation", "test", "notation.pdf", 20, pictures=("temple", "bunny")),
    TalkPlan("contributing_to_lilypond", "test", "contributor.pdf", 5, pictures=("rocket",)),
    TalkPlan("inside_r", "test", "R-ints.pdf", 5, pictures=("coffee",)),
    TalkPlan("notation_auf_deutsch", "test", "notation.de.pdf", 20, "de", ("temple",)),
    TalkPlan("review_of_spring", "dev", looks_back_at=("classes_in_cpp", "statistics_with_r")),
    TalkPlan("review_of_autumn", "test", looks_back_at=("writing_r_extensions", "inside_r")),
)

DOCUMENTS = (
    DocumentPlan("R-intro.pdf", "dev"),
    DocumentPlan("R-data.pdf", "dev"),
    DocumentPlan("extending.pdf", "dev"),
    DocumentPlan("essay.de.pdf", "dev", "de"),
    DocumentPlan("why3-doc-pdf/manual.pdf", "test"),
    DocumentPlan("R-admin.pdf", "test"),
    DocumentPlan("R-FAQ.pdf", "test"),
    DocumentPlan("usage.fr.pdf", "test", "fr"),
    DocumentPlan("music-glossary.pdf", None),
    DocumentPlan("essay.pdf", None),
)


def find_documents(folder: Path) -> dict[str, Path]:
    """Every document of the plans below `folder`, by its name in them; see `find_unpacked`."""
    names = [plan.document for plan in TALKS if plan.document]
    return find_unpacked(folder, [*names, *(plan.document for plan in DOCUMENTS)], PACKAGES)
