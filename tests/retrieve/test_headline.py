"""Headlines: one short line that tells, under what it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import MomentKind
from index.words import all_words, stem
from retrieve.headline import HEADLINE_CHARS, headline

LONG = (
    "In the morning, when nobody has looked at the display for a while and the light is still dim, "
    "the operator of the station compares the float with the contact ruler."
)
TABLE = "| Code | Meaning |\n| --- | --- |\n| E12 | Motor too hot |\n| E47 | Filter blocked |"


def weights(question: str) -> dict[str, float]:
    return {stem(word): 1.0 for word in all_words(question)}


@pytest.mark.parametrize(
    ("kind", "text", "heading", "question", "expected"),
    [
        ("utterance", "It was late. The cat slept on it.", "", "cat", "The cat slept on it."),
        ("utterance", "It was late. We slept.", "", "astronaut", "It was late."),
        ("utterance", LONG, "", "contact ruler", "…the float with the contact ruler."),
        ("screen_text", "Storm surge\nPeak 4.36 m", "", "peak", "Storm surge: Peak 4.36 m"),
        ("screen_text", "Storm surge\nPeak 4.36 m", "", "surge", "Storm surge"),
        ("screen_text", "", "", "surge", ""),
        ("passage", "Rinse it. Dry it.", "5 Care > 5.1 Filter", "dry", "5.1 Filter: Dry it."),
        ("passage", "5.1 Filter\nDry it.", "5 Care > 5.1 Filter", "dry", "5.1 Filter: Dry it."),
        ("passage", TABLE, "4 Faults", "E47", "4 Faults: | E47 | Filter blocked |"),
        ("passage", "Dry it.", "", "dry", "Dry it."),
        ("page", "1 Safety Disconnect", "1 Safety", "plug", "1 Safety"),
        ("frame", "tabby, tiger cat", "", "cat", "tabby, tiger cat"),
    ],
)
def test_headlines(kind: str, text: str, heading: str, question: str, expected: str) -> None:
    found = headline(
        MomentKind(kind), text, heading=heading, segment_title="", weights=weights(question)
    )
    assert found.startswith("…") == expected.startswith("…")
    assert found.endswith(expected.removeprefix("…"))
    assert expected.startswith("…") or found == expected


def test_a_frame_is_named_by_its_segment() -> None:
    found = headline(
        MomentKind.FRAME, "tabby", heading="", segment_title="The year in numbers", weights={}
    )
    assert found == "The year in numbers"


@given(
    st.sampled_from([MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT, MomentKind.FRAME]),
    st.text() | st.lists(st.sampled_from(LONG.split())).map(" ".join),
    st.text(max_size=200),
)
def test_headlines_are_short_and_in_one_line(kind: MomentKind, text: str, question: str) -> None:
    found = headline(kind, text, heading="", segment_title="", weights=weights(question))
    assert len(found) <= HEADLINE_CHARS
    assert len(found.splitlines()) <= 1
