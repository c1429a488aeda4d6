"""What users name: sources by id, file name or path, kinds, places, and filters made of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from index.errors import QuestionError
from index.records import MomentKind, Source, Span
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.query import Like, parse_like
from retrieve.where import parse_where

_LEAST_ID_CHARS = 6


def filters_of(
    snapshot: Snapshot,
    within: Span | None,
    sources: Iterable[str] | None,
    kinds: Iterable[MomentKind] | None,
    where: str | None,
    permissions: Collection[str] | None,
) -> Filters:
    """Filters as users give them. Raises QuestionError for what cannot be read or is not there."""
    for name, given in (("sources", sources), ("kinds", kinds), ("permissions", permissions)):
        if isinstance(given, str):
            raise QuestionError(f"{name} is a list; write {name}=[{given!r}]")
    permitted = None if permissions is None else frozenset(permissions)
    return Filters(
        sources=None
        if sources is None
        else tuple(source_named(snapshot, source, permitted).id for source in sources),
        kinds=None if kinds is None else tuple(map(_kind, kinds)),
        within=within,
        where=None if where is None else parse_where(where),
        permissions=permitted,
    )


def place_named(snapshot: Snapshot, text: str, permissions: frozenset[str] | None) -> Like:
    """The place that a text names, with the id of its source. Raises QuestionError."""
    named = parse_like(text)
    return replace(named, source=source_named(snapshot, named.source, permissions).id)


def source_named(
    snapshot: Snapshot, name: str, permissions: frozenset[str] | None = None
) -> Source:
    """The one source with this id (or its unambiguous beginning), file name or path.

    Those that are not open to `permissions` (None: all are) are not there. Raises QuestionError
    when it is not exactly one.
    """
    found = [
        source
        for source in _called(snapshot, name)
        if snapshot.metadata.of(source.id).open_to(permissions)
    ]
    if not found:
        raise QuestionError(
            f"no source {name!r} in the library; `secondsight status` lists what there is"
        )
    return _only(found, name)


def source_to_forget(snapshot: Snapshot, name: str, *, purge: bool) -> Source:
    """As `source_named`; with `purge` also what is forgotten and whose bytes are still there."""
    gone = [source for source in snapshot.forgotten() if _is_named(source, name)]
    if not gone or _called(snapshot, name):
        return source_named(snapshot, name)
    if not purge:
        raise QuestionError(
            f"{name!r} is forgotten already; its bytes go with the next `secondsight compact`, "
            f"at once with: secondsight forget --purge {gone[0].id}"
        )
    return _only(gone, name)


def _called(snapshot: Snapshot, name: str) -> list[Source]:
    """The sources that have this name, id (or its beginning) or path."""
    path = os.path.abspath(name)
    return [
        source
        for source in snapshot.sources.values()
        if _is_named(source, name) or path in snapshot.paths(source.id)
    ]


def _is_named(source: Source, name: str) -> bool:
    return name == source.name or (len(name) >= _LEAST_ID_CHARS and source.id.startswith(name))


def _only(found: Sequence[Source], name: str) -> Source:
    if len(found) > 1:
        ids = ", ".join(source.id for source in found)
        raise QuestionError(f"{name!r} names several sources; use an id: {ids}")
    return found[0]


def _kind(name: str) -> MomentKind:
    try:
        return MomentKind(name)
    except ValueError as error:
        raise QuestionError(f"no kind {name!r}; kinds are {', '.join(MomentKind)}") from error
