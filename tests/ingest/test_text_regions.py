"""What changed between two pictures, and which lines that concerns."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from index.records import Box
from ingest.text_regions import Region, belongs, changed_regions, grown, ink, lively_regions

WIDTH_PX, HEIGHT_PX = 643, 361
"""Odd on purpose."""


def _drawn(*texts: tuple[int, int, str], size_px: float = 20) -> Image.Image:
    picture = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (245, 245, 240))
    draw = ImageDraw.Draw(picture)
    for x, y, text in texts:
        draw.text((x, y), text, fill=(60, 60, 80), font=ImageFont.load_default(size=size_px))
    return picture


def _coded(picture: Image.Image, quality: int = 90) -> npt.NDArray[np.uint8]:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def test_noise_of_codecs_is_no_change() -> None:
    picture = _drawn((20, 20, "Gross margin rose to 41.5 %"), (20, 60, "Freight costs fell"))
    assert changed_regions(_coded(picture, 92), _coded(picture, 80)) == ()


@pytest.mark.parametrize("size_px", [9, 12, 24])
@pytest.mark.parametrize(("before", "after"), [("3", "8"), ("o", "c"), ("i", "l"), ("5", "6")])
def test_another_letter_is_a_change(before: str, after: str, size_px: float) -> None:
    one, other = (_coded(_drawn((200, 100, f"41.{d}"), size_px=size_px)) for d in (before, after))
    (region,) = changed_regions(one, other)
    assert Region(200, 98, 280, 130).joined(region) == Region(200, 98, 280, 130)


def test_changes_far_apart_are_regions_of_their_own() -> None:
    before = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    after = before.copy()
    after[40:60, 100:140, 2] = 200
    after[40:60, 150:160, 2] = 200
    after[HEIGHT_PX - 1, WIDTH_PX - 1] = 255
    assert sorted(changed_regions(before, after), key=lambda region: region.y0) == [
        Region(100, 40, 160, 60),
        Region(WIDTH_PX - 1, HEIGHT_PX - 1, WIDTH_PX, HEIGHT_PX),
    ]


def test_text_stands_where_a_picture_is_lively() -> None:
    assert lively_regions(_coded(_drawn())) == ()
    texts = ((40, 40, "Gross margin"), (40, 70, "rose to 41.5 %"), (500, 320, "Page 7"))
    regions = lively_regions(_coded(_drawn(*texts)))
    assert len(regions) == 2
    for x, y, _ in texts:
        assert any(region.touches(Region(x, y + 4, x + 60, y + 20)) for region in regions)
    assert sum(region.area_within(0) for region in regions) < 0.2 * WIDTH_PX * HEIGHT_PX


def test_faint_text_is_lively() -> None:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)
    picture[100:120, 200:202] = (128, 158, 128)
    (region,) = lively_regions(picture)
    assert region.touches(Region(200, 100, 202, 120))


def test_a_region_grows_to_the_whole_line_and_to_no_other() -> None:
    rows = [Box(100, 100 + 24 * row, 500, 130 + 24 * row) for row in range(5)]
    changed = Region(300, 156, 320, 170)
    (region,) = grown([changed], rows)
    assert region == ink(rows[2])
    assert [belongs(row, region) for row in rows] == [False, False, True, False, False]


def test_words_beside_a_line_are_read_with_it() -> None:
    line = Box(100, 100, 300, 130)
    assert grown([Region(320, 106, 400, 124)], [line]) == (Region(100, 106, 400, 124),)
    assert grown([Region(340, 106, 400, 124)], [line]) == (Region(340, 106, 400, 124),)


def test_regions_that_come_to_touch_become_one() -> None:
    line = Box(100, 100, 300, 130)
    changed = [Region(100, 10, 110, 20), Region(120, 110, 130, 120), Region(200, 90, 210, 108)]
    assert grown(changed, [line]) == (Region(100, 10, 110, 20), Region(100, 90, 300, 124))
