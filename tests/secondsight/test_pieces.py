"""The catalog of a video does not depend on how its work was cut up or spread."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from index.records import Moment, Source
from index.snapshot import Snapshot
from ingest import video
from ingest.parts import Parts
from secondsight import Library
from secondsight.settings import Settings
from tests.clips import remux
from tests.conftest import TALK

WAYS: dict[str, dict[str, Any]] = {
    "whole, by one worker": {"piece_s": 300.0, "sources_in_flight": 1, "cpus": 1},
    "pieces of 7 s, by several": {
        "piece_s": 7.0,
        "sources_in_flight": 2,
        "cpus": 3,
        "speech_workers": 2,
        "screen_text_workers": 2,
        "embed_workers": 2,
    },
}
LENGTHS = (Fraction(31), Fraction(9))
PARTS = Parts(3, pictures=1, windows=1, texts=4)

Rows = dict[str, tuple[Source, list[tuple[int, Moment, bytes | None]], list[Any]]]


def rows_of(directory: Path) -> Rows:
    """Everything the catalog holds of each source, by id."""
    snapshot = Snapshot.open(directory)
    rows: Rows = {}
    for source_id, source in snapshot.sources.items():
        ids = snapshot.source_range(source_id)
        moments = [
            (stored.ordinal, stored.moment, snapshot.picture(stored.id))
            for stored in snapshot.moments(ids)
        ]
        first = snapshot.columns.segment[ids[0]]
        segments = [int(number - first) for number in snapshot.columns.segment[list(ids)]]
        rows[source_id] = (source, moments, segments)
    return rows


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    files = [folder / f"talk{length}.mp4" for length in LENGTHS]
    for file, length in zip(files, LENGTHS, strict=True):
        remux(TALK, file, until=length)
    return files


def test_the_catalog_is_the_same_for_any_pieces_and_number_of_workers(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "parts_of_video", lambda _: PARTS)
    found: dict[str, Rows] = {}
    for name, way in WAYS.items():
        settings = Settings()
        work = replace(settings.ingest.work, **way)
        library = Library.open(
            tmp_path / name, settings=replace(settings, ingest=replace(settings.ingest, work=work))
        )
        report = library.ingest(clips)
        assert [outcome.outcome for outcome in report.sources] == ["added"] * len(clips)
        found[name] = rows_of(tmp_path / name)
        for stage in ("speech", "screen_text", "embed_pictures", "embed_texts"):
            parts = list((tmp_path / name / "cache").glob(f"*/{stage}-*"))
            assert len(parts) > len(clips), f"nothing in parts: {stage}"
    whole = found.pop("whole, by one worker")
    assert all(len(moments) > 3 for _, moments, _ in whole.values())
    for name, rows in found.items():
        assert rows == whole, name
