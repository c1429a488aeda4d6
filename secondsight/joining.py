"""Talks and slides that users tie together by name."""

from __future__ import annotations

from pathlib import Path

from index.errors import QuestionError
from index.publishing import commit_links
from index.records import SourceKind
from index.snapshot import Snapshot
from ingest.linking import LinkedPair, link_all, link_pair
from secondsight.naming import source_named


def link_sources(
    snapshot: Snapshot, directory: Path, talk: str | None, slides: str | None
) -> tuple[LinkedPair, ...]:
    """Link a talk with its slides, or all that belong together; see `Library.link`."""
    if talk is None and slides is None:
        found = link_all(snapshot)
    elif talk is None or slides is None:
        raise QuestionError("name a talk and its slides, or neither")
    else:
        video, document = source_named(snapshot, talk), source_named(snapshot, slides)
        for source, kind in ((video, SourceKind.VIDEO), (document, SourceKind.DOCUMENT)):
            if source.kind is not kind:
                raise QuestionError(f"{source.name} is no {kind}; name the talk, then slides")
        found = [link_pair(snapshot, video.id, document.id)]
    commit_links(
        directory,
        {(pair.video_id, pair.document_id) for pair in found},
        [link for pair in found for link in pair.links],
    )
    return tuple(found)
