"""What the workers of the model pools hold: a model, loaded with the first work, and its calls.

Every call looks into the stage cache first, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property

import numpy as np
from PIL import Image

from index.embedders import Embedder, embedder_identity, open_embedder
from index.manifest import EmbedderIdentity
from index.records import Moment, TextLine
from index.settings import EmbedderSettings
from ingest.cache import cached
from ingest.composition import Composition, Embedded, digest, is_embedded_by_picture
from ingest.documents import render_page
from ingest.frames import decode_jpeg
from ingest.job import Job
from ingest.media import read_audio
from ingest.media_info import MediaInfo
from ingest.pages import PageContent, apply_ocr
from ingest.screen_text import ScreenTextReader
from ingest.settings import ScreenTextSettings, SpeechSettings
from ingest.speech import SpeechRecognizer
from ingest.transcript import Transcript
from ingest.video import Kept
from ingest.whisper_models import model_revision

IMAGE_BATCH = 32


class SpeechWorker:
    """Listens: one speech model."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings

    @cached_property
    def _recognizer(self) -> SpeechRecognizer:
        return SpeechRecognizer(self._settings)

    def transcript(self, job: Job, info: MediaInfo) -> Transcript:
        """What is said in a video, on its clock."""
        settings = job.settings.speech

        def listen() -> Transcript:
            return self._recognizer.recognize(read_audio(job.path, info))

        return cached(job.entry("speech", settings, model=model_revision(settings.model)), listen)


class ScreenTextWorker:
    """Reads text in pictures: one OCR model."""

    def __init__(self, settings: ScreenTextSettings) -> None:
        self._settings = settings

    @cached_property
    def _reader(self) -> ScreenTextReader:
        return ScreenTextReader(self._settings)

    def frame_lines(self, job: Job, kept: Kept) -> tuple[tuple[TextLine, ...], ...]:
        """Lines of text on each kept frame of a video, boxes in pixels of its picture."""

        def read() -> tuple[tuple[TextLine, ...], ...]:
            return tuple(self._reader.read(decode_jpeg(frame.jpeg)) for frame in kept.frames)

        settings = job.settings
        return cached(job.entry("screen_text", settings.frames, settings.screen_text), read)

    def scanned_pages(self, job: Job, pages: tuple[PageContent, ...]) -> tuple[PageContent, ...]:
        """The pages, those that are pictures of text with the words read from them."""
        if not any(page.needs_ocr for page in pages):
            return pages

        def read() -> tuple[PageContent, ...]:
            return tuple(self._read_page(job, page) if page.needs_ocr else page for page in pages)

        settings = job.settings
        numbers = [page.number for page in pages]
        entry = job.entry("scans", settings.documents, settings.screen_text, pages=numbers)
        return cached(entry, read)

    def _read_page(self, job: Job, page: PageContent) -> PageContent:
        image, dpi = render_page(job.path, page.number, job.settings.documents.scan_dpi)
        return apply_ocr(page, self._reader.read(image), dpi)


class EmbedWorker:
    """Turns words and pictures into vectors: one embedder."""

    def __init__(self, settings: EmbedderSettings) -> None:
        self._settings = settings

    @cached_property
    def _embedder(self) -> Embedder:
        return open_embedder(self._settings)

    def embed(self, job: Job, composition: Composition) -> Embedded:
        """Vectors of all moments of a source, and what its pictures were taken for."""
        entry = job.cache.entry(
            "embed", content=digest(composition), embedder=asdict(self._identity())
        )
        return cached(entry, lambda: self._embed(composition.moments))

    def _identity(self) -> EmbedderIdentity:
        return embedder_identity(self._settings)

    def _embed(self, moments: Sequence[Moment]) -> Embedded:
        vectors = np.zeros((len(moments), self._identity().dims), np.float32)
        seen = [row for row, moment in enumerate(moments) if is_embedded_by_picture(moment)]
        read = [row for row, moment in enumerate(moments) if not is_embedded_by_picture(moment)]
        vectors[read] = self._embedder.embed_texts([moments[row].text for row in read])
        labels: dict[int, str] = {}
        for first in range(0, len(seen), IMAGE_BATCH):
            rows = seen[first : first + IMAGE_BATCH]
            found = self._embedder.embed_images([_picture(moments[row]) for row in rows])
            vectors[rows] = found.vectors
            labels.update(zip(rows, found.labels, strict=True))
        return Embedded(vectors, labels)


def _picture(moment: Moment) -> Image.Image:
    assert moment.picture is not None
    return Image.open(io.BytesIO(moment.picture))
