"""One video through its stages: pieces of frames, speech, on-screen text, moments.

`ingest_video` runs in the driver and only passes references around; the functions above it run in
tasks. Every stage keeps its output in the source's stage cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from index.errors import SourceError
from index.records import Moment, MomentKind, Source, SourceKind, TextLine, Word
from ingest.cache import cached, cached_with_file
from ingest.cluster import Cluster, Pending
from ingest.composition import Composition, Seen, Started, joined_notes
from ingest.frames import Candidate, KeptFrame, describe_frames, select_frames
from ingest.job import Job
from ingest.media import probe
from ingest.media_info import MediaInfo
from ingest.parts import Parts, in_parts, parts_of_video
from ingest.readers import frame_reader
from ingest.screen_text import screen_text_moments
from ingest.subtitles import (
    Subtitles,
    find_sidecars,
    has_subtitles,
    read_subtitles,
    sidecar_hashes,
)
from ingest.transcript import Transcript, Voiced, transcript_of

_NO_PICTURE = "none of its pictures can be decoded"


@dataclass(frozen=True, slots=True)
class Piece:
    """The candidates of one stretch of a video, and the file that holds their pictures."""

    path: Path
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """The frames of a video, or of a part of it, that become moments."""

    frames: tuple[KeptFrame, ...]
    notes: tuple[str, ...]


Lines = tuple[tuple[TextLine, ...], ...]
"""Lines of text on each of some kept frames."""
NO_SUBTITLES = Subtitles()


def plan_pieces(info: MediaInfo, piece_s: float) -> list[tuple[Fraction, Fraction | None]]:
    """Cut the pictures of a video into stretches [start, end); the last one is open."""
    if info.video is None:
        return []
    length = Fraction(piece_s)
    count = max(1, ceil((info.video.end - info.video.start) / length))
    cuts = [info.video.start + length * number for number in range(count)]
    return list(zip(cuts, [*cuts[1:], None], strict=True))


def read_piece(job: Job, info: MediaInfo, start: Fraction, end: Fraction | None) -> Piece:
    """Decode one stretch and drop what is certainly a near-duplicate."""
    settings = job.settings.frames

    def decode(file: BinaryIO) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
        notes: list[str] = []
        read_frames = frame_reader(settings.reader)
        frames = read_frames(
            job.path,
            info,
            start=start,
            end=end,
            rate_hz=settings.rate_hz,
            max_side_px=settings.max_side_px,
            threads=1,  # Pieces run side by side.
            skip_still=settings.skip_still,
            notes=notes,
        )
        return tuple(describe_frames(frames, settings, file)), tuple(notes)

    entry = job.entry("frames", settings, start=str(start), end=str(end))
    (candidates, notes), path = cached_with_file(entry, decode)
    return Piece(path, candidates, notes)


def keep_frames(job: Job, info: MediaInfo, parts: Parts, pieces: list[Piece]) -> tuple[Kept, ...]:
    """The frames of all pieces that differ from the one before, in order.

    Parts begin where the content is cut, or text would be read anew that stays on the screen.
    Pictures that cannot be decoded are noted where there is sound; else raises SourceError.
    """
    assert info.video is not None
    candidates = [(piece.path, piece.candidates) for piece in pieces]
    frames = tuple(select_frames(candidates, job.settings.frames, end=info.video.end))
    notes = [note for piece in pieces for note in piece.notes]
    if not frames:
        if info.audio is None:
            raise SourceError(job.path, "frames", _NO_PICTURE)
        notes.append(_NO_PICTURE)
    return tuple(
        Kept(part, joined_notes(notes))
        for part in in_parts(
            frames, parts.number, least=parts.pictures, begins=attrgetter("shot_start")
        )
    )


def find_words(job: Job, info: MediaInfo) -> Subtitles:
    """What subtitle files and streams say, as utterances. The files' contents are in the key."""
    settings = job.settings.speech
    entry = job.entry("subtitles", settings, sidecars=sidecar_hashes(find_sidecars(job.path)))
    return cached(entry, lambda: read_subtitles(job.path, info, settings))


def compose_video(
    job: Job,
    info: MediaInfo,
    subtitles: Subtitles,
    voiced: list[Voiced],
    words: list[tuple[Word, ...]],
    kept: list[Kept],
    lines: list[Lines],
) -> Composition:
    """All moments of a video, in the order of their start, from all of its parts.

    `voiced` and `words` are what was recognised: nothing where there are subtitles. Raises
    SourceError when no picture could be decoded and nothing is said either.
    """
    transcript = transcript_of(voiced, words, job.settings.speech)
    said = [*subtitles.moments, *transcript.moments]
    pictures = [frame for part in kept for frame in part.frames]
    if info.video is not None and not pictures and not said:
        raise SourceError(job.path, "frames", _NO_PICTURE)
    frames = [
        Moment(
            MomentKind.FRAME,
            frame.span,
            "",
            frame_time=frame.frame_time,
            picture=frame.thumbnail,
        )
        for frame in pictures
    ]
    shown = screen_text_moments(pictures, list(chain.from_iterable(lines)))
    moments = [*frames, *shown, *said]
    notes = [note for part in kept for note in part.notes]
    return Composition(
        source=Source(
            id=job.source_id,
            kind=SourceKind.VIDEO,
            name=job.name,
            size_bytes=job.size_bytes,
            duration=info.duration,
            pages=None,
            details=_details(info) | _speech_details(job, info, subtitles, transcript),
            notes=joined_notes([*info.notes, *notes, *subtitles.notes, *transcript.notes]),
        ),
        moments=tuple(sorted(moments, key=lambda moment: moment.span.start)),
        shot_starts=tuple(frame.span.start for frame in pictures if frame.shot_start),
    )


def ingest_video(job: Job, cluster: Cluster) -> Started:
    """Start every stage of a video.

    Raises SourceError when the file is no playable video.
    """
    probing = cluster.submit(probe, job.path)
    info = cluster.result(probing, path=job.path, stage="probe")
    parts = parts_of_video(info.duration)
    shares = max(1, ceil(info.duration / Fraction(job.settings.work.piece_s)))
    each = ceil(shares / parts.number)
    work: dict[str, list[Pending[Any]]] = {"probe": [probing]}
    voiced: list[Pending[Voiced]] = []
    words: list[Pending[tuple[Word, ...]]] = []
    kept: list[Pending[Kept]] = []
    lines: list[Pending[Lines]] = []
    seen: list[Pending[Seen]] = []
    pieces = [
        cluster.submit(read_piece, job, info, start, end)
        for start, end in plan_pieces(info, job.settings.work.piece_s)
    ]
    if pieces:
        kept = cluster.split(parts.number, keep_frames, job, info, parts, pieces, shares=shares)
        for part in kept:
            lines.append(cluster.submit_to("screen_text", "frame_lines", job, part, shares=each))
            seen.append(cluster.submit_to("embed", "see_frames", job, part, shares=each))
        work |= {"frames": [*pieces, kept[0]], "screen_text": [*lines], "see": [*seen]}
    # Behind the pictures, which need not wait until it is known whether anyone has to listen.
    subtitles = NO_SUBTITLES
    if job.settings.speech.subtitles == "prefer" and has_subtitles(job.path, info):
        reading = cluster.submit(find_words, job, info)
        subtitles = cluster.result(reading, path=job.path, stage="subtitles")
        work["subtitles"] = [reading]
    if info.audio is not None and not subtitles.moments:
        voiced = cluster.split_by("speech", parts.number, "listen", job, info, parts, shares=shares)
        for heard in voiced:
            words.append(cluster.submit_to("speech", "hear", job, info, heard, shares=each))
        work["speech"] = [voiced[0], *words]
    composition = cluster.submit(
        compose_video, job, info, subtitles, voiced, words, kept, lines, shares=shares
    )
    work["compose"] = [composition]
    return Started(composition, parts, seen, work)


def _speech_details(
    job: Job, info: MediaInfo, subtitles: Subtitles, transcript: Transcript
) -> dict[str, str | float | None]:
    if subtitles.words_from is not None or info.audio is None:
        return {"speech": subtitles.words_from}
    probability = transcript.language_probability
    return {
        "speech": f"whisper {job.settings.speech.model}",
        "speech_language": transcript.language,
        "speech_language_probability": None if probability is None else round(probability, 3),
    }


def _details(info: MediaInfo) -> dict[str, str | int | float | None]:
    details: dict[str, str | int | float | None] = {
        "title": info.title,
        "container": info.container,
        "container_start_s": str(info.start),
    }
    if info.video is not None:
        details |= {
            "video_codec": info.video.codec,
            "width_px": info.video.width_px,
            "height_px": info.video.height_px,
            "video_start_s": str(info.video.start),
        }
    if info.audio is not None:
        details |= {
            "audio_codec": info.audio.codec,
            "audio_language": info.audio.language,
            "audio_start_s": str(info.audio.start),
        }
    return details
