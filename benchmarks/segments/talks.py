"""Talks without pictures whose topics are known: sections of real PDFs, read out one by one.

Nothing but the meaning tells where a section begins: every sentence is spoken at one speed, and the
pauses between sections are drawn like those between sentences.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from benchmarks.ingest.slides import spoken_sentences
from index.records import Moment, MomentKind, Span
from ingest.mupdf.opening import probe_document
from ingest.mupdf.reading import read_pages
from ingest.passages import HEADING_SEPARATOR, document_moments
from ingest.settings import DocumentSettings

DOCUMENTS = (
    "c++-annotations/cplusplus.pdf",
    "why3-doc-pdf/manual.pdf",
    "R-admin.pdf",
    "R-data.pdf",
    "R-exts.pdf",
    "R-intro.pdf",
)
PACKAGES = ("c++-annotations-pdf", "why3-doc-pdf", "r-doc-pdf")
"""Debian packages with these documents."""
PAGES = 240
"""Read of each document, from its beginning."""
_WORD_S = Fraction(2, 5)
_PAUSES_MS = (300, 700)


@dataclass(frozen=True, slots=True)
class Section:
    """What one section of a document says that can be read out."""

    document: str
    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """Utterances on the clock, and the instants at which another section begins."""

    utterances: tuple[Moment, ...]
    turns: tuple[Fraction, ...]
    duration: Fraction


def read_sections(document: Path) -> list[Section]:
    """Sections in their order, those that say something."""
    settings = DocumentSettings()
    path = str(document)
    info = probe_document(path)
    pages = read_pages(path, info, 1, min(PAGES, info.pages), settings, pictures=False)
    moments = document_moments(info, pages, settings)
    passages = [moment for moment in moments if moment.kind is MomentKind.PASSAGE]
    sections = []
    for heading, group in groupby(passages, key=lambda moment: moment.heading):
        sentences = tuple(s for moment in group for s in spoken_sentences(moment.text))
        if sentences:
            sections.append(Section(document.name, heading, sentences))
    return sections


def mixed_talk(
    documents: Sequence[Sequence[Section]],
    seed: int,
    *,
    count: int,
    length_s: tuple[float, float],
    depth: int,
) -> Talk:
    """Sections drawn from all documents, neighbours never of the same one.

    Args:
        documents: sections of each document.
        seed: the same seed gives the same talk.
        count: how many sections are said.
        length_s: a section is said to its first sentence end behind a length drawn from here;
            shorter ones are not taken.
        depth: how many levels of headings make a section; what is below belongs to it.
    """
    draw = random.Random(seed)
    taken: list[tuple[str, ...]] = []
    last = -1
    used: set[str] = set()
    pools = [_long_enough(_merged(sections, depth), length_s[1]) for sections in documents]
    while len(taken) < count:
        choice = draw.choice([n for n, pool in enumerate(pools) if n != last and pool])
        section = draw.choice(pools[choice])
        if section.heading in used:
            continue
        used.add(section.heading)
        last = choice
        taken.append(_first_of(section, draw.uniform(*length_s)))
    return _spoken(taken, draw)


def consecutive_talk(
    sections: Sequence[Section],
    seed: int,
    *,
    count: int,
    length_s: tuple[float, float],
    depth: int,
) -> Talk:
    """Sections of one document in their order, from a place drawn; arguments as in `mixed_talk`."""
    draw = random.Random(seed)
    pool = _long_enough(_merged(sections, depth), length_s[1])
    first = draw.randrange(len(pool) - count + 1)
    taken = [_first_of(s, draw.uniform(*length_s)) for s in pool[first : first + count]]
    return _spoken(taken, draw)


def _merged(sections: Sequence[Section], depth: int) -> list[Section]:
    def top(section: Section) -> str:
        return HEADING_SEPARATOR.join(section.heading.split(HEADING_SEPARATOR)[:depth])

    return [
        Section(section[0].document, heading, tuple(s for part in section for s in part.sentences))
        for heading, group in groupby(sections, key=top)
        for section in [list(group)]
    ]


def _long_enough(sections: Sequence[Section], least_s: float) -> list[Section]:
    return [section for section in sections if sum(map(_spoken_s, section.sentences)) >= least_s]


def _spoken_s(sentence: str) -> Fraction:
    return len(sentence.split()) * _WORD_S + Fraction(sum(_PAUSES_MS), 2000)


def _first_of(section: Section, length_s: float) -> tuple[str, ...]:
    said: list[str] = []
    for sentence in section.sentences:
        if sum(map(_spoken_s, said)) >= length_s:
            break
        said.append(sentence)
    return tuple(said)


def _spoken(sections: Sequence[Sequence[str]], draw: random.Random) -> Talk:
    at, utterances, turns = Fraction(0), [], []
    for section in sections:
        turns.append(at)
        for sentence in section:
            end = at + len(sentence.split()) * _WORD_S
            utterances.append(Moment(MomentKind.UTTERANCE, Span(at, end), sentence))
            at = end + Fraction(draw.randint(*_PAUSES_MS), 1000)
    return Talk(tuple(utterances), tuple(turns[1:]), at)
