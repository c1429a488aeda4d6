"""Slides and talks that a run has added are linked with what the library holds.

Not every pair is tried: what stands on some pages of a new document is looked up among the texts on
screens, and the other way round; only the sources that hold most of it are compared by all their
words, as `linking.link_all` does, and then picture by picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from index.catalog import MOMENT_KINDS
from index.errors import LibraryError, SecondsightError
from index.publishing import commit_links
from index.records import MomentKind, SourceKind
from index.snapshot import Snapshot
from index.words import words_of
from ingest.linking import (
    PAGE_KINDS,
    SCREEN_KINDS,
    Hashes,
    LinkedPair,
    link_if_clear,
    of_kinds,
    share_words,
    word_pairs,
)
from ingest.report import Event, LinkOutcome

MOST_CANDIDATES = 16
"""A new source is compared by its words with at most this many others."""
MOST_COMPARED = 6
"""It is compared picture by picture with at most this many, those with most words in common."""
_LOOKUPS = 4
"""Each takes a fraction of a millisecond in every shard."""
_TEXTS_EACH = 6
"""Texts of a new source that one lookup is for; all of them are evenly spread over the source."""
_WORDS_EACH = 8
"""The longest words of a text."""
_FOUND_MOMENTS = 50
_KEPT_WORD_PAIRS = 256
"""Sources whose words are kept for the next comparison."""
_COMMIT_EVERY_S = 30.0

Tell = Callable[[Event], None]
Problems = list[str]


def link_new(
    library: Path, source_ids: Collection[str], tell: Tell
) -> tuple[tuple[LinkOutcome, ...], tuple[str, ...]]:
    """Link new sources; what was linked, and what went wrong, one line each.

    Trouble with a pair, or with all of it, ends nothing else. `source_ids` that the library does
    not hold (any more) are passed over.
    """
    problems: Problems = []
    outcomes: list[LinkOutcome] = []
    try:
        snapshot = Snapshot.open(library)
        waiting: list[LinkedPair] = []
        committed_at = time.monotonic()
        for pair in _new_pairs(snapshot, source_ids, tell, problems):
            waiting.append(pair)
            outcomes.append(_outcome(snapshot, pair))
            tell(Event(_path(snapshot, pair.document_id), "linked", reason=str(outcomes[-1])))
            if time.monotonic() - committed_at >= _COMMIT_EVERY_S:
                _commit(library, waiting)
                waiting, committed_at = [], time.monotonic()
        _commit(library, waiting)
    except (LibraryError, OSError) as error:
        problems.append(f"slides could not be linked: {error}; try: secondsight link")
    return tuple(outcomes), tuple(problems)


def _commit(library: Path, pairs: Sequence[LinkedPair]) -> None:
    if pairs:
        ids = {(pair.video_id, pair.document_id) for pair in pairs}
        commit_links(library, ids, [link for pair in pairs for link in pair.links])


def _new_pairs(
    snapshot: Snapshot, source_ids: Collection[str], tell: Tell, problems: Problems
) -> Iterator[LinkedPair]:
    """Pairs of which one is new and that clearly belong together."""
    if len({source.kind for source in snapshot.sources.values()}) < 2:
        return
    known = [source_id for source_id in snapshot.source_ids if source_id in source_ids]
    words = lru_cache(_KEPT_WORD_PAIRS)(partial(_words_to_compare, snapshot))
    tried: set[tuple[str, str]] = set()
    for number, source_id in enumerate(known):
        tell(Event(_path(snapshot, source_id), "linking", done=number, total=len(known)))
        is_video = snapshot.sources[source_id].kind is SourceKind.VIDEO
        alike: list[tuple[int, str]] = []
        for other in candidates(snapshot, source_id):
            if shared := share_words(words(source_id), words(other)):
                alike.append((shared, other))
        for _, other in sorted(alike, reverse=True)[:MOST_COMPARED]:
            pair_ids = (source_id, other) if is_video else (other, source_id)
            if pair_ids in tried:
                continue
            tried.add(pair_ids)
            try:
                pair = link_if_clear(snapshot, *pair_ids)
            except (SecondsightError, OSError, ValueError) as error:
                names = " and ".join(snapshot.sources[one].name for one in pair_ids)
                problems.append(f"{names} could not be linked: {error}")
                continue
            if pair is not None:
                yield pair


def candidates(snapshot: Snapshot, source_id: str) -> list[str]:
    """Sources of the other kind that may belong to one, those with most of its texts first.

    All of them where they are few; else those that lookups of some of its texts find.
    """
    kind = snapshot.sources[source_id].kind
    others = [one.id for one in snapshot.sources.values() if one.kind is not kind]
    if len(others) <= MOST_CANDIDATES:
        return others
    linked = [
        other
        for pair in snapshot.links.pairs
        if source_id in pair
        for other in pair
        if other != source_id
    ]
    return list(dict.fromkeys([*linked, *looked_up(snapshot, source_id)]))[:MOST_CANDIDATES]


def looked_up(snapshot: Snapshot, source_id: str) -> list[str]:
    """Sources of the other kind that hold words of a source's texts, those with most first."""
    is_video = snapshot.sources[source_id].kind is SourceKind.VIDEO
    own, theirs = (SCREEN_KINDS, PAGE_KINDS) if is_video else (PAGE_KINDS, SCREEN_KINDS)
    allowed = np.isin(snapshot.columns.kind, [MOMENT_KINDS.index(kind) for kind in theirs])
    best = np.zeros(len(snapshot.source_ids))
    for query in _queries(snapshot, source_id, own):
        found, scores = snapshot.search_words(query, _FOUND_MOMENTS, allowed=allowed)
        here = np.zeros_like(best)
        np.maximum.at(here, snapshot.columns.source_index[found], scores)
        best += here
    order = np.argsort(-best, kind="stable")
    return [snapshot.source_ids[number] for number in order.tolist() if best[number] > 0]


def _queries(snapshot: Snapshot, source_id: str, kinds: Sequence[MomentKind]) -> list[str]:
    moments = of_kinds(snapshot, source_id, kinds)
    texts = list(dict.fromkeys(one.moment.text for one in moments))
    count = min(_LOOKUPS * _TEXTS_EACH, len(texts))
    asked: list[list[str]] = [[] for _ in range(_LOOKUPS)]
    for number in range(count):
        words = dict.fromkeys(words_of(texts[number * len(texts) // count]))
        asked[number % _LOOKUPS] += sorted(words, key=len, reverse=True)[:_WORDS_EACH]
    return [" ".join(words) for words in asked if words]


def _words_to_compare(snapshot: Snapshot, source_id: str) -> Hashes:
    is_video = snapshot.sources[source_id].kind is SourceKind.VIDEO
    return word_pairs(snapshot, source_id, SCREEN_KINDS if is_video else PAGE_KINDS)


def _outcome(snapshot: Snapshot, pair: LinkedPair) -> LinkOutcome:
    return LinkOutcome(
        video_id=pair.video_id,
        video=snapshot.sources[pair.video_id].name,
        document_id=pair.document_id,
        document=snapshot.sources[pair.document_id].name,
        spans=len(pair.links),
        pages=len({link.page for link in pair.links}),
    )


def _path(snapshot: Snapshot, source_id: str) -> str:
    return next(iter(snapshot.paths(source_id)), snapshot.sources[source_id].name)
