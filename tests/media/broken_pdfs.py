"""PDFs that attack their reader: bombs, cycles, lies about sizes, endless pages. All made here."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence

_CHUNK_BYTES = 1 << 20
WORDS = "The valve opens at nine bar."
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_SHOWN = f"BT /F 12 Tf 72 400 Td ({WORDS}) Tj ET\n".encode()


def pdf(objects: Sequence[bytes]) -> bytes:
    """A file of these objects, numbered from 1; the first is the catalogue."""
    parts = [b"%PDF-1.7\n"]
    offset = len(parts[0])
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(offset)
        part = b"%d 0 obj\n%b\nendobj\n" % (number, content)
        offset += len(part)
        parts.append(part)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    parts.extend(b"%010d 00000 n \n" % each for each in offsets)
    size = len(objects) + 1
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, offset)
    parts.append(end)
    return b"".join(parts)


def stream(content: bytes, head: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(content), head, content)


def paged(
    *contents: bytes,
    more: Sequence[bytes] = (),
    catalog: bytes = b"",
    page: bytes = b"",
    resources: bytes = b"",
    box: bytes = b"0 0 612 792",
) -> bytes:
    """A file with a page for each stream object; `more` are objects behind those of the pages.

    Object 3 is the font /F, object 4 the first page, 5 its content, 6 the second page, and so on.
    """
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(contents), kids),
        _FONT,
    ]
    for number, content in enumerate(contents):
        own = page if number == len(contents) - 1 else b""
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents %d 0 R"
            b"/Resources<</Font<</F 3 0 R>>%b>>%b>>" % (box, 5 + 2 * number, resources, own)
        )
        objects.append(content)
    return pdf([*objects, *more])


def deflated(chunk: bytes, count: int) -> bytes:
    """A zlib stream of `count` times a chunk, compressed once; its checksum is missing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\x9c" + block * count + b"\x03\x00" + bytes(4)


def _good() -> bytes:
    return stream(_SHOWN)


def repaired() -> bytes:
    """The table of objects points elsewhere."""
    whole = paged(_good())
    return whole.replace(b"0000000009 00000 n", b"0000000555 00000 n")


def truncated() -> bytes:
    """Cut off behind the first page."""
    whole = paged(*[_good()] * 20)
    return whole[: len(whole) // 2]


def drawing_bomb() -> bytes:
    """A page of gigabytes of drawing, between two good ones."""
    chunk = b"0 0 m 9 9 l S\n" * (_CHUNK_BYTES // 14)
    bomb = stream(deflated(chunk, 2000), b"/Filter/FlateDecode")
    return paged(_good(), bomb, _good())


def state_bomb() -> bytes:
    """A page that saves the drawing state a billion times."""
    bomb = stream(deflated(b"q\n" * (_CHUNK_BYTES // 2), 2000), b"/Filter/FlateDecode")
    return paged(_good(), bomb, _good())


def nested_bomb() -> bytes:
    """Streams packed twice: kilobytes become gigabytes."""
    packed = zlib.compress(deflated(b" " * _CHUNK_BYTES, 8000), 9)
    return paged(_good(), stream(packed, b"/Filter[/FlateDecode/FlateDecode]"), _good())


def string_bomb() -> bytes:
    """A page that shows one word of two gigabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(b"BT /F 12 Tf 72 700 Td (") + packer.flush(zlib.Z_FULL_FLUSH)
    body = packer.compress(b"a" * _CHUNK_BYTES) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(b") Tj ET") + packer.flush(zlib.Z_FINISH)
    bomb = b"\x78\x9c" + head + body * 2000 + tail + bytes(4)
    return paged(_good(), stream(bomb, b"/Filter/FlateDecode"), _good())


def absurd_image() -> bytes:
    """A picture that says it is two milliard pixels wide and high."""
    image = stream(
        zlib.compress(bytes(1000)),
        b"/Type/XObject/Subtype/Image/Width 2147483647/Height 2147483647"
        b"/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode",
    )
    return paged(
        stream(_SHOWN + b"q 200 0 0 200 50 50 cm /I Do Q"),
        more=[image],
        resources=b"/XObject<</I 6 0 R>>",
    )


def image_bomb() -> bytes:
    """A picture of 30,000 x 30,000 pixels in a few kilobytes."""
    side = 30_000
    packed = deflated(bytes(side * 30), side // 10)
    image = stream(
        packed,
        b"/Type/XObject/Subtype/Image/Width %d/Height %d"
        b"/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode" % (side, side),
    )
    return paged(
        stream(_SHOWN + b"q 200 0 0 200 50 50 cm /I Do Q"),
        more=[image],
        resources=b"/XObject<</I 6 0 R>>",
    )


def laughs() -> bytes:
    """Forms that draw the next one ten times each: 10^12 drawings."""
    levels = 12
    forms = [
        stream(
            (b"/X Do " * 10) if level + 1 < levels else b"0 0 m 9 9 l S",
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]"
            b"/Resources<</XObject<</X %d 0 R>>>>" % (11 + level),
        )
        for level in range(levels)
    ]
    page = b"/Resources<</XObject<</X 10 0 R>>>>"
    return paged(_good(), _good(), stream(b"/X Do"), more=forms, page=page).replace(
        b"/Resources<</Font<</F 3 0 R>>>>/Resources<</XObject<</X 10 0 R>>>>",
        b"/Resources<</XObject<</X 10 0 R>>>>",
    )


def own_form() -> bytes:
    """A form that draws itself."""
    form = stream(
        b"/X Do",
        b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X 6 0 R>>>>",
    )
    return paged(stream(_SHOWN + b"/X Do"), more=[form], resources=b"/XObject<</X 6 0 R>>")


def cyclic_pages() -> bytes:
    """A tree of pages that is its own branch."""
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 3/Kids[3 0 R 2 0 R 2 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
            b"/Resources<</Font<</F 5 0 R>>>>>>",
            _good(),
            _FONT,
        ]
    )


def too_many_pages() -> bytes:
    """A tree of pages that says it has two milliards."""
    return paged(_good()).replace(b"/Count 1/", b"/Count 2147483647/")


def claimed_pages() -> bytes:
    """One page, and two that are only claimed."""
    return paged(_good()).replace(b"/Count 1/", b"/Count 3/")


def _outline(links: Callable[[int, int], bytes], count: int) -> bytes:
    """Bookmarks that are linked so: objects 7 and on, their root is object 6."""
    entries = [
        b"<</Title(Part %d)/Parent 6 0 R/Dest[4 0 R/Fit]%b>>" % (number, links(number, number + 7))
        for number in range(count)
    ]
    root = b"<</Type/Outlines/First 7 0 R/Last %d 0 R>>" % (count + 6)
    return paged(_good(), more=[root, *entries], catalog=b"/Outlines 6 0 R")


def long_outline() -> bytes:
    """100,000 bookmarks in a row."""
    count = 100_000
    return _outline(
        lambda number, own: b"/Next %d 0 R" % (own + 1) if number + 1 < count else b"", count
    )


def deep_outline() -> bytes:
    """100,000 bookmarks, each below the one before."""
    count = 100_000
    return _outline(
        lambda number, own: (
            b"/First %d 0 R/Last %d 0 R/Count 1" % (own + 1, own + 1) if number + 1 < count else b""
        ),
        count,
    )


def cyclic_outline() -> bytes:
    """Bookmarks that lead back to the first."""
    return _outline(lambda _, own: b"/Next %d 0 R" % (7 + (own - 6) % 3), 3)


def many_objects(count: int = 1_000_000) -> bytes:
    """A million objects that nobody needs."""
    return paged(_good(), more=[b"[]"] * count)


def deep_arrays() -> bytes:
    """Brackets in brackets, 100,000 deep."""
    return paged(_good(), more=[b"[" * 100_000 + b"]" * 100_000], catalog=b"/Names 6 0 R")


def deep_content() -> bytes:
    """Brackets in brackets on the page, 100,000 deep."""
    return paged(_good(), stream(b"[" * 100_000 + b"]" * 100_000 + b" TJ"), _good())


def _boxed(box: bytes) -> Callable[[], bytes]:
    return lambda: paged(_good(), box=box)


def script() -> bytes:
    """JavaScript that would run when the file, the page or a field is opened."""
    code = b"<</S/JavaScript/JS(app.alert\\('run'\\); while\\(true\\){})>>"
    return paged(
        _good(),
        catalog=b"/OpenAction %b/Names<</JavaScript<</Names[(a) %b]>>>>" % (code, code),
        page=b"/AA<</O %b>>" % code,
    )


def embedded() -> bytes:
    """A file within the file."""
    inner = stream(b"Words of the embedded file.", b"/Type/EmbeddedFile")
    named = b"<</Type/Filespec/F(notes.txt)/EF<</F 6 0 R>>>>"
    return paged(
        _good(), more=[inner, named], catalog=b"/Names<</EmbeddedFiles<</Names[(n) 7 0 R]>>>>"
    )


def form() -> bytes:
    """A filled-in field, and a remark."""
    shown = stream(
        b"BT /F 12 Tf 2 5 Td (Ada Lovelace) Tj ET",
        b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 3 0 R>>>>",
    )
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ada Lovelace)/Rect[72 600 272 620]"
        b"/F 4/AP<</N 6 0 R>>>>"
    )
    return paged(
        _good(), more=[shown, field], page=b"/Annots[7 0 R]", catalog=b"/AcroForm<</Fields[7 0 R]>>"
    )


CASES: dict[str, Callable[[], bytes]] = {
    case.__name__: case
    for case in (
        repaired,
        truncated,
        drawing_bomb,
        state_bomb,
        nested_bomb,
        string_bomb,
        absurd_image,
        image_bomb,
        laughs,
        own_form,
        cyclic_pages,
        too_many_pages,
        claimed_pages,
        long_outline,
        deep_outline,
        cyclic_outline,
        many_objects,
        deep_arrays,
        deep_content,
        script,
        embedded,
        form,
    )
} | {
    "page of 200 inches": _boxed(b"0 0 14400 14400"),
    "page of kilometres": _boxed(b"0 0 99999999 99999999"),
    "page like a thread": _boxed(b"0 0 1 14400"),
    "page of nothing": _boxed(b"0 0 0 0"),
    "page of no numbers": _boxed(b"/a (b) null [1]"),
}


def cases() -> Iterator[tuple[str, bytes]]:
    """Name and content of each."""
    for name, make in CASES.items():
        yield name, make()
