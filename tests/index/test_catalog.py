"""What is written to a catalog is read back, exactly."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.catalog import (
    MOMENT_KINDS,
    CatalogReader,
    read_moments,
    read_texts,
    read_words,
    write_catalog,
)
from index.errors import LibraryError, SourceError
from index.inventory import InventoryRow, read_inventory, write_inventory
from index.records import (
    Moment,
    MomentKind,
    MomentText,
    MomentWords,
    Segment,
    Source,
    SourceKind,
    Span,
)
from tests.index.build import contents, make_video, row_of, source_id

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
Content = tuple[Source, tuple[Segment, ...]]


def _written(path: Path, content: Sequence[Content]) -> CatalogReader:
    count = sum(len(segment.moments) for _, segments in content for segment in segments)
    write_catalog(path, content, [None] * count)
    return CatalogReader(path)


@FEW
@given(st.lists(contents(), max_size=2))
def test_a_catalog_round_trips_exactly(content: list[Content]) -> None:
    content = [(replace(source, id=source_id(i)), s) for i, (source, s) in enumerate(content)]
    with tempfile.TemporaryDirectory() as directory:
        reader = _written(Path(directory) / "catalog.duckdb", content)
        assert reader.sources() == tuple(source for source, _ in content)
        rows = reader.segments()
        segments = [(i, segment) for i, (_, found) in enumerate(content) for segment in found]
        moments = [moment for _, segment in segments for moment in segment.moments]
        assert [
            (row.source, Segment(row.extent, row.title, tuple(reader.moments(row.moments))))
            for row in rows
        ] == segments
        texts = read_texts([(reader, range(len(moments)))])[0]
        assert texts == [MomentText(m.kind, m.place, m.text, m.heading) for m in moments]
        words = read_words([(reader, range(len(moments)))])[0]
        assert words == [
            MomentWords(words=m.words)
            if isinstance(m.place, Span)
            else MomentWords(word_boxes=m.word_boxes, hyperlinks=m.hyperlinks)
            for m in moments
        ]
        columns = reader.moment_columns()
        for number, moment in enumerate(moments):
            assert MOMENT_KINDS[columns.kind[number]] is moment.kind
            if isinstance(moment.place, Span):
                assert columns.start_s[number] == moment.place.start_s
                assert columns.end_s[number] == moment.place.end_s
                assert columns.page[number] == 0
            else:
                assert columns.page[number] == moment.place.page
                assert np.isnan(columns.start_s[number])


def test_moments_come_in_the_order_asked_for(tmp_path: Path) -> None:
    one = make_video(1)
    other = make_video(2, word="other")
    readers = [_written(tmp_path / f"{i}.duckdb", [c]) for i, c in enumerate((one, other))]
    flat = [[m for segment in c[1] for m in segment.moments] for c in (one, other)]
    bare = [[replace(moment, picture=None) for moment in moments] for moments in flat]
    ids = [7, 0, 7, 3]
    assert readers[0].moments(ids) == [bare[0][i] for i in ids]
    both = read_moments([(readers[0], [1]), (readers[1], [2, 1])])
    assert both == [[bare[0][1]], [bare[1][2], bare[1][1]]]
    with pytest.raises(IndexError, match="no moment 99"):
        readers[0].moments([99])


def test_the_view_and_the_columns_show_the_same_seconds(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    source, segments = make_video(1)
    write_catalog(path, [(source, segments)], [None] * 12)
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT start_s, end_s FROM moment_times ORDER BY moment")
        shown = rows.fetchall()
    columns = CatalogReader(path).moment_columns()
    spans = [moment.span for segment in segments for moment in segment.moments]
    assert shown == [(span.start_s, span.end_s) for span in spans]
    assert columns.start_s.tolist() == [start for start, _ in shown]
    assert columns.end_s.tolist() == [end for _, end in shown]


def test_seconds_of_huge_ticks_are_correctly_rounded(tmp_path: Path) -> None:
    start = Fraction(2**60 + 1, 10**9 + 7)
    moment = Moment(kind=MomentKind.FRAME, place=Span(start, start + 1), text="")
    segment = Segment(Span(start, start + 1), "", (moment,))
    source = Source(source_id(1), SourceKind.VIDEO, "a", 1, start + 1, None)
    columns = _written(tmp_path / "catalog.duckdb", [(source, (segment,))]).moment_columns()
    assert columns.start_s[0] == float(start)


def test_times_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    primes = [2**61 - 1, 2**31 - 1]
    moments = tuple(
        Moment(kind=MomentKind.FRAME, place=Span(Fraction(1, p), Fraction(2)), text="")
        for p in primes
    )
    segment = Segment(Span(Fraction(0), Fraction(2)), "", moments)
    source = Source(source_id(1), SourceKind.VIDEO, "clip.mp4", 1, Fraction(2), None)
    path = tmp_path / "catalog.duckdb"
    with pytest.raises(SourceError, match=r"clip\.mp4.*63 bits"):
        write_catalog(path, [(source, (segment,))], [None, None])
    assert not path.exists()


def test_text_no_encoding_can_hold_is_replaced(tmp_path: Path) -> None:
    source, (segment, *_) = make_video(1)
    moment = replace(segment.moments[0], text="a\ud800b\0c😀", picture=None)
    content = (replace(source, name="x\udcff.mp4"), (replace(segment, moments=(moment,)),))
    reader = _written(tmp_path / "catalog.duckdb", [content])
    assert reader.moments([0])[0].text == "a\ufffdb\0c😀"
    assert reader.sources()[0].name == "x\ufffd.mp4"


def test_a_missing_or_damaged_file_is_a_library_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"none\.duckdb"):
        CatalogReader(tmp_path / "none.duckdb")
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"x" * 100_000)
    with pytest.raises(LibraryError, match="restore this library from a backup"):
        CatalogReader(damaged)
    with pytest.raises(LibraryError, match=r"damaged\.duckdb"):
        read_inventory(damaged)


@pytest.mark.parametrize(("version", "advice"), [(99, "pip install"), (2, "secondsight upgrade")])
def test_a_schema_of_another_version_says_what_to_do(
    tmp_path: Path, version: int, advice: str
) -> None:
    path = tmp_path / "catalog.duckdb"
    write_catalog(path, [make_video(1)], [None] * 12)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE schema_version SET version = ?", [version])
    with pytest.raises(LibraryError, match=advice):
        CatalogReader(path)


def test_an_open_catalog_outlives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    source, segments = make_video(1)
    reader = _written(path, [(source, segments)])
    path.unlink()
    assert reader.moments([3])[0].text == segments[0].moments[3].text


def test_the_inventory_keeps_the_last_word_on_every_path(tmp_path: Path) -> None:
    failed = InventoryRow("/v/bad.mp4", 1, 2, "failed", None, "probe", "no streams", "now")
    first, second = tmp_path / "1.duckdb", tmp_path / "2.duckdb"
    write_inventory(first, None, [row_of(1), row_of(2, "/v/two.mp4"), failed])
    moved = row_of(2, "/v/moved.mp4")
    fixed = replace(failed, outcome="added", source_id=source_id(3), stage=None, reason=None)
    write_inventory(second, first, [moved, fixed], {source_id(1)})
    assert read_inventory(second) == [fixed, moved, row_of(2, "/v/two.mp4")]
    assert len(read_inventory(first)) == 3


def test_the_inventory_holds_paths_that_are_not_text(tmp_path: Path) -> None:
    path = os.fsdecode(b"/v/\xff\xfe.mp4")
    row = row_of(1, path)
    write_inventory(tmp_path / "i.duckdb", None, [row])
    assert read_inventory(tmp_path / "i.duckdb") == [row]


def test_the_catalog_refuses_what_contradicts_itself(tmp_path: Path) -> None:
    row = replace(row_of(1), outcome="failed", source_id=None)
    with pytest.raises(LibraryError, match="CHECK"):
        write_inventory(tmp_path / "i.duckdb", None, [row])
    assert not (tmp_path / "i.duckdb").exists()
