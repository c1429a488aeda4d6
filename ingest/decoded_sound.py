"""The sound of a source, decoded once for all calls that listen to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.files import disk_error
from ingest.job import Job
from ingest.media import read_audio
from ingest.media_info import MediaInfo
from ingest.soundtrack import Sound, open_sound


@contextmanager
def decoded_sound(job: Job, info: MediaInfo, *, notes: list[str] | None = None) -> Iterator[Sound]:
    """The sound track as `read_audio` gives it, from a file that lives as long as the job.

    The first to ask for it, and who asks after a crash, decodes it; `notes` are then said. Raises
    SourceError and LibraryError as `read_audio` does.
    """
    path = Path(job.scratch) / "sound"
    try:
        if not path.exists():
            _decode(job, info, path, notes)
        file = path.open("rb")
    except OSError as error:
        raise disk_error(path, "write sound to", error) from error
    with file:
        yield open_sound(file)


def _decode(job: Job, info: MediaInfo, path: Path, notes: list[str] | None) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(uuid.uuid4().hex)
    try:
        with temporary.open("w+b") as file:
            read_audio(job.path, info, file=file, notes=notes)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
