"""Expressions in time from outside: the library, the command line, the server."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from index.errors import QuestionError
from index.word_query import Phrases, Typos
from retrieve.algebra import before, between, count, near
from retrieve.algebra_text import AlgebraError
from secondsight import Library, present
from tests.conftest import MANUAL, TALK, secondsight
from tests.secondsight.served import Server

WATER = '"salt water" BETWEEN "the storm" AND "power line failed"'


def test_the_library_takes_expressions_as_text_and_built(library: Library) -> None:
    typed = library.search(WATER)
    built = library.search(between("salt water", "the storm", "power line failed"))
    assert typed.hits == built.hits
    (hit,) = typed.hits
    assert "fish market" in hit.text
    assert {partner.relation for partner in hit.partners} == {"after", "before"}
    assert (typed.query, built.query) == (WATER, WATER)
    assert typed.searched == "salt water"
    assert library.search(before("salt water", "giant rabbit")).hits == ()


def test_an_ordinary_query_is_searched_as_ever(library: Library) -> None:
    result = library.search("What came after the storm?")
    assert result.hits
    assert (result.expression, result.count, result.explanation) == (None, None, None)


def test_counts_go_by_source(library: Library) -> None:
    found = library.search(count("battery")).count
    assert found is not None
    assert found.total == sum(number for _, number in found.by_source)
    assert {source.name for source, _ in found.by_source} == {TALK.name, MANUAL.name}
    near_storm = library.search(near("fish market", "surge", 10))
    assert [hit.source.name for hit in near_storm.hits] == [TALK.name]


def _counted(library: Library, text: str, phrases: Phrases, typos: Typos) -> int:
    found = library.search(count(text), phrases=phrases, typos=typos).count
    assert found is not None
    return found.total


def test_phrases_and_typos_hold_for_operands(library: Library) -> None:
    meant = _counted(library, "calibration", "require", "unmatched")
    assert _counted(library, "calibraton", "require", "unmatched") == meant > 0
    assert _counted(library, "calibraton", "require", "none") == 0
    assert "calibration" in library.search(count("calibraton")).read_as["calibraton"]
    assert _counted(library, '"surge storm"', "require", "none") == 0
    assert _counted(library, '"surge storm"', "prefer", "none") > 0


def test_a_literal_text_is_no_expression(library: Library) -> None:
    assert library.search(WATER, literal=True).expression is None
    assert library.search(count("battery"), literal=True).count is not None


@pytest.mark.parametrize(
    "more", [{"tighten": True}, {"like": f"{TALK.name}@1:00"}, {"picture": TALK}]
)
def test_what_goes_with_no_expression_is_refused(library: Library, more: dict[str, Any]) -> None:
    with pytest.raises(QuestionError, match="goes with no picture, no place and no tightening"):
        library.search(WATER, **more)


def test_a_result_is_printed_with_its_explanation(library: Library) -> None:
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as capture:
        present.print_hits(console, library.search(f"COUNT {WATER}"), explain=True)
        present.print_hits(console, library.search("storm", k=1), explain=True)
    printed = capture.get()
    assert f"read as: COUNT {WATER}" in printed
    assert f"1  {TALK.name}" in printed
    assert "an ordinary search" in printed
    assert "FROM kept JOIN other" in printed
    assert "kept: 1 of" in printed
    assert "before 00:01:3" in printed


def test_the_command_line_prints_json(library: Library) -> None:
    query = f"COUNT {WATER}"
    done = secondsight("search", "--json", "--explain", "-L", library.directory, query)
    told = json.loads(done.stdout)
    assert told["expression"] == f"COUNT {WATER}"
    assert told["count"]["total"] == 1
    assert told["count"]["complete"] is True
    assert told["explanation"]["expression"] == query
    (hit,) = told["hits"]
    assert {partner["relation"] for partner in hit["partners"]} == {"after", "before"}
    for partner in hit["partners"]:
        assert partner["source"]["name"] == TALK.name
        assert partner["start_s"] < partner["end_s"]
    assert hit["highlights"]


def test_a_mistake_is_told_with_its_column(library: Library) -> None:
    with pytest.raises(AlgebraError, match="column 16: expected a text in double quotes"):
        library.search('"storm" BEFORE power')


@pytest.mark.parametrize("explain", [False, True])
def test_the_server_takes_the_same_text(server: Server, explain: bool) -> None:
    body = server.get("/v1/search", {"q": WATER, "explain": explain})
    assert body["expression"] == WATER
    assert ("explanation" in body) is explain
    (hit,) = body["hits"]
    assert len(hit["partners"]) >= 2
    if explain:
        steps = body["explanation"]["steps"]
        assert [step["is_operand"] for step in steps] == [True, True, True, False]
        assert steps[-1]["kept"] == 1


def test_the_server_tells_a_mistake_as_a_problem(server: Server) -> None:
    reply = server.send("/v1/search?q=%22a%22%20BEFORE")
    assert reply.status in (400, 422)
    assert "expression, column 11" in reply.problem()["detail"]
