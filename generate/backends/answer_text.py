"""Tokens of an answer become pieces of text: whole characters, without the model's thoughts."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generate.backends.qwen_tokens import QwenTokenizer


class AnswerText:
    """Writes down an answer token by token.

    Characters whose bytes are split over tokens come with the last of these. What stands between
    the tokens `<think>` and `</think>`, and white space before the answer, is left out.
    """

    def __init__(self, tokenizer: QwenTokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._has_begun = False
        self.thinks = tokenizer.thinks
        """The next token belongs to a thought."""

    def add(self, token: int) -> str:
        """What can be written now; empty: nothing yet."""
        control = self._tokenizer.control
        if token == control.think_end:
            self.thinks = False
            return ""
        if token == control.think_start:
            self.thinks = True
            return self.end()
        if self.thinks:
            return ""
        return self._begun(self._decoder.decode(self._tokenizer.bytes_of(token)))

    def end(self) -> str:
        """What is left: a character that was broken off is written as U+FFFD."""
        left = self._begun(self._decoder.decode(b"", final=True))
        self._decoder.reset()
        return left

    def _begun(self, text: str) -> str:
        if not self._has_begun:
            text = text.lstrip()
            self._has_begun = bool(text)
        return text
