"""What the workers of the model pools hold: a model, loaded with the first work, and its calls.

Every call looks into the stage cache first, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from index.embedders import Embedder, embedder_identity, embeds_jointly, open_embedder
from index.errors import SourceError
from index.files import FilePart, content_of
from index.manifest import EmbedderIdentity
from index.records import Word
from index.settings import EmbedderSettings
from ingest.cache import cached
from ingest.composition import Formed, Seen, Vectors, digest
from ingest.decoded_sound import decoded_sound
from ingest.frames import decode_jpeg
from ingest.isolation import Done, Lost, isolated, limits_of
from ingest.job import Job
from ingest.joining import joint_input, told_by
from ingest.media_info import MediaInfo
from ingest.page_pictures import redeemed, ticketed
from ingest.pages import PageContent
from ingest.parts import Parts, in_parts
from ingest.scans import with_scan
from ingest.screen_text import ScreenTextReader, is_fleeting
from ingest.settings import ScreenTextSettings, SpeechSettings
from ingest.speech import SpeechRecognizer
from ingest.transcript import Voiced
from ingest.video import Kept, Lines
from ingest.whisper_models import model_revision

PAGE_RENDERER = "ingest.mupdf.rendering.page_renderer"
RenderedPage = tuple[npt.NDArray[np.uint8], float]
"""Pixels of a page, and their resolution in dpi."""


class SpeechWorker:
    """Listens: one speech model."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings

    @cached_property
    def _recognizer(self) -> SpeechRecognizer:
        return SpeechRecognizer(self._settings)

    def listen(self, job: Job, info: MediaInfo, parts: Parts) -> tuple[Voiced, ...]:
        """Where somebody speaks in a video.

        Sound that cannot be decoded is noted where there are pictures; else raises SourceError.
        """

        def find() -> Voiced:
            notes: list[str] = []
            try:
                with decoded_sound(job, info, notes=notes) as sound:
                    return replace(self._recognizer.listen(sound), notes=tuple(notes))
            except SourceError as error:
                if info.video is None:
                    raise
                return Voiced(notes=(*notes, error.reason))

        settings = self._settings
        entry = job.entry("voices", settings, model=model_revision(settings.model))
        voiced = cached(entry, find)
        return tuple(
            replace(voiced, windows=windows)
            for windows in in_parts(voiced.windows, parts.number, least=parts.windows)
        )

    def hear(self, job: Job, info: MediaInfo, voiced: Voiced) -> tuple[Word, ...]:
        """What is said in one part of a video, on its clock."""
        if not voiced.windows:
            return ()

        def listen_closely() -> tuple[Word, ...]:
            with decoded_sound(job, info) as sound:
                return self._recognizer.hear(sound, voiced)

        entry = job.entry(
            "speech",
            self._settings,
            model=model_revision(self._settings.model),
            first=voiced.windows[0][0].start,
            windows=len(voiced.windows),
        )
        return cached(entry, listen_closely)


class ScreenTextWorker:
    """Reads text in pictures: one OCR model."""

    def __init__(self, settings: ScreenTextSettings) -> None:
        self._settings = settings

    @cached_property
    def _reader(self) -> ScreenTextReader:
        return ScreenTextReader(self._settings)

    def frame_lines(self, job: Job, kept: Kept) -> Lines:
        """Lines of text on each kept frame of a part of a video, boxes in pixels of its picture."""
        if not kept.frames:
            return ()

        def read() -> Lines:
            pictures = (decode_jpeg(frame.picture.read()) for frame in kept.frames)
            return tuple(self._reader.read_changes(pictures, map(is_fleeting, kept.frames)))

        entry = job.entry(
            "screen_text",
            job.settings.frames,
            job.settings.screen_text,
            first=str(kept.frames[0].span.start),
            frames=len(kept.frames),
        )
        return cached(entry, read)

    def scanned_pages(self, job: Job, pages: tuple[PageContent, ...]) -> tuple[PageContent, ...]:
        """The pages, those that are pictures of text with the words read from them."""
        if not any(page.needs_ocr for page in pages):
            return pages

        documents = job.settings.documents
        unread = [page for page in pages if page.needs_ocr]
        numbers = [page.number for page in unread]

        def read() -> tuple[PageContent, ...]:
            arguments = (job.path, documents.scan_dpi, documents.password_file)
            rendered = isolated(PAGE_RENDERER, arguments, numbers, limits_of(documents))
            return tuple(
                self._read_page(ticketed(page), image)
                for page, image in zip(unread, rendered, strict=True)
            )

        entry = job.entry("scans", documents, job.settings.screen_text, pages=numbers)
        scans = {page.number: page for page in cached(entry, read)}
        # Pictures lie in a file of another entry: this one holds tickets for them.
        return tuple(
            redeemed(scans[page.number], page) if page.needs_ocr else page for page in pages
        )

    def _read_page(self, page: PageContent, rendered: Done[RenderedPage] | Lost) -> PageContent:
        if isinstance(rendered, Lost):
            return replace(page, items=(), needs_ocr=False, lost=rendered.reason)
        image, dpi = rendered.value
        return with_scan(page, self._reader.read_page(image), dpi)


class EmbedWorker:
    """Turns words and pictures into vectors: one embedder."""

    def __init__(self, settings: EmbedderSettings) -> None:
        self._settings = settings

    @cached_property
    def _embedder(self) -> Embedder:
        return open_embedder(self._settings)

    def see_frames(self, job: Job, kept: Kept) -> Seen:
        """Vectors of the kept frames of a part of a video: they need not wait for its words."""
        return self.see(job, tuple(frame.thumbnail for frame in kept.frames))

    def see(self, job: Job, pictures: tuple[bytes | FilePart, ...]) -> Seen:
        """Vectors of pictures, and what they were taken for."""

        def look() -> Seen:
            vectors = np.zeros((len(pictures), self._identity.dims), np.float32)
            labels: list[str] = []
            batch_size = self._settings.picture_batch_size
            for first in range(0, len(pictures), batch_size):
                batch = pictures[first : first + batch_size]
                found = self._embedder.embed_images([_opened(picture) for picture in batch])
                vectors[first : first + len(batch)] = found.vectors
                labels.extend(found.labels)
            return Seen(vectors, tuple(labels))

        if not pictures:
            return look()
        entry = self._entry(job, "embed_pictures", (content_of(picture) for picture in pictures))
        return cached(entry, look)

    def read(self, job: Job, texts: tuple[str, ...]) -> Vectors:
        """Vectors of texts: (texts, dims) float32, unit rows."""
        if not texts:
            return np.zeros((0, self._identity.dims), np.float32)
        entry = self._entry(job, "embed_texts", (text.encode() for text in texts))
        return cached(entry, lambda: self._embedder.embed_texts(texts))

    def join(self, job: Job, formed: Formed) -> Formed:
        """The segments with vectors of what each shows and says together."""

        def look() -> Vectors:
            embedder = self._embedder
            assert embeds_jointly(embedder)
            vectors = np.zeros_like(formed.segment_vectors)
            for row, segment in enumerate(formed.segments):
                given = joint_input(segment)
                if given is not None:
                    vectors[row] = embedder.embed_joint([given])[0]
            return vectors

        contents = (told for segment in formed.segments for told in told_by(segment))
        vectors = cached(self._entry(job, "embed_segments", contents), look)
        return replace(formed, segment_vectors=vectors)

    @cached_property
    def _identity(self) -> EmbedderIdentity:
        return embedder_identity(self._settings)

    def _entry(self, job: Job, stage: str, contents: Iterable[bytes]) -> Path:
        embedder = asdict(self._identity)
        return job.cache.entry(stage, content=digest(contents), embedder=embedder)


def _opened(picture: bytes | FilePart) -> Image.Image:
    return Image.open(io.BytesIO(content_of(picture)))
