"""Bytes of a text file become text: Unicode by mark or by proof, else a detected code page."""

from __future__ import annotations

import codecs
import re
from typing import Final

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATIN: Final = ("cp1250", "cp1252", "cp1254", "cp1257")
"""Code pages that detection confuses: they differ in few letters."""
_CODE_PAGES: Final = [
    *_LATIN,
    *("cp1251", "cp1253", "cp1255", "cp1256", "cp1258", "koi8_r", "cp874"),
    *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
]
_LATIN_OF: Final = {
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl"), "cp1250"),
    **dict.fromkeys(("tr",), "cp1254"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
}
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE_BYTES: Final = 200_000


def decode_text(content: bytes, language: str | None = None) -> tuple[str, str | None]:
    """The text, and the name of its code page where that had to be guessed.

    `language` (ISO 639-1) tells Latin code pages apart. Raises ValueError when it is no text.
    """
    text, guessed = _decoded(content, language)
    if _CONTROL.search(text):
        raise ValueError("it is not a text file")
    return text, guessed


def _decoded(content: bytes, language: str | None) -> tuple[str, str | None]:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, errors="replace"), None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        if "\x00" not in text:
            return text, None
    for name, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[0::2])):
        # Digits and line ends of any subtitle file leave half of these bytes zero.
        if zeros.count(0) * 4 > len(zeros):
            return content.decode(name, errors="replace"), None
    name = _code_page(content, language)
    return content.decode(name, errors="replace"), name


def _code_page(content: bytes, language: str | None) -> str:
    from charset_normalizer import from_bytes

    # The letters that tell are spread thinly over the times and markup.
    telling = b"\n".join(line for line in content.splitlines() if not line.isascii())
    for sample in (content[:_SAMPLE_BYTES], telling[:_SAMPLE_BYTES]):
        best = from_bytes(sample, cp_isolation=_CODE_PAGES).best()
        if best is not None:
            name = best.encoding
            return _LATIN_OF.get(language or "", "cp1252") if name in _LATIN else name
    raise ValueError("its encoding cannot be told")
