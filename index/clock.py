"""Times as people read them: `01:02:03.4`. One function writes them, one reads them."""

from __future__ import annotations

import re
from fractions import Fraction

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d{1,2}(?:\.\d+)?)")


def format_clock(seconds: Fraction | float, decimals: int = 1) -> str:
    """Write seconds as `HH:MM:SS.d`, rounded down so that it never points past the instant."""
    scale = 10**decimals
    ticks = int(Fraction(seconds) * scale)
    whole, fraction = divmod(ticks, scale)
    clock = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{clock}.{fraction:0{decimals}d}" if decimals else clock


def parse_clock(text: str) -> Fraction:
    """Read `SS(.d)`, `MM:SS(.d)` or `HH:MM:SS(.d)` as exact seconds.

    Raises ValueError when the text has another form.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time; write SS, MM:SS or HH:MM:SS, e.g. 01:02:03.4")
    hours, minutes, seconds = match.groups(default="0")
    return Fraction(int(hours) * 3600 + int(minutes) * 60) + Fraction(seconds)
