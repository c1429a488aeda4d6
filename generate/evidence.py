"""Hits become evidence: what may be quoted, with an id for every piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.records import Moment, MomentKind, PageArea, Source, Span, Word
from index.word_boxes import WordBoxes
from retrieve.lists import TEXT_KINDS

if TYPE_CHECKING:
    from index.snapshot import Snapshot, StoredMoment
    from retrieve.hits import Hit

SEEN_KINDS = (MomentKind.FRAME, MomentKind.PAGE)
"""Kinds that are evidence by what is seen of them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One moment whose words may be quoted, or that can be seen."""

    id: str
    """ "E1", "E2", ... in the order of the list."""
    source: Source
    place: Span | PageArea
    kind: MomentKind
    text: str
    """As stored: quotes are looked up in it."""
    heading: str
    """Path of headings above it (documents)."""
    words: tuple[Word, ...]
    """Words with their times (utterances)."""
    word_boxes: WordBoxes
    """Where the words of the text are printed (passages and captions)."""
    moment_id: int
    hit_rank: int
    """Rank of the best hit that brought it."""


def collect_evidence(
    hits: Sequence[Hit],
    snapshot: Snapshot,
    *,
    with_pictures: bool = False,
    also: Sequence[int] = (),
) -> tuple[Evidence, ...]:
    """Turn hits into evidence: every moment with words once, grouped by source.

    Sources come in the order of their best hit; within a source, time or page order rules. Frames
    and pages as pictures are left out: their text is a guess or repeats what passages say. For who
    can see (`with_pictures`) they are evidence, too, frames without that guess. `also`: further
    moments, which rank after all hits.
    """
    rank_of: dict[int, int] = {}
    for hit in hits:
        for reason in hit.reasons:
            if with_pictures or reason.kind in TEXT_KINDS:
                rank_of.setdefault(reason.moment_id, hit.rank)
    for moment_id in also:
        rank_of.setdefault(moment_id, len(hits) + 1)
    return evidence_of(rank_of, snapshot)


def evidence_of(rank_of: Mapping[int, int], snapshot: Snapshot) -> tuple[Evidence, ...]:
    """Moments as evidence, ordered as `collect_evidence` does: id of each -> rank of its hit."""
    stored = [
        one
        for one in snapshot.moments(list(rank_of))
        if one.moment.kind in SEEN_KINDS or one.moment.text.strip()
    ]
    best_of_source: dict[str, int] = {}
    for one in stored:
        best = best_of_source.get(one.source.id, rank_of[one.id])
        best_of_source[one.source.id] = min(best, rank_of[one.id])
    stored.sort(
        key=lambda one: (
            best_of_source[one.source.id],
            one.source.id,
            _position(one.moment),
            one.id,
        )
    )
    return tuple(
        _evidence(one, f"E{number}", rank_of[one.id]) for number, one in enumerate(stored, start=1)
    )


def _position(moment: Moment) -> float:
    return float(moment.span.start) if isinstance(moment.place, Span) else moment.area.page


def _evidence(stored: StoredMoment, evidence_id: str, hit_rank: int) -> Evidence:
    moment = stored.moment
    return Evidence(
        id=evidence_id,
        source=stored.source,
        place=moment.place,
        kind=moment.kind,
        text="" if moment.kind is MomentKind.FRAME else moment.text,
        heading=moment.heading,
        words=moment.words,
        word_boxes=moment.word_boxes,
        moment_id=stored.id,
        hit_rank=hit_rank,
    )
