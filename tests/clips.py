"""Pieces of the sample talk, copied packet by packet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.stream import Stream


def remux(
    source: Path,
    target: Path,
    *,
    index_first: bool = False,
    until: Fraction | None = None,
    spoiled: str | None = None,
) -> None:
    """Copy the packets of an MP4 that are decoded before `until` (seconds; None: all).

    `index_first` puts the index before the media, as for streaming. Packets of the `spoiled` type
    of track ("audio", "video") hold bytes that no decoder takes.
    """
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(source)) as whole, av.open(str(target), "w", options=options) as part:
        streams = {
            stream.index: part.add_stream_from_template(stream)
            for stream in (*whole.streams.video, *whole.streams.audio)
        }
        for packet in whole.demux(list(whole.streams)):
            if packet.dts is None or packet.time_base is None:
                continue
            if until is None or packet.dts * packet.time_base < until:
                kept = _spoiled(packet) if packet.stream.type == spoiled else packet
                kept.stream = streams[packet.stream.index]
                part.mux(kept)


def _spoiled(packet: av.Packet[Stream]) -> av.Packet[Stream]:
    bad: av.Packet[Stream] = av.Packet(b"\xaa" * packet.size)
    bad.pts, bad.dts, bad.duration = packet.pts, packet.dts, packet.duration
    bad.time_base, bad.is_keyframe = packet.time_base, packet.is_keyframe
    return bad
