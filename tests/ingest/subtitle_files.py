"""Subtitle files in every form, and subtitle streams in the sample talk's beginning."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.subtitles.stream import SubtitleStream

from tests.conftest import TALK

Shown = tuple[int, int, str]
"""Start and end in milliseconds, text."""


def _clock(at_ms: int, mark: str = ",", digits: int = 3) -> str:
    seconds, rest = divmod(at_ms, 1000)
    decimals = f"{rest:03d}"[:digits]
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{decimals}"


def srt(shown: Sequence[Shown]) -> str:
    """A SubRip file."""
    return "".join(
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n\n"
        for number, (start, end, text) in enumerate(shown, start=1)
    )


def vtt(shown: Sequence[Shown]) -> str:
    """A WebVTT file with everything around the cues that may be there."""
    cues = "".join(
        f"cue {number}\n{_clock(start, '.')} --> {_clock(end, '.')} align:start position:0%\n"
        f"{text}\n\nNOTE not said\n\n"
        for number, (start, end, text) in enumerate(shown)
    )
    header = "WEBVTT - a title\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n"
    return f"{header}STYLE\n::cue {{ color: red }}\n\nREGION\nid:one\n\n{cues}"


def ass(shown: Sequence[Shown]) -> str:
    """A SubStation file; its times have hundredths."""
    lines = "".join(
        f"Dialogue: 0,{_clock(start, '.', 2)[1:]},{_clock(end, '.', 2)[1:]},Default,,0,0,0,,"
        + text.replace("\n", "\\N")
        + "\n"
        for start, end, text in shown
    )
    return (
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\n"
        "Style: Default,Arial\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, "
        f"MarginR, MarginV, Effect, Text\n{lines}Comment: 0,0:00:00.00,0:00:09.00,,,0,0,0,,no\n"
    )


def mux(
    target: Path,
    codec: str,
    tracks: Sequence[tuple[str | None, Sequence[Shown]]],
    *,
    sound: bool = True,
    late: Fraction = Fraction(0),
) -> None:
    """The talk's first 12 s with text streams; all raw times are `late` seconds later."""
    with av.open(str(TALK)) as whole, av.open(str(target), "w") as part:
        kept = [*whole.streams.video, *(whole.streams.audio if sound else ())]
        streams = {stream.index: part.add_stream_from_template(stream) for stream in kept}
        texts = []
        for language, _ in tracks:
            stream = part.add_stream(codec)
            assert isinstance(stream, SubtitleStream)
            stream.codec_context.subtitle_header = ass([]).encode()
            stream.time_base = Fraction(1, 1000)
            if language:
                stream.metadata["language"] = language
            texts.append(stream)
        packets = []
        for packet in whole.demux(kept):
            if packet.dts is None or packet.dts * packet.time_base >= 12:
                continue
            assert packet.pts is not None
            packet.pts += round(late / packet.time_base)
            packet.dts += round(late / packet.time_base)
            packet.stream = streams[packet.stream.index]
            packets.append(packet)
        for stream, (_, shown) in zip(texts, tracks, strict=True):
            for start, end, text in shown:
                data = text.encode()
                if codec == "mov_text":
                    data = len(data).to_bytes(2, "big") + data
                packet = av.Packet(data)
                packet.time_base = Fraction(1, 1000)
                packet.pts = packet.dts = start + round(late * 1000)
                packet.duration, packet.stream = end - start, stream
                packets.append(packet)
        for packet in sorted(packets, key=lambda one: (one.dts or 0) * one.time_base):
            part.mux(packet)
