"""The public face: one directory that holds an archive, opened, filled, searched and asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from generate.answer import Answer, answer
from index.compaction import CompactionReport, MergeListener, compact, ignore_merges
from index.embedders import Embedder, embedder_identity, open_embedder
from index.errors import QuestionError
from index.export import ExchangeListener, ExportManifest, export_sources
from index.forgetting import forget_source, purge_source
from index.importing import ImportReport, import_sources
from index.manifest import check_embedder, create_library, read_manifest
from index.metadata import MetadataChange
from index.problems import VerifyListener, ignore_progress
from index.publishing import commit_links
from index.records import MomentKind, Source, SourceKind, Span
from index.snapshot import Snapshot
from index.verification import Verification, verify_library
from ingest.cache import forget_cached
from ingest.linking import LinkedPair, link_all, link_pair
from ingest.metadata import GivenMetadata, change_of, read_table
from ingest.pipeline import ingest_paths
from ingest.report import IngestReport, Listener, ignore_events
from ingest.run_log import forget_in_logs
from retrieve.filters import Filters
from retrieve.on_screen import OnScreen, pages_on_screen
from retrieve.reranking import Reranker, open_reranker
from retrieve.search import SearchResult, search
from retrieve.where import parse_where
from secondsight.library_status import LibraryStatus, status_of
from secondsight.settings import Settings, load_settings

PathLike = str | os.PathLike[str]


class Library:
    """An archive on disk. Open it with `Library.open`; it may be shared between threads.

    Readers work on a snapshot and pick up what a writer has committed at their next call.
    """

    def __init__(self, directory: Path, settings: Settings) -> None:
        self.directory = directory
        self.settings = settings
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None
        self._reranker: Reranker | None = None
        self._snapshot: Snapshot | None = None

    @classmethod
    def open(
        cls, directory: PathLike, *, settings: Settings | None = None, create: bool = True
    ) -> Library:
        """Open the library in `directory`; make a new one there when `create` and there is none.

        `settings` None: those of SECONDSIGHT_CONFIG, else the defaults. Raises LibraryError when
        there is no library (and `create` is False) or it is damaged, EmbedderMismatchError when it
        was made with another embedder.
        """
        settings = settings or load_settings()
        path = Path(directory)
        identity = embedder_identity(settings.index.embedder)
        if create:
            index = settings.index
            create_library(path, identity, codes=index.codes, outlier_share=index.outlier_share)
        else:
            check_embedder(path, read_manifest(path), identity)
        return cls(path, settings)

    def __repr__(self) -> str:
        snapshot = self._current()
        kinds = [source.kind for source in snapshot.sources.values()]
        counts = [
            _counted(kinds.count(SourceKind.VIDEO), "video"),
            _counted(kinds.count(SourceKind.DOCUMENT), "document"),
            _counted(snapshot.num_moments, "moment"),
        ]
        return f"Library({str(self.directory)!r}: {', '.join(counts)})"

    def ingest(
        self,
        paths: Sequence[PathLike],
        *,
        listener: Listener = ignore_events,
        again: bool = False,
        metadata: Mapping[str, object] | None = None,
        metadata_of: Mapping[PathLike, Mapping[str, object]] | None = None,
        metadata_file: PathLike | None = None,
    ) -> IngestReport:
        """Add files and everything in directories. Killed runs resume; known files are skipped.

        With `again` known files are taken through their stages with the present settings: what
        these do not change comes from the stage cache. What was there of them can be found until
        the new takes its place.
        `metadata` (name to text, number or truth) is said of every file, `metadata_of` of single
        paths, `metadata_file` (.csv or .jsonl with a column `path`) as well; the more special has
        the last word. None removes a name; `tags` is the list of permission tags. Files that are
        in the library already get it, too; what is not named stays.
        A file that cannot be read is reported as failed, with its reason, and stops nothing.
        Raises SettingsError when metadata cannot be what it is given as.
        """
        by_path = {} if metadata_file is None else read_table(Path(metadata_file))
        for path, values in (metadata_of or {}).items():
            own = os.path.abspath(path)
            by_path[own] = by_path.get(own, MetadataChange()).then(change_of(values))
        return ingest_paths(
            self.directory,
            [Path(path) for path in paths],
            settings=self.settings.ingest,
            index=self.settings.index,
            listener=listener,
            again=again,
            metadata=GivenMetadata(change_of(metadata or {}), by_path),
        )

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        within: Span | None = None,
        sources: Iterable[str] | None = None,
        kinds: Iterable[MomentKind] | None = None,
        where: str | None = None,
        permissions: Collection[str] | None = None,
    ) -> SearchResult:
        """Find the k best hits. Filters (`sources` by id or name) act before ranking.

        `where` is a condition on the metadata of sources, e.g. `course = 'cs101' and year > 2020`
        (`retrieve.where`). With `permissions` only sources without tags or with one of these are
        there; None: all are.
        Raises QuestionError for an empty query, an unknown source, k < 1, or a condition that
        cannot be read or asked (WhereError).
        """
        snapshot = self._current()
        filters = self._filters(snapshot, within, sources, kinds, where, permissions)
        return search(
            snapshot,
            self._encoder(),
            query,
            k=k,
            filters=filters,
            settings=self.settings.retrieve,
            reranker=self._rereader(),
        )

    def ask(
        self,
        question: str,
        *,
        within: Span | None = None,
        sources: Iterable[str] | None = None,
        kinds: Iterable[MomentKind] | None = None,
        where: str | None = None,
        permissions: Collection[str] | None = None,
    ) -> Answer:
        """Answer from the archive with cited sentences, or say that it is not in the archive.

        Filters as in `search`.
        """
        snapshot = self._current()
        filters = self._filters(snapshot, within, sources, kinds, where, permissions)
        return answer(
            question,
            snapshot,
            self._encoder(),
            filters=filters,
            retrieve=self.settings.retrieve,
            settings=self.settings.generate,
            reranker=self._rereader(),
        )

    def link(self, talk: str | None = None, slides: str | None = None) -> tuple[LinkedPair, ...]:
        """Find out when which page of the slides is on the screen in the talk, and keep it.

        Both by id, name or path; without them, every video is tried with every document, and those
        that clearly belong together by what is written on both are linked. Linking a pair again
        replaces its links. Search and answers then tell what was on screen and what was said.
        Raises QuestionError when only one is named, or they are not a video and a document.
        """
        snapshot = self._current()
        if talk is None and slides is None:
            found = link_all(snapshot)
        elif talk is None or slides is None:
            raise QuestionError("name a talk and its slides, or neither")
        else:
            video, document = self._resolve(snapshot, talk), self._resolve(snapshot, slides)
            for source, kind in ((video, SourceKind.VIDEO), (document, SourceKind.DOCUMENT)):
                if source.kind is not kind:
                    raise QuestionError(f"{source.name} is no {kind}; name the talk, then slides")
            found = [link_pair(snapshot, video.id, document.id)]
        commit_links(
            self.directory,
            {(pair.video_id, pair.document_id) for pair in found},
            [link for pair in found for link in pair.links],
        )
        return tuple(found)

    def pages_on_screen(self, slides: str, page: int | None = None) -> tuple[OnScreen, ...]:
        """When pages of a linked document (None: all) were on screen, and what was said then.

        By talk and time. Raises QuestionError when there is no such source.
        """
        snapshot = self._current()
        return pages_on_screen(snapshot, self._resolve(snapshot, slides).id, page)

    def forget(self, source: str, *, purge: bool = False) -> Source:
        """Remove a source (by id or name): at once unfindable, in every search and list.

        Its bytes go with it, unless compaction has put it into a shard with others: then they go
        when that shard is next compacted, or right away with `purge`, which writes it anew (two
        minutes of one core for a million moments).
        Returns what was forgotten. Raises QuestionError when there is no such source.
        """
        snapshot = self._current()
        found = self._resolve(snapshot, source)
        forget_in_logs(self.directory, found.id, found.name, snapshot.paths(found.id))
        # These first: killed in between, the source is still there to be forgotten again.
        forget_cached(self.directory, found.id)
        forget = purge_source if purge else forget_source
        forget(self.directory, found.id)
        return found

    def compact(self, *, listener: MergeListener = ignore_merges) -> CompactionReport:
        """Merge small shards and drop what is forgotten, as ingest does in the background.

        Searches give the same results; readers go on meanwhile. Killed, it has changed nothing by
        half, and the next one goes on. Raises LibraryError when the disk refuses.
        """
        return compact(self.directory, self.settings.index.compaction, listener=listener)

    def verify(
        self, *, deep: bool = False, listener: VerifyListener = ignore_progress
    ) -> Verification:
        """Check every byte and how the files agree; every problem is told, nothing is changed.

        `deep` also decodes every picture and reads every record. Others may read and write.
        """
        return verify_library(self.directory, deep=deep, listener=listener)

    def export(
        self,
        directory: PathLike,
        *,
        sources: Iterable[str] | None = None,
        listener: ExchangeListener = lambda name: None,
    ) -> ExportManifest:
        """Write sources (by id, name or path; None: all) into a new or empty directory.

        docs/format.md describes the files. Raises QuestionError for an unknown source,
        LibraryError when the directory holds things or the disk refuses.
        """
        snapshot = self._current()
        if sources is None:
            ids = list(snapshot.sources)
        else:
            ids = list(dict.fromkeys(self._resolve(snapshot, name).id for name in sources))
        return export_sources(
            self.directory, snapshot.manifest, ids, Path(directory), listener=listener
        )

    def import_(
        self,
        directory: PathLike,
        *,
        with_paths: bool = False,
        listener: ExchangeListener = lambda name: None,
    ) -> ImportReport:
        """Add the sources of an export; see `index.importing.import_sources`."""
        return import_sources(
            self.directory, Path(directory), with_paths=with_paths, listener=listener
        )

    def status(self, permissions: Collection[str] | None = None) -> LibraryStatus:
        """What is in the library, and what failed.

        With `permissions` only sources without tags or with one of these are told of and counted;
        where that leaves some out, failures are left out, too.
        """
        return status_of(self._current(), permissions)

    def source(self, name: str) -> Source:
        """The source with this id, file name or path; QuestionError when it is not exactly one."""
        return self._resolve(self._current(), name)

    def snapshot(self) -> Snapshot:
        """The current state, open for reading; writers change nothing in it."""
        return self._current()

    def _current(self) -> Snapshot:
        with self._lock:
            if self._snapshot is None or not self._snapshot.is_current():
                self._snapshot = Snapshot.open(self.directory, self._snapshot)
            return self._snapshot

    def _encoder(self) -> Embedder:
        with self._lock:
            if self._embedder is None:
                self._embedder = open_embedder(self.settings.index.embedder)
            return self._embedder

    def _rereader(self) -> Reranker | None:
        with self._lock:
            if self._reranker is None:
                self._reranker = open_reranker(self.settings.retrieve.reranker)
            return self._reranker

    def _filters(
        self,
        snapshot: Snapshot,
        within: Span | None,
        sources: Iterable[str] | None,
        kinds: Iterable[MomentKind] | None,
        where: str | None,
        permissions: Collection[str] | None,
    ) -> Filters:
        for name, given in (("sources", sources), ("kinds", kinds), ("permissions", permissions)):
            if isinstance(given, str):
                raise QuestionError(f"{name} is a list; write {name}=[{given!r}]")
        permitted = None if permissions is None else frozenset(permissions)
        return Filters(
            sources=None
            if sources is None
            else tuple(self._resolve(snapshot, source, permitted).id for source in sources),
            kinds=None if kinds is None else tuple(map(_kind, kinds)),
            within=within,
            where=None if where is None else parse_where(where),
            permissions=permitted,
        )

    @staticmethod
    def _resolve(
        snapshot: Snapshot, name: str, permissions: frozenset[str] | None = None
    ) -> Source:
        """The one source with this id (or its unambiguous beginning), file name or path.

        Those that are not open to `permissions` (None: all are) are not there.
        """
        found = [
            source
            for source in snapshot.sources.values()
            if (
                name == source.name
                or (len(name) >= 6 and source.id.startswith(name))
                or os.path.abspath(name) in snapshot.paths(source.id)
            )
            and snapshot.metadata.of(source.id).open_to(permissions)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(source.id for source in found)
            raise QuestionError(f"{name!r} names several sources; use an id: {ids}")
        raise QuestionError(
            f"no source {name!r} in the library; `secondsight status` lists what there is"
        )


def _kind(name: str) -> MomentKind:
    try:
        return MomentKind(name)
    except ValueError as error:
        raise QuestionError(f"no kind {name!r}; kinds are {', '.join(MomentKind)}") from error


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
