"""Settings of every ingest stage. A stage's settings are part of its cache key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """Which frames become moments."""

    rate_hz: float = 1.0
    """Sampled frames per second, beside the keyframes."""
    max_side_px: int = 1280
    """Longest side of the picture that recognisers see."""
    thumbnail_side_px: int = 640
    """Longest side of the stored picture."""
    skip_still: bool = True
    """Where the packets of an H.264 or HEVC video say that nothing changes, it is not decoded."""
    changed_share: float = 0.002
    """A frame is kept when at least this share of its pixels differs from the last kept one."""
    reader: Literal["pyav", "decord"] = "pyav"
    """decord reads MP4, MOV, MKV and WebM; it fails on files whose pictures it would get wrong."""


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """How speech becomes utterances."""

    model: str = "bundled-tiny.en"
    """`bundled-tiny.en` (English), `bundled-base` (99 languages; extra `multilingual`), or a folder
    or hub name of a CTranslate2 Whisper model."""
    device: str = "cpu"
    compute_type: str = "int8"
    beam_size: int = 1
    threads: int = 2
    """Stretches of 30 s that are heard at a time, each on one CPU thread."""
    language: str | None = None
    """None: detected (English for English-only models)."""
    subtitles: Literal["prefer", "ignore"] = "prefer"
    """prefer: subtitle files and streams are read, speech is recognised where there are none."""
    max_utterance_s: float = 15.0


@dataclass(frozen=True, slots=True)
class ScreenTextSettings:
    """How text in pictures is read."""

    engine: Literal["openvino", "onnxruntime"] = "openvino"
    threads: int = 2
    min_confidence: float = 0.75
    """Lines that are read less surely (0..1) are left out."""
    enlarge_below: float = 0.9
    """Lines that are read less surely (0..1) are enlarged and read once more."""


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """How documents become passages, pages and figures."""

    passage_words: int = 120
    """Passages are cut at the sentence border nearest to this many words. 120 are about 180 tokens
    of the default embedder: 140 to 220 for half of all passages, 350 for dense program listings."""
    page_side_px: int = 1000
    """Longest side of the stored page picture."""
    scan_dpi: int = 150
    """Resolution at which pages without text are read."""
    page_limit_s: float = 20.0
    """A page that is this much work is left out and noted; opening a file may be as much."""
    page_memory_bytes: int = 1_000_000_000
    """A page that needs more memory is left out and noted."""
    password_file: str | None = None
    """File with passwords, one a line, that are tried on locked documents; it is read where
    documents are read, and its content goes nowhere else."""


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """How long segments are."""

    min_s: float = 15.0
    max_s: float = 60.0
    max_pages: int = 4


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """How the work is spread over Ray."""

    sources_in_flight: int = 2
    piece_s: float = 300.0
    """Videos are decoded in pieces of about this length, in parallel."""
    piece_limit_s: float | None = 1800.0
    """A piece still unfinished after this long is ended and fails its source; work on a whole
    source may take as long as its pieces together. None: no limit."""
    cache_limit_bytes: int = 20_000_000_000
    """Stage outputs unused longest are removed, during a run and after it, until this much is left
    beside that of sources in work."""
    cpus: int | None = None
    """CPUs of a local Ray; None: all of the machine. A cluster (RAY_ADDRESS) brings its own."""
    speech_workers: int = 1
    screen_text_workers: int = 1
    embed_workers: int = 1


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """All of ingest."""

    frames: FrameSettings = field(default_factory=FrameSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    screen_text: ScreenTextSettings = field(default_factory=ScreenTextSettings)
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    link_slides: bool = True
    """New talks and slides are linked at the end of a run where their words clearly agree."""
