"""Damaged files through the whole of ingest: a fixed few; benchmarks/fuzz runs thousands."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fuzz.__main__ import run_cases, slowest_of, told
from tests.media.mutations import mutate

CASES = 10


def test_damaged_files_leave_no_wrong_entry(tmp_path: Path) -> None:
    report, wrong = run_cases(tmp_path, range(CASES))
    assert wrong == []
    assert len(report.sources) == CASES
    outcomes = {source.outcome for source in report.sources}
    assert outcomes == {"added", "failed"}  # Some damage is survived, some is not.
    slowest = slowest_of(report.sources)
    assert slowest.took_s == max(source.took_s for source in report.sources)
    assert told(slowest).startswith(f"{Path(slowest.path).name}, {slowest.outcome} after ")


@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_a_seed_says_what_is_damaged(content: bytes, seed: int) -> None:
    assert mutate(content, seed) == mutate(content, seed)
