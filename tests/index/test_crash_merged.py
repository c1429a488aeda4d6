"""Compaction, forgetting and purging, killed at any filesystem call or on a disk that fails."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from index.compaction import compact
from index.errors import LibraryError
from index.forgetting import forget_source, purge_source
from index.manifest import SHARDS_NAME, create_library, read_manifest
from index.publishing import commit_links
from index.settings import CompactionSettings
from index.shard import sweep
from index.snapshot import Snapshot
from tests.index.build import IDENTITY, add_video, link_of, source_id
from tests.index.test_crash import Arm, check_tidy, kill_everywhere, kill_in_new_process

PAIRS = CompactionSettings(shards_per_merge=2)
ACTIONS = {"merge": 15, "publish": 1, "forget": 1, "purge": 5, "publish purge": 1}
"""What the writer is doing, and killed at every n-th call: while it writes aside, all are alike. So
they are when a manifest is published, by the 24th."""
MANY = 500
VICTIM = source_id(2)


def act(library: Path, action: str, arm: Arm | None = None) -> None:
    """What the killed writer was doing; `arm` is called where it starts."""
    if arm is not None:
        if action.startswith("publish"):
            _when_moved_in(arm)
        else:
            arm()
    if action in ("merge", "publish"):
        compact(library, PAIRS)
    elif action == "forget":
        forget_source(library, VICTIM)
    else:
        finish_purge(library)


def finish_purge(library: Path) -> None:
    """Purge, unless the source is gone already."""
    manifest = read_manifest(library)
    if any(VICTIM in (*shard.sources, *shard.forgotten) for shard in manifest.shards):
        purge_source(library, VICTIM)


def _when_moved_in(arm: Arm) -> None:
    """Call `arm` between the writing of a merged shard and its publishing."""
    real, armed = os.rename, False

    def rename(old: Path, new: Path) -> None:
        nonlocal armed
        if armed or Path(new).parent.name != SHARDS_NAME:
            real(old, new)
            return
        armed = True
        arm()
        os.rename(old, new)  # counted

    os.rename = rename  # type: ignore[assignment]


def make_library(library: Path, action: str) -> None:
    """Videos 1 and 2 in one shard; 3 and 4 by themselves where these are to be merged."""
    create_library(library, IDENTITY)
    for number in (1, 2):
        add_video(library, number, word="zyzzyva" if number == 2 else "word")
    commit_links(library, [(source_id(1), VICTIM)], [link_of(1, document=2)])
    if action in ("merge", "publish"):
        forget_source(library, source_id(1))
        add_video(library, 1)
    else:
        compact(library, PAIRS)
    add_video(library, 3)


def kill_action(library: Path, copies: Path, action: str) -> None:
    """One copy of the library for every point at which this action is killed."""
    step = ACTIONS[action]
    points = (*range(0, 24 * step, step), *range(24 * step, MANY, 12 * step))
    kill_everywhere(library, copies, lambda copy, arm: act(copy, action, arm), points)


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_every_call(action: str, tmp_path: Path) -> None:
    library, copies = tmp_path / "archive", tmp_path / "copies"
    make_library(library, action)
    kill_in_new_process(__name__, library, copies, action)
    old, old_shards = seen(library), len(read_manifest(library).shards)
    act(library, action)
    new, new_shards = seen(library), len(read_manifest(library).shards)
    assert (old != new) == (action not in ("merge", "publish"))
    states = []
    for number, copy in enumerate(sorted(copies.iterdir())):
        states.append((len(read_manifest(copy).shards), seen(copy)))
        assert states[-1] in ((old_shards, old), (new_shards, new))
        if number % 6 == 0:
            if action == "forget" and states[-1][1] == new:
                sweep(copy)
            else:
                act(copy, action)
                sweep(copy)
            assert seen(copy) == new
            check_finished(copy, action)
    assert len(states) > 8
    if action != "purge":  # The killed writers of this one were all late enough.
        assert states[0] == (old_shards, old) or action == "publish purge"
    assert states[-1] == (new_shards, new)
    assert states == sorted(states, key=lambda state: state == (new_shards, new))


def seen(library: Path) -> tuple[list[str], list[str], list[int], list[int]]:
    """Sources, paths, words and links, as a reader sees them."""
    snapshot = Snapshot.open(library)
    found = [len(snapshot.search_words(word, 100)[0]) for word in ("word", "zyzzyva")]
    assert sum(found) == snapshot.num_moments == len(snapshot.moments(range(snapshot.num_moments)))
    assert 12 * len(snapshot.source_ids) == snapshot.num_moments
    paths = [row.path for row in snapshot.inventory()]
    return sorted(snapshot.source_ids), paths, found, [link.page for link in snapshot.links.rows]


def check_finished(library: Path, action: str) -> None:
    """Tidy, and of the purged nothing is left."""
    check_tidy(library)
    if action.endswith("purge"):
        content = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
        assert b"zyzzyva" not in content
        assert VICTIM.encode() not in content


@pytest.mark.parametrize(
    ("name", "code"),
    [(name, errno.ENOSPC) for name in ("fsync", "write", "open", "mkdir")]
    + [(name, errno.EIO) for name in ("fsync", "rename", "unlink")],
)
def test_a_failing_disk_leaves_the_old_or_the_new_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    for action in ("merge", "forget") if code == errno.ENOSPC else ("purge",):
        library = tmp_path / action
        make_library(library, action)
        old = seen(library)
        for nth in range(0, MANY, 11):
            copy = tmp_path / f"{action}-{nth}"
            shutil.copytree(library, copy)
            with monkeypatch.context() as patch:
                patch.setattr(os, name, _failing(name, nth, code))
                failed = _failed(copy, action, code)
            state = seen(copy)
            if action != "forget" or state == old:
                act(copy, action)
            sweep(copy)
            new = seen(copy)
            assert state in (old, new)
            assert (VICTIM in new[0]) == (action == "merge")
            check_finished(copy, action)
            if not failed:
                break


def _failed(library: Path, action: str, code: int) -> bool:
    try:
        act(library, action)
    except LibraryError as error:
        assert ("disk is full" in str(error)) == (code == errno.ENOSPC)  # noqa: PT017
        return True
    return False


def _failing(name: str, nth: int, code: int) -> Callable[..., object]:
    """`os.<name>` that fails from its nth call on."""
    real, calls = getattr(os, name), iter(range(nth))

    def call(*args: object, **options: object) -> object:
        if next(calls, None) is None:
            raise OSError(code, os.strerror(code))
        return real(*args, **options)

    return call
