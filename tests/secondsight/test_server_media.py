"""The HTTP API: pictures of moments and the files of sources, by ranges of bytes."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.records import Span
from secondsight import Library
from secondsight.server.links import place_fragment
from secondsight.server.media import parse_range
from secondsight.server.problems import ProblemError
from tests.conftest import MANUAL, TALK
from tests.index.build import instants
from tests.secondsight.served import Server


def test_pictures_are_those_of_the_library(server: Server, library: Library) -> None:
    snapshot = library.snapshot()
    for source_id in snapshot.source_ids:
        for ordinal, moment in list(enumerate(snapshot.source_range(source_id)))[::9]:
            reply = server.send(f"/v1/moments/{source_id}/{ordinal}/picture")
            jpeg = snapshot.picture(moment)
            if jpeg is None:
                assert reply.status == 404
                assert "no picture" in reply.problem()["detail"]
            else:
                assert reply.body == jpeg


def test_media_is_the_file_byte_for_byte(server: Server, ids: dict[str, str]) -> None:
    for path, name, media_type in (
        (server.talk, TALK.name, "video/mp4"),
        (MANUAL, MANUAL.name, "application/pdf"),
    ):
        reply = server.send(f"/v1/sources/{ids[name]}/media")
        assert reply.status == 200
        assert reply.body == path.read_bytes()
        assert reply.headers["content-type"] == media_type
        assert reply.headers["accept-ranges"] == "bytes"
        head = server.send(f"/v1/sources/{ids[name]}/media", "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["content-length"]) == path.stat().st_size


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=1000-1999", slice(1000, 2000)),
        ("bytes=300000-1299999", slice(300_000, 1_300_000)),
        ("bytes=4000000-", slice(4_000_000, None)),
        ("bytes=-777", slice(-777, None)),
        ("bytes=100-999999999999", slice(100, None)),
        ("bytes=-999999999999", slice(None)),
    ],
)
def test_ranges_are_byte_exact(
    server: Server, ids: dict[str, str], asked: str, part: slice
) -> None:
    content = server.talk.read_bytes()
    reply = server.send(f"/v1/sources/{ids[TALK.name]}/media", headers={"Range": asked})
    assert reply.status == 206
    assert reply.body == content[part]
    start, stop, _ = part.indices(len(content))
    assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(content)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "x"])
def test_a_range_that_cannot_be_served_alone_gives_the_whole_file(
    server: Server, ids: dict[str, str], asked: str
) -> None:
    reply = server.send(f"/v1/sources/{ids[MANUAL.name]}/media", headers={"Range": asked})
    assert reply.status == 200
    assert len(reply.body) == MANUAL.stat().st_size


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_416(server: Server, ids: dict[str, str], asked: str) -> None:
    reply = server.send(f"/v1/sources/{ids[MANUAL.name]}/media", headers={"Range": asked})
    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{MANUAL.stat().st_size}"
    reply.problem()


def test_a_client_that_has_the_file_need_not_fetch_it_again(
    server: Server, ids: dict[str, str]
) -> None:
    path = f"/v1/sources/{ids[MANUAL.name]}/media"
    etag = server.send(path, "HEAD").headers["etag"]
    unchanged = server.send(path, headers={"If-None-Match": f'"other", {etag}'})
    assert (unchanged.status, unchanged.body) == (304, b"")
    ranged = {"Range": "bytes=0-9"}
    assert server.send(path, headers={**ranged, "If-Range": etag}).status == 206
    assert server.send(path, headers={**ranged, "If-Range": '"other"'}).status == 200


def test_a_file_that_changed_is_gone(server: Server, ids: dict[str, str]) -> None:
    path = f"/v1/sources/{ids[TALK.name]}/media"
    status = server.talk.stat()
    os.utime(server.talk, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert server.send(path).status == 410
    assert "ingest it again" in server.send(path).problem()["detail"]
    os.utime(server.talk, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert server.send(path, "HEAD").status == 200
    hidden = server.talk.rename(server.talk.with_suffix(".away"))
    assert server.send(path).status == 410
    hidden.rename(server.talk)
    assert server.send(path, "HEAD").status == 200


def test_moments_beyond_the_last_are_not_found(server: Server, ids: dict[str, str]) -> None:
    reply = server.send(f"/v1/moments/{ids[TALK.name]}/{10**30}/picture")
    assert reply.status == 404
    assert "moments of" in reply.problem()["detail"]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 50))
def test_a_range_is_a_slice(first: int, last: int, size_bytes: int) -> None:
    wanted = range(size_bytes)[first : last + 1]
    if first > last:
        assert parse_range(f"bytes={first}-{last}", size_bytes) is None
    elif wanted:
        assert parse_range(f"bytes={first}-{last}", size_bytes) == wanted
    else:
        with pytest.raises(ProblemError):
            parse_range(f"bytes={first}-{last}", size_bytes)


@given(st.one_of(st.text(), st.from_regex(r"bytes=[0-9]*-[0-9]*")), st.integers(0, 50))
def test_any_range_header_is_understood_or_refused(header: str, size_bytes: int) -> None:
    with suppress(ProblemError):
        part = parse_range(header, size_bytes)
        assert part is None or (part and 0 <= part.start < part.stop <= size_bytes)


@given(instants)
def test_a_link_aims_at_the_inside_of_the_picture_it_names(start: Fraction) -> None:
    fragment = place_fragment(Span(start, start + 1))
    asked = int(float(fragment.removeprefix("#t=").split(",")[0]) * 1e6)  # As Chromium does.
    # A picture and the length of the one before it are rounded: up to a microsecond together.
    late = Fraction(asked) - start * 1_000_000
    assert start == asked == 0 or 1 <= late < 3
