"""Words that name pages of a document: "on page 12", "slides 3-5", 第12页, «на странице 12».

A page is named as it is printed ("iv", "A-3", "12"), or else by its number from 1. The words are
read as pages only where the documents that are meant are few and one of them has such a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"([0-9]{1,5}|[ivxlc]{2,8}|[a-z]-?[0-9]{1,4})"
_NO_MORE = r"(?![\w]|[.:,][0-9])"
_RANGE = rf"{_NAME}(?: ?(?:-|–|to|through|bis|до|по) ?{_NAME})?{_NO_MORE}"
_PHRASES = (
    rf"(?<!\w)(?:(?:on|of|at|from|in) )?(?:the )?(?:pages?|pp?\.|slides?) ?(?:no\. ?|number |#)?"
    rf"{_RANGE}",
    rf"(?<!\w)(?:(?:auf|von|aus) )?(?:der )?(?:seiten?|folien?) ?{_RANGE}",
    rf"(?<!\w)(?:(?:на|с) )?(?:страниц(?:е|а|ы|у|ах)?|стр\.|слайд(?:е|а|ы|ах)?) ?{_RANGE}",
    r"在?第 ?([0-9]{1,5})(?: ?(?:-|–|到|至) ?([0-9]{1,5}))? ?页",
)
_PATTERNS = [re.compile(phrase) for phrase in _PHRASES]


@dataclass(frozen=True, slots=True)
class NamedPages:
    """What stands at [start, end) of a text, and the first and last page that it names."""

    start: int
    end: int
    first: str
    last: str

    def among(self, labels: Mapping[str, int], count: int) -> frozenset[int]:
        """The pages of a document, from 1; none when it has not both borders.

        `labels`: pages by what is printed on them, folded; `count`: how many pages there are.
        """
        borders = [_page(name, labels, count) for name in (self.first, self.last)]
        if None in borders:
            return frozenset()
        first, last = sorted(page for page in borders if page is not None)
        return frozenset(range(first, last + 1))


def find_pages(folded: str) -> tuple[NamedPages, ...]:
    """The pages that a folded text names, in order."""
    found = [
        NamedPages(match.start(), match.end(), match[1], match[2] or match[1])
        for pattern in _PATTERNS
        for match in pattern.finditer(folded)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _page(name: str, labels: Mapping[str, int], count: int) -> int | None:
    if name in labels:
        return labels[name]
    return int(name) if name.isdigit() and 1 <= int(name) <= count else None
