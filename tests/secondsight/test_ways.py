"""More ways to ask, by command line and over HTTP: pictures, moments, phrases; what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from index.inventory import read_inventory
from index.manifest import read_manifest
from index.records import Span
from index.shard import record_outcomes
from index.snapshot import Snapshot
from retrieve.pictures import MAX_PICTURE_BYTES
from retrieve.settings import BoundarySettings
from secondsight import Library
from secondsight.cli import main
from secondsight.source_files import SourceFrames
from tests.conftest import MANUAL, TALK, secondsight
from tests.retrieve.test_pictures import HOSTILE
from tests.secondsight.served import Reply, Server

CAT = Path(__file__).parents[1] / "index" / "photos" / "cat.jpg"


def post(server: Server, content: bytes, content_type: str | None, **query: Any) -> Reply:
    headers = {} if content_type is None else {"Content-Type": content_type}
    path = f"/v1/search?{urlencode(query, doseq=True)}"
    return server.send(path, "POST", body=content, headers=headers)


def without_links(body: dict[str, Any]) -> dict[str, Any]:
    for hit in body["hits"]:
        del hit["links"]
    del body["took_ms"]
    return body


def test_a_picture_finds_the_same_by_command_line_and_over_http(server: Server) -> None:
    arguments = ["--image", str(CAT), "-n", "3", "the station guarded against mice"]
    done = secondsight("search", "--json", "-L", server.library, *arguments)
    printed = json.loads(done.stdout)
    reply = post(server, CAT.read_bytes(), "image/jpeg", k=3, q="the station guarded against mice")
    assert reply.status == 200
    del printed["took_ms"]
    assert without_links(reply.json()) == printed
    assert printed["image"] is True
    cat = Span(Fraction("189.0"), Fraction("213.1"))  # the cat, and what is said and written of it
    for hit in printed["hits"][:2]:
        assert hit["source"]["name"] == TALK.name
        assert cat.start_s <= hit["start_s"] < hit["end_s"] <= cat.end_s


def test_a_picture_alone_has_no_words(server: Server) -> None:
    body = post(server, CAT.read_bytes(), "image/jpeg; charset=binary", k=2).json()
    best = body["hits"][0]
    assert (body["query"], best["highlights"], best["reasons"][0]["kind"]) == ("", [], "frame")
    assert "cat" in best["text"]


def test_the_moment_of_a_hit_leads_to_more_like_it(server: Server, library: Library) -> None:
    first = server.get("/v1/search", {"q": "storm surge", "k": 1})["hits"][0]
    more = server.get("/v1/search", {"like": first["moment"], "k": 4})
    source, _, ordinal = first["moment"].partition("/")
    asked = {"source": source, "ordinal": int(ordinal), "time_s": None, "page": None}
    assert more["like"] == asked
    assert len(more["hits"]) == 4
    assert first["moment"] not in {hit["moment"] for hit in more["hits"]}
    direct = library.search(like=first["moment"], k=4)
    assert [hit.text for hit in direct] == [hit["text"] for hit in more["hits"]]


def test_places_are_named_as_people_read_them(library: Library) -> None:
    page = library.search(like=f"{MANUAL.name}@p5", k=3)
    assert all(
        (hit.source.name, getattr(hit.place, "page", None)) != (MANUAL.name, 5) for hit in page
    )
    second = library.search(like=f"{TALK.name}@3:10", k=5)
    assert second.like is not None
    assert second.like.time == 190


def test_phrases_and_typos_reach_the_api(server: Server) -> None:
    found = server.get("/v1/search", {"q": 'damage "storm surge"', "k": 10})["hits"]
    assert found
    assert all("storm surge" in " ".join(hit["text"].lower().split()) for hit in found)
    assert server.get("/v1/search", {"q": '"surge storm"'})["hits"] == []
    assert server.get("/v1/search", {"q": '"surge storm"', "phrases": "prefer"})["hits"]
    typed = server.get("/v1/search", {"q": "calibraton", "k": 3})
    assert "calibration" in typed["read_as"]["calibraton"]
    (start, end), *_ = typed["hits"][0]["highlights"]
    assert typed["hits"][0]["text"][start:end].lower().startswith("calibrat")
    assert "read_as" not in server.get("/v1/search", {"q": "calibraton", "typos": "none"})


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures_are_told_as_problems(server: Server, name: str) -> None:
    content, says = HOSTILE[name]
    reply = post(server, content, "image/png")
    assert reply.status == (413 if len(content) > MAX_PICTURE_BYTES else 422)
    assert says in reply.problem()["detail"]


@pytest.mark.parametrize("content_type", [None, "image/svg+xml", "text/plain", ""])
def test_a_body_of_another_type_is_told(server: Server, content_type: str | None) -> None:
    reply = post(server, CAT.read_bytes(), content_type)
    assert reply.status == 415
    assert "Content-Type image/jpeg" in reply.problem()["detail"]


def test_fifty_megabytes_are_refused(server: Server) -> None:
    reply = post(server, bytes(50_000_000), "image/png")
    assert reply.status == 413
    assert f"{MAX_PICTURE_BYTES} bytes" in reply.problem()["detail"]
    assert server.send("/v1/health").status == 200


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"like": "soon"}, "like: cannot read 'soon'"),
        ({"like": f"{TALK.name}@99:00"}, "ends at"),
        ({"like": f"{TALK.name}#99999"}, "the moments of"),
        ({"like": "nobody.mp4@0:10"}, "no source 'nobody.mp4'"),
        ({"q": "a", "phrases": "never"}, "query.phrases"),
        ({"q": "a", "typos": "some"}, "query.typos"),
        ({"q": "a", "tighten": "perhaps"}, "query.tighten"),
        ({"q": '""'}, ""),
    ],
)
def test_places_that_are_not_there_are_told(
    server: Server, query: dict[str, str], says: str
) -> None:
    reply = server.send(f"/v1/search?{urlencode(query)}")
    assert reply.status == (422 if says else 200)
    if says:
        assert says in reply.problem()["detail"]


def test_a_picture_and_a_moment_at_once_are_told(server: Server) -> None:
    reply = post(server, CAT.read_bytes(), "image/jpeg", like=f"{TALK.name}@0:30")
    assert reply.status == 422
    assert "a picture or a moment" in reply.problem()["detail"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--image", str(MANUAL)], "no picture that can be read"),
        (["--image", "/no/such/picture.png"], "cannot read the picture"),
        (["--like", "soon"], "like: cannot read"),
        (["--phrase", " "], "the phrase is empty"),
        ([], "the query is empty"),
    ],
)
def test_mistakes_are_one_clear_line(
    archive: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["search", "-L", str(archive), *arguments])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_frames_are_those_of_the_file_and_stop_when_told(library: Library) -> None:
    frames = SourceFrames(library.snapshot())
    span = Span(Fraction(188), Fraction(190))
    source = library.source(TALK.name)
    times = [at for at, _ in frames(source.id, span, rate_hz=4.0, go_on=lambda: True)]
    assert 6 <= len(times) <= 10
    assert all(at in span for at in times)
    assert times == sorted(set(times))
    assert list(frames(source.id, span, rate_hz=4.0, go_on=lambda: False)) == []
    manual = library.source(MANUAL.name)
    assert list(frames(manual.id, span, rate_hz=4.0, go_on=lambda: True)) == []


def test_borders_move_only_within_reach(library: Library) -> None:
    query = "close-up of a tabby cat with green eyes"
    boundaries = BoundarySettings(time_limit_ms=600_000)
    retrieve = replace(library.settings.retrieve, boundaries=boundaries)
    unhurried = Library(library.directory, replace(library.settings, retrieve=retrieve))
    loose = library.search(query, kinds=["frame"], k=2)  # type: ignore[list-item]
    tight = unhurried.search(query, kinds=["frame"], k=2, tighten=True)  # type: ignore[list-item]
    assert len(loose) == len(tight) > 0
    moved_s = []
    for before, after in zip(loose, tight, strict=True):
        assert isinstance(before.place, Span)
        assert isinstance(after.place, Span)
        moved_s.append(abs(before.place.start_s - after.place.start_s))
        moved_s.append(abs(before.place.end_s - after.place.end_s))
    assert 0 < max(moved_s) <= boundaries.reach_s + 0.1, moved_s
    assert tight.steps_ms["tighten"] > 0
    assert "tighten" not in loose.steps_ms


def test_a_file_that_has_changed_is_not_looked_at(archive: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory)
    inventory = read_manifest(directory).inventory
    assert inventory is not None
    rows = read_inventory(directory / inventory)
    record_outcomes(directory, [replace(row, mtime_ns=row.mtime_ns - 1) for row in rows])
    snapshot = Snapshot.open(directory)
    (talk,) = [source for source in snapshot.sources.values() if source.name == TALK.name]
    span = Span(Fraction(188), Fraction(190))
    frames = SourceFrames(snapshot)
    assert list(frames(talk.id, span, rate_hz=4.0, go_on=lambda: True)) == []
