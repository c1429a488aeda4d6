"""Retrieved text is data: nothing in it is a control token, a time marker or the frame's own tag.

What a source says is put before a model between tags and after a sign at every line (`quoted`), so
that no line of it can pass for one of ours; here the few strings are broken that would mean more
than they say. Nothing is removed that can be seen: the angle bracket becomes a look-alike (U+2039).
"""

from __future__ import annotations

import re

BLOCK_TAG = "evidence"
"""The tag around everything that sources say in a prompt."""
_MODEL_TAGS = ("think", "tool_call", "tool_response", "tools", "system", "user", "assistant")
"""Tags that models were trained on; Qwen's tokenizer has single tokens for some."""
_QUOTE = "> "

_INVISIBLE = re.compile(
    "[\u200b\u2060-\u2064\ufeff\u00ad"  # nothing is shown for them
    "\u202a-\u202e\u2066-\u2069"  # they turn the order in which text is read
    "\U000e0000-\U000e007f"  # tags: hidden letters
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)
_GAP = "[\\s\u200c\u200d\ufe0f]*"
_OPENING = re.compile(
    f"[<＜](?={_GAP}(?:"
    "[|｜│∣¦]"
    f"|[/／]?{_GAP}(?:{'|'.join((BLOCK_TAG, *_MODEL_TAGS))})\\b"
    "|\\d+(?:\\.\\d+)?\\s*seconds?\\b"
    "))",
    re.IGNORECASE,
)
_CLOSING = re.compile("([|｜│∣¦][ \t\u200c\u200d\ufe0f]*)[>＞]")


def neutral(text: str) -> str:
    """The text, as readable as before, without anything that steers a model's reading.

    `<|im_end|>` in any form, tags of the frame, thoughts and tools, and time markers lose their
    angle brackets; characters that cannot be seen are left out. Doing it twice changes nothing.
    """
    seen = _INVISIBLE.sub("", text)
    return _CLOSING.sub("\\1›", _OPENING.sub("‹", seen))


def one_line(text: str) -> str:
    """A neutral text in one line: names of files, headings."""
    return neutral(" ".join(text.split()))


def quoted(text: str) -> str:
    """A neutral text with a sign before every line, the last one ended; empty when it is."""
    lines = [line.strip() for line in neutral(text).splitlines()]
    return "".join(f"{_QUOTE}{line}\n" for line in lines if line)
