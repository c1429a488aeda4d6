"""Metadata and permission tags from the command line to results: given, changed, filtered by."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from starlette.testclient import TestClient

from index.errors import QuestionError, SettingsError
from index.manifest import read_manifest
from index.metadata import MetadataChange
from index.publishing import commit_links
from index.records import PageOnScreen, Span
from index.shard import record_outcomes
from ingest.metadata import read_table
from retrieve.where import WhereError
from secondsight import Library, present
from secondsight.cli import main
from secondsight.server.app import create_app
from tests.retrieve.archive import BEES, COFFEE, MANUAL, build_archive, shared_embedder

COFFEE_QUESTION = "What happens at the second crack?"
STARTING = "press the green key for two seconds"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command, run in this process."""
    try:
        main([str(argument) for argument in arguments])
        code: Any = 0
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    return int(code or 0), printed.out, printed.err


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The hand-written archive: the coffee talk is for the board, its slides are the manual."""
    directory = tmp_path_factory.mktemp("tagged") / "library"
    snapshot = build_archive(directory, shared_embedder())
    ids = {source.name: source.id for source in snapshot.sources.values()}
    said = {
        ids[BEES]: MetadataChange({"course": "bees", "year": 2019}),
        ids[COFFEE]: MetadataChange({"course": "coffee", "secret": 1}, frozenset({"board"})),
        ids[MANUAL]: MetadataChange({"year": 2023}),
    }
    record_outcomes(directory, [], metadata=said)
    shown = Span(Fraction(1), Fraction(40))
    link = PageOnScreen(ids[MANUAL], 3, ids[COFFEE], shown, 0.9)
    commit_links(directory, [(ids[COFFEE], ids[MANUAL])], [link])
    return Library.open(directory, create=False)


def _names(library: Library, query: str = "beans, bees and pumps", **options: Any) -> set[str]:
    return {hit.source.name for hit in library.search(query, k=50, **options)}


def test_where_acts_on_both_indexes_before_ranking(tagged: Library) -> None:
    assert _names(tagged, where="course = 'bees'") == {BEES}
    assert _names(tagged, where="year > 2020") == {MANUAL}
    assert _names(tagged, where="year is null") == {COFFEE}
    assert _names(tagged, where="not course like 'b%'") == {COFFEE}
    assert _names(tagged, where="year > 2030") == set()
    one = tagged.search("Ferreira", k=1, where="course in ('bees', 'tea') or year >= 2023")
    assert {hit.source.name for hit in one} <= {BEES, MANUAL}
    with pytest.raises(WhereError, match="column 15"):
        tagged.search("bees", where="course > 3 and")
    assert not tagged.ask(COFFEE_QUESTION, where="course = 'bees'").found


def test_a_search_sees_what_it_is_permitted_and_nothing_tells_of_the_rest(
    tagged: Library,
) -> None:
    assert _names(tagged) == _names(tagged, permissions={"board", "x"}) == {BEES, COFFEE, MANUAL}
    assert _names(tagged, permissions=()) == _names(tagged, permissions=["staff"])
    assert _names(tagged, permissions=()) == {BEES, MANUAL}
    assert tagged.ask(COFFEE_QUESTION, permissions={"board"}).found
    assert not tagged.ask(COFFEE_QUESTION, permissions=()).found
    unknown, hidden = (_problem(tagged, sources=[name]) for name in ("nothing.mp4", COFFEE))
    assert hidden == unknown.replace("nothing.mp4", COFFEE)
    unheard = _problem(tagged, where="nobody = 1")
    assert _problem(tagged, where="secret = 1") == unheard.replace("nobody", "secret")
    assert "there is: course, year" in _problem(tagged, where="secret = 1")
    with pytest.raises(QuestionError, match="permissions is a list"):
        tagged.search("bees", permissions="board")


def test_words_and_places_of_what_is_closed_are_not_told(tagged: Library) -> None:
    assert tagged.search("Fereira").read_as == {"fereira": ("ferreira",)}
    assert tagged.search("Fereira", permissions={"board"}).read_as == {"fereira": ("ferreira",)}
    assert tagged.search("Fereira", permissions=()).read_as == {}
    assert len(tagged.search(like=f"{COFFEE}@0:05", permissions={"board"})) > 0
    with pytest.raises(QuestionError, match="no source"):
        tagged.search(like=f"{COFFEE}@0:05", permissions=())


def _problem(library: Library, **options: Any) -> str:
    with pytest.raises(QuestionError) as caught:
        library.search("beans", permissions=(), **options)
    return str(caught.value)


def test_ties_between_slides_and_talks_are_told_to_who_may_see_both(tagged: Library) -> None:
    def shown(permissions: set[str] | None) -> list[str]:
        hits = tagged.search(STARTING, k=5, permissions=permissions)
        page = next(hit for hit in hits if hit.source.name == MANUAL)
        return [one.source.name for one in page.on_screen]

    assert shown(None) == shown({"board"}) == [COFFEE]
    assert shown(set()) == []
    asked = tagged.ask("How do I start the pump?", permissions=set())
    assert asked.found
    assert [tie for one in asked.sentences for c in one.citations for tie in c.on_screen] == []


def test_a_server_shows_no_tagged_source_unless_it_was_started_so(tagged: Library) -> None:
    coffee = tagged.source(COFFEE).id
    manual = tagged.source(MANUAL).id
    places = (f"sources/{coffee}/media", f"sources/{coffee}/on_screen")
    paths = [f"/v1/{place}" for place in (*places, f"moments/{coffee}/0/picture")]
    for permissions, is_shown in (((), False), (("board",), True)):
        client = TestClient(
            create_app(tagged, permissions=permissions), base_url="http://127.0.0.1"
        )
        listed = client.get("/v1/sources").json()
        assert (COFFEE in [one["name"] for one in listed["sources"]]) is is_shown
        # What the whole library has would tell of what is left out.
        whole = [listed[name] is not None for name in ("size_bytes", "shards", "forgotten")]
        assert whole == [is_shown] * 3
        console = Console()
        with console.capture() as printed:
            present.print_status(console, tagged.status(permissions))
        assert (" MB, generation" in printed.get()) is is_shown
        found = client.get("/v1/search", params={"q": "coffee beans", "k": 50}).json()
        assert (COFFEE in [hit["source"]["name"] for hit in found["hits"]]) is is_shown
        answered = client.get("/v1/ask", params={"question": COFFEE_QUESTION}).json()
        assert answered["found"] is is_shown
        for path in paths:
            known = "no source" not in client.get(path).text
            assert known is is_shown, path
        pairs = client.get(f"/v1/sources/{manual}/on_screen").json()["pairs"]
        assert bool(pairs) is is_shown
        own = {one["name"]: (one["metadata"], one["tags"]) for one in listed["sources"]}
        assert own[BEES] == ({"course": "bees", "year": 2019}, [])


def test_the_api_filters_by_metadata_and_grants_no_permissions(tagged: Library) -> None:
    client = TestClient(create_app(tagged), base_url="http://127.0.0.1")
    asked = {"q": "bees", "where": "course = 'bees'"}
    found = client.get("/v1/search", params=asked).json()["hits"]
    assert {hit["source"]["name"] for hit in found} == {BEES}
    wrong = client.get("/v1/search", params={"q": "bees", "where": "course = "})
    assert wrong.status_code == 422
    assert "column" in wrong.json()["detail"]
    assert client.get("/v1/search", params={"q": "b", "permissions": "board"}).is_client_error
    body = {"question": "bees?", "permissions": ["board"]}
    assert client.post("/v1/ask", json=body).is_client_error


def test_what_is_said_of_files_is_found_and_changed_without_reading_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, library = tmp_path / "notes", tmp_path / "library"
    folder.mkdir()
    for name, text in (("one.txt", "The boat leaves at noon."), ("two.txt", "The boat is late.")):
        (folder / name).write_text(text)
    table = tmp_path / "table.csv"
    table.write_text("path,course,room,tags\nnotes/two.txt,cs102,007,board staff\nno.txt,x,,\n")
    first = ["--meta", "course=cs101", "--meta", "year=2021", "--meta-file", str(table)]
    code, printed, errors = run(capsys, "ingest", "--json", "-L", library, folder, *first)
    assert code == 0, errors
    assert json.loads(printed)["metadata_without_file"] == [str(tmp_path / "no.txt")]
    assert _said(capsys, library) == {
        "one.txt": ({"course": "cs101", "year": 2021}, []),
        "two.txt": ({"course": "cs102", "room": "007", "year": 2021}, ["board", "staff"]),
    }
    shards = read_manifest(library).shards
    code, printed, _ = run(
        capsys, "ingest", "-L", library, folder / "two.txt", "--meta", "room=", "--tag", "board",
        "--meta", "open=true",
    )  # fmt: skip
    assert "1 unchanged" in printed
    assert read_manifest(library).shards == shards
    assert _said(capsys, library)["two.txt"] == (
        {"course": "cs102", "open": True, "year": 2021},
        ["board"],
    )
    search = ("search", "--json", "-L", library, "boat")
    for options, names in (
        ((), {"one.txt", "two.txt"}),
        (("--where", "course = 'cs102'"), {"two.txt"}),
        (("--permissions", ""), {"one.txt"}),
        (("--permissions", "x,board"), {"one.txt", "two.txt"}),
    ):
        code, printed, _ = run(capsys, *search, *options)
        hits = json.loads(printed)["hits"]
        assert {hit["source"]["name"] for hit in hits} == names
    code, _, errors = run(capsys, *search, "--where", "course = cs102")
    assert (code, errors.count("\n")) == (2, 1)
    assert "a text stands in single quotes: 'cs102'" in errors
    code, printed, _ = run(capsys, "status", "-L", library)
    assert "two.txt: course = cs102, open = true, year = 2021, tag board" in printed
    query = "SELECT s.name, m.value FROM metadata m JOIN sources s USING (source) ORDER BY ALL"
    code, printed, _ = run(capsys, "sql", "-L", library, "--csv", query)
    assert printed.splitlines()[:3] == ["name,value", "one.txt,2021", "one.txt,cs101"]


def _said(
    capsys: pytest.CaptureFixture[str], library: Path
) -> dict[str, tuple[dict[str, Any], list[str]]]:
    _, printed, _ = run(capsys, "status", "--json", "-L", library)
    sources = json.loads(printed)["sources"]
    return {source["name"]: (source["metadata"], source["tags"]) for source in sources}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("t.csv", "file,course\na,b\n", "names its columns"),
        ("t.csv", "path,course,course\na,b,c\n", "names its columns"),
        ("t.csv", "path,course\na,b,c\n", "line 2 of the metadata file has 3 cells"),
        ("t.csv", "path,course\n,b\n", "line 2: there is no 'path'"),
        ("t.csv", "path,course\na,b\n./a,c\n", "line 3: .*a once more"),
        ("t.csv", "path,a b\nx,1\n", "line 2: metadata cannot be named 'a b'"),
        ("t.csv", 'path,x\n"a,1\n', "unexpected end of data"),
        ("t.jsonl", '{"path": "a"}\n{"path"', "line 2 of the metadata file is no JSON"),
        ("t.jsonl", "[1]\n", "no JSON object"),
        ("t.jsonl", '{"path": "a", "x": [1]}\n', "line 1: metadata x"),
        ("t.jsonl", '{"path": "a", "x": NaN}\n', "line 1: metadata x"),
        ("t.jsonl", '{"path": "a", "tags": ["b c"]}\n', "line 1: a tag is"),
        ("t.txt", "", "must end in .csv or .jsonl"),
        ("none.csv", None, "No such file"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, name: str, content: str | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SettingsError, match=problem):
        read_table(tmp_path / name)


def test_tables_of_both_kinds_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        '\ufeffPath,Course,year,open,tags\r\na/b.mp4, cs101 ,2021,true,"x, y"\r\n\r\nc,,,,\r\n'
    )
    (tmp_path / "t.jsonl").write_text(
        '{"path": "a/b.mp4", "course": "cs101", "year": 2021, "open": true, "tags": ["x", "y"]}\n'
        f'\n{{"path": "{tmp_path}/c", "course": null, "year": null, "open": null, "tags": null}}\n'
    )
    expected = {
        str(tmp_path / "a/b.mp4"): MetadataChange(
            {"course": "cs101", "year": 2021, "open": True}, frozenset({"x", "y"})
        ),
        str(tmp_path / "c"): MetadataChange(
            {"course": None, "year": None, "open": None}, frozenset()
        ),
    }
    assert read_table(tmp_path / "t.csv") == read_table(tmp_path / "t.jsonl") == expected


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--meta=course", "has no '='"),
        ("--meta=not=1", "cannot be named"),
        ("--tag=a b", "a tag is"),
        ("--meta-file=nowhere.csv", "nowhere.csv"),
    ],
)
def test_metadata_that_makes_no_sense_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, problem: str
) -> None:
    code, _, errors = run(capsys, "ingest", "-L", tmp_path / "library", tmp_path, option)
    assert (code, errors.count("\n")) == (2, 1)
    assert problem in errors


def test_sql_prints_views_tables_and_json(
    tagged: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = ("sql", "-L", tagged.directory)
    _, printed, _ = run(capsys, *sql)
    assert "page_on_screen  document VARCHAR, page INTEGER" in printed
    query = "SELECT name, round(duration_s, 1) AS s FROM sources ORDER BY name"
    _, printed, _ = run(capsys, *sql, query)
    assert [line.split() for line in printed.splitlines()] == [
        ["name", "s"], [BEES, "85.0"], [MANUAL], [COFFEE, "49.0"],
    ]  # fmt: skip
    _, printed, _ = run(capsys, *sql, "--json", query)
    assert json.loads(printed)[0] == {"name": BEES, "s": 85.0}
    code, _, errors = run(capsys, *sql, "DELETE FROM sources")
    assert (code, errors.count("\n")) == (2, 1)
    assert "only SELECT is possible" in errors
    code, printed, _ = run(capsys, "upgrade", "-L", tagged.directory)
    assert (code, printed) == (0, "nothing to upgrade\n")
