"""Where everything is in the archive: each sentence said, shown or printed, each picture shown."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

import pymupdf

from benchmarks.ingest.slides import slides_of
from benchmarks.retrieval.media import Talk
from benchmarks.retrieval.plan import DOCUMENTS, Split
from index.words import STOP_WORDS, all_words, stem

Medium = Literal["said", "shown", "printed", "picture"]
SLIDES_READ = 60
"""Slides of each document, whose sentences are asked for; answers are looked for on all pages."""
_LETTERS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """One right answer: a span of a video or a page of a document."""

    source: str
    """File name."""
    medium: Medium
    start_s: float = 0.0
    end_s: float = 0.0
    page: int = 0
    """Counted from 1; 0 in videos."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and what it may be asked by."""

    text: str
    split: Split
    language: str
    is_said: bool
    is_shown: bool
    is_printed: bool
    stems: frozenset[str]
    """Of its words that carry meaning."""


@dataclass(slots=True)
class Truth:
    """All of it."""

    sentences: list[Sentence] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    _moments: list[tuple[str, Place]] = field(default_factory=list)
    _pages: list[tuple[str, Place]] = field(default_factory=list)
    _stems_of: dict[str, list[Sentence]] = field(default_factory=dict)

    def places_of(self, words: str) -> tuple[Place, ...]:
        """Where these words stand together, however they are spelled or spaced."""
        key = letters_of(words)
        return tuple(place for text, place in (*self._moments, *self._pages) if key in text)

    def with_stems(self, stems: Iterable[str]) -> list[Sentence]:
        """Sentences that hold all of these stems."""
        lists = [self._stems_of.get(one, []) for one in stems]
        shortest = min(lists, key=len)
        wanted = frozenset(stems)
        return [sentence for sentence in shortest if wanted <= sentence.stems]

    def frequency(self, one: str) -> int:
        """In how many sentences a stem occurs."""
        return len(self._stems_of.get(one, []))

    def pictures(self, name: str) -> tuple[Place, ...]:
        """When a photograph or clip is shown."""
        return tuple(
            Place(talk.path.name, "picture", scene.start_s, scene.end_s)
            for talk in self.talks
            for scene in talk.scenes
            if scene.picture == name
        )


def read_truth(
    talks: Sequence[Talk], documents: Mapping[str, Path], *, held: frozenset[str]
) -> Truth:
    """What is where, of the sources that the archive holds (file names)."""
    truth = Truth(talks=[talk for talk in talks if talk.path.name in held])
    rows: dict[str, Sentence] = {}
    for talk in truth.talks:
        for text, place in places_in(talk):
            truth._moments.append((letters_of(text), place))
            is_said = place.medium == "said"
            _note(rows, text, talk.split, talk.language, said=is_said, shown=not is_said)
    for plan in DOCUMENTS:
        path = documents[plan.document]
        if path.name not in held:
            continue
        truth._pages += [
            (text, Place(path.name, "printed", page=number))
            for number, text in enumerate(_page_letters(path), start=1)
        ]
        if plan.split is not None:
            accents = plan.language != "en"
            for slide in islice(slides_of(path, first_page=6, accents=accents), SLIDES_READ):
                for text in slide.sentences:
                    _note(rows, text, plan.split, plan.language, printed=True)
    truth.sentences = list(rows.values())
    by_stem: defaultdict[str, list[Sentence]] = defaultdict(list)
    for sentence in truth.sentences:
        for each in sentence.stems:
            by_stem[each].append(sentence)
    truth._stems_of = dict(by_stem)
    return truth


def places_in(talk: Talk) -> Iterator[tuple[str, Place]]:
    """Sentences of a talk with when they are said, and when they are on screen."""
    for scene in talk.scenes:
        for one in scene.said:
            yield one.text, Place(talk.path.name, "said", one.start_s, one.end_s)
        for text in scene.shown:
            yield text, Place(talk.path.name, "shown", scene.start_s, scene.end_s)


def _note(
    rows: dict[str, Sentence],
    text: str,
    split: Split,
    language: str,
    *,
    said: bool = False,
    shown: bool = False,
    printed: bool = False,
) -> None:
    old = rows.get(text)
    rows[text] = Sentence(
        text,
        old.split if old else split,
        old.language if old else language,
        said or (old is not None and old.is_said),
        shown or (old is not None and old.is_shown),
        printed or (old is not None and old.is_printed),
        stems_of(text),
    )


def stems_of(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning and have three letters or more."""
    words = {word for word in all_words(text) if word not in STOP_WORDS and len(word) > 2}
    return frozenset(stem(word) for word in words if word.isalpha())


def letters_of(text: str) -> str:
    """Letters and digits alone, lower case, without accents: the same for any way of printing."""
    plain = unicodedata.normalize("NFKD", text.replace("\u00ad", ""))
    return "".join(_LETTERS.findall(plain)).lower().replace("\u0308", "")


@cache
def _page_letters(path: Path) -> tuple[str, ...]:
    with pymupdf.open(path) as document:
        return tuple(letters_of(page.get_text()) for page in document)
