"""The scores of segments are those of the papers; the talks are what they say they are."""

from __future__ import annotations

import pytest

from benchmarks.segments.scores import pk, window_diff, window_of
from benchmarks.segments.talks import Section, consecutive_talk, mixed_talk

TRUTH = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


def test_a_perfect_segmentation_scores_zero() -> None:
    assert window_of(TRUTH) == 2
    assert pk(TRUTH, TRUTH, 2) == window_diff(TRUTH, TRUTH, 2) == 0


def test_missed_moved_and_added_borders() -> None:
    missed = [0] * 11
    assert pk(TRUTH, missed, 2) == window_diff(TRUTH, missed, 2) == 4 / 10
    moved = [0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert pk(TRUTH, moved, 2) == window_diff(TRUTH, moved, 2) == 2 / 10
    # Pk does not see a second border beside a true one; WindowDiff was made for that.
    doubled = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]
    assert pk(TRUTH, doubled, 2) == 1 / 10
    assert window_diff(TRUTH, doubled, 2) == 2 / 10


def test_segmentations_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="3 borders found among 11"):
        pk(TRUTH, [0, 1, 0], 2)


def _document(name: str) -> list[Section]:
    return [
        Section(
            name, f"{name} {at}", tuple(f"{name} says {at} in sentence {n}." for n in range(20))
        )
        for at in range(6)
    ]


def test_turns_are_where_the_section_changes() -> None:
    documents = [_document(name) for name in "ABC"]
    for talk in (
        mixed_talk(documents, 1, count=5, length_s=(20, 40), depth=9),
        consecutive_talk(documents[0], 1, count=5, length_s=(20, 40), depth=9),
    ):
        section = [said.text.split(" in ")[0] for said in talk.utterances]
        changes = tuple(
            said.span.start
            for said, one, other in zip(talk.utterances[1:], section, section[1:], strict=False)
            if one != other
        )
        assert talk.turns == changes
        assert len(changes) == 4
        assert talk.duration >= talk.utterances[-1].span.end
