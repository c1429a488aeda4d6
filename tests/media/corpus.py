"""Make the corpus of true time: `python -m tests.media.corpus --out DIR` (needs FFmpeg).

Beside each clip stands `NAME.json`: what ffprobe lists of it, with the commands that were run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from tests.media.corpus_recipes import RECIPES, Recipe
from tests.media.timecode import picture_at

CORPUS = Path(__file__).parent / "corpus"
_FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-bitexact")
_ENTRIES = (
    "format=format_name,start_time,duration"
    ":stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,sample_rate,time_base"
    ",start_pts,duration_ts,field_order,pix_fmt"
    ":stream_disposition=default,attached_pic:stream_tags=language:stream_side_data=rotation"
)


def make(recipe: Recipe, folder: Path) -> Path:
    """Write one clip and its truth."""
    path = folder / recipe.name
    with tempfile.TemporaryDirectory() as scratch:
        _encode(recipe, Path(scratch), path)
    if recipe.keep_share < 1:
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * recipe.keep_share)])
    truth = truth_of(path)
    (folder / f"{path.name}.json").write_text(_compact(truth), encoding="utf-8")
    return path


def truth_of(path: Path) -> dict[str, Any]:
    """What ffprobe lists: streams, pictures in display order, the first packets of sound."""
    streams = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", _ENTRIES, path.name]
    pictures = ["ffprobe", "-v", "quiet", "-of", "json", "-select_streams", "V:0"]
    pictures += ["-show_entries", "frame=pts,best_effort_timestamp,key_frame", path.name]
    sound = ["ffprobe", "-v", "quiet", "-of", "json", "-select_streams", "a"]
    sound += ["-read_intervals", "%+#4", "-show_packets", "-show_entries"]
    sound += ["packet=stream_index,pts,duration,flags:packet_side_data", path.name]
    listed = _probe(pictures, path.parent).get("frames", [])
    return {
        "commands": [" ".join(command) for command in (streams, pictures, sound)],
        **_probe(streams, path.parent),
        "pictures": [
            [one.get("pts", one.get("best_effort_timestamp")), one["key_frame"]] for one in listed
        ],
        "sound": _probe(sound, path.parent).get("packets", []),
    }


def _probe(command: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or "{}")
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if key != "programs"}


def _compact(truth: dict[str, Any]) -> str:
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in truth.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _encode(recipe: Recipe, scratch: Path, path: Path) -> None:
    if recipe.jump_s:
        _encode_jump(recipe, scratch, path)
        return
    command = [*_FFMPEG, "-copyts"]
    maps: list[str] = []
    inputs = 0
    if recipe.times:
        command += ["-i", str(_pictures(recipe, scratch / "pictures.nut"))]
        maps += ["-map", "0:v"]
        inputs += 1
    for start, length in recipe.sound:
        tone = f"sine=frequency=440:sample_rate=44100:duration={float(length)}"
        command += ["-itsoffset", str(float(start)), "-f", "lavfi", "-i", tone]
        maps += ["-map", f"{inputs}:a"]
        inputs += 1
    if recipe.cover:
        cover = scratch / "cover.png"
        picture_at(Fraction(12)).save(cover)
        command += ["-i", str(cover)]
        maps += ["-map", f"{inputs}:v", "-disposition:v", "attached_pic", "-c:v", "mjpeg"]
    command += [*maps, *recipe.video, *recipe.audio, "-threads", "1", "-flags:v", "+bitexact"]
    if recipe.times:
        passed = ["-fps_mode", "passthrough", "-enc_time_base:v", "-1"]
        command += passed if recipe.rate is None else ["-r", str(recipe.rate)]
    command += [*recipe.mux, "-fflags", "+bitexact"]
    if recipe.offset_s:
        command += ["-output_ts_offset", str(recipe.offset_s), "-mpegts_copyts", "1"]
    if recipe.piped:
        with path.open("wb") as out:
            kind = path.suffix.removeprefix(".")
            subprocess.run([*command, "-f", kind, "pipe:1"], stdout=out, check=True)
    elif recipe.cut_at or recipe.rotation:
        whole = scratch / f"whole{path.suffix}"
        _run([*command, str(whole)])
        cut = ["-ss", str(float(recipe.cut_at))] if recipe.cut_at else []
        turn = ["-metadata:s:v:0", f"rotate={recipe.rotation}"] if recipe.rotation else []
        _run([*_FFMPEG, *cut, "-i", str(whole), "-map", "0", "-c", "copy", *turn, str(path)])
    else:
        _run([*command, str(path)])


def _encode_jump(recipe: Recipe, scratch: Path, path: Path) -> None:
    """Two stretches of one transport stream, glued as a receiver that lost the signal does."""
    gap = max(b - a for a, b in zip(recipe.times, recipe.times[1:], strict=False))
    at = next(i for i, time in enumerate(recipe.times) if i and time - recipe.times[i - 1] == gap)
    content = b""
    for number, times in enumerate((recipe.times[:at], recipe.times[at:])):
        part = Recipe(f"part{number}.ts", times, recipe.video, mux=("-mpegts_copyts", "1"))
        _encode(part, scratch, scratch / part.name)
        content += (scratch / part.name).read_bytes()
    path.write_bytes(content)


def _pictures(recipe: Recipe, path: Path) -> Path:
    """The pictures, uncompressed, with exactly the times they say (or the cut ones had)."""
    shift = recipe.cut_at
    unit = Fraction(1)
    for time in recipe.times:
        unit = Fraction(1, int(np.lcm(unit.denominator, (time + shift).denominator)))
    unit = 1 / recipe.rate if recipe.rate is not None else unit
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=recipe.rate or 25)
        assert isinstance(stream, av.VideoStream)
        for number, time in enumerate(recipe.times):
            picture = picture_at(time)
            if recipe.stored_px:
                picture = picture.resize(recipe.stored_px)
            turned = picture.rotate(-recipe.rotation, Image.Resampling.NEAREST, expand=True)
            frame = av.VideoFrame.from_ndarray(np.asarray(turned), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            if not number:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
                stream.codec_context.time_base = stream.time_base = unit
            frame.pts, frame.time_base = round((time + shift) / unit), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Write every clip, or those whose names begin as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=CORPUS)
    parser.add_argument("--only", default="", help="beginning of the names to make")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:
        if recipe.name.startswith(arguments.only):
            path = make(recipe, arguments.out)
            print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
