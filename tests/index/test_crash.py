"""A writer killed at any filesystem call leaves a library that opens, in the old or new state."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from index.forgetting import forget_source
from index.manifest import create_library, read_manifest
from index.publishing import commit_links
from index.shard import record_outcomes, sweep
from index.snapshot import Snapshot
from index.verification import verify_library
from tests.index.build import IDENTITY, add_video, link_of, row_of, source_id

ROOT = Path(__file__).parents[2]
CALLS = ("rename", "fsync", "write", "mkdir", "unlink", "rmdir", "open")
ACTIONS = {"write": 7, "commit": 1, "replace": 1, "forget": 1, "record": 1, "link": 1}
"""What the writer is doing, and killed at every n-th call."""
MANY = 400
LINKED = (source_id(1), source_id(1))
PAGES_OF_VIDEOS = {
    f"page {page} is on screen, {source_id(video)} has no pages"
    for page in (1, 2)
    for video in (1, 2)
}
"""What is wrong on purpose: videos are linked as if they had pages."""
Arm = Callable[[], None]
"""Called where the writer starts: from there on, its calls are counted."""


def act(library: Path, action: str, arm: Arm = lambda: None) -> None:
    """What the killed writer was doing; `arm` is called where it starts."""
    if action == "commit":
        add_video(library, 2, before_commit=arm)
        return
    if action == "replace":
        add_video(library, 1, word="other", before_commit=arm, replace_present=True)
        return
    arm()
    if action == "write":
        add_video(library, 2)
    elif action == "forget":
        forget_source(library, source_id(1))
    elif action == "link":
        commit_links(library, [LINKED], [link_of(2)])
    else:
        record_outcomes(library, [row_of(1, "/moved.mp4")])


def _run_and_die(action: Callable[[Arm], None], nth: int) -> bool:
    """Act in a child that is killed at its nth filesystem call; False when it got through."""
    child = os.fork()
    if child == 0:
        action(lambda: _die_at(nth))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL, status
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, status
    return not os.WIFEXITED(status)


def _die_at(nth: int) -> None:
    countdown = iter(range(nth))
    for name in CALLS:
        real = getattr(os, name)

        def call(*args: object, real: object = real, **options: object) -> object:
            if next(countdown, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            assert callable(real)
            return real(*args, **options)

        setattr(os, name, call)


def kill_everywhere(
    library: Path, copies: Path, act: Callable[[Path, Arm], None], points: Iterable[int]
) -> None:
    """One copy of the library for every point at which the writer, `act`, is killed."""
    for nth in points:
        copy = copies / f"{nth:03d}"
        shutil.copytree(library, copy)
        if not _run_and_die(partial(act, copy), nth):
            return
    raise AssertionError("still killed at the last of the points")


def kill_in_new_process(module: str, library: Path, copies: Path, action: str) -> None:
    """`kill_action` of a test module in a process of its own: forking needs one without threads."""
    name = module.rpartition(".")[2]
    script = (
        f"from pathlib import Path; from tests.index.{name} import kill_action; "
        f"kill_action(Path({str(library)!r}), Path({str(copies)!r}), {action!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def kill_action(library: Path, copies: Path, action: str) -> None:
    """One copy of the library for every point at which this action is killed."""
    points = range(0, MANY, ACTIONS[action])
    kill_everywhere(library, copies, lambda copy, arm: act(copy, action, arm), points)


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_every_call(action: str, tmp_path: Path) -> None:
    library, copies = tmp_path / "archive", tmp_path / "copies"
    create_library(library, IDENTITY)
    add_video(library, 1)
    commit_links(library, [LINKED], [link_of(1)])
    kill_in_new_process(__name__, library, copies, action)
    old = _seen(library)
    act(library, action)
    new = _seen(library)
    states = []
    for number, copy in enumerate(sorted(copies.iterdir())):
        states.append(_seen(copy))
        assert states[-1] in (old, new)
        if number % 3 == 0:
            if states[-1] == old:
                act(copy, action)
            sweep(copy)
            assert _seen(copy) == new
            check_tidy(copy)
    assert len(states) > 8
    # Killed early: old; late: new; and never back again.
    assert states[0] == old
    assert states[-1] == new
    assert states == sorted(states, key=lambda state: state == new)


def _seen(library: Path) -> tuple[list[str], list[str], list[int], list[int]]:
    snapshot = Snapshot.open(library)
    found = [len(snapshot.search_words(word, 100)[0]) for word in ("word", "other")]
    assert sum(found) == snapshot.num_moments == len(snapshot.moments(range(snapshot.num_moments)))
    paths = [row.path for row in snapshot.inventory()]
    return snapshot.source_ids, paths, found, [link.page for link in snapshot.links.rows]


def check_tidy(library: Path) -> None:
    """Nothing is there that no manifest names, and what it names is whole."""
    manifest = read_manifest(library)
    wrong = {one.what for one in verify_library(library).problems}
    assert wrong <= PAGES_OF_VIDEOS
    assert sorted(os.listdir(library / "shards")) == sorted(s.id for s in manifest.shards)
    assert os.listdir(library / "staging") == []
    expected = {"manifest.json", "rotation.npy", "shards", "staging", "writer.lock"}
    tables = {manifest.inventory, manifest.links} - {None}
    assert set(os.listdir(library)) == expected | tables
