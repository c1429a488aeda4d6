"""The geometry of pages."""

# mypy: allow-untyped-calls

from pathlib import Path

import pymupdf
from hypothesis import given
from hypothesis import strategies as st

from index.records import Box
from ingest.pages import (
    FIGURE_CAPTION,
    TABLE_CAPTION,
    PageLine,
    TextBlock,
    cluster_boxes,
    reading_order,
)
from tests.ingest.pdfs import (
    moments_of,
    passages_on,
    save,
)

_boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    *[st.integers(0, 500)] * 2,
    *[st.integers(1, 200)] * 2,
)


@given(st.lists(_boxes, max_size=40))
def test_reading_order_is_a_permutation(boxes: list[Box]) -> None:
    blocks = [TextBlock((PageLine("x", box, 10.0),)) for box in boxes]
    ordered = reading_order(blocks)
    assert sorted(map(id, ordered)) == sorted(map(id, blocks))


@given(st.lists(_boxes, max_size=40), st.integers(0, 20))
def test_clusters_hold_every_box_and_stay_apart(boxes: list[Box], gap: int) -> None:
    clusters = cluster_boxes(boxes, gap)
    for box in boxes:
        assert any(
            c.x0 <= box.x0 and c.y0 <= box.y0 and box.x1 <= c.x1 and box.y1 <= c.y1
            for c in clusters
        )
    for one in clusters:
        for other in clusters:
            apart = max(one.x0 - other.x1, other.x0 - one.x1, one.y0 - other.y1, other.y0 - one.y1)
            assert one is other or apart > gap


def test_captions_in_several_languages() -> None:
    captions = ["Figure 3: x", "Fig. A1", "Abbildung 2", "Рис. 4.1", "图 3", "図5"]
    assert all(map(FIGURE_CAPTION.match, captions))
    assert not any(map(FIGURE_CAPTION.match, ["Figures of speech", "Figure out 3", "See Figure 3"]))
    assert all(map(TABLE_CAPTION.match, ["Table 3: x", "Tabelle A1", "Таблица 2", "表 4"]))
    assert not TABLE_CAPTION.match("Tables turn 3 times")


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((310, 150), ["right one.", "right two."])
    page.insert_text((310, 250), ["right three."])
    page.insert_text((72, 150), ["left one.", "left two."])
    page.insert_text((72, 250), ["left three."])
    page.insert_text((72, 100), "A heading over both columns that is rather wide for them.")
    page.insert_text((72, 400), "Below both columns runs one more wide line of plain text.")
    (moment,) = passages_on(moments_of(save(document, tmp_path / "columns.pdf")), 1)
    order = ["A heading", "left one", "left two", "left three", "right one", "right three", "Below"]
    places = [moment.text.index(words) for words in order]
    assert places == sorted(places)
