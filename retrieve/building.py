"""Found moments become hits: merged to places, duplicates grouped, each with all that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from index.records import MomentKind, MomentWords, PageArea, Span, Word
from retrieve.confidence import COMPARED, Signals, confidence, signals_of
from retrieve.grouping import Distinct, distinct_places
from retrieve.headline import headline
from retrieve.hits import Duplicate, Hit, PlacedLink, Reason
from retrieve.merging import Group, merged
from retrieve.places import place_of_text, span_of_words, spoken_parts, telling_run, words_within
from retrieve.telling import sentences_of, word_weights
from retrieve.thumbnails import shown_by

if TYPE_CHECKING:
    from index.snapshot import Snapshot
    from retrieve.hits import Candidate
    from retrieve.settings import RetrieveSettings

WORDS_SHOWN = 300


def build_hits(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    question: str,
    *,
    k: int,
    settings: RetrieveSettings,
    apart: bool = False,
) -> tuple[Hit, ...]:
    """At most k hits, best first, one a place; equal scores in the order of the library.

    `question` may be empty, when it was asked by a picture. `apart`: duplicates are hits of their
    own, for those who count them or relate them in time. Raises LibraryError when the library
    cannot be read.
    """
    groups = merged(candidates, question, settings)
    count = max(k, COMPARED)
    places = (
        [Distinct(group) for group in groups[:count]]
        if apart
        else distinct_places(groups, snapshot, settings, k=count)
    )
    weights = word_weights(question, snapshot) if question.strip() else {}
    leaders = [place.leader for place in places]
    signals = signals_of(leaders, question, weights, settings.confidence)
    words = _words(snapshot, leaders[:k])
    return tuple(
        _hit(
            snapshot,
            place.leader,
            place.duplicates,
            words,
            rank=rank,
            signals=signals[rank - 1],
            settings=settings,
            weights=weights,
        )
        for rank, place in enumerate(places[:k], start=1)
    )


def _words(snapshot: Snapshot, groups: Sequence[Group]) -> dict[int, MomentWords]:
    """The words, boxes and links of the moments that make up these places, by id."""
    ids = sorted({one.stored.id for group in groups for one in group.joined})
    return dict(zip(ids, snapshot.words_of(ids), strict=True))


def _hit(
    snapshot: Snapshot,
    group: Group,
    duplicates: Sequence[Group],
    words_of: Mapping[int, MomentWords],
    *,
    rank: int,
    signals: Signals,
    settings: RetrieveSettings,
    weights: Mapping[str, float],
) -> Hit:
    stored = group.anchor.stored
    moment, own = stored.moment, words_of[stored.id]
    place, text, words = _tightened(group, words_of, weights)
    at_s = place.start_s if isinstance(place, Span) else None
    return Hit(
        rank=rank,
        score=group.score,
        source=stored.source,
        place=place,
        text=text,
        reasons=tuple(
            Reason(one.stored.moment.kind, one.score, one.stored.moment.text, one.stored.id)
            for one in group.members
        ),
        moment_id=stored.id,
        ordinal=stored.ordinal,
        segment=stored.segment,
        links=tuple(
            PlacedLink(link, own.word_boxes.boxes_of(link.start, link.end))
            for link in own.hyperlinks
        ),
        headline=headline(
            moment.kind,
            text,
            heading=moment.heading,
            segment_title=snapshot.segment(stored.segment).title,
            weights=weights,
        ),
        words=words[:WORDS_SHOWN],
        thumbnail=shown_by(snapshot, stored.source.id, stored.ordinal, at_s=at_s),
        confidence=confidence(signals, settings.confidence),
        signals=signals,
        duplicates=tuple(_duplicate(other) for other in duplicates[: settings.duplicates_shown]),
    )


def _tightened(
    group: Group, words_of: Mapping[int, MomentWords], weights: Mapping[str, float]
) -> tuple[Span | PageArea, str, tuple[Word, ...]]:
    """Place, text and words: where whole sentences of it answer, the place of these.

    The text of a passage stays whole, only its boxes are those of the sentences.
    """
    moment, text, own = group.moment, group.text(), words_of[group.anchor.stored.id]
    if isinstance(moment.place, PageArea):
        run = telling_run(text, sentences_of(text), weights)
        if run is None:
            return moment.place, text, ()
        return (
            place_of_text(moment.place, text, run, words=(), word_boxes=own.word_boxes),
            text,
            (),
        )
    if len(group.joined) > 1 or moment.kind is not MomentKind.UTTERANCE:
        words = tuple(word for one in group.in_time() for word in words_of[one.stored.id].words)
        return group.span(), text, words
    run = telling_run(text, spoken_parts(text, own.words), weights)
    heard = () if run is None else words_within(text, own.words, run)
    if run is None or not heard:
        return moment.place, text, own.words
    return span_of_words(heard), text[slice(*run)], heard


def _duplicate(group: Group) -> Duplicate:
    stored = group.anchor.stored
    place = group.moment.place if isinstance(group.moment.place, PageArea) else group.span()
    return Duplicate(stored.source, place, group.score, stored.id, stored.ordinal)
