"""The promise of the whole path, held against the truth of the sample media."""

from __future__ import annotations

import io
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index.clock import parse_clock
from index.errors import QuestionError
from index.records import MomentKind, PageArea, SourceKind, Span
from index.snapshot import Snapshot
from ingest.media import probe
from ingest.pyav_reader import read_frames
from ingest.screen_text import ScreenTextReader
from ingest.settings import ScreenTextSettings
from secondsight import Library
from tests.conftest import TALK, secondsight

START_TOLERANCE_S = 0.5
SLIDE_TOLERANCE_S = 1.0
CLOCK = re.compile(r"\d\d:\d\d:\d\d[.,:]\d{3}")


def _truth(name: str, key: str) -> list[Any]:
    file = Path(__file__).parents[1] / "media" / name
    values: list[Any] = json.loads(file.read_text(encoding="utf-8"))[key]
    return values


SENTENCES = _truth("halden_talk.truth.json", "sentences")
FACTS = _truth("halden_manual.truth.json", "facts")
UNANSWERABLE = _truth("halden_manual.truth.json", "unanswerable")
SLIDES = _truth("halden_talk.truth.json", "slides")


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["text"][:40])
def test_a_spoken_sentence_is_found_first_where_it_begins(
    library: Library, sentence: dict[str, Any]
) -> None:
    best = library.search(sentence["text"]).hits[0]
    assert best.source.name == TALK.name
    assert isinstance(best.place, Span)
    assert best.place.start_s == pytest.approx(sentence["start_s"], abs=START_TOLERANCE_S)


@pytest.mark.parametrize("slide", SLIDES, ids=lambda slide: slide["title"])
def test_what_only_a_slide_shows_is_found_while_it_is_shown(
    library: Library, slide: dict[str, Any]
) -> None:
    for line in slide["lines"]:
        best = library.search(line).hits[0]
        assert best.source.name == TALK.name, line
        assert isinstance(best.place, Span)
        assert MomentKind.SCREEN_TEXT in {reason.kind for reason in best.reasons}, line
        assert best.place.start_s == pytest.approx(slide["start_s"], abs=SLIDE_TOLERANCE_S), line
        assert best.place.end_s == pytest.approx(slide["end_s"], abs=SLIDE_TOLERANCE_S), line


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["question"][:40])
def test_a_sentence_of_the_manual_cites_its_page_and_boxes(
    library: Library, fact: dict[str, Any]
) -> None:
    best = library.search(fact["sentence"]).hits[0]
    assert best.source.kind is SourceKind.DOCUMENT
    assert isinstance(best.place, PageArea)
    assert best.place.page == fact["page"]
    assert best.place.boxes


def test_the_timecode_in_every_frame_is_its_time(archive: Path) -> None:
    """Read from the stored pictures, late start and variable rate included."""
    snapshot = Snapshot.open(archive)
    (talk,) = [source for source in snapshot.sources.values() if source.name == TALK.name]
    info = probe(str(TALK))
    times = [frame.time for frame in read_frames(str(TALK), info, rate_hz=1000.0, max_side_px=64)]
    reader = ScreenTextReader(ScreenTextSettings())
    checked = 0
    for stored in snapshot.moments(snapshot.source_range(talk.id)):
        if stored.moment.kind is not MomentKind.FRAME:
            continue
        span, raw = stored.moment.span, stored.moment.frame_time
        assert raw is not None
        assert raw.pts * raw.time_base - info.start == span.start
        picture = snapshot.picture(stored.id)
        assert picture is not None
        shown = _timecode(reader, picture)
        number = times.index(span.start)
        after = times[number + 1] if number + 1 < len(times) else info.duration
        before = times[number - 1] if number else Fraction(0)
        assert before < shown < after, f"frame at {span.start_s} shows {float(shown)}"
        assert abs(shown - span.start) <= Fraction(1, 1000)
        checked += 1
    assert checked >= 40


def _timecode(reader: ScreenTextReader, picture: bytes) -> Fraction:
    image = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    clocks = [
        match.group()
        for line in reader.read(image)
        if (match := CLOCK.search(line.text.replace(" ", "")))
    ]
    assert len(clocks) == 1, f"one running clock expected, read {clocks}"
    return parse_clock(clocks[0][:8] + "." + clocks[0][-3:])


@pytest.mark.parametrize("question", UNANSWERABLE)
def test_what_is_not_in_the_archive_is_said_so(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert not answer.found
    assert answer.text == "not found in the archive"
    assert answer.sentences == ()


QUESTIONS = [
    question
    for question in _truth("halden_talk.truth.json", "questions")
    if question["kind"] == "speech"
]


def test_questions_to_the_talk_are_answered_with_the_right_second(library: Library) -> None:
    """Paraphrased on purpose: the quoting backend may abstain on some, but not on most."""
    right = [question for question in QUESTIONS if _cites_talk(library, question)]
    assert len(right) > len(QUESTIONS) / 2, [q["question"] for q in QUESTIONS if q not in right]


def _cites_talk(library: Library, question: dict[str, Any]) -> bool:
    answer = library.ask(question["question"])
    wanted = Span(Fraction(question["start_s"]), Fraction(question["end_s"]))
    return any(
        isinstance(citation.place, Span) and citation.place.overlaps(wanted)
        for sentence in answer.sentences
        for citation in sentence.citations
    )


def test_questions_to_the_manual_are_answered_with_the_right_page(library: Library) -> None:
    right = [fact for fact in FACTS if _cites_page(library, fact)]
    assert len(right) >= 0.8 * len(FACTS), [fact["question"] for fact in FACTS if fact not in right]


def _cites_page(library: Library, fact: dict[str, Any]) -> bool:
    answer = library.ask(fact["question"])
    return any(
        isinstance(citation.place, PageArea) and citation.place.page == fact["page"]
        for sentence in answer.sentences
        for citation in sentence.citations
    )


def test_pages_are_named_as_they_are_printed(library: Library) -> None:
    result = library.search("error codes on page 10", k=3)
    areas = {(hit.place.label, hit.place.page) for hit in result if isinstance(hit.place, PageArea)}
    assert areas == {("10", 12)}


def test_a_picture_is_found_by_what_it_shows(library: Library) -> None:
    (cat,) = [c for c in _truth("halden_talk.truth.json", "clips") if "cat" in c["query"]]
    hits = library.search(cat["query"], kinds=[MomentKind.FRAME]).hits
    assert isinstance(hits[0].place, Span)
    assert cat["start_s"] - 1 <= hits[0].place.start_s < cat["end_s"]


def test_filters_act_before_ranking(library: Library) -> None:
    within = Span(Fraction(100), Fraction(130))
    hits = library.search("the storm", within=within).hits
    assert hits
    assert all(isinstance(hit.place, Span) and hit.place.overlaps(within) for hit in hits)
    only = library.search("the storm", sources=["halden_manual.pdf"]).hits
    assert {hit.source.name for hit in only} == {"halden_manual.pdf"}


def test_only_the_kinds_asked_for_are_found(library: Library) -> None:
    hits = library.search("the storm surge", kinds=[MomentKind.SCREEN_TEXT])
    assert len(hits) > 0
    assert {reason.kind for hit in hits for reason in hit.reasons} == {MomentKind.SCREEN_TEXT}
    with pytest.raises(QuestionError, match="no kind 'slide'"):
        library.search("the storm surge", kinds=["slide"])  # type: ignore[list-item]
    with pytest.raises(QuestionError, match="sources is a list"):
        library.search("the storm surge", sources=TALK.name)


def test_a_result_is_the_sequence_of_its_hits(library: Library) -> None:
    result = library.search("the storm surge", k=3)
    assert list(result) == [result[0], result[1], result[2]]
    assert "3 hits" in repr(result)


def test_the_command_line_prints_the_stable_fields(archive: Path) -> None:
    found = json.loads(secondsight("search", "--json", "-L", archive, "serial number").stdout)
    assert {"query", "understood", "took_ms", "found", "hits"} <= set(found)
    hit = found["hits"][0]
    assert {"confidence", "headline", "words", "thumbnail", "duplicates"} <= set(hit)
    assert {"rank", "score", "source", "start_s", "end_s", "page", "boxes", "text"} <= set(hit)
    assert set(hit["source"]) == {"id", "name", "path", "kind"}
    assert {"kind", "score", "text"} <= set(hit["reasons"][0])
    asked = json.loads(secondsight("ask", "--json", "-L", archive, QUESTIONS[0]["question"]).stdout)
    assert {"question", "found", "answer", "sentences", "ledger"} <= set(asked)
    assert {"evidence", "source", "start_s", "end_s", "page", "boxes", "quote"} <= set(
        asked["sentences"][0]["citations"][0]
    )


def test_the_command_line_prints_citations_people_can_read(archive: Path) -> None:
    printed = secondsight("ask", "-L", archive, QUESTIONS[0]["question"]).stdout
    citation = r"\[halden_talk\.mp4 \d\d:\d\d:\d\d\.\d-\d\d:\d\d:\d\d\.\d\]"
    assert re.search(citation, " ".join(printed.split()))
