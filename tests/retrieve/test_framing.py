"""What only asks is taken off a question; what is asked for stays word by word."""

from __future__ import annotations

import pytest

from retrieve.framing import without_frame


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("where is it said that bees sleep", "bees sleep"),
        ("the part about oxalic acid", "oxalic acid"),
        ("Find me the moment when the drum is heated", "the drum is heated"),
        ("when is the first crack mentioned?", "the first crack"),
        ("Where was the inlet valve shown", "the inlet valve"),
        ("what does she say about margins", "margins"),
        ("what did the speaker say about swarms", "swarms"),
        ("I'm looking for lime blossom", "lime blossom"),
    ],
)
def test_frames_are_taken_off(question: str, subject: str) -> None:
    assert without_frame(question) == subject


@pytest.mark.parametrize(
    "question",
    [
        "how long does the pump run",
        "when the queen grows old",
        "what is said",
        "the part about it",
        "when is the pump greased",
        "show of hands",
        "мёд",
        "",
    ],
)
def test_anything_else_stays(question: str) -> None:
    assert without_frame(question) == question
