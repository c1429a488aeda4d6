"""Damage as files suffer it: flipped bytes, cut ends, swapped and resized boxes, lost blocks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

_BLOCK_BYTES: Final = 512
_CONTAINERS: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf")
_HEADER_BYTES: Final = 4096
"""Where most files say what they are."""


def mutate(content: bytes, seed: int) -> tuple[str, bytes]:
    """Damage a file in one to three ways; the same seed does the same. Returns what was done."""
    choice = random.Random(seed)
    done = []
    for _ in range(choice.choice((1, 1, 2, 3))):
        mutation = choice.choice(MUTATIONS)
        content = mutation(content, choice)
        done.append(mutation.__name__.removeprefix("_"))
    return ", ".join(done), content


def _flip_bytes(content: bytes, choice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(choice.choice((1, 4, 16, 64))):
        if damaged:
            damaged[choice.randrange(len(damaged))] ^= choice.randrange(1, 256)
    return bytes(damaged)


def _flip_header(content: bytes, choice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(choice.choice((1, 2, 8))):
        if damaged:
            damaged[choice.randrange(min(_HEADER_BYTES, len(damaged)))] = choice.randrange(256)
    return bytes(damaged)


def _truncate(content: bytes, choice: random.Random) -> bytes:
    return content[: choice.randrange(len(content) + 1)]


def _lose_block(content: bytes, choice: random.Random) -> bytes:
    begin = choice.randrange(len(content) + 1)
    return content[:begin] + content[begin + choice.randrange(1, 8) * _BLOCK_BYTES :]


def _zero_block(content: bytes, choice: random.Random) -> bytes:
    begin = choice.randrange(len(content) + 1)
    length = min(choice.randrange(1, 8) * _BLOCK_BYTES, len(content) - begin)
    return content[:begin] + bytes(length) + content[begin + length :]


def _swap_blocks(content: bytes, choice: random.Random) -> bytes:
    cuts = sorted(choice.randrange(len(content) + 1) for _ in range(3))
    first, second, third = cuts
    return content[:first] + content[second:third] + content[first:second] + content[third:]


def _swap_boxes(content: bytes, choice: random.Random) -> bytes:
    """Exchange two boxes of an ISO file (ISO 14496-12, 4.2); blocks of any other file."""
    boxes = list(_boxes(content, 0, len(content)))
    if len(boxes) < 2:
        return _swap_blocks(content, choice)
    (begin, end), (other_begin, other_end) = sorted(choice.sample(boxes, 2))
    if other_begin < end:  # One lies within the other: it takes its place.
        return content[:begin] + content[other_begin:other_end] + content[end:]
    return (
        content[:begin]
        + content[other_begin:other_end]
        + content[end:other_begin]
        + content[begin:end]
        + content[other_end:]
    )


def _resize_box(content: bytes, choice: random.Random) -> bytes:
    """Write another length into a box of an ISO file; flip the header of any other file."""
    boxes = list(_boxes(content, 0, len(content)))
    if not boxes:
        return _flip_header(content, choice)
    begin, end = choice.choice(boxes)
    size = choice.choice((0, 1, 7, end - begin - 1, end - begin + 9, 0x7FFF_FFFF, 0xFFFF_FFFF))
    return content[:begin] + max(0, size).to_bytes(4, "big") + content[begin + 4 :]


def _boxes(content: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of the boxes of an ISO file, those within containers too."""
    while begin + 8 <= end:
        size, kind = (
            int.from_bytes(content[begin : begin + 4], "big"),
            content[begin + 4 : begin + 8],
        )
        if size < 8 or begin + size > end or not kind.isalnum():
            return
        yield begin, begin + size
        if kind in _CONTAINERS:
            yield from _boxes(content, begin + 8, begin + size)
        begin += size


MUTATIONS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flip_bytes,
    _flip_header,
    _truncate,
    _lose_block,
    _zero_block,
    _swap_blocks,
    _swap_boxes,
    _resize_box,
)
