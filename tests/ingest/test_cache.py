"""The stage cache: computed once, mended when damaged, and no door for foreign code."""

from __future__ import annotations

import os
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

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
from ingest.cache import StageCache, cached, forget_cached, prune
from ingest.composition import Composition, Embedded
from ingest.frames import Candidate, KeptFrame
from ingest.pages import PageContent, PageLine, TextBlock
from ingest.subtitles import Subtitles
from ingest.video import Kept, Piece

SPAN = Span(Fraction(1, 3), Fraction(2, 3))
TIME = FrameTime(9_000, Fraction(1, 90_000))
LINE = TextLine("TG-40", Box(0, 0, 1, 1), 0.9)
CANDIDATE = Candidate(
    Fraction(1, 3), TIME, b"jpeg", np.zeros((2, 3), np.uint8), np.ones(64, np.float32)
)
OUTPUTS = [
    Piece((CANDIDATE,), ("a note",)),
    Kept((KeptFrame(SPAN, TIME, b"jpeg", True),), ()),
    (Moment(MomentKind.UTTERANCE, SPAN, "tide", words=(Word("tide", SPAN, 0.5),)),),
    Subtitles((Moment(MomentKind.UTTERANCE, SPAN, "tide"),), "subtitles a.srt", ("a note",)),
    ((LINE,), ()),
    (
        PageContent(
            1, "i", 10.0, 20.0, (TextBlock((PageLine("a", Box(0, 0, 1, 1), 9.0),)),), False, b"j"
        ),
    ),
    Composition(Source("0" * 32, SourceKind.DOCUMENT, "a.pdf", 1, None, 2), ()),
    Embedded(np.ones((2, 4), np.float32), {1: "tabby"}),
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


def test_pruning_removes_what_was_unused_longest(tmp_path: Path) -> None:
    for number, source in enumerate(("old", "middle", "new")):
        entry = StageCache(tmp_path / "cache" / source).entry("stage")
        cached(entry, lambda: b"x" * 1000)
        os.utime(entry, (number, number))
    removed = prune(tmp_path / "cache", 2500)
    assert removed > 1000
    assert sorted(folder.name for folder in (tmp_path / "cache").iterdir()) == ["middle", "new"]
    forget_cached(tmp_path, "new")
    assert [folder.name for folder in (tmp_path / "cache").iterdir()] == ["middle"]
