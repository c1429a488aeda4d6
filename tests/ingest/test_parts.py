"""Where parts begin follows from their content alone."""

from __future__ import annotations

from itertools import chain
from math import ceil
from operator import itemgetter

from hypothesis import given
from hypothesis import strategies as st

from ingest.parts import in_parts


@given(
    shot_starts=st.lists(st.booleans(), max_size=90),
    number=st.integers(1, 12),
    least=st.integers(1, 20),
)
def test_parts_hold_everything_once_and_few_are_small(
    shot_starts: list[bool], number: int, least: int
) -> None:
    items = tuple(enumerate(shot_starts))
    parts = in_parts(items, number, least=least, begins=itemgetter(1))
    assert len(parts) == number
    assert tuple(chain.from_iterable(parts)) == items
    filled = [part for part in parts if part]
    assert parts[: len(filled)] == tuple(filled)
    size = least * max(1, ceil(len(items) / (number * least)))
    assert all(size / 2 < len(part) <= 1.5 * size for part in filled[:-1])
    for part in filled[1:]:
        first = part[0][0]
        nominal = first - first % size
        assert not any(shot_starts[nominal:first]), "an earlier one was as good"
        assert first == nominal or shot_starts[first]


@given(count=st.integers(0, 500), number=st.integers(1, 12))
def test_windows_are_heard_in_whole_batches(count: int, number: int) -> None:
    parts = in_parts(tuple(range(count)), number, least=4)
    filled = [len(part) for part in parts if part]
    assert sum(filled) == count
    assert all(length % 4 == 0 for length in filled[:-1])
    assert len(set(filled[:-1])) <= 1


def test_a_part_begins_where_the_content_is_cut() -> None:
    shot_starts = [at in (0, 3, 11, 12, 27) for at in range(30)]
    items = tuple(enumerate(shot_starts))
    parts = in_parts(items, 5, least=10, begins=itemgetter(1))
    # Nothing begins near the 20th.
    assert [part[0][0] for part in parts if part] == [0, 11, 20]
