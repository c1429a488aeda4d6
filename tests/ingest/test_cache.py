"""The stage cache: computed once, mended when damaged, and no door for foreign code."""

from __future__ import annotations

import os
import pickle
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from index.errors import LibraryError, SourceError
from index.records import (
    Box,
    FrameTime,
    Moment,
    MomentKind,
    Source,
    SourceKind,
    Span,
    TextLine,
    Word,
)
from ingest.cache import StageCache, cache_folder, cached, forget_cached
from ingest.cache_limit import BoundedCache, prune
from ingest.cache_usage import prune_unused
from ingest.composition import Composition, Seen
from ingest.frames import Candidate, Stretch
from ingest.pages import PageContent, PageLine, TextBlock
from ingest.subtitles import Subtitles
from ingest.transcript import Transcript

SPAN = Span(Fraction(1, 3), Fraction(2, 3))
TIME = FrameTime(9_000, Fraction(1, 90_000))
LINE = TextLine("TG-40", Box(0, 0, 1, 1), 0.9)
PLACE = Stretch(0, 4)
CANDIDATE = Candidate(Fraction(1, 3), TIME, np.ones(64, np.float32), PLACE, PLACE, PLACE)
OUTPUTS = [
    ((CANDIDATE,), ("a note",)),
    Transcript(
        (Moment(MomentKind.UTTERANCE, SPAN, "tide", words=(Word("tide", SPAN, 0.5),)),), "de", 0.9
    ),
    Subtitles((Moment(MomentKind.UTTERANCE, SPAN, "tide"),), "subtitles a.srt", ("a note",)),
    ((LINE,), ()),
    (
        PageContent(
            1, "i", 10.0, 20.0, (TextBlock((PageLine("a", Box(0, 0, 1, 1), 9.0),)),), False, b"j"
        ),
    ),
    Composition(Source("0" * 32, SourceKind.DOCUMENT, "a.pdf", 1, None, 2), ()),
    Seen(np.ones((2, 4), np.float32), ("tabby", "lamp")),
]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: type(output).__name__)
def test_every_stage_output_comes_back_without_being_computed_again(
    tmp_path: Path, output: object
) -> None:
    entry = StageCache(tmp_path).entry("stage", setting=1)
    assert cached(entry, lambda: output) is output

    def again() -> object:
        raise AssertionError("computed again")

    found = cached(entry, again)
    assert repr(found) == repr(output)
    assert type(found) is type(output)


def test_other_inputs_are_another_entry(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    assert cache.entry("frames", rate=1) != cache.entry("frames", rate=2)
    assert cache.entry("frames", rate=1) != cache.entry("speech", rate=1)
    assert cache.entry("frames", rate=1) == cache.entry("frames", rate=1)


@pytest.mark.parametrize("damage", [b"", b"\x80", b"not a pickle", pickle.dumps([1, 2])[:-3]])
def test_a_damaged_entry_is_computed_again(tmp_path: Path, damage: bytes) -> None:
    entry = StageCache(tmp_path).entry("stage")
    cached(entry, lambda: (1, 2))
    entry.write_bytes(damage)
    assert cached(entry, lambda: (3, 4)) == (3, 4)
    assert cached(entry, lambda: (5, 6)) == (3, 4)


class _Evil:
    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self._file),))


def test_an_entry_cannot_run_code(tmp_path: Path) -> None:
    entry = StageCache(tmp_path / "cache").entry("stage")
    entry.parent.mkdir()
    entry.write_bytes(pickle.dumps(_Evil(tmp_path / "ran")))
    assert cached(entry, lambda: "computed") == "computed"
    assert not (tmp_path / "ran").exists()


def _call(module: str, name: str, argument: str) -> bytes:
    """A pickle that calls `module`'s `name`, dots in it followed, with one text."""
    texts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name, argument)]
    return b"\x80\x04" + texts[0] + texts[1] + b"\x93" + texts[2] + b"\x85R."


@pytest.mark.parametrize("name", ["io.open", "Image.open", "thumbnail", "np", "Iterable"])
def test_an_entry_cannot_reach_through_a_module_of_ours(tmp_path: Path, name: str) -> None:
    entry = StageCache(tmp_path / "cache").entry("stage")
    entry.parent.mkdir()
    entry.write_bytes(_call("ingest.frames", name, __file__))
    assert cached(entry, lambda: "computed") == "computed"
    entry.write_bytes(_call("ingest.composition", "uuid.os.mkdir", str(tmp_path / "ran")))
    assert cached(entry, lambda: "computed") == "computed"
    assert not (tmp_path / "ran").exists()


def test_a_disk_that_refuses_is_trouble_with_the_library(tmp_path: Path) -> None:
    entry = StageCache(tmp_path / "source").entry("stage")
    (tmp_path / "source" / f".{entry.name}.{os.getpid()}").mkdir(parents=True)
    with pytest.raises(LibraryError, match="cannot write"):
        cached(entry, lambda: 1)
    entry.mkdir()
    with pytest.raises(LibraryError, match="cannot read"):
        cached(entry, lambda: 1)


def test_what_cannot_be_forgotten_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "source").write_text("not a folder")
    with pytest.raises(LibraryError, match="cannot delete"):
        forget_cached(tmp_path, "source")
    forget_cached(tmp_path, "unknown")


def bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def store(library: Path, source: str, size_bytes: int) -> None:
    entry = StageCache(cache_folder(library, source)).entry("stage")
    cached(entry, lambda: b"x" * size_bytes)


def test_pruning_removes_what_was_unused_longest(tmp_path: Path) -> None:
    for number, source in enumerate(("old", "middle", "new")):
        entry = StageCache(tmp_path / "cache" / source).entry("stage")
        cached(entry, lambda: b"x" * 1000)
        os.utime(entry, (number, number))
    pruned = prune(tmp_path / "cache", 2500)
    assert pruned.removed_bytes > 1000
    assert pruned.left_bytes == bytes_in(tmp_path / "cache")
    assert sorted(folder.name for folder in (tmp_path / "cache").iterdir()) == ["middle", "new"]
    forget_cached(tmp_path, "new")
    assert [folder.name for folder in (tmp_path / "cache").iterdir()] == ["middle"]


def test_sources_in_work_are_never_pruned(tmp_path: Path) -> None:
    cache = BoundedCache(tmp_path / "cache", 0)
    with cache.in_work("held"):
        store(tmp_path, "held", 1000)
        store(tmp_path, "other", 1000)
        with cache.in_work("held"):  # Another run works on it as well.
            assert prune(tmp_path / "cache", 0).left_bytes == bytes_in(tmp_path / "cache") > 1000
        assert prune_unused(tmp_path, -60) == 0
        assert [folder.name for folder in (tmp_path / "cache").iterdir()] == ["held"]
    assert not any((tmp_path / "cache").iterdir())


def test_a_source_that_stored_nothing_leaves_no_folder(tmp_path: Path) -> None:
    cache = BoundedCache(tmp_path / "cache", 10**9)
    with pytest.raises(SourceError), cache.in_work("nothing"):
        raise SourceError("a.mp4", "probe", "is no file")
    assert not any((tmp_path / "cache").iterdir())


def test_the_cache_is_bounded_while_sources_come(tmp_path: Path) -> None:
    limit_bytes = 50_000
    cache = BoundedCache(tmp_path / "cache", limit_bytes)
    for number in range(20):
        store(tmp_path, f"before {number}", 5000)
    sizes = []
    for number in range(200):
        with cache.in_work(f"source {number:03d}"):
            store(tmp_path, f"source {number:03d}", 500)
        sizes.append(bytes_in(tmp_path / "cache"))
    assert max(sizes) <= limit_bytes
    # Each time it is pruned, several sources go, so that it is not pruned after every one.
    prunings = sum(after < before for before, after in pairwise(sizes))
    assert 0 < prunings <= 200 // 4


def test_a_cache_that_cannot_be_locked_is_trouble_with_the_library(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "source").write_text("not a folder")
    with (
        pytest.raises(LibraryError, match="cannot lock"),
        BoundedCache(tmp_path / "cache", 0).in_work("source"),
    ):
        pass
