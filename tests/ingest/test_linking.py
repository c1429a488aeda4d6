"""The parts of linking: misread words, pages somewhere in a picture, ways of speakers."""

# mypy: allow-untyped-calls

from __future__ import annotations

import random
import string
from itertools import product

import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from ingest.slide_path import likeliest_pages
from ingest.slide_pictures import PagePictures, Place
from ingest.slide_words import PageWords, runs_of, sureness
from tests.conftest import MANUAL

PAGES = range(1, 12)


def _texts() -> list[str]:
    with pymupdf.open(MANUAL) as document:
        return [document[page].get_text() for page in PAGES]


def _misread(text: str, dice: random.Random, *, every: int) -> str:
    """One letter in so many read wrongly, and one space in four lost."""
    letters = []
    for letter in text:
        if letter == " " and dice.random() < 0.25:
            continue
        wrong = not letter.isspace() and dice.random() < 1 / every
        letters.append(dice.choice(string.ascii_letters) if wrong else letter)
    return "".join(letters)


def test_misread_text_is_told_from_all_other_pages() -> None:
    texts = _texts()
    words = PageWords([runs_of(text) for text in texts])
    dice = random.Random(1)
    for number, text in enumerate(texts):
        scores = words.likeness(runs_of(_misread(text, dice, every=15)))
        assert scores[number] > 0.4 > 3 * np.delete(scores, number).max()
        upper = "\n".join(text.splitlines()[: len(text.splitlines()) // 2])
        assert words.likeness(runs_of(upper)).argmax() == number


def test_text_of_one_page_is_wholly_like_it_and_running_heads_like_none() -> None:
    texts = ["A float hangs on the tape", "Calibrate every spring", "Keep out of reach of ducks"]
    words = PageWords([runs_of(f"TG-40 Tide Gauge\n{text}") for text in texts])
    same = words.likeness(runs_of("TG-40 Tide Gauge\nCALIBRATE EVERY SPRING"))
    assert same[1] == pytest.approx(1)
    assert max(same[0], same[2]) < 0.15
    assert words.likeness(runs_of("")).tolist() == [0, 0, 0]
    assert words.likeness(runs_of("something")).tolist() == [0, 0, 0]
    alone = PageWords([runs_of(texts[0])])
    assert alone.likeness(runs_of(texts[0])) == pytest.approx(1)


def test_scripts_without_spaces_are_compared_too() -> None:
    pages = ["潮位計の校正手順", "潮位計の保管方法", "шкала прибора"]
    words = PageWords([runs_of(text) for text in pages])
    for number, text in enumerate(pages):
        assert words.likeness(runs_of(text.replace(" ", ""))).argmax() == number
    assert sureness(runs_of("潮")) < sureness(runs_of("潮位計の校正手順")) < 1


def _page_pictures() -> list[Image.Image]:
    with pymupdf.open(MANUAL) as document:
        pixels = [document[page].get_pixmap(dpi=40, alpha=False) for page in PAGES]
    return [
        Image.frombytes("RGB", (one.width, one.height), one.samples).convert("L") for one in pixels
    ]


@pytest.mark.parametrize(
    "place",
    [
        Place(0.29, 0.0, 0.42, 1.0),  # fitted
        Place(0.0, 0.0, 1.0, 1.0),  # stretched
        Place(0.062, 0.137, 0.315, 0.75),  # at 75 %, on no grid
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["words tell the page", "without words"])
def test_pages_are_found_where_they_stand(place: Place, known: bool) -> None:
    """Darker, blurred, beside noise; the aspect is that of the page unless it is stretched."""
    pages = _page_pictures()
    dice = np.random.default_rng(3)
    width_px, height_px = 160, 90
    aspect = pages[0].width / pages[0].height * height_px / width_px
    if place.width < 1:
        place = Place(place.x, place.y, aspect * place.height, place.height)
    shown = [0, 3, 5, 8, 9]
    pictures = []
    for page in shown:
        noise = dice.integers(0, 255, (height_px // 10, width_px // 10), np.uint8)
        picture = Image.fromarray(noise).resize((width_px, height_px), Image.Resampling.BICUBIC)
        size = (round(place.width * width_px), round(place.height * height_px))
        small = pages[page].resize(size, Image.Resampling.BOX).point(lambda level: 20 + 0.7 * level)
        small = small.filter(ImageFilter.GaussianBlur(0.7))
        picture.paste(small, (round(place.x * width_px), round(place.y * height_px)))
        pictures.append(picture)
    compared = PagePictures([*pages, None])
    found = compared.find_places(pictures, [page if known else None for page in shown])
    assert found
    corners = (place.x, place.y, place.x + place.width, place.y + place.height)
    best = found[0]
    assert (best.x, best.y, best.x + best.width, best.y + best.height) == pytest.approx(
        corners, abs=0.02
    )
    for page, picture in zip(shown, pictures, strict=True):
        scores = compared.likeness(picture, found)
        assert scores.argmax() == page
        assert scores[page] > 0.8


def test_pictures_without_pages_have_no_place() -> None:
    dice = np.random.default_rng(4)
    noise = [dice.integers(0, 255, (9, 16), np.uint8) for _ in range(5)]
    pictures = [Image.fromarray(one).resize((160, 90)) for one in noise]
    compared = PagePictures(_page_pictures())
    assert compared.find_places(pictures, [None] * 5) == ()
    assert compared.find_places([], []) == ()
    assert compared.likeness(pictures[0], ()).tolist() == [0] * len(PAGES)


def _cost(before: tuple[int, bool], after: tuple[int, bool]) -> float | None:
    """Of going from (page, is shown) to another state; None where that cannot be."""
    (page, shown), (next_page, next_shown) = before, after
    if not next_shown:
        return (1.5 if shown else 0.0) if page == next_page else None
    if next_page == page:
        return 0.0 if shown else 1.0
    if next_page == page + 1:
        return 1.0
    return 3.0 if next_page > page else 4.0


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_the_likeliest_way_is_the_best_of_all_ways(times: int, count: int, seed: int) -> None:
    evidence = np.random.default_rng(seed).normal(0, 3, (times, count))
    states = [(page, shown) for page in range(count + 1) for shown in (True, False)]
    best: tuple[float, list[int | None]] = (-np.inf, [])
    for way in product([state for state in states if state != (0, True)], repeat=times):
        costs = [_cost(*step) for step in zip([(0, False), *way], way, strict=False)]
        if None in costs:
            continue
        total = -sum(cost for cost in costs if cost is not None)
        total += sum(evidence[time, page - 1] for time, (page, shown) in enumerate(way) if shown)
        if total > best[0]:
            best = (total, [page if shown else None for page, shown in way])
    assert likeliest_pages(evidence, np.arange(1, count + 1)) == best[1]


def test_pages_that_look_the_same_are_told_apart_by_their_order() -> None:
    """Pages 2 and 5 are the same; the speaker shows 1 to 6, a clip after 4."""
    same = {2: 5, 5: 2}
    shown = [1, 2, 3, 4, None, 5, 6]
    evidence = np.full((len(shown), 6), -4.0)
    for time, page in enumerate(shown):
        for other in {page, same.get(page or 0)} - {None}:
            assert other is not None
            evidence[time, other - 1] = 5.0
    assert likeliest_pages(evidence, np.arange(1, 7)) == shown
    assert likeliest_pages(evidence[:0], np.arange(1, 7)) == []
    assert likeliest_pages(np.zeros((2, 0)), np.arange(0)) == [None, None]
