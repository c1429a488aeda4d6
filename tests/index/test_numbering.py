"""Numbers as stored and as seen."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.numbering import Numbering, runs_of

sizes = st.tuples(st.integers(0, 3), st.integers(0, 5))


@given(st.lists(st.tuples(sizes, st.booleans()), max_size=12))
def test_both_numberings_name_the_same_things(sources: list[tuple[tuple[int, int], bool]]) -> None:
    runs = runs_of([size for size, _ in sources], [kept for _, kept in sources])
    expected = [
        (number, keep) for number, ((_, moments), keep) in enumerate(sources) for _ in [0] * moments
    ]
    kept = [place for place, (_, keep) in enumerate(expected) if keep]
    assert [place for run in runs for place in run.moments] == kept
    assert [source for run in runs for source in run.sources] == [
        number for number, (_, keep) in enumerate(sources) if keep
    ]
    numbering = Numbering([run.moments for run in runs], len(expected))
    seen = np.arange(len(kept))
    assert numbering.num_seen == len(kept)
    assert numbering.is_whole == all(keep for _, keep in expected)
    assert numbering.stored(seen).tolist() == kept
    assert numbering.seen(np.array(kept, dtype=np.int64)).tolist() == seen.tolist()
    assert numbering.kept(np.arange(len(expected))).tolist() == kept
    for place in range(len(expected) + 1):
        assert numbering.kept_before(place) == sum(one < place for one in kept)
    allowed = seen % 2 == 0
    mask = numbering.mask(allowed)
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == kept[::2]
    everything = numbering.mask(None)
    assert everything is None or np.flatnonzero(everything).tolist() == kept
    assert (everything is None) == numbering.is_whole
