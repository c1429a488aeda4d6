"""Pictures that people give: real ones are read upright and opaque, harmful ones are refused."""

from __future__ import annotations

import io
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index.errors import QuestionError
from retrieve import pictures
from retrieve.pictures import MAX_PICTURE_BYTES, read_picture
from tests.retrieve.archive import PHOTOS

CAT = (PHOTOS / "cat.jpg").read_bytes()


def png_bomb(width_px: int, height_px: int) -> bytes:
    """A PNG of one colour: a few kB that become gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000), 9)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
HOSTILE = {
    "bomb": (png_bomb(60_000, 60_000), "50 megapixels"),
    "bomb below Pillow's own limit": (png_bomb(9_000, 9_000), "50 megapixels; it has 9000 x 9000"),
    "truncated JPEG": (CAT[: len(CAT) // 2], "the picture is damaged"),
    "truncated PNG": (encoded(Image.effect_noise((64, 64), 80), "PNG")[:-900], "damaged"),
    "SVG": (SVG, "no picture that can be read; give a JPEG"),
    "text": (b"This is no picture.\n" * 50, "no picture that can be read"),
    "TIFF": (encoded(Image.new("RGB", (9, 9)), "TIFF"), "no picture that can be read"),
    "empty": (b"", "the picture is empty"),
    "large": (CAT + bytes(MAX_PICTURE_BYTES), f"{MAX_PICTURE_BYTES} bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_to_search_with_is_refused_in_one_line(name: str) -> None:
    content, says = HOSTILE[name]
    with pytest.raises(QuestionError, match=says) as caught:
        read_picture(content)
    assert "\n" not in str(caught.value)


def test_few_pictures_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, counting = pictures._decoded, threading.Lock()
    running: list[int] = []
    most = 0

    def counted(picture: Image.Image) -> Image.Image:
        nonlocal most
        with counting:
            running.append(1)
            most = max(most, len(running))
        time.sleep(0.05)
        found = decode(picture)
        with counting:
            running.pop()
        return found

    monkeypatch.setattr(pictures, "_decoded", counted)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(read_picture, [CAT] * 8))) == 8
    assert most == 2


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_pictures_are_read_whatever_their_format(form: str) -> None:
    with Image.open(io.BytesIO(CAT)) as photo:
        small = photo.convert("RGB").resize((96, 64))
    read = read_picture(encoded(small, form))
    assert (read.mode, read.size) == ("RGB", (96, 64))
    difference = np.asarray(read, dtype=float) - np.asarray(small, dtype=float)
    assert np.abs(difference).mean() < 12


def test_large_pictures_are_made_smaller_and_stand_upright(tmp_path: Path) -> None:
    photo = Image.new("RGB", (3000, 1500), "white")
    photo.paste("red", (0, 0, 1500, 1500))  # the left half
    turned = photo.getexif()
    turned[0x0112] = 6  # is to be turned to the right: the left becomes the top
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(photo, "JPEG", exif=turned))
    read = read_picture(path)
    assert read.size[1] == 2 * read.size[0] <= 1280
    assert read.getpixel((read.width // 2, 10))[1] < 60  # type: ignore[index]
    assert read.getpixel((read.width // 2, read.height - 10))[1] > 200  # type: ignore[index]


def test_what_is_transparent_is_white() -> None:
    read = read_picture(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
    assert read.getpixel((5, 5)) == (255, 255, 255)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match=r"cannot read the picture .*No such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(QuestionError, match=r"cannot read the picture .*directory"):
        read_picture(tmp_path)


SEEDS = [
    encoded(Image.effect_noise((40, 30), 60).convert(mode), form)
    for form, mode in (("JPEG", "RGB"), ("PNG", "P"), ("WEBP", "RGBA"), ("GIF", "P"), ("BMP", "L"))
]


@given(
    content=st.sampled_from(SEEDS),
    spots=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 10**6),
)
def test_damaged_pictures_are_read_or_refused(
    content: bytes, spots: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(content)
    for at, value in spots:
        damaged[at % len(damaged)] = value
    with suppress(QuestionError):
        assert read_picture(bytes(damaged[: cut % (2 * len(damaged))])).mode == "RGB"
