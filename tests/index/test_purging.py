"""Sources whose bytes leave shards that they share with others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.compaction import compact
from index.errors import LibraryError
from index.forgetting import forget_source, purge_source
from index.manifest import read_manifest
from index.settings import CompactionSettings
from index.snapshot import Snapshot
from index.two_level import ShardVectors
from tests.index.build import add_video, source_id
from tests.index.test_compaction import PAIRS


def secrets_of(library: Path, number: int, word: str) -> dict[str, bytes]:
    """What only this source has brought into the library's files."""
    snapshot = Snapshot.open(library)
    moment = snapshot.source_range(source_id(number))[5]
    owner = next(s for s in snapshot.manifest.shards if source_id(number) in s.sources)
    vectors = ShardVectors(library / "shards" / owner.id)
    place = 12 * owner.sources.index(source_id(number))
    assert vectors.lists is not None
    assert snapshot.picture(moment - 1) == b"\xff\xd8picture" + word.encode()
    return {
        "picture": b"picture" + word.encode(),
        "code": vectors.lists.stored(np.array([place + 5])).tobytes(),
        "segment vector": vectors.segments[place // 4 + 1].tobytes(),
        "word": word.encode(),
        "source": source_id(number).encode(),
        "name": f"video-{number}.mp4".encode(),
    }


def held(library: Path, secrets: dict[str, bytes]) -> set[str]:
    content = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
    return {name for name, secret in secrets.items() if secret in content}


@pytest.mark.parametrize("forgotten_before", [False, True])
def test_purged_means_gone_from_a_merged_shard(library: Path, forgotten_before: bool) -> None:
    for number, word in ((1, "word"), (2, "zyzzyva"), (3, "word")):
        add_video(library, number, word=word)
    compact(library, PAIRS)
    secrets = secrets_of(library, 2, "zyzzyva")
    assert held(library, secrets) == set(secrets)
    reader = Snapshot.open(library)
    if forgotten_before:
        forget_source(library, source_id(2))
        # Unfindable, but its bytes are still in the shard it shares.
        assert {"picture", "code", "segment vector"} <= held(library, secrets)
        assert len(Snapshot.open(library).search_words("zyzzyva", 9)[0]) == 0
    manifest = purge_source(library, source_id(2))
    assert held(library, secrets) == set()
    assert manifest == read_manifest(library)
    snapshot = Snapshot.open(library)
    assert snapshot.source_ids == [source_id(1), source_id(3)]
    assert (snapshot.num_moments, len(snapshot.search_words("word", 99)[0])) == (24, 24)
    assert snapshot.picture(12) == b"\xff\xd8pictureword"
    # A reader that had it open keeps it whole.
    assert reader.search_words("zyzzyva", 1)[0].tolist() == [12]
    assert reader.picture(12) == b"\xff\xd8picturezyzzyva"
    with pytest.raises(LibraryError, match="secondsight status"):
        purge_source(library, source_id(2))


def test_compaction_drops_the_bytes_of_the_forgotten(library: Path) -> None:
    for number, word in ((1, "word"), (2, "zyzzyva"), (3, "word")):
        add_video(library, number, word=word)
    compact(library, PAIRS)
    secrets = secrets_of(library, 2, "zyzzyva")
    forget_source(library, source_id(2))
    assert compact(library, CompactionSettings()).merges == 1
    assert held(library, secrets) == set()
