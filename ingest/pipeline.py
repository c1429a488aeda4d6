"""An ingest run: files are found, recognised, taken through their stages, and committed.

A bounded number of sources is in flight; each has a thread of the driver that hands its stages to
Ray and commits its shard. Known files cost one look at the inventory. Whatever is wrong with a
file becomes its outcome; only trouble with the library itself ends the run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.embedders import embedder_identity
from index.errors import SettingsError, SourceError
from index.files import remove_tree
from index.inventory import InventoryRow, read_inventory
from index.manifest import read_manifest
from index.metadata import MetadataChange
from index.records import SourceKind
from index.settings import IndexSettings
from index.shard import commit_shard, record_outcomes, staging_area
from ingest.background import Compactor
from ingest.cache_limit import BoundedCache, prune
from ingest.cluster import Cluster, Pending, Pool
from ingest.discover import (
    CandidateFile,
    content_hash,
    discover,
    require_unchanged,
    sniff_kind,
)
from ingest.job import Job
from ingest.media_info import MediaInfo
from ingest.metadata import NOTHING_GIVEN, GivenMetadata
from ingest.report import Event, IngestReport, LinkOutcome, Listener, SourceOutcome
from ingest.run_log import RunLog, added_in_unended_runs
from ingest.settings import IngestSettings

if TYPE_CHECKING:
    from ingest.composition import StagedShard

SHARE_BYTES = 10_000_000_000
"""Reading this much of a file for its identity may take as long as one piece of work."""
STANDING_BACK = 5
"""Niceness of who listens, above that of Ray's other workers (15, so that 4 remain): pictures go
through three stages one after another, sound through one, which fills what they leave of the
processor."""
RECORD_EVERY_S = 2.0
"""Outcomes without a shard are written together, at most this often."""


def ingest_paths(
    library: Path,
    paths: Sequence[Path],
    *,
    settings: IngestSettings,
    index: IndexSettings,
    listener: Listener,
    again: bool = False,
    metadata: GivenMetadata = NOTHING_GIVEN,
) -> IngestReport:
    """Ingest files and everything in directories into the library at `library`.

    `again`: files that are in it, too, to take their place there when they are done. `metadata` is
    said of the files that are added, and of those that are in the library unchanged.
    Raises LibraryError when the library cannot be read or written (a full disk, say); what was
    committed until then stays. Raises SettingsError when the password file cannot be read.
    """
    started = time.perf_counter()
    settings = _with_passwords_found(settings)
    library = library.absolute()
    discovery = discover(paths)
    log = RunLog(library)
    run = _Run(library, settings, index, listener, log, again, metadata)
    for problem in discovery.problems:
        run.finish(_failure(problem), None)
    unknown = [file for file in discovery.files if not run.skip_known(file)]
    if unknown:
        run.ingest(unknown)
    run.record(force=True)
    linked, link_problems = run.link() if settings.link_slides else ((), ())
    prune(library / "cache", settings.work.cache_limit_bytes)
    log.end()
    position = {file.path: number for number, file in enumerate(discovery.files)}
    outcomes = sorted(run.outcomes, key=lambda outcome: position.get(outcome.path, -1))
    return IngestReport(
        tuple(outcomes),
        time.perf_counter() - started,
        linked,
        link_problems,
        tuple(sorted(metadata.by_path.keys() - position.keys())),
    )


@dataclass
class _Run:
    """State of one ingest run, shared by the driver's threads."""

    library: Path
    settings: IngestSettings
    index: IndexSettings
    listener: Listener
    log: RunLog
    again: bool
    metadata: GivenMetadata
    outcomes: list[SourceOutcome] = field(default_factory=list)
    _waiting: list[InventoryRow] = field(default_factory=list)
    _said: dict[str, MetadataChange] = field(default_factory=dict)
    """Of sources that were in the library; written with `_waiting`."""
    _recorded_at: float = field(default_factory=time.monotonic)
    _claims: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        manifest = read_manifest(self.library)
        self._known = {source for shard in manifest.shards for source in shard.sources}
        self._ingested: set[str] = set() if self.again else set(self._known)
        rows = (
            [] if manifest.inventory is None else read_inventory(self.library / manifest.inventory)
        )
        self._rows = {row.path: row for row in rows}
        limit_bytes = self.settings.work.cache_limit_bytes
        self._cache = BoundedCache(self.library / "cache", limit_bytes)

    def skip_known(self, file: CandidateFile) -> bool:
        """True for a path whose file is in the library and has not changed since."""
        source_id = self._held_as(file)
        if source_id is None or self.again:
            return False
        self.finish(SourceOutcome(file.path, "unchanged", source_id), None)
        return True

    def _held_as(self, file: CandidateFile) -> str | None:
        """The source in the library that a file was when the run began, unless it has changed."""
        row = self._rows.get(file.path)
        if row is None or row.source_id not in self._known:
            return None
        unchanged = (row.size_bytes, row.mtime_ns) == (file.size_bytes, file.mtime_ns)
        return row.source_id if unchanged else None

    def ingest(self, files: Sequence[CandidateFile]) -> None:
        """Take files through their stages, a bounded number at a time."""
        # Readers and models take seconds to import; a run without work does without them.
        from ingest.workers import EmbedWorker, ScreenTextWorker, SpeechWorker

        settings = self.settings
        work = settings.work
        pools = [
            Pool(
                "speech",
                partial(SpeechWorker, settings.speech),
                work.speech_workers,
                niceness=STANDING_BACK,
            ),
            Pool(
                "screen_text",
                partial(ScreenTextWorker, settings.screen_text),
                work.screen_text_workers,
            ),
            Pool("embed", partial(EmbedWorker, self.index.embedder), work.embed_workers),
        ]
        for file in files:
            self._tell(Event(file.path, "found", size_bytes=file.size_bytes))
        with (
            staging_area(self.library) as staging,
            Compactor(self.library, self.index.compaction) as compactor,
            Cluster(work, pools) as cluster,
            ThreadPoolExecutor(work.sources_in_flight, "source") as threads,
        ):
            running = [threads.submit(self._ingest_file, cluster, staging, file) for file in files]
            try:
                for future in as_completed(running):
                    future.result()
                    compactor.look()
            except BaseException:  # Ctrl-C too: nobody waits for an hour of video to end
                threads.shutdown(wait=False, cancel_futures=True)
                cluster.stop()
                raise

    def finish(self, outcome: SourceOutcome, file: CandidateFile | None) -> None:
        """Note an outcome, tell it, and have it recorded unless a commit already did."""
        with self._lock:
            self.outcomes.append(outcome)
            if self._is_news(outcome, file):
                self._waiting.append(_row(outcome, file))
            source_id = outcome.source_id if outcome.outcome == "unchanged" else None
            if source_id is not None and (change := self.metadata.of(outcome.path)):
                self._said[source_id] = self._said.get(source_id, MetadataChange()).then(change)
            self._hear(
                Event(
                    outcome.path,
                    outcome.outcome,
                    reason=outcome.reason or "",
                    duration_s=outcome.duration_s,
                    outcome=outcome,
                )
            )
        self.record(force=False)

    def _is_news(self, outcome: SourceOutcome, file: CandidateFile | None) -> bool:
        """Whether the inventory does not say so yet."""
        if outcome.outcome == "failed":  # Read again in vain: the library holds what it held.
            return file is None or self._held_as(file) is None
        return outcome.outcome == "unchanged" and file is not None

    def record(self, *, force: bool) -> None:
        """Write the outcomes and metadata that no commit carried."""
        with self._lock:
            due = force or time.monotonic() - self._recorded_at >= RECORD_EVERY_S
            if (self._waiting or self._said) and due:
                record_outcomes(self.library, self._waiting, metadata=self._said)
                self._waiting = []
                self._said = {}
                self._recorded_at = time.monotonic()

    def link(self) -> tuple[tuple[LinkOutcome, ...], tuple[str, ...]]:
        """Link what is new, also of runs that were killed before they could."""
        added = {one.source_id for one in self.outcomes if one.outcome == "added"}
        added |= added_in_unended_runs(self.library, but=self.log.path)
        if not added:
            return (), ()
        from ingest.new_links import link_new  # seconds to import, as above

        return link_new(self.library, {one for one in added if one}, self._tell)

    def _ingest_file(self, cluster: Cluster, staging: Path, file: CandidateFile) -> None:
        started = time.perf_counter()
        try:
            outcome = self._outcome_of(cluster, staging, file)
        except SourceError as error:
            outcome = replace(_failure(error), path=file.path)
        self.finish(replace(outcome, took_s=time.perf_counter() - started), file)

    def _outcome_of(self, cluster: Cluster, staging: Path, file: CandidateFile) -> SourceOutcome:
        source_id = cluster.result(
            cluster.submit(content_hash, file.path, shares=1 + file.size_bytes // SHARE_BYTES),
            path=file.path,
            stage="discover",
        )
        with self._lock:
            claim = self._claims.setdefault(source_id, threading.Lock())
        with claim:  # a copy of the same file waits here and then finds it done
            if source_id in self._ingested:
                return SourceOutcome(file.path, "unchanged", source_id)
            with self._cache.in_work(source_id):
                staged, stages_s = self._staged_and_committed(cluster, staging, file, source_id)
            self._ingested.add(source_id)
        source = staged.source
        return SourceOutcome(
            path=file.path,
            outcome="added",
            source_id=source_id,
            duration_s=None if source.duration is None else float(source.duration),
            pages=source.pages,
            moments=staged.entry.moments,
            notes=source.notes,
            stages_s=stages_s,
        )

    def _staged_and_committed(
        self, cluster: Cluster, staging: Path, file: CandidateFile, source_id: str
    ) -> tuple[StagedShard, dict[str, float]]:
        job = Job(
            path=file.path,
            source_id=source_id,
            size_bytes=file.size_bytes,
            library=str(self.library),
            settings=self.settings,
            staging=str(staging),
            index=self.index,
        )
        staged, stages_s = self._run_stages(cluster, job)
        require_unchanged(file)
        row = InventoryRow(
            path=file.path,
            size_bytes=file.size_bytes,
            mtime_ns=file.mtime_ns,
            outcome="added",
            source_id=source_id,
            stage=None,
            reason=None,
            seen_at=_now(),
        )
        manifest = commit_shard(
            self.library,
            Path(staged.directory),
            staged.entry,
            [row],
            embedder=embedder_identity(self.index.embedder),
            replace_present=self.again and source_id in self._known,
            metadata={source_id: change} if (change := self.metadata.of(file.path)) else {},
        )
        if manifest.shard_of(source_id) is None:
            raise SourceError(file.path, "commit", "was forgotten while it was read")
        return staged, stages_s

    def _run_stages(self, cluster: Cluster, job: Job) -> tuple[StagedShard, dict[str, float]]:
        from ingest.composition import pictures_of, submit_staging, texts_of

        if sniff_kind(job.path) is SourceKind.DOCUMENT:
            from ingest.document import ingest_document as begin
        else:
            from ingest.video import ingest_video as begin
        started = begin(job, cluster)
        composition, seen, parts = started.composition, started.seen, started.parts
        work = started.work
        shares = sum(len(pieces) for pieces in work.values())
        if seen is None:
            pictures = cluster.split(parts.number, pictures_of, composition, parts)
            seen = [cluster.submit_to("embed", "see", job, part) for part in pictures]
            work["see"] = [*seen]
        texts = cluster.split(parts.number, texts_of, composition, parts)
        read = [cluster.submit_to("embed", "read", job, part) for part in texts]
        staged, last = submit_staging(cluster, job, composition, seen, read, shares=shares)
        work |= {"embed": [*read], **last}
        try:
            stages_s = self._follow(cluster, job, work)
            return cluster.result(staged, path=job.path, stage="stage"), stages_s
        except BaseException:
            for pending in (pending for pieces in work.values() for pending in pieces):
                pending.drop()  # the source has failed; its workers are needed by others
            raise
        finally:
            with suppress(OSError):  # The rest goes with the staging area.
                remove_tree(Path(job.scratch))

    def _follow(
        self, cluster: Cluster, job: Job, work: dict[str, list[Pending[Any]]]
    ) -> dict[str, float]:
        """Tell how the work goes on; returns the seconds of each stage."""
        total = sum(len(pieces) for pieces in work.values())
        probed = cluster.result(work["probe"][0], path=job.path, stage="probe")
        duration_s = float(probed.duration) if isinstance(probed, MediaInfo) else None
        event = partial(Event, job.path, total=total, duration_s=duration_s)
        done = 0
        stages_s: dict[str, float] = {}
        for name, pieces in work.items():
            self._tell(event(name, done=done))
            stages_s[name] = 0.0
            for piece in pieces:
                stages_s[name] += cluster.seconds(piece, path=job.path, stage=name)
                done += 1
                self._tell(event("piece", done=done))
        return stages_s

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        self.log(event)
        self.listener(event)


def _with_passwords_found(settings: IngestSettings) -> IngestSettings:
    """The settings with the password file by its whole path, as workers need it."""
    given = settings.documents.password_file
    if given is None:
        return settings
    path = os.path.abspath(given)
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise SettingsError(f"password file {path}: {error.strerror or error}") from error
    return replace(settings, documents=replace(settings.documents, password_file=path))


def _failure(error: SourceError) -> SourceOutcome:
    return SourceOutcome(error.path, "failed", stage=error.stage, reason=error.reason)


def _row(outcome: SourceOutcome, file: CandidateFile | None) -> InventoryRow:
    return InventoryRow(
        path=outcome.path,
        size_bytes=0 if file is None else file.size_bytes,
        mtime_ns=0 if file is None else file.mtime_ns,
        outcome=outcome.outcome,
        source_id=outcome.source_id,
        stage=outcome.stage,
        reason=outcome.reason,
        seen_at=_now(),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
