"""`python -m benchmarks.ingest.floors (speech | decode) FILE`: one thing alone, at full speed.

No ingest can be faster than these two together. Loading the model is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import av

from benchmarks.ingest.models import speech_model
from benchmarks.ingest.naive import decode_sound
from secondsight.settings import Settings, load_settings

BATCH = 8
DECODING_THREADS = 2


def main() -> None:
    """Print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("floor", choices=("speech", "decode"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--config", default=None)
    arguments = parser.parse_args()
    if arguments.floor == "speech":
        work_s = time_speech(arguments.file, load_settings(arguments.config))
    else:
        work_s = time_decoding(arguments.file)
    with av.open(str(arguments.file)) as container:
        assert container.duration is not None
        print(json.dumps({"work_s": work_s, "video_s": container.duration / 1_000_000}))


def time_speech(file: Path, settings: Settings) -> float:
    """Seconds of faster-whisper's batched pipeline, reading the sound included."""
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(speech_model(settings.ingest.speech))
    started = time.perf_counter()
    segments, _ = pipeline.transcribe(decode_sound(file), batch_size=BATCH, word_timestamps=True)
    for _ in segments:
        pass
    return time.perf_counter() - started


def time_decoding(file: Path) -> float:
    """Seconds of decoding every picture and converting one a second to RGB."""
    started = time.perf_counter()
    taken = 0
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = DECODING_THREADS
        for frame in container.decode(stream):
            assert frame.time is not None
            if frame.time >= taken:
                frame.to_ndarray(format="rgb24")
                taken += 1
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
