"""What a stage needs to know about the source it works on. Small, so that it travels to workers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from index.settings import IndexSettings
from ingest.cache import StageCache, cache_folder
from ingest.settings import IngestSettings

_PACKAGES = {
    "frames": ("av", "decord2", "pillow"),
    "voices": ("av", "ctranslate2", "faster-whisper"),
    "speech": ("av", "ctranslate2", "faster-whisper"),
    "screen_text": ("openvino", "rapidocr"),
    "subtitles": ("av", "charset-normalizer"),
    "pages": ("charset-normalizer", "pillow", "pymupdf"),
    "scans": ("openvino", "pymupdf", "rapidocr"),
}
"""Packages whose version shapes the output of a stage: code, and models that come inside it."""

_SHAPING_NOTHING = ("threads", "password_file")
"""Settings that change how fast, or whether at all, but not what comes out."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way into a library."""

    path: str
    source_id: str
    size_bytes: int
    library: str
    staging: str
    """Directory of the run under the library's `staging/`."""
    settings: IngestSettings
    index: IndexSettings

    @property
    def name(self) -> str:
        """File name, as it is shown and cited."""
        return Path(self.path).name

    @property
    def scratch(self) -> str:
        """Directory for what its stages share, removed when the source is done."""
        return str(Path(self.staging) / f"{self.source_id}.scratch")

    @property
    def cache(self) -> StageCache:
        """Where the outputs of this source's stages are kept."""
        return StageCache(cache_folder(Path(self.library), self.source_id))

    def entry(self, stage: str, *settings: object, **inputs: object) -> Path:
        """Cache file of a stage, keyed by what shapes its output.

        That is the given settings dataclasses and the versions of the packages that do the work.
        """
        shaping = [
            {key: value for key, value in asdict(part).items() if key not in _SHAPING_NOTHING}  # type: ignore[call-overload]
            for part in settings
        ]
        made_by = {name: metadata.version(name) for name in _PACKAGES[stage]}
        return self.cache.entry(stage, settings=shaping, made_by=made_by, **inputs)
