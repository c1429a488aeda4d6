"""What stands right after a quote, or right before it: the next sentences, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from generate.evidence import Evidence, evidence_of
from generate.sentences import Sentence, split_evidence
from index.records import MomentKind, Span
from retrieve.filters import allowed_moments
from retrieve.neighbours import TOLERANCE_S, moments_beside

if TYPE_CHECKING:
    from generate.conversation import Beside, Cited
    from index.snapshot import Snapshot
    from retrieve.filters import Filters

_MOMENTS = 8


def evidence_beside(beside: Beside, snapshot: Snapshot, filters: Filters) -> tuple[Evidence, ...]:
    """The moments with words next to a place, as evidence; none where it may not be read."""
    cited = beside.cited
    ids = moments_beside(
        snapshot,
        cited.source_id,
        cited.place,
        beside.side,
        allowed_moments(snapshot, filters),
        count=_MOMENTS,
    )
    return evidence_of({int(moment_id): 1 for moment_id in ids}, snapshot)


def sentences_beside(beside: Beside, evidence: Sequence[Evidence], count: int) -> list[Sentence]:
    """At most `count` sentences next to a quote, in order."""
    sentences = [one for piece in evidence for one in _quotable(piece)]
    place = beside.cited.place
    if isinstance(place, Span):
        sentences = [one for one in sentences if _is_beside(one, place, beside)]
    else:
        sentences = _beside_quote(sentences, beside.cited, beside)
    return sentences[:count] if beside.side == "after" else sentences[-count:]


def _quotable(piece: Evidence) -> list[Sentence]:
    split = split_evidence(piece)
    # Of a screen the whole, which comes last, says all of its lines.
    return split[-1:] if piece.kind is MomentKind.SCREEN_TEXT else split


def _is_beside(sentence: Sentence, place: Span, beside: Beside) -> bool:
    assert isinstance(sentence.place, Span)
    if beside.side == "after":
        return sentence.place.start_s >= place.end_s - TOLERANCE_S
    return sentence.place.end_s <= place.start_s + TOLERANCE_S


def _beside_quote(sentences: list[Sentence], cited: Cited, beside: Beside) -> list[Sentence]:
    """Of a document: what follows the sentences that the quote holds, or goes before them."""
    held = [
        number
        for number, one in enumerate(sentences)
        if cited.quote and (one.quote in cited.quote or cited.quote in one.quote)
    ]
    if not held:
        return sentences
    return sentences[held[-1] + 1 :] if beside.side == "after" else sentences[: held[0]]
