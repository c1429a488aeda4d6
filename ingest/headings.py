"""Structure that shows only over a whole document: headings, and lines that run through it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from index.records import Box
from ingest.pages import DocumentInfo, PageContent, PageItem, PageLine, TableBlock, TextBlock

_MARGIN_SHARE = 0.15
"""Running heads and feet stand in the outer 15 % of a page."""
_MARGIN_STEP_PT = 4.0
_RUNNING_ROWS = 3
_PARTING = 0.7
"""Running rows are parted from the text by more than this share of their own height."""
_RUNNING_SHARE = 0.75
"""On at least this share of the pages with words at such a place, they are running ones."""
_LEAST_REPEATS = 3
_NEIGHBOUR_PAGES = 8
"""The repeats of a running head are this close, or on half of all pages."""

_HEADING_RATIO = 1.15
_HEADING_WORDS = 16
_HEADING_LEVELS = 4

_DIGITS = re.compile(r"\d+")
_DIGIT_MARK = "#"
_PAGE_NUMBER = "# page"
_HEADING = "# heading"
_SPOKEN = re.compile(r"\w+")


def all_lines(pages: Iterable[PageContent]) -> Iterator[PageLine]:
    """Lines of running text, tables and figures left out."""
    for page in pages:
        for item in page.items:
            if isinstance(item, TextBlock):
                yield from item.lines


def descended(path: list[tuple[int, str]], level: int, title: str) -> list[tuple[int, str]]:
    """The heading path after a heading of this level; the path is (level, title) from the top."""
    return [*(each for each in path if each[0] < level), (level, title)]


HeadingStarts = dict[tuple[int, int], list[tuple[int, str]]]
"""(page number, position of an item, -1 before all) -> levels and titles that start there."""


def heading_starts(info: DocumentInfo, pages: Sequence[PageContent]) -> HeadingStarts:
    """Where headings start: by the outline when there is one, else by the size of letters."""
    return _outline_starts(info, pages) if len(info.outline) > 1 else _large_starts(pages)


def _outline_starts(info: DocumentInfo, pages: Sequence[PageContent]) -> HeadingStarts:
    """Bookmarks, each where its title is printed on its page, else at the top of the page."""
    by_number = {page.number: page for page in pages}
    starts: HeadingStarts = defaultdict(list)
    reached = (0, -1)
    for entry in info.outline:
        page = by_number.get(entry.page)
        after = reached[1] if reached[0] == entry.page else -1
        position = after if page is None else _printed_at(page, entry.title, after)
        reached = (entry.page, position)
        starts[reached].append((entry.level, entry.title))
    return starts


def _printed_at(page: PageContent, title: str, after: int) -> int:
    """Position of the first item at or after `after` that starts with a title, numbered or not."""
    wanted = spelled(title)
    for position, item in enumerate(page.items):
        if position < after or not isinstance(item, TextBlock):
            continue
        printed = spelled(" ".join(line.text for line in item.lines[:4]))
        offset = printed.find(wanted) if wanted else -1
        if 0 <= offset <= 12 and not any(map(str.isalpha, printed[:offset].split("chapter")[-1])):
            return position
    return after


def spelled(text: str) -> str:
    """Letters and digits only, case folded: equal for a title as bookmarked and as printed."""
    return "".join(_SPOKEN.findall(text)).casefold()


def body_size_pt(pages: Sequence[PageContent]) -> float:
    """Size in which most letters are set; 0 when unknown (scans)."""
    letters: Counter[float] = Counter()
    for line in all_lines(pages):
        if line.size_pt:
            letters[round(line.size_pt * 2) / 2] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _large_starts(pages: Sequence[PageContent]) -> HeadingStarts:
    """Short blocks in letters larger than the text's; the largest sizes are the upper levels."""
    body = body_size_pt(pages)
    found: list[tuple[int, int, float, str]] = []
    for page in pages:
        for position, item in enumerate(page.items):
            if not isinstance(item, TextBlock) or not body:
                continue
            size = round(min(line.size_pt for line in item.lines) * 2) / 2
            words = item.text.split()
            if size >= body * _HEADING_RATIO and len(words) <= _HEADING_WORDS:
                found.append((page.number, position, size, " ".join(words)))
    sizes = sorted({size for _, _, size, _ in found}, reverse=True)
    starts: HeadingStarts = defaultdict(list)
    for number, position, size, title in found:
        level = min(sizes.index(size) + 1, _HEADING_LEVELS)
        if any(map(str.isalpha, title)):
            starts[number, position].append((level, title))
    return starts


def running_lines(info: DocumentInfo, pages: Sequence[PageContent]) -> dict[int, set[int]]:
    """Per page number, the `id`s of lines that are running heads, feet or page numbers.

    That is: the same words, digits aside, or headings of the outline, at the same place in the
    margin and parted from the text, on three neighbouring pages or on half of all, where text
    seldom stands on other pages. Letters larger than the text's are no running lines. Where a
    document would have no other words, they are its text.
    """
    largest = body_size_pt(pages) * _HEADING_RATIO or float("inf")
    places: dict[tuple[str, int], list[_Found]] = defaultdict(list)
    taken: dict[int, set[int]] = defaultdict(set)
    titles: dict[str, set[int]] = defaultdict(set)
    for entry in info.outline:
        titles[_plain(entry.title)].add(entry.page)
    for page in pages:
        rows = [line for line in all_lines([page]) if _in_margin(line, page)]
        outer = {id(line) for line in _outer_lines(page)}
        for line in rows:
            step = round(line.box.y0 / _MARGIN_STEP_PT)
            # A place on the edge of two steps is counted in both.
            for near in (step, step + 1):
                taken[near].add(page.number)
                if line.size_pt < largest:
                    key = _margin_key(line.text, page, titles)
                    places[key, near].append(_Found(page.number, id(line), id(line) in outer))
    found: dict[int, list[_Found]] = defaultdict(list)
    for (key, step), at in places.items():
        found[step].extend(_repeated(key, at, len(pages)))
    running: dict[int, set[int]] = defaultdict(set)
    for step, at in found.items():
        if len({each.page for each in at}) >= _RUNNING_SHARE * len(taken[step]):
            for each in at:
                running[each.page].add(each.line_id)
    has_more = any(
        isinstance(item, TableBlock)
        or (
            isinstance(item, TextBlock)
            and any(id(line) not in running[page.number] for line in item.lines)
        )
        for page in pages
        for item in page.items
    )
    return running if has_more else {page.number: set() for page in pages}


class _Found(NamedTuple):
    """One line in a margin."""

    page: int
    line_id: int
    is_parted: bool
    """White space parts it from the text."""


def _repeated(key: str, at: Sequence[_Found], pages: int) -> Iterator[_Found]:
    """Those lines of one text at one place that return often enough.

    Only parted lines are counted; where they suffice, words that touch the text there go along.
    """
    on = sorted({each.page for each in at if each.is_parted})
    least = 2 if key == _PAGE_NUMBER or _DIGIT_MARK not in key else _LEAST_REPEATS
    on_half = len(on) >= least and len(on) * 2 >= pages
    has_words = any(map(str.isalpha, key))
    for each in at:
        first = bisect_left(on, each.page - _NEIGHBOUR_PAGES)
        near_by = bisect_right(on, each.page + _NEIGHBOUR_PAGES) - first
        if (each.is_parted or has_words) and (on_half or near_by >= _LEAST_REPEATS):
            yield each


def _in_margin(line: PageLine, page: PageContent) -> bool:
    middle = (line.box.y0 + line.box.y1) / 2 / page.height_pt
    return not _MARGIN_SHARE < middle < 1 - _MARGIN_SHARE


def _outer_lines(page: PageContent) -> Iterator[PageLine]:
    """The first and the last few rows of a page, as far as white space parts them from the rest."""
    rows: list[list[PageLine]] = []
    for line in sorted(all_lines([page]), key=lambda each: each.box.y0):
        if rows and line.box.y0 < (rows[-1][0].box.y0 + rows[-1][0].box.y1) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    for ordered in (rows, rows[::-1]):
        for count, row in enumerate(ordered[:_RUNNING_ROWS], start=1):
            inner = ordered[count][0].box if count < len(ordered) else None
            box = row[0].box
            if inner is None or _white(box, inner) > _PARTING * (box.y1 - box.y0):
                for outer in ordered[:count]:
                    yield from outer
                break


def _white(one: Box, other: Box) -> float:
    """Height of the white space between two rows."""
    return max(one.y0 - other.y1, other.y0 - one.y1)


def without_running_lines(page: PageContent, dropped: set[int]) -> PageContent:
    """The page without the lines of these `id`s."""
    items: list[PageItem] = []
    for item in page.items:
        if not isinstance(item, TextBlock):
            items.append(item)
            continue
        lines = tuple(line for line in item.lines if id(line) not in dropped)
        if lines:
            items.append(TextBlock(lines))
    return replace(page, items=tuple(items)) if dropped else page


def _margin_key(text: str, page: PageContent, titles: Mapping[str, set[int]]) -> str:
    """What makes a line the same on several pages; `titles` are headings and where they start."""
    number = text.strip(" -–—·|[]()").casefold()
    if number in (page.label.casefold(), str(page.number)):
        return _PAGE_NUMBER
    title = _plain(text)
    if title and title in titles:
        # Printed once on the page where it starts, it is the heading itself.
        printed = sum(_plain(line.text) == title for line in all_lines([page]))
        if page.number not in titles[title] or printed > 1:
            return _HEADING
    return _DIGITS.sub(_DIGIT_MARK, text.casefold())


def _plain(text: str) -> str:
    """Letters of a heading without its number."""
    return _DIGITS.sub("", spelled(text)).removeprefix("chapter")
