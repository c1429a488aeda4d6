"""The text of a server's answer as it comes: thoughts are left out, loops are seen."""

from __future__ import annotations

import re

from generate.backends.sampling import MAX_PERIOD_TOKENS, MIN_REPEATS, repeats_itself

THINK, END_OF_THOUGHTS = "<think>", "</think>"
_WORD = re.compile(r"[^\W\u2e80-\U0003ffff]+|\S")
"""Runs of letters where words are, single characters of scripts without spaces."""
_LOOK_EVERY_CHARS = 200
_WORDS_OF_LOOPS = MAX_PERIOD_TOKENS * (MIN_REPEATS + 1)
_LONGEST_WORD_CHARS = 24


class ServerText:
    """What may be shown of what a server sends.

    Servers take thoughts out of the answer, or leave them in it up to `</think>`, whose beginning
    a Thinking model's prompt already holds.
    """

    def __init__(self, *, thinks: bool) -> None:
        """`thinks`: the answer may begin with thoughts without `<think>`."""
        self._thinks = thinks
        self._held: str | None = ""
        """What came before it was known whether it is a thought; None: the answer has begun."""
        self.shown = ""
        """All that was given out."""
        self._looked_at_chars = 0

    @property
    def is_held(self) -> bool:
        """Whether text came of which it is not known yet what it is."""
        return bool(self._held)

    def thoughts_are_apart(self) -> None:
        """The server sends thoughts in a field of their own, so that text is the answer."""
        self._thinks = False

    def add(self, text: str) -> str:
        """What can be shown now; empty: nothing yet."""
        if self._held is None:
            return self._given(text)
        self._held += text
        thought, mark, rest = self._held.partition(END_OF_THOUGHTS)
        start = thought.lstrip()
        if mark and (self._thinks or start.startswith(THINK)):
            return self._begin(rest)
        if self._thinks or start.startswith(THINK) or THINK.startswith(start):
            return ""
        return self._begin(self._held)

    def end(self, *, is_complete: bool) -> str:
        """What is left; thoughts that were cut are no answer."""
        held, self._held = self._held or "", None
        is_thought = held.lstrip().startswith(THINK) or (self._thinks and not is_complete)
        return "" if is_thought else self._given(held.lstrip())

    def loops(self) -> bool:
        """Whether the end is the same again and again; looks at times only."""
        if len(self.shown) - self._looked_at_chars < _LOOK_EVERY_CHARS:
            return False
        self._looked_at_chars = len(self.shown)
        end = self.shown[-_WORDS_OF_LOOPS * _LONGEST_WORD_CHARS :]
        numbers: dict[str, int] = {}
        words = _WORD.findall(end)[-_WORDS_OF_LOOPS:]
        return repeats_itself([numbers.setdefault(word, len(numbers)) for word in words])

    def _begin(self, text: str) -> str:
        """The answer begins with the first character that can be seen."""
        text = text.lstrip()
        self._held = None if text else ""
        self._thinks = False
        return self._given(text)

    def _given(self, text: str) -> str:
        self.shown += text
        return text
