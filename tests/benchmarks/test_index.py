"""Indexes that are kept are those of the same system and the same data."""

from __future__ import annotations

from pathlib import Path

from benchmarks.index.data import key_of, write_synthetic
from benchmarks.index.systems import SYSTEMS


def test_every_index_has_a_folder_of_its_own() -> None:
    built = {(system.index, system.build) for system in SYSTEMS.values()}
    assert len({index for index, _ in built}) == len({build for _, build in built}) == len(built)
    assert SYSTEMS["two-level, fast"].index == SYSTEMS["two-level, thorough"].index


def test_the_key_of_data_is_that_of_its_moments(tmp_path: Path) -> None:
    sizes = [(24_000, 8, 0), (24_000, 8, 0), (24_000, 8, 1), (26_400, 8, 0), (24_000, 16, 0)]
    keys = []
    for number, (moments, dims, seed) in enumerate(sizes):
        write_synthetic(tmp_path / str(number), moments, dims, seed)
        keys.append(key_of(tmp_path / str(number)))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert keys[0].startswith("24000x8-")
