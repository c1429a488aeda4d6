"""Slides and talk: when which page of a document is on the screen of a video.

The pictures of a talk (its frame moments, each standing until the picture changes) are compared
with the pages of a document by their words and by their looks; the likeliest way through the pages
then gives the spans, whose borders are those of the pictures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.catalog import MOMENT_KINDS
from index.records import MomentKind, PageOnScreen, SourceKind, Span
from index.snapshot import Snapshot, StoredText
from index.words import words_of
from ingest.slide_path import likeliest_pages
from ingest.slide_pictures import PagePictures, Place, decode_small
from ingest.slide_words import PageWords, runs_of, sureness

_TEXT_SLOPE, _TEXT_MIDDLE, _TEXT_LIMITS = 20.0, 0.2, (-3.0, 6.0)
_LOOK_SLOPE, _LOOK_MIDDLE, _LOOK_LIMITS = 20.0, 0.65, (-2.0, 6.0)
"""Evidence is slope * (likeness - middle) within limits, in natural logarithms. Looks count little
against a page: the picture may be zoomed, words then still tell."""
_SURE_TEXT = 0.4
"""From this likeness on, words alone tell the page of a picture."""
_SAMPLED_SURE, _SAMPLED_UNSURE, _SAMPLED_PAGES = 24, 12, 200
"""Pictures on which it is found out where the pages stand; fewer whose page is not known where
each is compared with more pages than this."""
_WORD_PAIRS_SHARE, _WORD_PAIRS_LEAST = 0.1, 8
"""A video and a document are compared closely when they share this many pairs of words."""
_CLEAR_TIME_SHARE, _CLEAR_PAGES_SHARE = 0.2, 0.5
"""A pair that nobody named is linked when a page stands on the screen for this share of the time
that text does, or this share of the pages do."""

SCREEN_KINDS = (MomentKind.SCREEN_TEXT,)
"""What is written on the pictures of a talk, and below, on the pages of a document."""
PAGE_KINDS = (MomentKind.PASSAGE, MomentKind.FIGURE)

Scores = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinkedPair:
    """A talk and its slides."""

    video_id: str
    document_id: str
    links: tuple[PageOnScreen, ...]
    """By time; empty when no page was recognised."""


@dataclass(frozen=True, slots=True)
class _Talk:
    source_id: str
    spans: tuple[Span, ...]
    """When each picture stands, in order."""
    moments: tuple[int, ...]
    """Global ids of the pictures."""
    runs: tuple[frozenset[str], ...]
    """What is written on each picture."""


@dataclass(frozen=True, slots=True)
class _Deck:
    source_id: str
    words: PageWords
    picture_moments: tuple[int | None, ...]
    """Global id of the picture of each page."""


def link_pair(snapshot: Snapshot, video_id: str, document_id: str) -> LinkedPair:
    """Link a video with a document, however few of its pages are recognised.

    Raises KeyError when the snapshot does not hold one of them, LibraryError when it cannot be
    read. Memory: the words of both, a small picture of every page, and 4 bytes for each picture of
    the video with each page.
    """
    return _linked(snapshot, _read_talk(snapshot, video_id), _read_deck(snapshot, document_id))


def link_if_clear(snapshot: Snapshot, video_id: str, document_id: str) -> LinkedPair | None:
    """Link a video with a document if they clearly belong together, as `link_all` does.

    Raises as `link_pair`.
    """
    talk, deck = _read_talk(snapshot, video_id), _read_deck(snapshot, document_id)
    pair = _linked(snapshot, talk, deck)
    return pair if _is_clear(talk, len(deck.picture_moments), pair.links) else None


def link_all(snapshot: Snapshot) -> list[LinkedPair]:
    """Link all videos and documents that clearly belong together, by what is written on both.

    Pairs without common words are passed over. Raises LibraryError when the library cannot be
    read. Memory: 8 bytes for each pair of neighbouring words on the screens of all videos, and
    what one pair needs.
    """
    by_kind: defaultdict[SourceKind, list[str]] = defaultdict(list)
    for source_id, source in snapshot.sources.items():
        by_kind[source.kind].append(source_id)
    if not by_kind[SourceKind.DOCUMENT]:
        return []
    screens = [
        (source_id, word_pairs(snapshot, source_id, SCREEN_KINDS))
        for source_id in by_kind[SourceKind.VIDEO]
    ]
    found = []
    for document_id in by_kind[SourceKind.DOCUMENT]:
        written = word_pairs(snapshot, document_id, PAGE_KINDS)
        alike = [video_id for video_id, screen in screens if share_words(screen, written)]
        deck = _read_deck(snapshot, document_id) if alike else None
        for video_id in alike:
            assert deck is not None
            talk = _read_talk(snapshot, video_id)
            pair = _linked(snapshot, talk, deck)
            if _is_clear(talk, len(deck.picture_moments), pair.links):
                found.append(pair)
    return found


def share_words(first: Hashes, second: Hashes) -> int:
    """How many pairs of words two sources share; 0 when too few to belong together."""
    shared = len(np.intersect1d(first, second, assume_unique=True))
    fewer = min(len(first), len(second))
    return shared if shared >= max(_WORD_PAIRS_LEAST, _WORD_PAIRS_SHARE * fewer) else 0


def _is_clear(talk: _Talk, pages: int, links: Sequence[PageOnScreen]) -> bool:
    with_text = (span for span, runs in zip(talk.spans, talk.runs, strict=True) if runs)
    text_time = sum((span.duration for span in with_text), Fraction(0))
    time = sum((link.span.duration for link in links), Fraction(0))
    shown = len({link.page for link in links})
    return bool(links) and (
        time >= _CLEAR_TIME_SHARE * float(text_time) or shown >= _CLEAR_PAGES_SHARE * pages
    )


def _linked(snapshot: Snapshot, talk: _Talk, deck: _Deck) -> LinkedPair:
    if not talk.spans or not deck.picture_moments:
        return LinkedPair(talk.source_id, deck.source_id, ())
    evidence = _evidence(snapshot, talk, deck)
    candidates = np.flatnonzero(evidence.max(axis=0) > 0)
    shown = likeliest_pages(evidence[:, candidates].astype(np.float64), candidates + 1)
    sure = [
        0.0 if page is None else float(1 / (1 + np.exp(-evidence[number, page - 1])))
        for number, page in enumerate(shown)
    ]
    links = [
        PageOnScreen(deck.source_id, page, talk.source_id, span, score)
        for page, span, score in _stretches(shown, talk.spans, sure)
    ]
    return LinkedPair(talk.source_id, deck.source_id, tuple(links))


def _stretches(
    shown: Sequence[int | None], spans: Sequence[Span], sure: Sequence[float]
) -> Iterable[tuple[int, Span, float]]:
    """Neighbouring pictures of one page as one: the page, when, and how surely on average."""
    starts = [0]
    for number, (before, after) in enumerate(pairwise(range(len(shown))), start=1):
        if shown[before] != shown[after] or spans[before].end != spans[after].start:
            starts.append(number)
    for first, last in pairwise([*starts, len(shown)]):
        page = shown[first]
        if page is not None:
            lengths = [float(span.duration) for span in spans[first:last]]
            score = float(np.average(sure[first:last], weights=lengths))
            yield page, Span(spans[first].start, spans[last - 1].end), min(1.0, score)


def _evidence(snapshot: Snapshot, talk: _Talk, deck: _Deck) -> npt.NDArray[np.float32]:
    """(pictures, pages): how much likelier a picture is with the page than without any, as log."""
    alike: dict[frozenset[str], Scores] = {}
    for runs in talk.runs:
        if runs not in alike:
            alike[runs] = deck.words.likeness(runs)
    best = [alike[runs] for runs in talk.runs]
    pages = PagePictures(
        [None if moment is None else _picture(snapshot, moment) for moment in deck.picture_moments]
    )
    places = _find_places(snapshot, talk, pages, best)
    rows = []
    for moment, runs, text in zip(talk.moments, talk.runs, best, strict=True):
        weight = np.maximum(deck.words.sureness, sureness(runs))
        row = weight * np.clip(_TEXT_SLOPE * (text - _TEXT_MIDDLE), *_TEXT_LIMITS)
        picture = _picture(snapshot, moment) if places else None
        if picture is not None:
            look = _LOOK_SLOPE * (pages.likeness(picture, places) - _LOOK_MIDDLE)
            row = row + np.where(pages.has_picture, np.clip(look, *_LOOK_LIMITS), 0.0)
        rows.append(row.astype(np.float32))
    return np.stack(rows)


def _find_places(
    snapshot: Snapshot, talk: _Talk, pages: PagePictures, text: Sequence[Scores]
) -> tuple[Place, ...]:
    """Where pages stand in the pictures, found on a sample of them."""
    sure = [number for number, scores in enumerate(text) if scores.max() >= _SURE_TEXT]
    unsure = [number for number, scores in enumerate(text) if scores.max() < _SURE_TEXT]
    known: list[tuple[int, int | None]] = [
        (number, int(text[number].argmax())) for number in _spread(sure, _SAMPLED_SURE)
    ]
    affordable = _SAMPLED_UNSURE * _SAMPLED_PAGES // max(_SAMPLED_PAGES, len(pages.has_picture))
    known += [(number, None) for number in _spread(unsure, max(2, affordable))]
    shown = [(_picture(snapshot, talk.moments[number]), page) for number, page in known]
    seen = [(picture, page) for picture, page in shown if picture is not None]
    return pages.find_places([picture for picture, _ in seen], [page for _, page in seen])


def _spread(numbers: Sequence[int], count: int) -> list[int]:
    """At most `count` of the numbers, evenly spread."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[place * len(numbers) // count] for place in range(count)]


def _picture(snapshot: Snapshot, moment_id: int) -> Image.Image | None:
    jpeg = snapshot.picture(moment_id)
    return None if jpeg is None else decode_small(jpeg)


def _read_talk(snapshot: Snapshot, source_id: str) -> _Talk:
    frames = [
        (one.moment.span, one.id) for one in of_kinds(snapshot, source_id, (MomentKind.FRAME,))
    ]
    frames.sort()
    spans = [span for span, _ in frames]
    starts = [span.start for span in spans]
    texts: list[list[str]] = [[] for _ in frames]
    for one in of_kinds(snapshot, source_id, SCREEN_KINDS):
        span = one.moment.span
        for number in range(bisect_left(starts, span.start), bisect_left(starts, span.end)):
            texts[number].append(one.moment.text)
    held = {text: runs_of(text) for text in {"\n".join(own) for own in texts}}
    return _Talk(
        source_id=source_id,
        spans=tuple(spans),
        moments=tuple(moment for _, moment in frames),
        runs=tuple(held["\n".join(own)] for own in texts),
    )


def _read_deck(snapshot: Snapshot, source_id: str) -> _Deck:
    pages = snapshot.sources[source_id].pages or 0
    texts: defaultdict[int, list[str]] = defaultdict(list)
    pictures: dict[int, int] = {}
    for one in of_kinds(snapshot, source_id, (*PAGE_KINDS, MomentKind.PAGE)):
        page = one.moment.area.page
        if one.moment.kind is MomentKind.PAGE:
            pictures[page] = one.id
        else:
            texts[page].append(one.moment.text)
    joined = ["\n".join(texts[page]) for page in range(1, pages + 1)]
    return _Deck(
        source_id=source_id,
        words=PageWords([runs_of(text) for text in joined]),
        picture_moments=tuple(pictures.get(page) for page in range(1, pages + 1)),
    )


def of_kinds(snapshot: Snapshot, source_id: str, kinds: Sequence[MomentKind]) -> list[StoredText]:
    """The moments of some kinds of a source, in order."""
    moments = snapshot.source_range(source_id)
    numbers = [MOMENT_KINDS.index(kind) for kind in kinds]
    held = np.isin(snapshot.columns.kind[moments.start : moments.stop], numbers)
    return snapshot.texts(np.flatnonzero(held) + moments.start)


def word_pairs(snapshot: Snapshot, source_id: str, kinds: Sequence[MomentKind]) -> Hashes:
    """Hashes of all pairs of neighbouring words, each once, in order."""
    texts = (one.moment.text for one in of_kinds(snapshot, source_id, kinds))
    lines = (words_of(line) for text in texts for line in text.splitlines())
    return np.array(sorted({hash(pair) for words in lines for pair in pairwise(words)}), np.int64)
