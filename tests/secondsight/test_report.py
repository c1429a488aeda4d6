"""The report of a run: the page shows what the catalog holds, and nothing in it can act."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from index.manifest import create_library, read_manifest, read_rotation
from index.records import MomentKind, Segment, SourceKind, Span
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from ingest.report import Event, SourceOutcome
from ingest.run_log import RunLog
from secondsight import Library, report_page
from secondsight.report_page import render
from secondsight.run_report import read_report
from secondsight.timeline import clock
from tests.conftest import MANUAL, TALK, secondsight
from tests.index.build import IDENTITY, make_vectors, make_video, row_of

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}<img src=x onerror=alert(1)>"
REVERSED = "\u202egpj.exe"
VOID = {"img", "link", "meta"}
LANES = {
    "frames": MomentKind.FRAME,
    "speech": MomentKind.UTTERANCE,
    "text-on-screen": MomentKind.SCREEN_TEXT,
}


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str | None = None, **wanted: str) -> list[Node]:
        """Elements below, in order, of this tag and with these attributes (`class_`: class)."""
        found = []
        for child in self.children:
            given = {name.rstrip("_"): value for name, value in wanted.items()}
            if tag in (None, child.tag) and given.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **wanted)
        return found

    def words(self) -> str:
        """Its text and that of all elements below."""
        return " ".join([self.text, *(child.words() for child in self.children)])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def parse(page: str) -> Node:
    """The page as a tree; fails when an element is not closed as it was opened."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


@pytest.fixture(scope="module")
def page(archive: Path) -> Node:
    """The page of the run that made the archive."""
    return parse(render(read_report(archive), Snapshot.open(archive)))


def percent(node: Node, name: str) -> float:
    """An attribute that is a share of the width."""
    value = node.attributes[name]
    assert value.endswith("%")
    return float(value[:-1])


def test_the_timeline_shows_what_the_catalog_holds(page: Node, library: Library) -> None:
    snapshot = library.snapshot()
    (source,) = [one for one in snapshot.sources.values() if one.kind is SourceKind.VIDEO]
    assert source.duration is not None
    (card,) = page.all("article", id=f"source-{source.id}")
    stored = snapshot.moments(snapshot.source_range(source.id))
    segments = snapshot.segments_of(source.id)
    expected = {
        lane: [one.moment for one in stored if one.moment.kind is kind]
        for lane, kind in LANES.items()
    }
    assert all(len(moments) > 5 for moments in expected.values())
    spans = {lane: [one.span for one in moments] for lane, moments in expected.items()}
    spans["segments"] = [one.extent for one in segments if isinstance(one.extent, Span)]
    assert sum(len(segment.moments) for segment in segments) == len(stored)
    for lane, moments in spans.items():
        (group,) = card.all("g", class_=lane)
        assert len(group.children) == len(moments)
        for mark, span in zip(group.children, moments, strict=True):
            assert mark.tag == ("line" if lane == "frames" else mark.tag)
            label = mark.all("title")[0].text
            assert label.startswith(f"{clock(span.start)}–{clock(span.end)}")
            start = percent(mark, "x1" if lane == "frames" else "x")
            assert start == pytest.approx(float(100 * span.start / source.duration), abs=1e-5)
            if lane != "frames":
                width = percent(mark, "width")
                assert width == pytest.approx(
                    float(100 * span.duration / source.duration), abs=1e-5
                )
    for mark, moment in zip(
        card.all("g", class_="speech")[0].children, expected["speech"], strict=True
    ):
        assert mark.all("title")[0].text.split(" ", 1)[1].rstrip("…") in moment.text
    strong = [percent(mark, "x1") for mark in card.all("line", class_="strong")]
    assert len(strong) == len(segments)
    assert card.all("svg", class_="timeline")[0].attributes["role"] == "img"
    assert "speech 5" in card.all("title")[0].text


def test_the_table_says_what_the_timeline_shows(page: Node, library: Library) -> None:
    snapshot = library.snapshot()
    for source in snapshot.sources.values():
        (card,) = page.all("article", id=f"source-{source.id}")
        head, *rows, total = card.all("tr")
        segments = snapshot.segments_of(source.id)
        assert [row.all("td")[0].words().strip() for row in rows] == [one.title for one in segments]
        counts = [[int(cell.text) for cell in row.all("td", class_="number")] for row in rows]
        assert [sum(row) for row in counts] == [len(one.moments) for one in segments]
        sums = [int(cell.text) for cell in total.all("td")]
        assert sums == [sum(column) for column in zip(*counts, strict=True)]
        assert len(head.all("th", scope="col")) == 2 + len(sums)


def test_the_pages_of_a_document_are_counted(page: Node, library: Library) -> None:
    snapshot = library.snapshot()
    (source,) = [one for one in snapshot.sources.values() if one.kind is SourceKind.DOCUMENT]
    assert source.pages is not None
    (card,) = page.all("article", id=f"source-{source.id}")
    moments = [one.moment for one in snapshot.moments(snapshot.source_range(source.id))]
    for lane, kind in (("passages", MomentKind.PASSAGE), ("figures", MomentKind.FIGURE)):
        on_page = [one.area.page for one in moments if one.kind is kind]
        (group,) = card.all("g", class_=lane)
        pages = sorted(set(on_page))
        assert len(group.children) == len(pages)
        for bar, number in zip(group.children, pages, strict=True):
            assert bar.all("title")[0].text.startswith(f"page {number} ")
            assert f": {on_page.count(number)} {kind.value}" in bar.all("title")[0].text
            left = percent(bar, "x") * source.pages / 100
            assert left == pytest.approx(number - 1, abs=1e-5)


def test_the_page_fetches_nothing_and_has_small_pictures(page: Node) -> None:
    assert page.all("script") == page.all("iframe") == page.all("object") == []
    for node in page.all():
        assert not [name for name in node.attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert node.attributes.get(name, "#").startswith(("#", "data:"))
    (style,) = page.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    policies = [meta.attributes.get("content", "") for meta in page.all("meta")]
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in policies
    for card in page.all("article"):
        pictures = card.all("img")
        assert 4 <= len(pictures) <= report_page.MAX_PICTURES
        assert len({picture.attributes["src"] for picture in pictures}) == len(pictures)
        assert all(picture.attributes["alt"].startswith("Picture at ") for picture in pictures)
        assert all(len(picture.attributes["src"]) < 40_000 for picture in pictures)


def test_names_reasons_and_texts_cannot_act(tmp_path: Path) -> None:
    directory = tmp_path / "library"
    create_library(directory, IDENTITY)
    jpeg = io.BytesIO()
    Image.new("RGB", (640, 360), "teal").save(jpeg, "JPEG")
    source, segments = make_video(1)
    source = replace(
        source,
        name=HOSTILE,
        details={"title": HOSTILE, "speech": HOSTILE, "video_codec": HOSTILE},
        notes=(HOSTILE,),
    )
    segments = tuple(
        Segment(
            segment.extent,
            HOSTILE,
            tuple(
                replace(moment, text=HOSTILE, picture=moment.picture and jpeg.getvalue())
                for moment in segment.moments
            ),
        )
        for segment in segments
    )
    with staging_area(directory) as area:
        entry = write_shard(
            area / "shard",
            source,
            segments,
            *make_vectors(1, segments),
            rotation=read_rotation(directory, read_manifest(directory)),
        )
        undecodable = f"/films/{HOSTILE}\udcff.mp4"
        commit_shard(directory, area / "shard", entry, [row_of(1, undecodable)], embedder=IDENTITY)
    log = RunLog(directory)
    paths = [f"/films/{HOSTILE}.mp4", f"/films/{REVERSED}"]
    for path in paths:
        log(Event(path, "found", size_bytes=1))
    added = SourceOutcome(paths[0], "added", source.id, moments=12, took_s=1.0)
    failed = SourceOutcome(paths[1], "failed", stage=HOSTILE, reason=HOSTILE)
    for outcome in (added, failed):
        log(Event(outcome.path, outcome.outcome, outcome=outcome))
    text = render(read_report(directory), Snapshot.open(directory))
    text.encode()  # the undecodable name did not come through
    page = parse(text)
    assert page.all("script") == []
    assert len(page.all("img")) == 3
    assert all(image.attributes["src"].startswith("data:") for image in page.all("img"))
    assert not [node for node in page.all() if "onerror" in node.attributes]
    assert page.words().count(HOSTILE) >= 20
    assert "49" not in page.all("h3")[0].words()
    assert REVERSED not in text
    assert r"\u202egpj.exe" in text


def test_the_data_have_stable_fields(archive: Path, library: Library, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    secondsight("report", "-L", archive, file)
    report = json.loads(file.read_text(encoding="utf-8"))
    assert list(report) == [
        *("library", "began_at", "end", "took_s", "video_s", "x_realtime", "outcomes"),
        *("stages_s", "moments_by_kind", "sources", "unfinished"),
    ]
    assert (report["end"], report["unfinished"]) == ("ended", [])
    assert report["outcomes"] == {"added": 2, "unchanged": 0, "failed": 0}
    assert [source["path"] for source in report["sources"]] == [str(TALK), str(MANUAL)]
    status = library.status()
    for source in report["sources"]:
        assert list(source) == [
            *("id", "path", "outcome", "reason", "stage", "duration_s", "pages", "moments"),
            *("notes", "took_s", "stages_s", "kind", "segments", "moments_by_kind"),
        ]
        assert source["moments"] == sum(source["moments_by_kind"].values())
        assert source["moments"] == status.moments_by_source[source["id"]]
        assert source["stages_s"]["embed"] > 0
    talk, manual = report["sources"]
    assert list(talk["moments_by_kind"]) == ["frame", "utterance", "screen_text"]
    assert (talk["kind"], manual["kind"]) == ("video", "document")
    assert manual["pages"] == manual["moments_by_kind"]["page"]
    assert sum(report["moments_by_kind"].values()) == status.num_moments
    assert sum(source["segments"] for source in report["sources"]) == status.num_segments
    assert report["video_s"] == pytest.approx(talk["duration_s"], abs=0.001)
    assert report["x_realtime"] == pytest.approx(report["video_s"] / report["took_s"], abs=0.01)


def test_a_run_that_was_stopped_is_reported_as_such(archive: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory)
    log = RunLog(directory)
    for path in ("/films/a.mp4", "/films/b.mp4", "/films/c.mp4"):
        log(Event(path, "found", size_bytes=1))
    log(Event("/films/b.mp4", "frames", total=3, duration_s=10.0))
    reason = "is not a media file"
    failed = SourceOutcome("/films/c.mp4", "failed", stage="probe", reason=reason)
    log(Event(failed.path, "failed", reason=reason, outcome=failed))
    report = read_report(directory)
    assert (report.end, report.unfinished) == ("running", ("/films/a.mp4", "/films/b.mp4"))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    content = log.path.read_text(encoding="utf-8")
    log.path.write_text(content.replace(str(os.getpid()), str(gone.pid)), encoding="utf-8")
    report = read_report(directory)
    assert (report.end, report.outcomes) == ("stopped", (failed,))
    page = parse(render(report, Snapshot.open(directory)))
    assert "2 not finished" in page.all("h1")[0].words()
    rows = page.all("table")[0].all("tr")[1:]
    assert [row.all("th")[0].words().strip() for row in rows] == [
        *("/films/c.mp4", "/films/a.mp4", "/films/b.mp4")
    ]
    assert page.all("article") == []


def test_a_page_draws_so_many_sources_and_says_so(
    archive: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, report = library.snapshot(), read_report(archive)
    manual, talk = sorted(snapshot.sources.values(), key=lambda one: one.kind.value)
    for limit in ("MAX_DRAWN", "MAX_DRAWN_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(report_page, limit, 1)
            page = parse(render(report, snapshot))
            (card,) = page.all("article")
            assert card.attributes["id"] == f"source-{talk.id}"
            assert "1 more is not drawn" in page.words()
    (card,) = parse(render(report, snapshot, drawn=[manual.id])).all("article")
    assert card.attributes["id"] == f"source-{manual.id}"
    with monkeypatch.context() as patch:
        patch.setattr(report_page, "MAX_ROWS", 1)
        page = parse(render(report, snapshot))
        (table,) = page.all("table", class_="sources")
        assert len(table.all("tr")) == 2
        assert "1 more are not in this table" in page.words()


def test_the_command_writes_pages_and_says_what_it_cannot(archive: Path, tmp_path: Path) -> None:
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    secondsight("report", "-L", archive, page, data, "--source", MANUAL.name)
    (card,) = parse(page.read_text(encoding="utf-8")).all("article")
    assert MANUAL.name in card.words()
    assert json.loads(data.read_text(encoding="utf-8"))["end"] == "ended"
    done = secondsight("report", "-L", archive, tmp_path / "report.txt", check=False)
    assert (done.returncode, "page (.html) or data (.json)" in done.stderr) == (2, True)
    Library.open(tmp_path / "new")
    done = secondsight("report", "-L", tmp_path / "new", page, check=False)
    assert (done.returncode, "secondsight ingest" in done.stderr) == (1, True)


def test_an_unchanged_source_is_drawn_too(archive: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory)
    log = RunLog(directory)
    snapshot = Snapshot.open(directory)
    source_id = snapshot.source_ids[0]
    outcome = SourceOutcome("/moved.mp4", "unchanged", source_id)
    log(Event(outcome.path, "unchanged", outcome=outcome))
    log.end()
    page = parse(render(read_report(directory), snapshot))
    assert [card.attributes["id"] for card in page.all("article")] == [f"source-{source_id}"]
    assert page.all("a")[0].attributes["href"] == f"#source-{source_id}"
