"""What the heads of files say of their length, and that no head brings the reader down."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media import probe
from ingest.truncation import Announced, is_cut, is_early, missing_end, read_announced
from tests.media.corpus import CORPUS

CLIP_OF = {
    "asf": "wmv2.wmv",
    "avi": "mpeg4.avi",
    "flv": "h264.flv",
    "matroska,webm": "rate_25.mkv",
    "mov,mp4,m4a,3gp,3g2,mj2": "fragmented.mp4",
    "mp3": "tone.mp3",
    "mpegts": "interlaced.ts",
    "ogg": "theora.ogv",
    "wav": "tone.wav",
}


def _announced(path: Path, content: bytes, container: str) -> Announced:
    path.write_bytes(content)
    return read_announced(str(path), container)


@given(st.sampled_from([*CLIP_OF, "aiff", "flac"]), st.binary(max_size=600))
def test_random_bytes_say_little_and_do_no_harm(
    tmp_path_factory: pytest.TempPathFactory, container: str, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    told = _announced(path, content, container)
    missing_end(told, len(content), end=Fraction(1), announced=told.duration or Fraction(0))


@given(
    st.sampled_from(list(CLIP_OF)),
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=40),
    st.integers(0, 3000),
)
def test_damaged_heads_do_no_harm(
    tmp_path_factory: pytest.TempPathFactory,
    container: str,
    changes: list[tuple[int, int]],
    length: int,
) -> None:
    content = bytearray((CORPUS / CLIP_OF[container]).read_bytes()[:length])
    for at, value in changes:
        content[at : at + 1] = bytes([value])
    path = tmp_path_factory.getbasetemp() / "damaged"
    told = _announced(path, bytes(content), container)
    missing_end(told, len(content), end=Fraction(1), announced=told.duration or Fraction(0))


@given(st.integers(1, 99))
def test_every_cut_is_seen_where_sizes_are_announced(
    tmp_path_factory: pytest.TempPathFactory, percent: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut"
    for container in ("asf", "avi", "flv", "matroska,webm", "mp3", "wav"):
        content = (CORPUS / CLIP_OF[container]).read_bytes()
        cut = content[: max(4500, len(content) * percent // 100)]
        assert is_cut(_announced(path, cut, container), len(cut)), container
        assert not is_cut(_announced(path, content, container), len(content)), container


@pytest.mark.parametrize(("suffix", "codec"), [("aiff", "pcm_s16be"), ("flac", "flac")])
def test_lossless_sound_that_is_cut_is_noted(suffix: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / f"noise.{suffix}"
    noise = np.random.default_rng(3).integers(-9000, 9000, (1, 5 * 16_000)).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert probe(str(path)).notes == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (note,) = probe(str(path)).notes
    assert "missing" in note


def test_an_avi_of_several_parts_is_as_long_as_all_of_them(tmp_path: Path) -> None:
    # Above 1 GB (OpenDML, 1997): further RIFF chunks follow the first.
    first = (CORPUS / "mpeg4.avi").read_bytes()
    further = b"RIFF" + struct.pack("<I", 1004) + b"AVIX" + bytes(1000)
    whole = first + further + further
    path = tmp_path / "large.avi"
    assert _announced(path, whole, "avi").size_bytes == len(whole)
    told = _announced(path, whole[:-500], "avi")
    assert told.size_bytes == len(whole)
    assert missing_end(told, len(whole) - 500, end=Fraction(2), announced=Fraction(2)) == (
        "its last 500 bytes are missing: its header announces them"
    )


def test_large_waves_announce_their_size_in_a_chunk_of_its_own(tmp_path: Path) -> None:
    wave = (CORPUS / "tone.wav").read_bytes()
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, len(wave) + 28, len(wave) - 44, 32_000, 0)
    large = b"RF64" + b"\xff" * 4 + b"WAVE" + sizes + wave[12:]
    assert _announced(tmp_path / "large.wav", large, "wav").size_bytes == len(large)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_size_that_was_not_known_announces_nothing(size: int, tmp_path: Path) -> None:
    wave = (CORPUS / "tone.wav").read_bytes()
    streamed = wave[:4] + struct.pack("<I", size) + wave[8:]
    assert not is_cut(_announced(tmp_path / "pipe.wav", streamed, "wav"), len(streamed))


@pytest.mark.parametrize("packet_bytes", [188, 192])
def test_a_transport_stream_ends_with_a_whole_packet(packet_bytes: int, tmp_path: Path) -> None:
    packet = bytes(packet_bytes - 188) + b"\x47" + bytes(187)
    path = tmp_path / "a.ts"
    assert _announced(path, packet * 20, "mpegts").ends_whole
    assert not _announced(path, (packet * 20)[:-1], "mpegts").ends_whole
    assert _announced(path, b"no packets at all" * 100, "mpegts").ends_whole


def test_a_header_is_believed_to_the_second() -> None:
    told = Announced(duration=Fraction(10))
    assert is_early(told, Fraction(89, 10))
    assert not is_early(told, Fraction(9))
    note = missing_end(told, 1, end=Fraction(2), announced=Fraction(10))
    assert note == ("ends at 00:00:02.0 although its header says 00:00:10.0: the rest is missing")


def test_subtitles_that_last_longer_than_the_pictures_are_no_missing_end(tmp_path: Path) -> None:
    words, path = tmp_path / "words.srt", tmp_path / "words.mkv"
    words.write_text("1\n00:00:01,000 --> 00:00:09,000\nThe tide is out.\n", "utf-8")
    with (
        av.open(str(CORPUS / "rate_25.mkv")) as pictures,
        av.open(str(words)) as cues,
        av.open(str(path), "w") as container,
    ):
        tracks = [pictures.streams.video[0], cues.streams.subtitles[0]]
        new = [container.add_stream_from_template(track) for track in tracks]
        for source, track, stream in zip((pictures, cues), tracks, new, strict=True):
            for packet in source.demux(track):
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
    info = probe(str(path))
    assert read_announced(str(path), info.container).duration == 9
    assert info.duration < 3
    assert info.notes == ()


def test_a_header_that_says_more_than_all_tracks_hold_is_noted(tmp_path: Path) -> None:
    whole = (CORPUS / "rate_25.mkv").read_bytes()
    at = whole.index(b"\x44\x89\x88") + 3
    path = tmp_path / "early.mkv"
    path.write_bytes(whole[:at] + struct.pack(">d", 9000.0) + whole[at + 8 :])
    (note,) = probe(str(path)).notes
    assert note.startswith("ends at 00:00:02.0 although its header says 00:00:09.0")
