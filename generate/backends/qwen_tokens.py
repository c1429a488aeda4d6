"""A prompt as Qwen3-VL reads it: token ids, and which of them stand for what is seen.

The chat frame is ChatML without a default system turn, and clips are written in the flat layout
(`generate.markers`). Text is cut into tokens a run between two control tokens at a time, and no
text becomes a control token, whatever it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from generate.markers import VIDEO_PAD, VISION_END, VISION_START, clip_markers
from generate.prompt import SIDE_STEP_PX, ClipPart, Part, PicturePart, Prompt, TextPart
from generate.token_costs import TOKENIZER_FILE, CountText, text_counter
from index.errors import BackendError

TOKEN_SIDE_PATCHES = 2
"""Patches that become one token, a side."""
TEXT_KIND, PICTURE_KIND, CLIP_KIND = 0, 1, 2
"""As transformers numbers them in `mm_token_type_ids`."""

Ids = npt.NDArray[np.int64]


_WRITTEN = {
    "turn_start": "<|im_start|>",
    "turn_end": "<|im_end|>",
    "text_end": "<|endoftext|>",
    "vision_start": VISION_START,
    "vision_end": VISION_END,
    "picture_pad": "<|image_pad|>",
    "clip_pad": VIDEO_PAD,
    "think_start": "<think>",
    "think_end": "</think>",
}


@dataclass(frozen=True, slots=True)
class ControlTokens:
    """Ids of the tokens that build a prompt."""

    turn_start: int
    turn_end: int
    text_end: int
    vision_start: int
    vision_end: int
    picture_pad: int
    clip_pad: int
    think_start: int
    think_end: int


@dataclass(frozen=True, slots=True)
class SeenPart:
    """A clip or picture of a prompt and the tokens that stand for it."""

    part: ClipPart | PicturePart
    grid: tuple[int, int, int]
    """Patches: in time, down, across."""
    places: Ids
    """Indices of its tokens in the prompt, ascending."""


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """A prompt, ready to be read."""

    ids: Ids
    """(n,)"""
    kinds: Ids
    """(n,): TEXT_KIND, PICTURE_KIND or CLIP_KIND."""
    seen: tuple[SeenPart, ...]
    """In the order of the prompt."""

    @property
    def num_positions(self) -> int:
        """Positions (M-RoPE) that the prompt takes: what is seen at a time, those of a side."""
        pads = sum(len(seen.places) for seen in self.seen)
        sides = sum(seen.grid[0] * (max(seen.grid[1:]) // TOKEN_SIDE_PATCHES) for seen in self.seen)
        return len(self.ids) - pads + sides


class QwenTokenizer:
    """Cuts prompts into tokens and knows which bytes a token stands for."""

    def __init__(self, folder: Path, *, thinks: bool) -> None:
        """Read `tokenizer.json`; `thinks`: answers open with thoughts. Raises BackendError."""
        path = folder / TOKENIZER_FILE
        if not path.is_file():
            raise BackendError(f"{folder} has no {TOKENIZER_FILE}; download it too")
        tokenizer: Any = Tokenizer.from_file(str(path))
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.count: CountText = text_counter(tokenizer)
        """Counts the tokens of a text; lines that were counted before cost nothing."""
        self.control = _control_tokens(tokenizer, folder)
        self.thinks = thinks
        added = tokenizer.get_added_tokens_decoder()
        self._special = {number for number, token in added.items() if token.special}
        self._added = set(added)
        self._byte_of = _bytes_of_letters()

    @property
    def answer_opening(self) -> str:
        """What follows the last start of a turn."""
        return "assistant\n<think>\n" if self.thinks else "assistant\n"

    def ids_of(self, text: str) -> list[int]:
        """Tokens of a text; none of them is a control token."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def bytes_of(self, token: int) -> bytes:
        """What a token writes, UTF-8 that may begin or end within a character; b"" for control."""
        written: str | None = self._tokenizer.id_to_token(token)
        if written is None or token in self._special:
            return b""
        if token in self._added:
            return written.encode()
        return bytes(self._byte_of[letter] for letter in written)

    def tokens_of(self, prompt: Prompt) -> PromptTokens:
        """The tokens of a prompt, without loading a pixel."""
        writer = _Writer(self)
        if prompt.system:
            writer.turn("system", (TextPart(prompt.system),))
        for turn in prompt.turns:
            writer.turn(turn.role, turn.parts)
        writer.control(self.control.turn_start)
        writer.text(self.answer_opening)
        return writer.written()


class _Writer:
    """Writes a prompt from its beginning to its end."""

    def __init__(self, tokenizer: QwenTokenizer) -> None:
        self._tokenizer = tokenizer
        self._control = tokenizer.control
        self._ids: list[int] = []
        self._run = ""
        self._seen: list[SeenPart] = []

    def turn(self, role: str, parts: Sequence[Part]) -> None:
        self.control(self._control.turn_start)
        self.text(f"{role}\n")
        for part in parts:
            match part:
                case TextPart():
                    self.text(part.text)
                case PicturePart():
                    self._see(part, [""], self._control.picture_pad)
                case ClipPart():
                    self._see(part, clip_markers(part.times), self._control.clip_pad)
        self.control(self._control.turn_end)
        self.text("\n")

    def text(self, text: str) -> None:
        self._run += text

    def control(self, token: int) -> None:
        self._end_run()
        self._ids.append(token)

    def _see(self, part: ClipPart | PicturePart, markers: Sequence[str], pad: int) -> None:
        """One patch in time behind each marker."""
        down, across = part.height_px // SIDE_STEP_PX, part.width_px // SIDE_STEP_PX
        places: list[Ids] = []
        for marker in markers:
            self.text(marker)
            self.control(self._control.vision_start)
            places.append(np.arange(len(self._ids), len(self._ids) + down * across))
            self._ids += [pad] * (down * across)
            self.control(self._control.vision_end)
        grid = (len(markers), down * TOKEN_SIDE_PATCHES, across * TOKEN_SIDE_PATCHES)
        self._seen.append(SeenPart(part, grid, np.concatenate(places)))

    def _end_run(self) -> None:
        if self._run:
            self._ids += self._tokenizer.ids_of(self._run)
            self._run = ""

    def written(self) -> PromptTokens:
        self._end_run()
        ids = np.array(self._ids, dtype=np.int64)
        kinds = np.full(len(ids), TEXT_KIND, dtype=np.int64)
        for seen in self._seen:
            kinds[seen.places] = CLIP_KIND if isinstance(seen.part, ClipPart) else PICTURE_KIND
        return PromptTokens(ids, kinds, tuple(self._seen))


def _control_tokens(tokenizer: Any, folder: Path) -> ControlTokens:
    found = {name: tokenizer.token_to_id(written) for name, written in _WRITTEN.items()}
    missing = [_WRITTEN[name] for name, token in found.items() if token is None]
    if missing:
        raise BackendError(
            f"the tokenizer of {folder} has no {missing[0]}; name a checkpoint of Qwen3-VL"
        )
    return ControlTokens(**found)


def _bytes_of_letters() -> dict[str, int]:
    """The byte that each letter of a byte-level vocabulary stands for (GPT-2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = sorted(set(range(256)) - set(shown))
    letters = {chr(byte): byte for byte in shown}
    return letters | {chr(256 + number): byte for number, byte in enumerate(hidden)}
