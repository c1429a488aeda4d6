"""Workers that need more memory than there is: Ray ends them, as the kernel would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import SourceError
from ingest.cluster import ATTEMPTS, Cluster
from ingest.settings import WorkSettings
from tests.ingest.test_cluster import deaths, shout

HEADROOM_BYTES = 3_000_000_000
"""What a worker, and whatever else runs meanwhile, may take before Ray calls it too much."""
GULP_BYTES = 100_000_000
MOST_GULPS = 80


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A Ray that takes the machine for full as soon as HEADROOM_BYTES more are in use than now."""
    from ray._common.utils import get_system_memory
    from ray._private.utils import get_used_memory

    used_bytes = get_used_memory()  # type: ignore[no-untyped-call]
    threshold = (used_bytes + HEADROOM_BYTES) / get_system_memory()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_memory_usage_threshold", f"{threshold:.4f}")
        environment.setenv("RAY_memory_monitor_refresh_ms", "50")
        with Cluster(WorkSettings(cpus=1), []) as running:
            yield running


def eat(notes: Path) -> str:
    """Take more memory than there is, in gulps that are written to."""
    with notes.open("a") as file:
        file.write(f"{os.getpid()}\n")
    eaten = [bytes([number + 1]) * GULP_BYTES for number in range(MOST_GULPS)]
    return f"ate {len(eaten)} gulps"


def test_a_piece_that_runs_out_of_memory_is_done_again_and_then_fails_with_the_reason(
    cluster: Cluster, tmp_path: Path
) -> None:
    notes = tmp_path / "deaths"
    eating = cluster.submit(eat, notes)
    with pytest.raises(SourceError) as caught:
        cluster.result(eating, path="a.mp4", stage="frames")
    assert caught.value.reason == f"its worker ran out of memory {ATTEMPTS} times in frames"
    assert (caught.value.path, caught.value.stage) == ("a.mp4", "frames")
    # One that dies before it notes it was killed for what others of this machine took.
    assert 1 < deaths(notes) <= ATTEMPTS
    after = cluster.submit(shout, "on")
    assert cluster.result(after, path="b.mp4", stage="frames") == "ON"
