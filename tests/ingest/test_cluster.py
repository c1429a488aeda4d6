"""Workers that die or hang: their call is retried or ended, and calls of others go on."""

from __future__ import annotations

import gc
import os
import platform
import resource
import signal
import time
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from index.errors import SourceError
from ingest.calls import timed
from ingest.cluster import ATTEMPTS, Cluster, Pending, Pool
from ingest.settings import WorkSettings

LIMIT_S = 6.0


def deaths(notes: Path) -> int:
    """How many workers noted that they were about to die."""
    return len(notes.read_text().splitlines()) if notes.exists() else 0


def die(notes: Path, times: int, number: signal.Signals) -> str:
    """Kill the process that runs this, unless it has happened `times` times."""
    if deaths(notes) >= times:
        return "alive"
    with notes.open("a") as file:
        file.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), number)
    time.sleep(60)
    return "not killed"


def hang(notes: Path) -> None:
    notes.write_text(str(os.getpid()))
    time.sleep(600)


def spin(notes: Path) -> int:
    """Hang inside one instruction that never lets go of the interpreter's lock."""
    notes.write_text(str(os.getpid()))
    return sum(range(10**15))


def shout(text: str) -> str:
    return text.upper()


class Listener:
    """Stands in a pool, as a model would."""

    def __init__(self, built: Path) -> None:
        with built.open("a") as file:
            file.write(f"{os.getpid()}\n")

    def die(self, notes: Path, times: int) -> str:
        return die(notes, times, signal.SIGKILL)

    def hang(self, notes: Path) -> None:
        hang(notes)

    def niceness(self) -> int:
        return os.nice(0)

    def alone(self, text: str) -> tuple[str]:
        return (text,)

    def fine(self, text: str) -> str:
        time.sleep(0.2)
        return text.upper()


def page_faults_of_freeing() -> int:
    """Pages that the system hands out while the same 20 MB are asked for and freed ten times."""
    np.ones(2_500_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2_500_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Process ids of the pool's workers, in the order of their starts."""
    return tmp_path_factory.mktemp("pool") / "built"


@pytest.fixture(scope="module")
def cluster(built: Path) -> Iterator[Cluster]:
    settings = WorkSettings(cpus=2, piece_limit_s=LIMIT_S)
    with Cluster(settings, [Pool("speech", partial(Listener, built), 1, niceness=2)]) as running:
        yield running


def result(cluster: Cluster, pending: Pending[str]) -> str:
    return cluster.result(pending, path="a.mp4", stage="frames")


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda n: n.name)
def test_a_piece_whose_worker_dies_is_done_again(
    cluster: Cluster, tmp_path: Path, number: signal.Signals
) -> None:
    notes = tmp_path / "deaths"
    times = ATTEMPTS - 1
    needs = cluster.submit(shout, cluster.submit(die, notes, times, number))
    assert result(cluster, needs) == "ALIVE"
    assert deaths(notes) == times


def test_a_piece_that_keeps_killing_its_worker_fails_with_the_reason(
    cluster: Cluster, tmp_path: Path
) -> None:
    notes = tmp_path / "deaths"
    killer = cluster.submit(die, notes, 99, signal.SIGKILL)
    needs = cluster.submit(shout, killer)
    with pytest.raises(SourceError) as caught:
        result(cluster, killer)
    assert caught.value.reason == f"its worker crashed or was killed {ATTEMPTS} times in frames"
    assert (caught.value.path, caught.value.stage) == ("a.mp4", "frames")
    assert deaths(notes) == ATTEMPTS
    with pytest.raises(SourceError, match="crashed or was killed"):
        result(cluster, needs)
    assert result(cluster, cluster.submit(shout, "on")) == "ON"


def test_a_pool_may_stand_back(cluster: Cluster) -> None:
    others = cluster.submit(os.nice, 0)
    standing_back = cluster.submit_to("speech", "niceness")
    path, stage = "a.mp4", "speech"
    others_niceness = cluster.result(others, path=path, stage=stage)
    assert cluster.result(standing_back, path=path, stage=stage) == min(others_niceness + 2, 19)


def test_calls_that_wait_for_a_pool_worker_outlive_one_that_kills_it(
    cluster: Cluster, built: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "deaths"
    first = cluster.submit_to("speech", "fine", "first")
    killer = cluster.submit_to("speech", "die", notes, 99)
    others = [cluster.submit_to("speech", "fine", f"other {n}") for n in range(4)]
    spoken = [result(cluster, pending) for pending in (first, *others)]
    assert spoken == ["FIRST", "OTHER 0", "OTHER 1", "OTHER 2", "OTHER 3"]
    with pytest.raises(SourceError, match=f"killed {ATTEMPTS} times"):
        result(cluster, killer)
    assert deaths(notes) == ATTEMPTS
    assert set(notes.read_text().split()) <= set(built.read_text().split())


@pytest.mark.parametrize("function", [hang, spin])
def test_a_piece_that_hangs_is_ended_at_the_limit(
    cluster: Cluster, tmp_path: Path, function: object
) -> None:
    notes = tmp_path / "pid"
    started = time.monotonic()
    pending: Pending[str] = cluster.submit(function, notes)  # type: ignore[arg-type]
    other = cluster.submit(shout, "meanwhile")
    assert result(cluster, other) == "MEANWHILE"
    with pytest.raises(SourceError, match=r"no end after 6 s in frames .*piece_limit_s"):
        result(cluster, pending)
    assert LIMIT_S <= time.monotonic() - started < LIMIT_S + 5
    gone_by = time.monotonic() + 10
    while is_alive(int(notes.read_text())) and time.monotonic() < gone_by:
        time.sleep(0.1)
    assert not is_alive(int(notes.read_text()))


def test_a_hanging_call_of_a_pool_is_ended_and_the_next_is_answered(
    cluster: Cluster, tmp_path: Path
) -> None:
    notes = tmp_path / "pid"
    pending = cluster.submit_to("speech", "hang", notes)
    after = cluster.submit_to("speech", "fine", "after")
    with pytest.raises(SourceError, match="no end after 6 s"):
        result(cluster, pending)
    assert result(cluster, after) == "AFTER"
    assert not is_alive(int(notes.read_text()))


def test_work_on_a_whole_source_may_take_as_long_as_its_pieces(cluster: Cluster) -> None:
    pending = cluster.submit(time.sleep, LIMIT_S + 1, shares=2)
    assert cluster.seconds(pending, path="a.mp4", stage="speech") > LIMIT_S


def test_work_that_is_dropped_is_not_begun(cluster: Cluster, tmp_path: Path) -> None:
    busy = [cluster.submit(time.sleep, 1.5) for _ in range(2)]
    dropped = cluster.submit(die, tmp_path / "never", 1, signal.SIGKILL)
    dropped.drop()
    needs = cluster.submit(shout, dropped)
    for pending in busy:
        cluster.seconds(pending, path="a.mp4", stage="frames")
    assert needs.done.cancelled()
    assert deaths(tmp_path / "never") == 0


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def told_together(greeting: str, none: list[str], words: list[str]) -> str:
    return " ".join([greeting, *none, *words])


def test_parts_of_a_value_are_passed_on_by_themselves_and_joined_again(cluster: Cluster) -> None:
    left, right = cluster.split(2, halves, "tidegauge")
    loud = cluster.submit_to("speech", "fine", right)
    both = cluster.submit(told_together, cluster.submit(shout, "a"), [], [left, "wet", loud])
    assert result(cluster, left) == "tide"
    assert result(cluster, both) == "A tide wet GAUGE"
    (whole,) = cluster.split_by("speech", 1, "alone", "x")
    assert result(cluster, whole) == "x"


def test_what_a_call_leaves_in_a_cycle_is_freed() -> None:
    class Knot:
        itself: object

    left: list[weakref.ref[Knot]] = []

    def leave() -> None:
        knot = Knot()
        knot.itself = knot
        left.append(weakref.ref(knot))

    gc.disable()  # As in a process that sleeps.
    try:
        timed(leave, (), False)
        assert left[0]() is None
    finally:
        gc.enable()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators do as they like")
def test_workers_keep_the_memory_that_they_free(cluster: Cluster) -> None:
    pending = cluster.submit(page_faults_of_freeing)
    assert cluster.result(pending, path="", stage="") < 5_000
