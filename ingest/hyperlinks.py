"""Links of pages become links of the words that carry them; only targets that are safe to open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from index.records import Hyperlink, Moment, PageArea
from ingest.pages import PageLink, area

MOST_ON_PAGE = 1000
"""Links of a page that are read; a directory of addresses has some hundred."""
TOO_MANY = f"only the first {MOST_ON_PAGE:,} links are kept"

_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s\x00-\x1f]+|(?:mailto|tel):[^\s\x00-\x1f]+", re.I)
_LONGEST_ADDRESS = 2048

_Boxes = npt.NDArray[np.float64]
_Target = str | int


def safe_address(written: str) -> str | None:
    """An address that a page viewer may offer: of the web, of mail, of a telephone; else None.

    Scripts, files and programs to be started are none, nor is anything without a scheme.
    """
    address = written.strip().replace(" ", "%20")
    fits = len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address)
    return address if fits else None


def with_hyperlinks(
    moments: Sequence[Moment], links: Sequence[PageLink], labels: Sequence[str]
) -> list[Moment]:
    """Moments of one page, each with the links that lie on its words.

    A link lies on the words whose middle it holds, and on the word that its own middle is in: a
    footnote's mark is a part of a word. Of links that lie on a word the smallest counts. Words of
    a paragraph that follow each other and lead to the same target carry one link. `labels` are
    those of all pages of the document.
    """
    smallest_first = sorted(links, key=lambda link: area(link.box))
    boxes = [(link.box.x0, link.box.y0, link.box.x1, link.box.y1) for link in smallest_first]
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    targets = [link.target for link in smallest_first]
    return [_linked(moment, corners, targets, labels) for moment in moments]


def _linked(
    moment: Moment, links: _Boxes, targets: Sequence[_Target], labels: Sequence[str]
) -> Moment:
    words = moment.word_boxes.rows()
    corners = np.stack([words[name].astype(np.float64) for name in ("x0", "y0", "x1", "y1")], 1)
    lies_on = _holds(links[:, None], corners[None]) | _holds(corners[None], links[:, None])
    found: list[tuple[int, int, _Target]] = []
    last = -2
    for at in np.flatnonzero(lies_on.any(axis=0)).tolist():
        target = targets[int(lies_on[:, at].argmax())]
        start, end = int(words["start"][at]), int(words["end"][at])
        goes_on = last == at - 1 and found[-1][2] == target
        if goes_on and "\n" not in moment.text[found[-1][1] : start]:
            found[-1] = (found[-1][0], end, target)
        else:
            found.append((start, end, target))
        last = at
    hyperlinks = tuple(
        Hyperlink(start, end, to if isinstance(to, str) else PageArea(to, labels[to - 1]))
        for start, end, to in found
    )
    return replace(moment, hyperlinks=hyperlinks) if hyperlinks else moment


def _holds(outer: _Boxes, inner: _Boxes) -> npt.NDArray[np.bool_]:
    """Where the middle of `inner` lies in `outer`; both are broadcast over all but the corners."""
    middle = (inner[..., :2] + inner[..., 2:]) / 2
    within = (outer[..., :2] <= middle) & (middle <= outer[..., 2:])
    return np.asarray(within.all(axis=-1))
