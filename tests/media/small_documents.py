"""Small documents of every format, made in memory."""

# mypy: allow-untyped-calls

from __future__ import annotations

import io
import zipfile

import pymupdf
from PIL import Image, ImageDraw

from tests.media.broken_pdfs import paged, script, stream

CHAPTERS = ("Wind", "Tide", "Salt")
_SENTENCE = "Paragraph {row} of the chapter on {name} says that it changes at {row} knots."
_CONTAINER = (
    '<?xml version="1.0"?><container version="1.0"'
    ' xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)


def epub() -> bytes:
    """A book of three chapters."""
    files = {"META-INF/container.xml": _CONTAINER}
    items = spine = points = ""
    for number, name in enumerate(CHAPTERS, 1):
        kind = "application/xhtml+xml"
        items += f'<item id="c{number}" href="c{number}.xhtml" media-type="{kind}"/>'
        spine += f'<itemref idref="c{number}"/>'
        points += (
            f'<navPoint id="n{number}" playOrder="{number}"><navLabel><text>{name}</text>'
            f'</navLabel><content src="c{number}.xhtml"/></navPoint>'
        )
        rows = "".join(f"<p>{_SENTENCE.format(row=row, name=name)}</p>" for row in range(40))
        files[f"book/c{number}.xhtml"] = (
            '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>-</title></head>'
            f"<body><h1>{name}</h1>{rows}</body></html>"
        )
    files["book/toc.ncx"] = (
        '<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
        f"<head/><docTitle><text>Sea</text></docTitle><navMap>{points}</navMap></ncx>"
    )
    files["book/content.opf"] = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="2.0"'
        ' unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>The Book of the Sea</dc:title><dc:creator>Ada Lovelace</dc:creator></metadata>"
        '<manifest><item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        f'{items}</manifest><spine toc="ncx">{spine}</spine></package>'
    )
    packed = {name: content.encode() for name, content in files.items()}
    return zipped({"mimetype": b"application/epub+zip"} | packed)


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP archive, stored so that damage reaches what is in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def picture(words: str, kind: str, *, more: tuple[str, ...] = ()) -> bytes:
    """A picture with words on it; `more` are further pictures of a TIFF."""
    pages = []
    for each in (words, *more):
        page = Image.new("RGB", (600, 200), "white")
        ImageDraw.Draw(page).text((30, 80), each, fill="black", font_size=32)
        pages.append(page)
    written = io.BytesIO()
    several = {"save_all": True, "append_images": pages[1:]} if more else {}
    pages[0].save(written, kind, **several)
    return written.getvalue()


def comic() -> bytes:
    """Two pictures and a note, packed."""
    first, second = picture("First picture", "PNG"), picture("Second picture", "JPEG")
    return zipped({"p2.jpg": second, "p1.png": first, "ComicInfo.xml": b"<ComicInfo/>"})


def xps() -> bytes:
    """A page of words, as XPS."""
    page = (
        '<FixedPage xmlns="http://schemas.microsoft.com/xps/2005/06" Width="600" Height="400"'
        ' xml:lang="en"><Glyphs Fill="#ff000000" FontUri="/font.otf" FontRenderingEmSize="16"'
        ' OriginX="40" OriginY="60" UnicodeString="The valve opens at nine bar."/></FixedPage>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Type="http://schemas.microsoft.com/xps/2005/06/fixedrepresentation"'
        ' Target="/fixed.fdseq" Id="R0"/></Relationships>'
    )
    space = 'xmlns="http://schemas.microsoft.com/xps/2005/06"'
    texts = {
        "_rels/.rels": relations,
        "fixed.fdseq": f'<FixedDocumentSequence {space}><DocumentReference Source="/doc.fdoc"/>'
        "</FixedDocumentSequence>",
        "doc.fdoc": f'<FixedDocument {space}><PageContent Source="/1.fpage"/></FixedDocument>',
        "1.fpage": page,
    }
    font: bytes = pymupdf.Font("cjk").buffer
    return zipped({name: text.encode() for name, text in texts.items()} | {"font.otf": font})


def rich_pdf() -> bytes:
    """Three pages with words, a table, a picture, bookmarks, labels and a script."""
    document = pymupdf.open("pdf", script())
    for number in range(2):
        page = document.new_page()
        page.insert_text((72, 72), [_SENTENCE.format(row=row, name="Wind") for row in range(20)])
        for row in range(4):
            page.draw_line((72, 500 + row * 20), (372, 500 + row * 20))
            page.draw_line((72 + row * 100, 500), (72 + row * 100, 560))
        page.insert_image(pymupdf.Rect(72, 600, 272, 700), stream=picture("Sign", "JPEG"))
        page.insert_text((72, 720), f"Figure {number + 1}: A sign.")
    document.set_toc([[1, "Wind", 2], [2, "Tide", 3]])
    document.set_page_labels([{"startpage": 0, "style": "r"}, {"startpage": 1, "style": "D"}])
    content: bytes = document.tobytes(deflate=True)
    return content


def small_documents() -> list[tuple[str, bytes]]:
    """File names and contents."""
    plain = paged(*[stream(b"BT /F 12 Tf 72 700 Td (Page %d of it) Tj ET" % n) for n in range(5)])
    markdown = "\n\n".join(f"# {name}\n\n{_SENTENCE.format(row=1, name=name)}" for name in CHAPTERS)
    return [
        ("plain.pdf", plain),
        ("rich.pdf", rich_pdf()),
        ("book.epub", epub()),
        ("comic.cbz", comic()),
        ("scan.tiff", picture("One", "TIFF", more=("Two",))),
        ("photo.jpg", picture("A photo", "JPEG")),
        ("sign.png", picture("A sign", "PNG")),
        ("sign.webp", picture("A sign", "WEBP")),
        ("notes.md", markdown.encode()),
    ]
