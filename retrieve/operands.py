"""What an operand of the temporal algebra matches: hits of a search, as far as they are relevant.

A search ranks every moment, and with all of them any relation would hold. So an operand takes what
is clearly meant: texts that hold all of its words that carry meaning, in any form, or whose vector
is as much like it as `RetrieveSettings.operand_cosine` asks; pictures that are as much like it as
`alike_pictures_cosine` asks. An exact operand takes what holds it word by word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieve.building import build_hits
from retrieve.filters import Filters
from retrieve.fusion import RankedList, fuse
from retrieve.hits import Candidate, Hit
from retrieve.lists import PICTURE_KINDS, by_words, holding_phrases
from retrieve.query import Query
from retrieve.ranking import rank_by_text
from retrieve.words import share_within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.ranking import Mask
    from index.snapshot import Snapshot
    from retrieve.algebra import Operand
    from retrieve.settings import RetrieveSettings

_QUOTE_MARKS = str.maketrans(dict.fromkeys('"“”„«»「」『』＂', " "))


@dataclass(frozen=True, slots=True)
class Matches:
    """What an operand matches."""

    hits: tuple[Hit, ...]
    """Best first; all of them."""
    num_moments: int
    """Moments looked at."""
    complete: bool
    """False: there may be more than were looked at."""


def is_relevant(candidate: Candidate, text: str, settings: RetrieveSettings) -> bool:
    """Whether a moment is what a text asks for."""
    cosine = -1.0 if candidate.cosine is None else candidate.cosine
    moment = candidate.stored.moment
    if moment.kind in PICTURE_KINDS:
        return cosine >= settings.alike_pictures_cosine
    return cosine >= settings.operand_cosine or share_within(text, moment.text) == 1


def match_operand(
    snapshot: Snapshot,
    query: Query,
    vector: NDArray[np.float32],
    *,
    meant: str,
    filters: Filters,
    allowed: Mask | None,
    settings: RetrieveSettings,
) -> Matches:
    """All that an operand matches by meaning and words, of `operand_candidates` of each list.

    `query` asks for its text, `meant` is that without typos, and has the vector `vector` (d,).
    """
    count = settings.operand_candidates
    phrased = holding_phrases(snapshot, query, filters, allowed)
    ranking = rank_by_text(
        snapshot,
        query,
        vector,
        filters=filters,
        allowed=allowed if phrased is None else phrased,
        count=count,
        settings=settings,
    )
    candidates = ranking.candidates(snapshot, len(ranking.fused))
    relevant = [one for one in candidates if is_relevant(one, meant, settings)]
    known = {one.stored.id for one in relevant}
    ends = [
        moments[-1]
        for moments in (*(found.moment_ids for found in ranking.lists), ranking.words)
        if len(moments) == count
    ]
    return Matches(
        build_hits(snapshot, relevant, meant, k=len(relevant), settings=settings, apart=True),
        len(candidates),
        complete=known.isdisjoint(ends),
    )


def match_exactly(
    snapshot: Snapshot,
    operand: Operand,
    *,
    filters: Filters,
    allowed: Mask | None,
    settings: RetrieveSettings,
) -> Matches:
    """The best `operand_candidates` texts that hold the words of an operand together, in order."""
    count = settings.operand_candidates
    phrase = Query(f'"{operand.text.translate(_QUOTE_MARKS)}"', phrases="require", typos="none")
    ids = by_words(snapshot, phrase, filters, allowed, count).moment_ids
    scored = fuse([RankedList(ids, 1.0)], rank_constant=settings.rank_constant)
    stored = snapshot.texts(ids)
    candidates = [
        Candidate(one, score, None) for one, (_, score) in zip(stored, scored, strict=True)
    ]
    hits = build_hits(
        snapshot, candidates, operand.text, k=len(candidates), settings=settings, apart=True
    )
    return Matches(hits, len(candidates), complete=len(ids) < count)
