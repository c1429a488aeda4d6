"""Single lines, as read from a picture, become paragraphs."""

from __future__ import annotations

from collections.abc import Sequence

from index.records import Box
from ingest.pages import PageLine, TextBlock, share_column

_MORE_WHITE, _MOST_WHITE = 0.3, 1.5
"""Shares of a line's height: paragraphs of scans end where so much more is white than between most
lines, or so much."""
_COLUMNS = 6
"""Lines that may stand beside a line, before the one below it."""
_SIZE_CHANGE = 1.15
"""Lines of a scan whose letters differ by this ratio are no lines of one paragraph."""


def blocks_from_lines(lines: Sequence[PageLine]) -> list[TextBlock]:
    """Group single lines (of a scan) to paragraphs: same column and size, no more white between.

    No more, that is, than between most lines of the page.
    """
    ordered = sorted(lines, key=lambda each: (each.box.y0, each.box.x0))
    usual = _usual_white([line.box for line in ordered])
    groups: list[list[PageLine]] = []
    for line in ordered:
        for group in reversed(groups):
            last = group[-1]
            if _is_same_size(last, line) and _continues(last.box, line.box, usual):
                group.append(line)
                break
        else:
            groups.append([line])
    return [TextBlock(tuple(group)) for group in groups]


def _is_same_size(one: PageLine, other: PageLine) -> bool:
    sizes = sorted((one.size_pt, other.size_pt))
    return not sizes[0] or sizes[1] < sizes[0] * _SIZE_CHANGE


def _usual_white(boxes: Sequence[Box]) -> float:
    """White space below a line as it is within paragraphs, as a share of its height."""
    shares: list[float] = []
    for at, above in enumerate(boxes):
        for below in boxes[at + 1 : at + 1 + _COLUMNS]:
            height = min(above.y1 - above.y0, below.y1 - below.y0)
            if share_column(above, below) and below.y0 - above.y0 > height / 2:
                shares.append((below.y0 - above.y1) / max(height, 1.0))
                break
    shares.sort()
    return shares[len(shares) // 3] if shares else 0.0


def _continues(above: Box, below: Box, usual_white: float) -> bool:
    """True when a line goes on the paragraph, or the row, of the line before it."""
    height = min(above.y1 - above.y0, below.y1 - below.y0)
    same_row = abs(above.y0 - below.y0) < height / 2
    if same_row:
        return 0 <= below.x0 - above.x1 < height
    white = below.y0 - above.y1
    most = min(max(usual_white, 0.0) + _MORE_WHITE, _MOST_WHITE) * height
    return -height / 2 < white < most and share_column(above, below)
