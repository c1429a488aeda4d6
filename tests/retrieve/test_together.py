"""What is said gains by what is on screen meanwhile, and nothing else does."""

from __future__ import annotations

import pytest

from index.catalog import MOMENT_KINDS
from index.records import MomentKind
from index.snapshot import Snapshot
from retrieve.together import add_shown


def _of_kind(archive: Snapshot, kind: MomentKind) -> list[int]:
    return [int(n) for n in (archive.columns.kind == MOMENT_KINDS.index(kind)).nonzero()[0]]


def test_only_what_is_said_meanwhile_gains(archive: Snapshot) -> None:
    columns = archive.columns
    slide = _of_kind(archive, MomentKind.SCREEN_TEXT)[1]
    said = _of_kind(archive, MomentKind.UTTERANCE)
    passage = _of_kind(archive, MomentKind.PASSAGE)[0]
    found = [(slide, 0.8), (passage, 0.5), *((one, 0.4) for one in said)]
    gained = dict(add_shown(found, columns, 0.5))
    assert len(gained) == len(found)
    assert gained[slide] == pytest.approx(0.8 / 1.5)
    assert gained[passage] == pytest.approx(0.5 / 1.5)
    meanwhile = {
        one
        for one in said
        if columns.source_index[one] == columns.source_index[slide]
        and columns.start_s[one] < columns.end_s[slide]
        and columns.end_s[one] > columns.start_s[slide]
    }
    assert 0 < len(meanwhile) < len(said)
    for one in said:
        assert gained[one] == pytest.approx((0.4 + 0.5 * 0.8 * (one in meanwhile)) / 1.5)


def test_nothing_found_stays_nothing_and_a_share_of_0_changes_nothing(archive: Snapshot) -> None:
    assert add_shown([], archive.columns, 0.3) == []
    found = [(5, 0.7), (2, 0.4), (9, 0.4)]
    assert add_shown(found, archive.columns, 0.0) == found
