"""What a prompt costs in tokens, exactly, before any pixel is loaded.

Qwen3-VL sees one token for each 32 x 32 px of a picture or of two frames of a clip, and one at
either end; a clip has a time marker before every two frames, whose figures are a token each. Text
is counted by the model's own tokenizer, a run between two control tokens at a time, because byte
pairs merge across what was put together. Sums of pieces are exact nevertheless where every piece
ends its line and begins with a visible ASCII character: Qwen's tokenizer cuts there in any case.

The sum equals the length of `input_ids` that the processor gives (flat layout).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Literal

from tokenizers import Tokenizer

from generate.markers import MARKER_PATTERN, clip_markers, frame_markers
from generate.prompt import SIDE_STEP_PX, ClipPart, PicturePart, Prompt, TextPart
from index.errors import ModelMissingError

CountText = Callable[[str], int]
FramesAs = Literal["clip", "pictures"]

TOKENIZER_FILE = "tokenizer.json"
ENDS_TOKENS = 2
"""Tokens around what is seen: <|vision_start|> and <|vision_end|>."""
_MARKER_TEXT_TOKENS = 3
"""`<`, ` seconds` and `>`; every figure and the point are one more each."""
_CACHED_LINES = 16_384
_LINE = re.compile(r".*?\n(?=[!-~])|.+", re.DOTALL)
_LAST_MARKER = re.compile(rf"(?:\A|(?<=\n)){MARKER_PATTERN}\Z")
"""A marker at the end of a run that begins its line: no token reaches across."""


@dataclass(frozen=True, slots=True)
class TokenCosts:
    """How a backend counts."""

    count_text: CountText
    """Tokens of a run of text without control tokens."""
    is_exact: bool
    """False: text is only estimated, there being no tokenizer; ledgers say so."""
    frames_as: FramesAs = "clip"
    """`clip`: two frames are one patch in time behind one marker; `pictures`: every frame is a
    picture of its own behind its own marker (servers that take no times for clips)."""
    answer_opening: str = "assistant\n"
    """What the chat template writes after the last <|im_start|>; Thinking models: more."""

    def of_prompt(self, prompt: Prompt) -> int:
        """All tokens that the model reads before it answers."""
        total, run = 0, ""
        for piece in _pieces(prompt, self):
            if isinstance(piece, str):
                run += piece
            else:
                total += self._of_run(run) + piece
                run = ""
        return total + self._of_run(run)

    def of_clip(self, times: Sequence[Fraction], height_px: int, width_px: int) -> int:
        """Tokens of a clip: its markers and what is seen."""
        seen = picture_tokens(height_px, width_px)
        return sum(seen + marker_tokens(marker) for marker in self._markers(times))

    def _markers(self, times: Sequence[Fraction]) -> list[str]:
        if self.frames_as == "clip":
            return clip_markers(times)
        return frame_markers(times)

    def _of_run(self, run: str) -> int:
        """Tokens of all text between two control tokens."""
        marker = _LAST_MARKER.search(run)
        if marker is not None:
            return self._of_run(run[: marker.start()]) + marker_tokens(marker[0])
        return self.count_text(run) if run else 0


def picture_tokens(height_px: int, width_px: int) -> int:
    """Tokens of a picture, or of two frames of a clip, whose sides are multiples of 32 px."""
    return (height_px // SIDE_STEP_PX) * (width_px // SIDE_STEP_PX) + ENDS_TOKENS


def marker_tokens(marker: str) -> int:
    """Tokens of one time marker."""
    return _MARKER_TEXT_TOKENS + len(marker) - len("< seconds>")


def _pieces(prompt: Prompt, costs: TokenCosts) -> Iterator[str | int]:
    """The prompt as the chat template writes it: text, and numbers of tokens that are none."""
    if prompt.system:
        yield from (1, f"system\n{prompt.system}", 1, "\n")
    for turn in prompt.turns:
        yield from (1, f"{turn.role}\n")
        for part in turn.parts:
            yield from _pieces_of_part(part, costs)
        yield from (1, "\n")
    yield from (1, costs.answer_opening)


def _pieces_of_part(
    part: TextPart | ClipPart | PicturePart, costs: TokenCosts
) -> Iterator[str | int]:
    if isinstance(part, TextPart):
        yield part.text
        return
    seen = picture_tokens(part.height_px, part.width_px)
    if isinstance(part, PicturePart):
        yield seen
        return
    for marker in costs._markers(part.times):
        yield from (marker, seen)


def text_counter(tokenizer: Tokenizer) -> CountText:
    """Counts with a tokenizer of Qwen's; lines that were counted before cost nothing."""

    @lru_cache(maxsize=_CACHED_LINES)
    def count_line(line: str) -> int:
        return len(tokenizer.encode(line, add_special_tokens=False))

    def count(text: str) -> int:
        return sum(map(count_line, _LINE.findall(text)))

    return count


def read_text_counter(folder: Path) -> CountText:
    """The counter of a checkpoint; only its `tokenizer.json` is read. Raises ModelMissingError."""
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        raise ModelMissingError(f"{folder} holds no {TOKENIZER_FILE}; name a folder that does")
    return text_counter(Tokenizer.from_file(str(path)))


_WORD = re.compile(r"[^\W\d_]+|\d|[^\S\n]*\n\s*|[^\S\n]{2,}|[^\w\s]+|_+")
_ASCII_LETTERS_PER_TOKEN = 4
_OTHER_BYTES_PER_TOKEN = 3


def estimate_text(text: str) -> int:
    """About how many tokens a text is, where there is no tokenizer; rather too many.

    Figures are one each, words one for four letters (ASCII) or three bytes (others).
    """
    return sum(map(_estimate_word, _WORD.findall(text)))


def _estimate_word(word: str) -> int:
    if word.isspace():
        return 1
    if word.isascii():
        return ceil(len(word) / (_ASCII_LETTERS_PER_TOKEN if word.isalpha() else 2))
    return ceil(len(word.encode("utf-8", "surrogatepass")) / _OTHER_BYTES_PER_TOKEN)
