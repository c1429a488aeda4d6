"""The clips of the corpus of true time: what each shows when, and how FFmpeg is to write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

NTSC_FILM, NTSC, NTSC_FIELDS = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
_X264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-pix_fmt", "yuv420p")
_VP9: Final = ("-c:v", "libvpx-vp9", "-crf", "45", "-b:v", "0", "-speed", "8")
_MPEG4: Final = ("-c:v", "mpeg4", "-q:v", "8", "-bf", "2")
_AAC: Final = ("-c:a", "aac", "-b:a", "24k")
_MP3: Final = ("-c:a", "libmp3lame", "-b:a", "32k")
_X265: Final = ("-c:v", "libx265", "-preset", "veryfast", "-crf", "34", "-x265-params")
_FRAGMENTS: Final = ("-movflags", "frag_keyframe+delay_moov")
_OPUS: Final = ("-c:a", "libopus", "-b:a", "16k")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One clip. `times` are what its pictures say: the player's clock."""

    name: str
    times: Sequence[Fraction] = ()
    video: Sequence[str] = ()
    rate: Fraction | None = None
    """Given to the encoder; None: the pictures are passed through with their own times."""
    sound: Sequence[tuple[Fraction, Fraction]] = ()
    """Start and length in seconds of each sound track."""
    audio: Sequence[str] = ()
    mux: Sequence[str] = ()
    rotation: int = 0
    """Degrees by which a player has to turn the stored picture counterclockwise."""
    stored_px: tuple[int, int] | None = None
    """Stored size when it is not the displayed one."""
    cut_at: Fraction = Fraction(0)
    """The written clip is cut here without decoding: an edit list hides what comes before."""
    offset_s: int = 0
    """Added to every timestamp: what a player takes off again."""
    cover: bool = False
    piped: bool = False
    """Written to a pipe: the header cannot be completed with the duration."""
    keep_share: float = 1.0
    """Less than 1: the file is cut off there."""
    jump_s: int = 0
    """The second half of a transport stream has timestamps so much later."""


def _regular(length_s: int, rate: Fraction | int, first: Fraction = Fraction(0)) -> list[Fraction]:
    return [first + number / Fraction(rate) for number in range(ceil(length_s * rate))]


def _cut(length_s: int, rate: int, at: Fraction) -> list[Fraction]:
    return [time - at for time in _regular(length_s, rate)]


def _jumping(seconds: int) -> list[Fraction]:
    return [time + (seconds if time >= 1 else 0) for time in _regular(2, 25)]


_DROPPED: Final = [time for at, time in enumerate(_regular(3, 25)) if at % 7 not in (2, 3, 5)]
_JITTER: Final = [Fraction(at * 40 + (at * 29) % 37, 1000) for at in range(60)]
_SOUND: Final = ((Fraction(0), Fraction(2)),)
_TWO: Final = _regular(2, 25)
_R25: Final = Fraction(25)

RECIPES: Final = (
    Recipe("rate_23976.mp4", _regular(2, NTSC_FILM), _X264, NTSC_FILM, _SOUND, _AAC),
    Recipe("rate_25.mkv", _TWO, _X264, _R25, _SOUND, _AAC),
    Recipe("rate_2997.mov", _regular(2, NTSC), _X264, NTSC, _SOUND, _AAC),
    Recipe("rate_5994.mp4", _regular(2, NTSC_FIELDS), _X264, NTSC_FIELDS, _SOUND, _AAC),
    Recipe("vfr_dropped.mp4", _DROPPED, _X264, None, _SOUND, _AAC),
    Recipe("vfr_jitter.mkv", _JITTER, _X264, None, _SOUND, _OPUS),
    Recipe("late_video.mp4", _regular(2, 25, Fraction(4, 5)), _X264, None, _SOUND, _AAC),
    Recipe("late_audio.mp4", _TWO, _X264, _R25, ((Fraction(6, 5), Fraction(1)),), _AAC),
    Recipe("negative_start.ts", _regular(1, 25), _X264, _R25, offset_s=95440),
    Recipe(
        "edit_list.mp4",
        _cut(3, 25, Fraction(13, 10)),
        (*_X264, "-g", "25"),
        _R25,
        ((Fraction(0), Fraction(3)),),
        _AAC,
        cut_at=Fraction(13, 10),
    ),
    Recipe(
        "open_gop.mp4",
        _regular(3, 25),
        (*_X264, "-x264-params", "open-gop=1:bframes=3:keyint=20:b-pyramid=normal:scenecut=0"),
        _R25,
        _SOUND,
        _AAC,
    ),
    Recipe("open_gop.ts", _TWO, ("-c:v", "mpeg2video", "-q:v", "8", "-g", "12", "-bf", "2"), _R25),
    Recipe(
        "interlaced.ts",
        _TWO,
        (*_X264, "-x264-params", "tff=1:interlaced=1"),
        _R25,
        _SOUND,
        _AAC,
    ),
    Recipe(
        "interlaced.mpg",
        _TWO,
        ("-c:v", "mpeg2video", "-q:v", "8", "-flags", "+ildct+ilme", "-top", "1", "-bf", "2"),
        _R25,
        _SOUND,
        ("-c:a", "mp2", "-b:a", "64k"),
    ),
    Recipe("rotated_90.mp4", _TWO, _X264, _R25, rotation=90),
    Recipe("rotated_180.mov", _TWO, _X264, _R25, rotation=180),
    Recipe(
        "anamorphic.mp4",
        _TWO,
        (*_X264, "-vf", "setsar=4/3"),
        _R25,
        stored_px=(240, 180),
    ),
    Recipe(
        "ten_bit.mkv",
        _TWO,
        (*_X265, "log-level=error:pools=1", "-pix_fmt", "yuv420p10le"),
        _R25,
    ),
    Recipe("gop_1.mp4", _TWO, (*_X264, "-g", "1", "-crf", "38"), _R25),
    Recipe(
        "gop_600.mp4",
        _regular(13, 50),
        (*_X264, "-g", "600", "-keyint_min", "600", "-sc_threshold", "0", "-crf", "40"),
        Fraction(50),
    ),
    Recipe("single_frame.mp4", _TWO[:1], _X264, _R25),
    Recipe("no_audio.webm", _TWO, ("-c:v", "libvpx", "-crf", "40", "-b:v", "200k"), _R25),
    Recipe("tone.mp3", sound=_SOUND, audio=_MP3),
    Recipe("tone.m4a", sound=_SOUND, audio=_AAC),
    Recipe("tone.wav", sound=_SOUND, audio=("-c:a", "pcm_s16le", "-ar", "8000")),
    Recipe("cover_art.mp3", sound=_SOUND, audio=_MP3, cover=True),
    Recipe("cover_art.m4a", sound=_SOUND, audio=_AAC, cover=True),
    Recipe(
        "two_languages.mkv",
        _TWO,
        _X264,
        _R25,
        _SOUND * 2,
        (*_OPUS, "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=rus"),
        ("-disposition:a:0", "0", "-disposition:a:1", "default"),
    ),
    Recipe("missing_duration.webm", _TWO, _VP9, _R25, _SOUND, _OPUS, piped=True),
    Recipe("wrap.ts", _regular(3, 25), _X264, _R25, _SOUND, _AAC, offset_s=95442),
    Recipe("jump.ts", _jumping(7), (*_X264, "-bf", "0", "-g", "25"), None, jump_s=7),
    Recipe("truncated.mkv", _regular(3, 25), _X264, _R25, _SOUND, _OPUS, keep_share=0.6),
    Recipe(
        "truncated.mp4",
        _regular(3, 25),
        _X264,
        _R25,
        mux=("-movflags", "+faststart"),
        keep_share=0.6,
    ),
    Recipe("mpeg4.avi", _TWO, _MPEG4, _R25, _SOUND, _MP3),
    Recipe("mjpeg.avi", _regular(2, 10), ("-c:v", "mjpeg", "-q:v", "12"), Fraction(10)),
    Recipe(
        "theora.ogv",
        _TWO,
        ("-c:v", "libtheora", "-q:v", "4"),
        _R25,
        _SOUND,
        ("-c:a", "libvorbis", "-b:a", "32k"),
    ),
    Recipe(
        "sorenson.flv",
        _TWO,
        ("-c:v", "flv", "-q:v", "8"),
        _R25,
        _SOUND,
        (*_MP3, "-ar", "44100"),
    ),
    Recipe("h264.flv", _TWO, _X264, _R25, _SOUND, _AAC),
    Recipe("wmv2.wmv", _TWO, ("-c:v", "wmv2", "-q:v", "8"), _R25),
    Recipe("mpeg4.3gp", _TWO, _MPEG4, _R25, _SOUND, _AAC),
    Recipe(
        "av1.mp4",
        _TWO,
        ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "45", "-b:v", "0", "-usage", "realtime"),
        _R25,
        _SOUND,
        _AAC,
    ),
    Recipe(
        "prores.mov", _regular(2, 10), ("-c:v", "prores_ks", "-profile:v", "proxy"), Fraction(10)
    ),
    Recipe(
        "hevc.mp4",
        _TWO,
        (*_X265, "log-level=error:pools=1", "-tag:v", "hvc1"),
        _R25,
        _SOUND,
        _AAC,
    ),
    Recipe("fragmented.mp4", _TWO, _X264, _R25, _SOUND, _AAC, _FRAGMENTS),
)
