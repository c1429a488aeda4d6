"""Readers in other processes while a writer commits, compacts and forgets without a pause."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
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
GIVES_UP_S = 120.0
WRITES_EVERY_S = 0.2
NUM_STATES_AT_LEAST = 8
READER = (
    "from pathlib import Path; from tests.index.test_many_readers import read_on; "
    "read_on(Path({library!r}), Path({progress!r}))"
)


def test_readers_see_whole_states_while_shards_come_and_go(library: Path, tmp_path: Path) -> None:
    add_video(library, 1)
    progress = [tmp_path / f"reader-{number}" for number in range(NUM_READERS)]
    readers = []
    for path in progress:
        path.touch()
        script = READER.format(library=str(library), progress=str(path))
        readers.append(subprocess.Popen([sys.executable, "-c", script], cwd=ROOT))
    rules = CompactionSettings(shards_per_merge=3)
    started, number = time.monotonic(), 2
    try:
        while not _enough(progress, time.monotonic() - started):
            add_video(library, number)
            if number % 3 == 0:
                compact(library, rules)
            if number % 4 == 0:
                forget_source(library, source_id(number - 2))
            if number % 5 == 0:
                purge_source(library, source_id(number - 1))
            number += 1
            time.sleep(WRITES_EVERY_S)
            assert [reader.poll() for reader in readers] == [None] * NUM_READERS
    finally:
        for path in progress:
            path.unlink()
        codes = [reader.wait(GIVES_UP_S) for reader in readers]
    assert codes == [0] * NUM_READERS
    assert len(read_manifest(library).shards) < number // 2


def _enough(progress: list[Path], after_s: float) -> bool:
    assert after_s < GIVES_UP_S
    states = [path.stat().st_size for path in progress]
    return after_s > LASTS_S and min(states) >= NUM_STATES_AT_LEAST


def read_on(library: Path, progress: Path) -> None:
    """Open state after state and read all of each; a byte in a file for each, until it is gone."""
    generations: set[int] = set()
    held: Snapshot | None = None
    snapshot: Snapshot | None = None
    while progress.exists():
        # Now and then from nothing; and one is held for long while its shards are removed.
        snapshot = Snapshot.open(library, snapshot if len(generations) % 3 else None)
        _read_everything(snapshot)
        if snapshot.generation not in generations:
            generations.add(snapshot.generation)
            with suppress(FileNotFoundError), progress.open("r+b") as stream:
                stream.write(b"." * len(generations))
        held = snapshot if held is None or len(generations) % 10 == 0 else held
        _read_everything(held)


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
