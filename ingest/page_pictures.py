"""Pictures of pages and figures lie in a file: those of a long document fill no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from index.files import FilePart
from ingest.frames import Stretch
from ingest.pages import FigureBlock, PageContent

Places = tuple[Stretch | None, ...]
"""Where the pictures of a page lie in a file: its own, then those of its figures, in order."""


def pictures_of(page: PageContent) -> Iterator[bytes | FilePart | None]:
    """The picture of a page, then those of its figures, in order."""
    yield page.picture
    for item in page.items:
        if isinstance(item, FigureBlock):
            yield item.picture


def with_pictures(page: PageContent, pictures: Iterable[bytes | FilePart | None]) -> PageContent:
    """The page with these pictures, given as `pictures_of` gives them."""
    left = iter(pictures)
    picture = next(left)
    items = tuple(
        replace(item, picture=next(left)) if isinstance(item, FigureBlock) else item
        for item in page.items
    )
    return replace(page, picture=picture, items=items)


def written(page: PageContent, file: BinaryIO) -> tuple[PageContent, Places]:
    """Write the pictures of a page to a file; the page without them, and where they lie."""
    places: list[Stretch | None] = []
    for picture in pictures_of(page):
        if isinstance(picture, bytes):
            offset = file.tell()
            places.append(Stretch(offset, file.write(picture)))
        else:
            places.append(None)
    return without_pictures(page), tuple(places)


def without_pictures(page: PageContent) -> PageContent:
    """The page, and its figures, without their pictures."""
    return with_pictures(page, (None for _ in pictures_of(page)))


def placed(page: PageContent, path: Path, places: Sequence[Stretch | None]) -> PageContent:
    """The page with its pictures where they lie in the file `path`."""
    return with_pictures(
        page,
        (
            None if place is None else FilePart(str(path), place.offset, place.size_bytes)
            for place in places
        ),
    )


def ticketed(page: PageContent) -> PageContent:
    """The page with a ticket for each of its pictures: its number as text, in the picture's place.

    So figures may be dropped and moved, and the page be cached, without their pictures.
    """
    tickets = (str(number).encode() for number, _ in enumerate(pictures_of(page)))
    return with_pictures(page, tickets)


def redeemed(page: PageContent, source: PageContent) -> PageContent:
    """A page that was made of `ticketed(source)`, with the pictures of `source`."""
    pictures = list(pictures_of(source))
    return with_pictures(
        page,
        (
            pictures[int(ticket)] if isinstance(ticket, bytes) else None
            for ticket in pictures_of(page)
        ),
    )
