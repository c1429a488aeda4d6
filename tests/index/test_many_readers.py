"""Readers in other processes while a writer commits, compacts and forgets without a pause."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from index.compaction import compact
from index.forgetting import forget_source, purge_source
from index.manifest import read_manifest
from index.settings import CompactionSettings
from index.snapshot import Snapshot
from tests.index.build import DIMS, add_video, source_id

ROOT = Path(__file__).parents[2]
NUM_READERS = 3
LASTS_S = 8.0
WRITES_EVERY_S = 0.2
NUM_STATES_AT_LEAST = 5
READER = (
    "from pathlib import Path; from tests.index.test_many_readers import read_until; "
    "read_until(Path({library!r}), {ends!r})"
)


def test_readers_see_whole_states_while_shards_come_and_go(library: Path) -> None:
    add_video(library, 1)
    ends = time.time() + LASTS_S
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER.format(library=str(library), ends=ends)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(NUM_READERS)
    ]
    rules = CompactionSettings(shards_per_merge=3)
    number = 2
    while time.time() < ends:
        add_video(library, number)
        if number % 3 == 0:
            compact(library, rules)
        if number % 4 == 0:
            forget_source(library, source_id(number - 2))
        if number % 5 == 0:
            purge_source(library, source_id(number - 1))
        number += 1
        time.sleep(WRITES_EVERY_S)
    counts = [int(reader.communicate(timeout=60)[0]) for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * NUM_READERS
    assert min(counts) >= NUM_STATES_AT_LEAST
    assert len(read_manifest(library).shards) < number // 2


def read_until(library: Path, ends: float) -> None:
    """Open state after state and read all of each; prints how many there were."""
    generations: set[int] = set()
    held: Snapshot | None = None
    snapshot: Snapshot | None = None
    while time.time() < ends:
        # Now and then from nothing; and one is held for long while its shards are removed.
        snapshot = Snapshot.open(library, snapshot if len(generations) % 3 else None)
        generations.add(snapshot.generation)
        _read_everything(snapshot)
        held = snapshot if held is None or len(generations) % 10 == 0 else held
        _read_everything(held)
    sys.stdout.write(str(len(generations)))


def _read_everything(snapshot: Snapshot) -> None:
    named = [source for shard in snapshot.manifest.shards for source in shard.sources]
    assert snapshot.source_ids == named
    assert snapshot.source_ids[0] == source_id(1)
    assert snapshot.num_moments == 12 * len(named)
    assert snapshot.num_segments == 3 * len(named)
    assert {row.source_id for row in snapshot.inventory()} == set(named)
    ids = range(snapshot.num_moments)
    for stored in snapshot.moments(ids):
        assert stored.moment.text.endswith(f"{int(stored.source.id, 16)} moment{stored.ordinal}")
        is_frame = stored.ordinal % 4 == 0
        assert snapshot.picture(stored.id) == (b"\xff\xd8pictureword" if is_frame else None)
    assert len(snapshot.search_words("word", len(ids))[0]) == len(ids)
    rows = snapshot.vectors(np.arange(len(ids)))
    assert rows.shape == (len(ids), DIMS)
    for mode in ("fast", "thorough"):
        found, _ = snapshot.search_vectors(rows[-1], len(ids), mode=mode)
        assert sorted(found.tolist()) == list(ids)
