"""Items that hang, eat memory or crash cost themselves and nothing else."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from index.errors import SourceError
from ingest.isolation import Done, Limits, Lost, end_idle, isolated

OBEYING = "tests.ingest.hostile.obeying"
LIMITS = Limits(time_s=1.0, memory_bytes=200_000_000)


def outcomes(*items: str, greeting: str = "hello", limits: Limits = LIMITS) -> list[object]:
    """The value of each item, or its reason behind a minus."""
    found = isolated(OBEYING, (greeting,), items, limits)
    return [each.value if isinstance(each, Done) else f"- {each.reason}" for each in found]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("sleep", "no end after 1 s"),
        ("hold", "no end after 1 s"),
        ("crash", "its reader crashed (SIGSEGV)"),
        ("exit", "its reader ended with code 3"),
        ("eat", "it needs more memory than the limit"),
        ("refuse", "is no page"),
        ("stumble", "KeyError: 'Kids'"),
        ("descend", "it is nested too deeply"),
    ],
)
def test_a_hostile_item_is_lost_with_its_reason_and_the_next_is_read(
    item: str, reason: str
) -> None:
    started = time.monotonic()
    assert outcomes("one", item, "two") == ["hello one", f"- {reason}", "hello two"]
    assert time.monotonic() - started < 30


def test_nothing_but_records_comes_back_from_a_child() -> None:
    (outcome,) = outcomes("foreign")
    assert str(outcome).startswith("- ")


def test_a_session_that_is_refused_is_an_error_and_one_that_hangs_loses_all() -> None:
    with pytest.raises(SourceError, match=r"a\.pdf: is refused"):
        outcomes("one", greeting="refuse")
    started = time.monotonic()
    assert outcomes("one", "two", greeting="hang") == ["- no end after 1 s"] * 2
    assert outcomes("one", greeting="crash") == ["- its reader crashed (SIGSEGV)"]
    assert time.monotonic() - started < 30


def test_after_some_items_without_end_the_rest_is_not_tried() -> None:
    short = Limits(time_s=0.2, memory_bytes=200_000_000)
    assert outcomes(*["sleep"] * 3, "four", limits=short) == [
        *["- no end after 0.2 s"] * 3,
        "- not tried: 3 before it had no end",
    ]


def test_a_child_is_used_again_and_replaced_when_it_was_killed() -> None:
    (first,), (second,) = outcomes("pid"), outcomes("pid")
    assert first == second != os.getpid()
    assert isinstance(first, int)
    os.kill(first, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(first)], timeout=5)
    (third,) = outcomes("pid")
    assert isinstance(third, int)
    assert third != first
    end_idle()
    assert not psutil.pid_exists(third)


def test_a_caller_that_loses_interest_leaves_a_usable_child() -> None:
    found = isolated(OBEYING, ("hello",), ["pid", "two"], LIMITS)
    first = next(found)
    found.close()  # type: ignore[attr-defined]
    assert isinstance(first, Done)
    assert outcomes("pid") == [first.value]


def test_a_child_dies_with_its_parent_even_in_the_middle_of_c_code(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from ingest.isolation import Limits, isolated\n"
        f"session, limits = {OBEYING!r}, Limits(60.0, 10**9)\n"
        "found = isolated(session, ('a',), ['pid', 'hold'], limits)\n"
        "print(next(found).value, flush=True)\n"
        "next(found)\n"
    )
    command = [sys.executable, "-c", script, *sys.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone or child.status() == psutil.STATUS_ZOMBIE


def test_lost_and_done_are_told_apart() -> None:
    assert [type(each) for each in isolated(OBEYING, ("a",), ["x", "refuse"], LIMITS)] == [
        Done,
        Lost,
    ]
