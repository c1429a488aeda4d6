"""From a source's moments to a staged shard: embed them, form segments, write.

The same last steps for videos and documents; `ingest.video` and `ingest.document` come before.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.embedders import JOINT_PROFILES
from index.files import FilePart
from index.manifest import ShardEntry, read_manifest, read_rotation
from index.records import Moment, MomentKind, Segment, Source, SourceKind
from index.shard import write_shard
from ingest.cluster import Cluster, Pending
from ingest.job import Job
from ingest.parts import Parts, in_parts
from ingest.segments import segment_document, segment_video

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Composition:
    """A source and its moments, before embedding."""

    source: Source
    moments: tuple[Moment, ...]
    shot_starts: tuple[Fraction, ...] = ()
    """Where the picture is cut (videos)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The vectors of pictures, in their order."""

    vectors: Vectors
    """(pictures, dims) float32, unit rows."""
    labels: tuple[str, ...]
    """What each was taken for."""


@dataclass(frozen=True, slots=True)
class Formed:
    """A source cut into segments, with its vectors."""

    segments: tuple[Segment, ...]
    moment_vectors: Vectors
    """(moments of all segments in order, dims) float32, unit rows."""
    segment_vectors: Vectors
    """(segments, dims) float32: unit rows, zero for segments without moments."""


@dataclass(frozen=True, slots=True)
class StagedShard:
    """A complete shard that no manifest names yet."""

    directory: str
    entry: ShardEntry
    source: Source


@dataclass(frozen=True, slots=True)
class Started:
    """The work on a source, under way."""

    composition: Pending[Composition]
    parts: Parts
    seen: list[Pending[Seen]] | None
    """Vectors of its pictures, in parts; None when they are to be made from the composition."""
    work: dict[str, list[Pending[Any]]]
    """All of it, by stage."""


def is_embedded_by_picture(moment: Moment) -> bool:
    """Frames, pages and figures without a caption are seen; everything else is read."""
    if moment.picture is None:
        return False
    return moment.kind in (MomentKind.FRAME, MomentKind.PAGE) or (
        moment.kind is MomentKind.FIGURE and not moment.text
    )


def digest(contents: Iterable[bytes]) -> str:
    """Hash of texts or pictures, each with its length."""
    total = hashlib.sha256()
    for content in contents:
        total.update(len(content).to_bytes(8, "big"))
        total.update(content)
    return total.hexdigest()


def texts_of(composition: Composition, parts: Parts) -> tuple[tuple[str, ...], ...]:
    """What is embedded as text."""
    read = (one.text for one in composition.moments if not is_embedded_by_picture(one))
    return in_parts(tuple(read), parts.number, least=parts.texts)


def pictures_of(composition: Composition, parts: Parts) -> tuple[tuple[bytes | FilePart, ...], ...]:
    """What is embedded as a picture."""
    seen = (
        one.picture
        for one in composition.moments
        if one.picture is not None and is_embedded_by_picture(one)
    )
    return in_parts(tuple(seen), parts.number, least=parts.pictures)


def submit_staging(
    cluster: Cluster,
    job: Job,
    composition: Pending[Composition],
    seen: Sequence[Pending[Seen]],
    read: Sequence[Pending[Vectors]],
    *,
    shares: int,
) -> tuple[Pending[StagedShard], dict[str, list[Pending[Any]]]]:
    """The last steps of a source: the shard to come, and their work by stage.

    Where the embedder sees words and pictures together, it makes the vectors of the segments.
    """
    if job.index.embedder.profile not in JOINT_PROFILES:
        staged = cluster.submit(form_and_stage, job, composition, seen, read, shares=shares)
        return staged, {"stage": [staged]}
    formed = cluster.submit(form, job, composition, seen, read, shares=shares)
    joined = cluster.submit_to("embed", "join", job, formed, shares=shares)
    staged = cluster.submit(stage, job, composition, joined)
    return staged, {"form": [formed], "join": [joined], "stage": [staged]}


def form_and_stage(
    job: Job, composition: Composition, seen: list[Seen], read: list[Vectors]
) -> StagedShard:
    """Both in one task: what lies between need not travel."""
    return stage(job, composition, form(job, composition, seen, read))


def form(job: Job, composition: Composition, seen: list[Seen], read: list[Vectors]) -> Formed:
    """Cut the source into segments.

    `seen` and `read` are the vectors of what is embedded as picture and as text.
    """
    by_picture = np.array(list(map(is_embedded_by_picture, composition.moments)), bool)
    vectors = np.zeros((len(by_picture), read[0].shape[1]), np.float32)
    vectors[by_picture] = np.concatenate([vectors[:0], *(part.vectors for part in seen)])
    vectors[~by_picture] = np.concatenate(read)
    labels = chain.from_iterable(part.labels for part in seen)
    moments = [
        _labelled(moment, next(labels)) if is_seen else moment
        for moment, is_seen in zip(composition.moments, by_picture, strict=True)
    ]
    settings = job.settings.segments
    if composition.source.kind is SourceKind.VIDEO:
        assert composition.source.duration is not None
        segments = segment_video(
            moments,
            vectors,
            composition.shot_starts,
            composition.source.duration,
            settings,
        )
    else:
        segments = segment_document(moments, settings)
    row_of = {id(moment): row for row, moment in enumerate(moments)}
    order = [[row_of[id(moment)] for moment in segment.moments] for segment in segments]
    return Formed(
        segments=tuple(segments),
        moment_vectors=vectors[[row for rows in order for row in rows]],
        segment_vectors=np.stack(
            [
                joint_vector(segment, vectors[rows])
                for segment, rows in zip(segments, order, strict=True)
            ]
        ),
    )


def stage(job: Job, composition: Composition, formed: Formed) -> StagedShard:
    """Write the shard into the run's staging area."""
    library = Path(job.library)
    manifest = read_manifest(library)
    directory = Path(job.staging) / uuid.uuid4().hex
    entry = write_shard(
        directory,
        composition.source,
        formed.segments,
        formed.moment_vectors,
        formed.segment_vectors,
        rotation=read_rotation(library, manifest),
        codes=manifest.codes,
    )
    return StagedShard(str(directory), entry, composition.source)


def _labelled(moment: Moment, label: str) -> Moment:
    return moment if moment.text else replace(moment, text=label)


def joint_vector(segment: Segment, vectors: Vectors) -> Vectors:
    """One vector for what a segment shows, says and writes: each kind weighs the same.

    `vectors` (moments of the segment, dims) -> (dims,), unit length. A segment without moments
    (a silent, empty stretch) gets the zero vector and is found by nothing.
    """
    total = np.zeros(vectors.shape[1], np.float32)
    for kind in sorted({moment.kind for moment in segment.moments}):
        rows = [row for row, moment in enumerate(segment.moments) if moment.kind is kind]
        total += _unit(vectors[rows].sum(axis=0))
    return _unit(total)


def _unit(vector: Vectors) -> Vectors:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector


def joined_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """Each note once, in the order first said."""
    return tuple(dict.fromkeys(notes))
