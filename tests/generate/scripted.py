"""A backend without a model: it says what a test tells it, of the prompt that it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

from generate.backends import Ending, TextStream
from generate.prompt import ClipPart, PicturePart, Prompt, TextPart
from generate.token_costs import TokenCosts


class ScriptedBackend:
    """Loads what it is shown, as a model would, and answers by a function of the prompt."""

    name = "scripted"

    def __init__(
        self,
        say: Callable[[Prompt], str],
        costs: TokenCosts,
        *,
        context_tokens: int = 262_144,
    ) -> None:
        self._say = say
        self.costs = costs
        self.context_tokens = context_tokens
        self.prompts: list[Prompt] = []
        """All that were asked."""

    def count(self, prompt: Prompt) -> int:
        return self.costs.of_prompt(prompt)

    def stream(
        self, prompt: Prompt, *, max_answer_tokens: int, stop: threading.Event
    ) -> TextStream:
        return TextStream(self._pieces(prompt))

    def _pieces(self, prompt: Prompt) -> Generator[str, None, Ending]:
        self.prompts.append(prompt)
        for part in shown(prompt):
            images = [part.load()] if isinstance(part, PicturePart) else list(part.load())
            assert {image.size for image in images} == {(part.width_px, part.height_px)}
            assert isinstance(part, PicturePart) or len(images) == len(part.times)
        yield from self._say(prompt)
        return Ending("complete", prompt_tokens=self.count(prompt))


def shown(prompt: Prompt) -> list[ClipPart | PicturePart]:
    """The clips and pictures of a prompt."""
    return [part for turn in prompt.turns for part in turn.parts if not isinstance(part, TextPart)]


def words(prompt: Prompt) -> str:
    """The text of the turns of a prompt, pictures left out."""
    return "".join(
        part.text for turn in prompt.turns for part in turn.parts if isinstance(part, TextPart)
    )
