"""Names of languages as files write them: `en`, `eng`, `en-US`, `English` are one language."""

from __future__ import annotations

from typing import Final

# fmt: off
_NAMES: Final = (
    "ar ara arabic", "bg bul bulgarian", "bn ben bengali", "bs bos bosnian", "ca cat catalan",
    "cs cze ces czech", "da dan danish", "de ger deu german", "el gre ell greek",
    "en eng english", "es spa spanish", "et est estonian", "eu baq eus basque",
    "fa per fas persian", "fi fin finnish", "fr fre fra french", "gl glg galician",
    "he heb hebrew", "hi hin hindi", "hr hrv croatian", "hu hun hungarian",
    "id ind indonesian", "is ice isl icelandic", "it ita italian", "ja jpn japanese",
    "ko kor korean", "lt lit lithuanian", "lv lav latvian", "mk mac mkd macedonian",
    "ms may msa malay", "nl dut nld dutch", "no nor nb nob nn nno norwegian", "pl pol polish",
    "pt por portuguese", "ro rum ron romanian", "ru rus russian", "sk slo slk slovak",
    "sl slv slovenian", "sr srp serbian", "sv swe swedish", "ta tam tamil", "te tel telugu",
    "th tha thai", "tr tur turkish", "uk ukr ukrainian", "ur urd urdu", "vi vie vietnamese",
    "zh chi zho cmn chinese",
)
# fmt: on
_CODES: Final = {name: names.split()[0] for names in _NAMES for name in names.split()}


def language_code(tag: str | None) -> str | None:
    """ISO 639-1 code of a tag or English name; None when it names no language that is known."""
    if not tag:
        return None
    return _CODES.get(tag.lower().replace("_", "-").split("-")[0])
