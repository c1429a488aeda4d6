"""The HTTP API: answers as the command line prints them, errors as problems, who is let in."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from index.errors import SettingsError
from index.records import Moment, MomentKind
from secondsight import Library
from secondsight.server.run import TOKEN_VARIABLE, serve
from secondsight.server.settings import ServeSettings
from tests.conftest import MANUAL, TALK, secondsight
from tests.secondsight.served import TOKEN, Server


def test_search_is_what_the_command_line_prints(server: Server) -> None:
    options = ["-n", "4", "--source", TALK.name, "--kind", "utterance", "--within", "0-4:00"]
    done = secondsight("search", "--json", "-L", server.library, "storm surge", *options)
    printed = json.loads(done.stdout)
    got = server.get(
        "/v1/search",
        {
            "q": "storm surge",
            "k": 4,
            "source": [TALK.name],
            "kind": ["utterance"],
            "within": "0-4:00",
        },
    )
    assert len(got["hits"]) == 4
    for hit in got["hits"]:
        assert set(hit.pop("links")) == {"picture", "media"}
    assert got.pop("took_ms") > 0
    del printed["took_ms"]
    assert got == printed


def test_ask_is_what_the_command_line_prints(server: Server) -> None:
    question = "When did the surge arrive?"
    printed = json.loads(secondsight("ask", "--json", "-L", server.library, question).stdout)
    posted = server.post(json.dumps({"question": question}).encode()).json()
    asked = server.get("/v1/ask", {"question": question})
    for answer in (printed, posted, asked):
        for timing in ("search_ms", "answer_ms"):
            assert answer["ledger"].pop(timing) > 0
    assert posted["found"] is True
    assert posted == printed == asked


def test_a_posted_question_takes_filters(server: Server, ids: dict[str, str]) -> None:
    body = {"question": "When did the surge arrive?", "source": [ids[MANUAL.name]]}
    answer = server.post(json.dumps(body).encode()).json()
    cited = [citation for one in answer["sentences"] for citation in one["citations"]]
    assert {citation["source"]["name"] for citation in cited} <= {MANUAL.name}


def test_questions_are_understood_unless_literal(server: Server, ids: dict[str, str]) -> None:
    text = f"storm surge in the last minute of {TALK.name}"
    got = server.get("/v1/search", {"q": text})
    understood = got["understood"]
    assert understood["searched"] == "storm surge"
    assert understood["sources"] == [ids[TALK.name]]
    (span,) = understood["spans"]
    assert span["source"] == ids[TALK.name]
    assert span["end_s"] - span["start_s"] == 60
    assert understood["notes"]
    assert got["hits"]
    assert all(hit["end_s"] > span["start_s"] for hit in got["hits"])
    literal = server.get("/v1/search", {"q": text, "literal": "true"})
    assert literal["understood"] is None
    asked = server.post(json.dumps({"question": text, "literal": True}).encode()).json()
    assert asked["understood"] is None
    done = secondsight("search", "-L", server.library, text)
    assert f"only in {TALK.name}" in done.stdout.splitlines()[0]
    done = secondsight("search", "--literal", "-L", server.library, text)
    assert "only in" not in done.stdout.splitlines()[0]


def test_sources_are_those_of_status_with_links_to_their_media(
    server: Server, library: Library
) -> None:
    body = server.get("/v1/sources", {})
    assert {source["name"] for source in body["sources"]} == {TALK.name, MANUAL.name}
    for source in body["sources"]:
        assert source["links"] == {"media": f"/v1/sources/{source['id']}/media"}
    assert body["moments"] == library.status().num_moments


@pytest.mark.parametrize("query", ["storm surge", "tide gauge battery", "a penguin", "Q7"])
def test_links_of_hits_lead_to_the_place(server: Server, library: Library, query: str) -> None:
    hits = server.get("/v1/search", {"q": query, "k": 5})["hits"]
    assert hits
    for hit in hits:
        picture = hit["links"]["picture"]
        reply = server.send(picture)
        assert (reply.status, reply.headers["content-type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(reply.body)) as image:
            assert image.format == "JPEG"
        shown = _moment(library, hit["source"]["id"], int(picture.split("/")[-2]))
        path, _, fragment = hit["links"]["media"].partition("#")
        assert path == f"/v1/sources/{hit['source']['id']}/media"
        if hit["page"] is not None:
            assert fragment == f"page={hit['page']}"
            assert shown.area.page == hit["page"]
            continue
        start, end = fragment.removeprefix("t=").split(",")
        assert 0 <= float(start) - hit["start_s"] < 4e-6  # Players cut times off.
        assert float(end) == hit["end_s"]
        assert shown.kind is MomentKind.FRAME
        assert shown.span.start_s < hit["end_s"]


def _moment(library: Library, source_id: str, ordinal: int) -> Moment:
    snapshot = library.snapshot()
    (stored,) = snapshot.moments([snapshot.source_range(source_id)[ordinal]])
    assert stored.ordinal == ordinal
    return stored.moment


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/v1/search", 422, "the query is empty"),
        ("/v1/search?q=", 422, "the query is empty"),
        ("/v1/search?q=%20", 422, "the query is empty"),
        (f"/v1/search?q={'x' * 1001}", 422, "1000"),
        ("/v1/search?q=a&k=0", 422, "query.k"),
        ("/v1/search?q=a&k=101", 422, "query.k"),
        ("/v1/search?q=a&kinds=frame", 422, "query.kinds"),
        ("/v1/search?q=a&kind=smell", 422, "query.kind"),
        ("/v1/search?q=a&within=soon", 422, "within: 'soon'"),
        ("/v1/search?q=a&source=nobody.mp4", 422, "no source 'nobody.mp4'"),
        ("/v1/sources/0123456789abcdef0123456789abcdef/media", 404, "no source"),
        ("/v1/sources/..%2f..%2f..%2fetc%2fpasswd/media", 404, ""),
        ("/v1/sources/../../../etc/passwd", 404, ""),
        ("/v1/sources/%00/media", 404, "no source"),
        ("/v1/moments/nobody/0/picture", 404, "no source"),
        ("/v1/moments/nobody/-1/picture", 422, "ordinal"),
        (f"/v1/moments/nobody/{'9' * 5000}/picture", 422, "ordinal"),
        ("/v1/nothing", 404, "/v1/nothing"),
        ("/", 404, "/openapi.json"),
    ],
)
def test_bad_requests_are_told_as_problems(
    server: Server, path: str, status: int, says: str
) -> None:
    reply = server.send(path)
    assert reply.status == status
    assert says in reply.problem()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 422, "body"),
        (b"{", 422, "JSON"),
        (b"[]", 422, "body"),
        (b'{"question": 3}', 422, "body.question"),
        (b'{"question": "\\ud800"}', 422, "unicode"),
        (b'{"question": "a", "sauce": 1}', 422, "body.sauce"),
        (b'{"question": "%s"}' % (b"x" * 1001), 422, "1000"),
        (b'{"question": "%s"}' % (b"x" * 2_000_000), 413, "1048576 bytes"),
    ],
)
def test_bad_questions_are_told_as_problems(
    server: Server, body: bytes, status: int, says: str
) -> None:
    reply = server.post(body)
    assert reply.status == status
    assert says in reply.problem()["detail"]


def test_a_wrong_method_names_the_right_ones(server: Server) -> None:
    reply = server.send("/v1/ask", "DELETE")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, POST"
    reply.problem()


def test_without_a_token_no_foreign_name_leads_here(server: Server) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example:80", "[", ""):
        reply = server.send("/v1/sources", headers={"Host": host})
        assert reply.status == 421, host
        reply.problem()
    for host in ("localhost:9000", "[::1]:80", "127.0.0.1"):
        assert server.send("/v1/sources", headers={"Host": host}).status == 200


def test_with_a_token_everything_but_health_needs_it(guarded: Server) -> None:
    assert guarded.send("/v1/health").status == 200
    for path in ("/v1/search?q=a", "/v1/sources", "/openapi.json", "/v1/nothing", "/v1/health/"):
        for wrong in ({}, {"Authorization": "Bearer no"}, {"Authorization": f"Basic {TOKEN}"}):
            reply = guarded.send(path, headers=wrong)
            assert reply.status == 401, (path, wrong)
            assert reply.headers["www-authenticate"].startswith("Bearer")
            reply.problem()
    right = {"Authorization": f"Bearer {TOKEN}", "Host": "archive.example"}
    assert guarded.send("/v1/search?q=a", headers=right).status == 200
    schema = guarded.send("/openapi.json", headers=right).json()
    assert schema["security"] == [{"token": []}]
    assert schema["paths"]["/v1/health"]["get"]["security"] == []


def test_openapi_describes_every_operation_and_its_problems(server: Server) -> None:
    schema = server.send("/openapi.json").json()
    assert set(schema["paths"]) == {
        "/v1/search",
        "/v1/ask",
        "/v1/sources",
        "/v1/moments/{source_id}/{ordinal}/picture",
        "/v1/sources/{source_id}/media",
        "/v1/sources/{source_id}/on_screen",
        "/v1/health",
    }
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert "detail" in schema["components"]["schemas"]["Problem"]["required"]
    operations = [one for path in schema["paths"].values() for one in path.values()]
    for operation in operations:
        assert operation["description"]
        (content,) = operation["responses"]["default"]["content"].items()
        reference = {"$ref": "#/components/schemas/Problem"}
        assert content == ("application/problem+json", {"schema": reference})
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)


def test_many_may_ask_at_once(server: Server) -> None:
    def hits(_: int) -> Any:
        return server.get("/v1/search", {"q": "the storm surge", "k": 3})["hits"]

    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(hits, range(16))
    assert first
    assert all(other == first for other in others)


def test_a_damaged_library_is_told_without_a_traceback(server: Server) -> None:
    manifest = server.library / "manifest.json"
    content = manifest.read_bytes()
    manifest.rename(manifest.with_suffix(".away"))
    manifest.write_text("{")
    reply = server.send("/v1/health")
    manifest.with_suffix(".away").rename(manifest)
    assert reply.status == 503
    reply.problem()
    assert manifest.read_bytes() == content
    assert server.send("/v1/health").status == 200


def test_other_machines_are_let_in_with_a_token_only(archive: Path) -> None:
    done = secondsight("serve", "-L", archive, "--host", "0.0.0.0", "--port", "0", check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "lets other machines in" in line
    assert TOKEN_VARIABLE in line


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ServeSettings(host="0", port=0), "lets other machines in"),
        (ServeSettings(host="", port=0), "cannot listen on ''"),
        (ServeSettings(host="no such name"), "cannot listen on 'no such name'"),
        (ServeSettings(port=70_000), r"0\.\.65535"),
        (ServeSettings(token="two words"), "may hold only"),
    ],
)
def test_settings_that_cannot_be_served_are_told(
    library: Library, monkeypatch: pytest.MonkeyPatch, settings: ServeSettings, message: str
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(SettingsError, match=message):
        serve(library, settings, announce=pytest.fail)


def test_a_port_in_use_is_told(library: Library, server: Server) -> None:
    with pytest.raises(SettingsError, match="in use; choose another"):
        serve(library, ServeSettings(port=server.port), announce=pytest.fail)
