"""The stage cache while a run goes on: bounded, and whole for every source in work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.cache_limit import prune
from ingest.discover import content_hash
from ingest.report import Event
from secondsight import Library
from secondsight.settings import load_settings

FILES = 6


def test_a_run_keeps_no_more_than_the_limit_beside_what_is_in_work(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    ids = {}
    for number in range(FILES):
        text = texts / f"{number}.txt"
        text.write_text(f"Report {number}. The gauge stood at {number} mm.\n" * 20, "utf-8")
        ids[str(text)] = content_hash(str(text))
    cache = tmp_path / "library" / "cache"
    added: set[str] = set()
    kept_in_work = []

    def look(event: Event) -> None:
        if event.stage == "found":
            return
        if event.stage == "added":
            added.add(ids[event.path])
        entries = {folder.name: list(folder.iterdir()) for folder in cache.iterdir()}
        assert not added & set(entries)
        assert set(entries) <= set(ids.values())
        if event.total and event.done == event.total:
            prune(cache, 0)  # As a run beside this one would.
            kept_in_work.append(len(list((cache / ids[event.path]).iterdir())))

    settings = load_settings()
    work = replace(settings.ingest.work, cache_limit_bytes=1)
    settings = replace(settings, ingest=replace(settings.ingest, work=work))
    report = Library.open(tmp_path / "library", settings=settings).ingest([texts], listener=look)
    assert [source.outcome for source in report.sources] == ["added"] * FILES
    assert len(kept_in_work) == FILES
    assert min(kept_in_work) >= 2
    assert not any(cache.iterdir())
