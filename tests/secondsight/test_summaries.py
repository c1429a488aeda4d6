"""Summaries through the library and the command line."""

from __future__ import annotations

import json

import pytest

from index.errors import QuestionError
from index.records import Span
from secondsight import Library
from tests.conftest import TALK, secondsight


def test_a_named_stretch_is_summed_up(library: Library) -> None:
    done = library.summarize(f"summarise the second half of {TALK.name}")
    (source,) = {one.chapter.source.name for one in done.chapters}
    assert source == TALK.name
    assert all(one.sentences for one in done.chapters)
    extents = [one.chapter.extent for one in done.chapters]
    assert all(isinstance(one, Span) and one.end_s > 126 for one in extents)


@pytest.mark.parametrize("what", ["why did the surge come?", "the surge", "minute 900"])
def test_what_is_no_stretch_is_refused(library: Library, what: str) -> None:
    with pytest.raises(QuestionError, match="summarize"):
        library.summarize(what)


def test_the_command_line_tells_first_what_it_takes(library: Library) -> None:
    done = secondsight("summarize", "-L", library.directory, "--json")
    told = json.loads(done.stdout)
    assert f"{told['num_chapters']} chapters of {told['segments']} segments" in done.stderr
    assert len(told["chapters"]) == told["num_chapters"]
    assert told["prompt_tokens"] is None
    names = {one["source"]["name"] for one in told["chapters"]}
    assert TALK.name in names
    for chapter in told["chapters"]:
        for sentence in chapter["sentences"]:
            assert sentence["citations"][0]["source"]["name"] == chapter["source"]["name"]
