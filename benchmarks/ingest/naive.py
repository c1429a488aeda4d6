"""`python -m benchmarks.ingest.naive FILE`: the pipeline that one writes first, timed by stage.

One frame a second is decoded, every frame is read and embedded, the sound goes through
faster-whisper as its README shows; one thing after another in one process, with the models,
engines and threads of the settings. Only a sample of the file is worked on: stretches of a minute,
evenly spread over it. Loading the models is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.ingest.models import speech_model, text_reader
from index.embedders import open_embedder
from secondsight.settings import Settings, load_settings

STRETCH_S = 60
SAMPLE_RATE_HZ = 16_000

Picture = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Clock:
    """Seconds of each stage."""

    stages_s: dict[str, float]

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add what the block takes to a stage."""
        started = time.perf_counter()
        yield
        self.stages_s[stage] = self.stages_s.get(stage, 0.0) + time.perf_counter() - started


def main() -> None:
    """Print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=int, default=6)
    parser.add_argument("--config", default=None)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.file, arguments.minutes, load_settings(arguments.config))))


def run(file: Path, minutes: int, settings: Settings) -> dict[str, Any]:
    """Take a sample of a file through the pipeline."""
    reader = text_reader(settings.ingest.screen_text)
    recognizer = speech_model(settings.ingest.speech)
    embedder = open_embedder(settings.index.embedder)
    embedder.embed_images([Image.new("RGB", (64, 64))])  # loads the picture model
    clock = Clock({})
    started = time.perf_counter()
    sound = decode_sound(file)
    duration_s = len(sound) / SAMPLE_RATE_HZ
    stretches = spread(duration_s, minutes)
    sampled_s = STRETCH_S * len(stretches)
    # The whole track is decoded; as much of that counts as of the track is used.
    clock.stages_s["decode"] = (time.perf_counter() - started) * sampled_s / duration_s
    num_frames = 0
    for start_s in stretches:
        with clock.measure("decode"):
            frames = decode_pictures(file, start_s)
        with clock.measure("OCR of every frame"):
            found = [reader(np.ascontiguousarray(frame[..., ::-1])) for frame in frames]
        with clock.measure("embed"):
            embedder.embed_texts([" ".join(page.txts) for page in found if page.txts is not None])
            embedder.embed_images([Image.fromarray(frame) for frame in frames])
        num_frames += len(frames)
    heard = np.concatenate(
        [sound[s * SAMPLE_RATE_HZ : (s + STRETCH_S) * SAMPLE_RATE_HZ] for s in stretches]
    )
    with clock.measure("speech, sequential"):
        segments = list(recognizer.transcribe(heard)[0])
    with clock.measure("embed"):
        embedder.embed_texts([segment.text for segment in segments])
    return {"sampled_s": sampled_s, "frames": num_frames, "stages_s": clock.stages_s}


def spread(duration_s: float, minutes: int) -> list[int]:
    """Starts of stretches of a minute, in whole seconds, evenly spread over a duration.

    Raises SystemExit when it is shorter than a minute.
    """
    if duration_s < STRETCH_S:
        raise SystemExit(f"the naive pipeline needs a minute of video, this is {duration_s:.1f} s")
    count = min(minutes, int(duration_s) // STRETCH_S)
    return [int((number + 0.5) * duration_s / count - STRETCH_S / 2) for number in range(count)]


def decode_pictures(file: Path, start_s: int) -> list[Picture]:
    """One picture a second of a stretch, every picture from the keyframe before it decoded."""
    taken: list[Picture] = []
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        container.seek(start_s * 1_000_000)
        for frame in container.decode(stream):
            assert frame.time is not None
            if frame.time >= start_s + len(taken):
                taken.append(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))
            if len(taken) == STRETCH_S:
                break
    return taken


def decode_sound(file: Path) -> npt.NDArray[np.float32]:
    """The sound as faster-whisper decodes it: float32, mono, 16 kHz."""
    from faster_whisper.audio import decode_audio

    sound: npt.NDArray[np.float32] = decode_audio(str(file), sampling_rate=SAMPLE_RATE_HZ)
    return sound


if __name__ == "__main__":
    main()
