"""The public face: one directory that holds an archive, opened, filled, searched and asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from generate.answer import Answer, answer
from generate.audit import forget_in_audit
from generate.backends import Backend, open_backend
from generate.conversation import Exchange
from generate.summary import Summary
from index.compaction import CompactionReport, MergeListener, compact, ignore_merges
from index.embedders import Embedder, embedder_identity, open_embedder
from index.errors import QuestionError
from index.export import ExchangeListener, ExportManifest, export_sources
from index.forgetting import forget_source, purge_source
from index.importing import ImportReport, import_sources
from index.manifest import check_embedder, create_library, read_manifest
from index.metadata import MetadataChange
from index.problems import VerifyListener, ignore_progress
from index.records import MomentKind, Source, SourceKind, Span
from index.snapshot import Snapshot
from index.verification import Verification, verify_library
from index.word_query import Phrases, Typos
from ingest.cache import forget_cached
from ingest.linking import LinkedPair
from ingest.metadata import GivenMetadata, change_of, read_table
from ingest.pipeline import ingest_paths
from ingest.report import IngestReport, Listener, ignore_events
from ingest.run_log import forget_in_logs
from retrieve.algebra import Expression, Part
from retrieve.algebra_search import search_expression
from retrieve.algebra_text import as_expression
from retrieve.on_screen import OnScreen, pages_on_screen
from retrieve.pictures import read_picture
from retrieve.query import Query
from retrieve.reranking import Reranker, open_reranker
from retrieve.result import SearchResult
from retrieve.search import search
from secondsight.audit import audited
from secondsight.joining import link_sources
from secondsight.library_status import LibraryStatus, status_of
from secondsight.naming import filters_of, place_named, source_named, source_to_forget
from secondsight.settings import Settings, load_settings
from secondsight.source_files import SourceFrames
from secondsight.summaries import Summaries

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
        self._backend: Backend | None = None
        self._backend_lock = threading.Lock()
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
        query: str | Expression | Part = "",
        k: int = 10,
        *,
        picture: PathLike | bytes | None = None,
        like: str | None = None,
        phrases: Phrases = "require",
        typos: Typos = "unmatched",
        tighten: bool = False,
        within: Span | None = None,
        sources: Iterable[str] | None = None,
        kinds: Iterable[MomentKind] | None = None,
        where: str | None = None,
        permissions: Collection[str] | None = None,
        literal: bool = False,
    ) -> SearchResult:
        """Find the k best hits. Filters (`sources` by id or name) act before ranking.

        Asked by words, by a `picture` (a file's path or content), by what is at a place (`like`:
        `talk.mp4@12:30`, `manual.pdf@p7`, `SOURCE#ORDINAL`; itself is left out), or by words beside
        either. `phrases`: what is in double quotes must occur, or weighs more ("prefer"). `typos`:
        words that match nothing are taken for mistyped ("none", "all"). `tighten`: videos are
        looked at again for the borders of what is seen (`retrieve.boundaries`, about a second).
        A query may be an expression of the temporal algebra, as text (`"a" BEFORE "b"`, see
        `retrieve.algebra_text`) or built with `retrieve.algebra`; the result then also tells
        partners, counts and an explanation. It goes with no picture, place or `tighten`; `literal`
        text is never read as one.
        `where` is a condition on the metadata of sources, e.g. `course = 'cs101' and year > 2020`
        (`retrieve.where`). Times, names of sources and kinds in the query say where to look, too
        (`retrieve.question`; `SearchResult.question` tells what was understood): filters given
        here go before them, and with `literal` all of it is only searched for. With `permissions`
        only sources without tags or with one of these are there; None: all are.
        Raises QuestionError for an empty query, a picture that cannot be read, an unknown source
        or place, k < 1, a condition that cannot be read or asked (WhereError), or an expression
        that cannot (AlgebraError).
        """
        snapshot = self._current()
        filters = filters_of(snapshot, within, sources, kinds, where, permissions)
        settings = self.settings.retrieve
        is_text = literal and isinstance(query, str)
        expression = None if is_text else as_expression(query)
        if isinstance(query, str) and expression is None:
            asked = Query(
                query,
                picture=None if picture is None else read_picture(picture),
                like=None if like is None else place_named(snapshot, like, filters.permissions),
                phrases=phrases,
                typos=typos,
            )
            return search(
                snapshot,
                self._encoder(),
                asked,
                k=k,
                filters=filters,
                settings=settings,
                literal=literal,
                frames=SourceFrames(snapshot) if tighten else None,
                reranker=self._rereader(),
            )
        assert expression is not None
        if picture is not None or like is not None or tighten:
            raise QuestionError(
                "an expression in time goes with no picture, no place and no tightening; leave "
                "these out, or search for its words literally"
            )
        return search_expression(
            snapshot,
            self._encoder(),
            expression,
            k=k,
            filters=filters,
            settings=settings,
            query=query if isinstance(query, str) else None,
            phrases=phrases,
            typos=typos,
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
        literal: bool = False,
        history: Sequence[Answer | Exchange] = (),
    ) -> Answer:
        """Answer from the archive with cited sentences, or say that it is not in the archive.

        Filters and `literal` as in `search`. After a `history` of answers, the latest last, a
        follow-up is read with them ("and what happened right after that?"). The backend of
        `generate.backend` answers; a model is loaded with the first question. Raises QuestionError
        as `search` does, and when nothing fits the budget, BackendError when a model fails.
        """
        snapshot = self._current()
        filters = filters_of(snapshot, within, sources, kinds, where, permissions)
        answered = answer(
            question,
            snapshot,
            self._encoder(),
            filters=filters,
            retrieve=self.settings.retrieve,
            settings=self.settings.generate,
            literal=literal,
            reranker=self._rereader(),
            backend=self._answerer(),
            pictures=SourceFrames(snapshot, self.settings.ingest.documents),
            history=[one.exchange if isinstance(one, Answer) else one for one in history],
        )
        audit = self.settings.generate.audit
        return audited(answered, self.directory, filters.permissions, audit)

    def summaries(self) -> Summaries:
        """What sums up hours and documents by chapters; it tells first what that takes."""
        backend = self._answerer()
        return Summaries(self._current(), self.directory, self.settings, self._encoder, backend)

    def summarize(
        self,
        what: str = "",
        *,
        within: Span | None = None,
        sources: Iterable[str] | None = None,
        where: str | None = None,
        permissions: Collection[str] | None = None,
    ) -> Summary:
        """Sum up a stretch ("the second hour of talk.mp4"), sources or all, by chapters."""
        own = self.summaries()
        filters = filters_of(own.snapshot, within, sources, None, where, permissions)
        return own.summarize(own.plan(what, filters))

    def link(self, talk: str | None = None, slides: str | None = None) -> tuple[LinkedPair, ...]:
        """Find out when which page of the slides is on the screen in the talk, and keep it.

        Both by id, name or path; without them, every video is tried with every document, and those
        that clearly belong together by what is written on both are linked. Linking a pair again
        replaces its links. Search and answers then tell what was on screen and what was said.
        Raises QuestionError when only one is named, or they are not a video and a document.
        """
        return link_sources(self._current(), self.directory, talk, slides)

    def pages_on_screen(self, slides: str, page: int | None = None) -> tuple[OnScreen, ...]:
        """When pages of a linked document (None: all) were on screen, and what was said then.

        By talk and time. Raises QuestionError when there is no such source.
        """
        snapshot = self._current()
        return pages_on_screen(snapshot, source_named(snapshot, slides).id, page)

    def forget(self, source: str, *, purge: bool = False) -> Source:
        """Remove a source (by id or name): at once unfindable, in every search and list.

        Its bytes go with it, unless compaction has put it into a shard with others: then they go
        when that shard is next compacted, or right away with `purge`, which writes it anew (two
        minutes of one core for a million moments) and also takes what is forgotten already.
        Returns what was forgotten. Raises QuestionError when there is no such source.
        """
        snapshot = self._current()
        found = source_to_forget(snapshot, source, purge=purge)
        forget_in_logs(self.directory, found.id, found.name, snapshot.paths(found.id))
        forget_in_audit(self.directory, found.id, found.name)
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
            ids = list(dict.fromkeys(source_named(snapshot, name).id for name in sources))
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
        where that leaves some out, so are failures, and the size, shards and forgotten sources of
        the whole library are None.
        """
        return status_of(self._current(), permissions)

    def source(self, name: str) -> Source:
        """The source with this id, file name or path; QuestionError when it is not exactly one."""
        return source_named(self._current(), name)

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

    def _answerer(self) -> Backend | None:
        with self._backend_lock:  # A large model loads for minutes; searches go on meanwhile.
            if self._backend is None:
                self._backend = open_backend(self.settings.generate)
            return self._backend


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
