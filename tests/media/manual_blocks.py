"""The kinds of blocks that the sample manual is built from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A numbered heading; level 1 starts a new page."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Notice:
    """A warning in a tinted box."""

    label: str
    text: str


@dataclass(frozen=True)
class Steps:
    """A numbered procedure."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Points:
    """A bulleted list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A ruled table; ``shares`` are the widths of its columns and add up to 1."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Figure:
    """A drawing of ``height_pt`` points; ``drawing`` names a function in manual_figures."""

    caption: str
    drawing: str
    height_pt: float


@dataclass(frozen=True)
class ScannedPage:
    """A chapter that is one page, and that page only an image of these lines."""

    heading: str
    lines: tuple[str, ...]


Block = Heading | Paragraph | Notice | Steps | Points | Table | Figure | ScannedPage
