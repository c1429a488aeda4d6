"""Figures: bitmaps, and drawings with a caption; their words out of the running text."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.records import Box
from ingest.mupdf.rendering import picture_of
from ingest.mupdf.tables import displayed_box
from ingest.pages import (
    FIGURE_CAPTION,
    FigureBlock,
    PageItem,
    TableBlock,
    TextBlock,
    area,
    clipped,
    cluster_boxes,
    holds_center,
    is_figure_sized,
    nearest_caption,
    without_lines_in,
)
from ingest.settings import DocumentSettings

_DRAWING_GAP_PT = 12.0


def drawn_boxes(page: Any, drawings: Sequence[dict[str, Any]]) -> list[Box]:
    """Boxes of vector drawings, as displayed."""
    return [displayed_box(page, drawing["rect"]) for drawing in drawings]


def with_figures(
    items: list[PageItem],
    images: Sequence[Box],
    drawn: Sequence[Box],
    displayed: Any,
    settings: DocumentSettings,
    *,
    pictures: bool,
) -> list[PageItem]:
    """Recognise figures: bitmaps, and drawings with a caption; their words leave the text."""
    whole = Box(*map(float, displayed.rect))
    tables = [item.box for item in items if isinstance(item, TableBlock)]
    bitmaps = [clipped(box, whole) for box in cluster_boxes(images, 1.0)]
    sketches = [
        clipped(box, whole)
        for box in cluster_boxes(
            (box for box in drawn if area(box) < area(whole) / 2), _DRAWING_GAP_PT
        )
    ]
    boxes: list[Box] = []
    captions: list[TextBlock | None] = []
    for box, needs_caption in [(box, False) for box in bitmaps] + [(box, True) for box in sketches]:
        if not is_figure_sized(box, whole) or any(holds_center(other, box) for other in tables):
            continue
        if any(holds_center(other, box) for other in boxes):
            continue
        blocks = [item for item in items if isinstance(item, TextBlock)]
        caption = nearest_caption(box, blocks, [each for each in captions if each], FIGURE_CAPTION)
        if caption is not None or not needs_caption:
            boxes.append(box)
            captions.append(caption)
    taken = {id(caption) for caption in captions}
    kept, labels = without_lines_in([item for item in items if id(item) not in taken], boxes)
    for box, caption, inside in zip(boxes, captions, labels, strict=True):
        picture = picture_of(displayed, settings.page_side_px, box) if pictures else None
        kept.append(FigureBlock(box, caption, tuple(inside), picture))
    return kept
