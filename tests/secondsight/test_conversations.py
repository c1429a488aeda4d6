"""Conversations through the library, the command line and the HTTP API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generate.conversation import Cited, Exchange
from index.errors import QuestionError
from index.records import PageArea
from secondsight import Library
from secondsight.conversations import add_to_conversation, read_conversation
from tests.conftest import secondsight
from tests.secondsight.served import Server

ASKED = "When did the surge arrive?"
NEXT = "and what happened right after that?"
ANSWER = "Salt water covered the fish market"


def test_a_follow_up_goes_on_from_an_answer(library: Library) -> None:
    first = library.ask(ASKED)
    found = library.ask(NEXT, history=[first])
    assert ANSWER in found.text
    assert library.ask(NEXT, history=[first.exchange]).text == found.text


def test_the_command_line_keeps_a_conversation(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    first = library.ask(ASKED)
    add_to_conversation(file, first.exchange)
    done = secondsight("ask", "-L", library.directory, "--follow", file, NEXT)
    assert ANSWER in done.stdout
    kept = read_conversation(file)
    assert [one.question for one in kept] == [ASKED, NEXT]
    assert kept[0].answer == first.text
    assert [one.quote for one in kept[0].cited] == [one.quote for one in first.exchange.cited]
    assert len(kept[1].cited) >= 1
    assert read_conversation(tmp_path / "new.jsonl") == []


@pytest.mark.parametrize(
    "content",
    [b"no json\n", b"{}\n", b"\xff\xfe", b'{"question": "a", "answer": "b", "cited": [{}]}'],
)
def test_what_is_no_conversation_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_bytes(content)
    with pytest.raises(QuestionError, match=str(file)):
        read_conversation(file)


def test_what_is_kept_can_be_read_again(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    odd = "one\u2028two\u0085three\x1cfour"
    cited = Cited("a" * 32, PageArea(1, "i"), odd)
    add_to_conversation(file, Exchange("why? " * 900, odd, (cited,), asked_as="why? " * 900))
    add_to_conversation(file, Exchange(ASKED, "yes"))
    first, second = read_conversation(file)
    assert (first.answer, first.cited[0].quote) == (odd, odd)
    assert first.question.startswith("why? why?")
    assert second.question == ASKED


def test_the_api_takes_long_conversations(server: Server) -> None:
    turn = {"question": ASKED, "answer": "It came at night. " * 300, "cited": []}
    body = {"question": NEXT, "history": [turn] * 20}
    reply = server.post(json.dumps(body).encode())
    assert reply.status == 200


def test_the_api_takes_earlier_turns(server: Server) -> None:
    first = server.post(json.dumps({"question": ASKED}).encode()).json()
    body = {"question": NEXT, "history": [first["turn"]]}
    second = server.post(json.dumps(body).encode()).json()
    assert ANSWER in second["answer"]
    assert second["followed"]
    assert [turn["question"] for turn in (first["turn"], second["turn"])] == [ASKED, NEXT]
    refused: list[list[dict[str, object]]] = [
        [{}],
        [first["turn"]] * 21,
        [{**first["turn"], "cited": [{"source": "x"}]}],
    ]
    for history in refused:
        reply = server.post(json.dumps({"question": NEXT, "history": history}).encode())
        assert reply.status in (400, 422)
        assert reply.problem()["status"] == reply.status
