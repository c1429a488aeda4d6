"""`python -m benchmarks.generate.packing`: what it takes before a model can begin to read.

A prompt of 200 segments (10 s each, what is said and ten frames) is priced, packed and written with
the real vocabulary of Qwen, with and without what the tokenizer has counted before; 1,000 frames
at 448 x 256 become patches, beside the processor's own way without resizing. Times are seconds of
one core (process time), the best of some runs; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import AutoVideoProcessor

from benchmarks.index.data import unit
from benchmarks.index.library import DIMS, IDENTITY
from generate.assembly import Assembled, assemble
from generate.backends.qwen_loading import load_qwen3_vl
from generate.backends.qwen_vision import Eyes
from generate.evidence import Evidence
from generate.markers import clip_metadata
from generate.prompt import ClipPart
from generate.settings import Qwen3VLSettings
from generate.token_costs import TOKENIZER_FILE, TokenCosts, text_counter
from generate.visuals import visuals_of
from index.manifest import create_library, read_manifest, read_rotation
from index.records import Moment, MomentKind, Segment, Source, SourceKind, Span
from index.shard import commit_shard, staging_area, write_shard
from index.snapshot import Snapshot
from index.word_boxes import NO_WORD_BOXES
from tests.generate.tiny_qwen3_vl import write_tiny_qwen3_vl
from tests.retrieve.archive import BEE_TALK, COFFEE_TALK

SEGMENTS = 200
SEGMENT_S = 10
SENTENCES = 2
"""Said in a segment, about 25 words."""
BUDGETS = (32_768, 131_072, 262_144)
FRAMES, FRAMES_PER_CLIP = 1_000, 20
HEIGHT_PX, WIDTH_PX = 256, 448
RUNS = 5


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="secondsight-bench-") as scratch:
        folder = write_tiny_qwen3_vl(Path(scratch) / "tiny")
        snapshot, evidence = segments(Path(scratch) / "library")
        print_packing(folder, snapshot, evidence, runs)
        print_preprocessing(folder, runs)


def segments(directory: Path) -> tuple[Snapshot, tuple[Evidence, ...]]:
    """A video of 200 segments, and each of them as evidence of its own rank."""
    sentences = [*BEE_TALK, *COFFEE_TALK]
    buffer = BytesIO()
    Image.new("RGB", (640, 360), "grey").save(buffer, "JPEG")
    moments = []
    for start in range(0, SEGMENTS * SEGMENT_S, SEGMENT_S):
        said = " ".join(sentences[(start + at) % len(sentences)] for at in range(SENTENCES))
        place = Span(Fraction(start), Fraction(start + SEGMENT_S))
        moments.append(Moment(MomentKind.UTTERANCE, place, f"{said} That was number {start}."))
        for second in range(start, start + SEGMENT_S):
            place = Span(Fraction(second), Fraction(second + 1))
            moments.append(Moment(MomentKind.FRAME, place, "", picture=buffer.getvalue()))
    end = Fraction(SEGMENTS * SEGMENT_S)
    source = Source(
        id=hashlib.sha256(b"packing").hexdigest()[:32],
        kind=SourceKind.VIDEO,
        name="lecture_03.mp4",
        size_bytes=10**9,
        duration=end,
        pages=None,
        details={"width_px": 1280, "height_px": 720},
    )
    create_library(directory, IDENTITY)
    vectors = unit(np.random.default_rng(1).standard_normal((len(moments), DIMS)))
    rotation = read_rotation(directory, read_manifest(directory))
    whole = Segment(Span(Fraction(0), end), "lecture", tuple(moments))
    with staging_area(directory) as area:
        entry = write_shard(
            area / "new", source, (whole,), vectors, unit(vectors.sum(0)[None]), rotation=rotation
        )
        commit_shard(directory, area / "new", entry, [], embedder=IDENTITY)
    snapshot = Snapshot.open(directory)
    spoken = [one for one in snapshot.moments(range(snapshot.num_moments)) if one.moment.text]
    ranks = np.random.default_rng(2).permutation(SEGMENTS) + 1
    evidence = tuple(
        Evidence(
            id=f"E{number}",
            source=source,
            place=one.moment.place,
            kind=one.moment.kind,
            text=one.moment.text,
            heading="",
            words=(),
            word_boxes=NO_WORD_BOXES,
            moment_id=one.id,
            hit_rank=int(rank),
        )
        for number, (one, rank) in enumerate(zip(spoken, ranks, strict=True), start=1)
    )
    return snapshot, evidence


class _Files:
    """Files that are there; nothing is decoded here."""

    def is_there(self, source_id: str) -> bool:
        return True

    def shown_at(self, source_id: str, times: object, *, max_side_px: int) -> list[Image.Image]:
        raise AssertionError("no pixel is loaded")

    def page_at(self, source_id: str, page: int, *, side_px: int) -> Image.Image:
        raise AssertionError("no pixel is loaded")


def print_packing(
    folder: Path, snapshot: Snapshot, evidence: tuple[Evidence, ...], runs: int
) -> None:
    """What 200 segments take, at some budgets."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))

    def made(costs: TokenCosts, budget: int) -> Assembled:
        return assemble(
            "When do the bees close the cells?",
            evidence,
            snapshot,
            costs,
            budget_tokens=budget,
            answer_tokens=1024,
            pictures=_Files(),
        )

    looked_up = [took_s(partial(visuals_of, evidence, snapshot, _Files())) for _ in range(runs)]
    print(f"{SEGMENTS} segments; first the library is asked what can be shown of them:")
    print(f"{min(looked_up) * 1000:.1f} ms; then, without that:\n")
    print("| budget | prompt | frames | ledger and packing, ms | the same evidence again, ms |")
    print("|---|---|---|---|---|")
    for budget in BUDGETS:
        first, again = [], []
        for _ in range(runs):
            costs = TokenCosts(text_counter(tokenizer), is_exact=True)
            work = partial(made, costs, budget)
            first.append(took_s(work))
            again.append(took_s(work))
        ledger = made(costs, budget).ledger
        print(
            f"| {budget:,} | {ledger.prompt_tokens:,} | {sum(row.frames for row in ledger.rows):,} "
            f"| {(min(first) - min(looked_up)) * 1000:.1f} "
            f"| {(min(again) - min(looked_up)) * 1000:.1f} |"
        )


def print_preprocessing(folder: Path, runs: int) -> None:
    """Frames to patches: as the backend does it, and as the processor does it at its best."""
    loaded = load_qwen3_vl(Qwen3VLSettings(model=str(folder), device="cpu", dtype="bfloat16"))
    eyes = Eyes(loaded.model, pictures=loaded.pictures, clips=loaded.clips, cache_bytes=0)
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    images = [Image.fromarray(noise)] * FRAMES_PER_CLIP
    tensor = torch.from_numpy(np.stack([noise] * FRAMES_PER_CLIP)).permute(0, 3, 1, 2).contiguous()
    times = tuple(Fraction(number, 2) for number in range(FRAMES_PER_CLIP))
    clip = ClipPart("E1", times, HEIGHT_PX, WIDTH_PX, lambda: images)
    read: Any = AutoVideoProcessor
    clips = read.from_pretrained(folder)

    def best() -> object:
        return clips(
            videos=[tensor],
            video_metadata=[clip_metadata(times, FRAMES_PER_CLIP)],
            do_sample_frames=False,
            do_resize=False,
            cap_pixels_per_frame=False,
            return_tensors="pt",
        )

    def each_clip(work: Callable[[], object]) -> None:
        for _ in range(FRAMES // FRAMES_PER_CLIP):
            work()

    ours, theirs = [], []
    for _ in range(runs):
        ours.append(took_s(partial(each_clip, partial(eyes.pixels_of, clip))))
        theirs.append(took_s(partial(each_clip, best)))
    print(f"\n| {FRAMES:,} frames of {WIDTH_PX} x {HEIGHT_PX} px | s |\n|---|---|")
    print(f"| from pictures to bfloat16 patches, as the backend does | {min(ours):.2f} |")
    print(f"| the processor alone, from uint8 tensors, no resizing | {min(theirs):.2f} |")
    print(f"\nratio {min(ours) / min(theirs):.2f}")


def took_s(work: Callable[[], object]) -> float:
    """Seconds of one core."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
