"""Every candidate ends up in one group, and groups are in order whatever the candidates' order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from index.records import MomentKind
from index.snapshot import Snapshot
from retrieve.grouping import distinct_places
from retrieve.hits import Candidate
from retrieve.merging import merged
from retrieve.settings import RetrieveSettings
from tests.retrieve.places import AGAIN, TALK, candidate

SETTINGS = RetrieveSettings()
TEXTS = (
    "The pump must be filled with water before the first start.",
    "The pump must be filled with water before the first start!",
    "The pump must not be filled with water before the first start.",
    "Press the green key for 2 seconds and wait.",
    "Press the green key for 5 seconds and wait.",
    "Storm surge\nLowest pressure: 961 hPa",
)


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    kinds = st.sampled_from((MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT))
    return [
        candidate(
            number,
            draw(st.sampled_from(TEXTS)),
            draw(st.sampled_from((0.25, 0.5, 1.0))),
            at_s=draw(st.integers(0, 12)),
            kind=draw(kinds),
            source=draw(st.sampled_from((TALK, AGAIN))),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


@given(candidates=candidate_lists(), order=st.randoms())
def test_every_candidate_is_in_one_group_whatever_their_order(
    archive: Snapshot, candidates: list[Candidate], order: object
) -> None:
    groups = merged(candidates, "green key", SETTINGS)
    held = Counter(one.stored.id for group in groups for one in (*group.joined, *group.supports))
    assert held == Counter(one.stored.id for one in candidates)
    assert all(one.score >= other.score for one, other in pairwise(groups))
    shuffled = list(candidates)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    again = merged(shuffled, "green key", SETTINGS)
    assert [group.anchor for group in again] == [group.anchor for group in groups]
    places = distinct_places(groups, archive, SETTINGS, k=len(groups))
    kept = [group for place in places for group in (place.leader, *place.duplicates)]
    assert Counter(map(id, kept)) == Counter(map(id, groups))
    for place in places:
        assert all(place.leader.score >= other.score for other in place.duplicates)
    leaders = [place.leader for place in places]
    assert all(one.score >= other.score for one, other in pairwise(leaders))


def test_equal_scores_stand_in_the_order_of_the_library(archive: Snapshot) -> None:
    same = [candidate(number, TEXTS[0], 0.5) for number in (3, 1, 2)]
    (place,) = distinct_places(merged(same, "water", SETTINGS), archive, SETTINGS, k=9)
    assert place.leader.anchor.stored.id == 1
    assert [one.anchor.stored.id for one in place.duplicates] == [2, 3]
