"""How answers of the backend qwen3-vl end: complete, cut, stopped or told to; what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image

from generate.backends.qwen3_vl import END_OF_THOUGHTS, Qwen3VLBackend
from generate.backends.qwen_loading import LoadedModel
from generate.backends.qwen_reading import positions_of
from generate.settings import Qwen3VLSettings
from index.errors import BackendError, PromptTooLongError
from tests.generate.ask_qwen import (
    GREEDY,
    LENGTH,
    PROMPTS,
    asked,
    clip,
    noise,
    picture,
    said,
)


def test_it_stops_within_one_token(tiny: LoadedModel) -> None:
    stop = threading.Event()
    backend = Qwen3VLBackend(GREEDY, tiny)
    stream = backend.stream(PROMPTS["both"], max_answer_tokens=1000, stop=stop)
    pieces = [next(stream), next(stream)]
    stop.set()
    pieces += list(stream)
    assert stream.ending is not None
    assert (stream.ending.reason, len(pieces)) == ("stopped", 2)
    whole, ending = said(backend, PROMPTS["both"])
    assert whole.startswith("".join(pieces))
    assert ending.reused_tokens == (ending.prompt_tokens or 0) - 1


def test_it_stops_while_it_reads(tiny: LoadedModel) -> None:
    stop = threading.Event()

    def load() -> Sequence[Image.Image]:
        stop.set()
        return clip(9).load()

    second = replace(clip(9), load=load, content="stops")
    prompt = asked("[E1]\n", replace(clip(1), content="a"), "\n", second, "\n", picture(3, "b"))
    backend = Qwen3VLBackend(replace(GREEDY, prefill_chunk_tokens=8), tiny)
    text, ending = said(backend, prompt, stop=stop)
    assert (text, ending.reason, ending.answer_tokens) == ("", "stopped", 0)
    text, ending = said(backend, prompt)
    assert text == said(Qwen3VLBackend(GREEDY, tiny), prompt)[0]
    assert ending.reused_tokens is not None
    assert ending.reused_tokens > 20


def test_it_stops_while_it_waits(tiny: LoadedModel) -> None:
    backend = Qwen3VLBackend(GREEDY, tiny)
    first = backend.stream(PROMPTS["clip"], max_answer_tokens=1000, stop=threading.Event())
    next(first)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    assert said(backend, PROMPTS["text"], stop=stop)[1].reason == "stopped"
    first.close()
    assert said(backend, PROMPTS["text"])[1].reason == "length"


def test_pieces_come_one_by_one(tiny: LoadedModel) -> None:
    backend = Qwen3VLBackend(GREEDY, tiny)
    stream = backend.stream(PROMPTS["both"], max_answer_tokens=LENGTH, stop=threading.Event())
    pieces = list(stream)
    assert len(pieces) > LENGTH // 2
    assert "".join(pieces) == said(backend, PROMPTS["both"])[0]
    assert stream.ending is not None
    assert stream.ending.first_token_ms is not None


def test_the_same_seed_draws_the_same_answer(tiny: LoadedModel) -> None:
    settings = Qwen3VLSettings(model="tiny", temperature=5.0)
    texts = [
        said(Qwen3VLBackend(replace(settings, seed=seed), tiny), PROMPTS["text"])[0]
        for seed in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_a_loop_is_cut_with_a_note(tiny: LoadedModel) -> None:
    backend = Qwen3VLBackend(GREEDY, _which_says(tiny, lambda said: 9707 + len(said) % 3))
    text, ending = said(backend, PROMPTS["text"], max_answer_tokens=1000)
    assert ending.reason == "repeated"
    assert ending.note == "the answer was cut: the model repeated itself"
    assert 96 <= (ending.answer_tokens or 0) <= 128
    assert text.startswith(tiny.tokenizer.bytes_of(9707).decode())


def test_thoughts_are_left_out(thinking: LoadedModel) -> None:
    end = thinking.tokenizer.control.think_end
    answer = [*thinking.tokenizer.ids_of("\n\n码头 at 12:30 [E1].")]
    script = [*thinking.tokenizer.ids_of("Hm, <tool_call> 想"), end, *answer]
    loaded = _which_says(thinking, lambda said: [*script, *loaded.ends][len(said)])
    text, ending = said(Qwen3VLBackend(GREEDY, loaded), PROMPTS["both"])
    assert (text, ending.reason) == ("码头 at 12:30 [E1].", "complete")
    assert ending.answer_tokens == len(script)


@pytest.mark.parametrize(("how", "thought_tokens"), [("endless", 150), ("loop", 96), ("silent", 1)])
def test_thoughts_have_a_budget(thinking: LoadedModel, how: str, thought_tokens: int) -> None:
    """A model that thinks on and on, or ends without an answer, is told to answer now."""
    control = thinking.tokenizer.control
    hello = thinking.tokenizer.ids_of("Hello")[0]

    def say(said: list[int]) -> int:
        if control.think_end in said:
            behind = len(said) - said.index(control.think_end)
            return hello if behind < 4 else control.turn_end
        return {"endless": 1000 + len(said) ** 2, "loop": hello}.get(
            how, control.turn_end if said else hello
        )

    settings = replace(GREEDY, max_thought_tokens=150)
    text, ending = said(Qwen3VLBackend(settings, _which_says(thinking, say)), PROMPTS["text"])
    assert (text, ending.reason) == ("HelloHello", "complete")
    assert thought_tokens + 20 <= (ending.answer_tokens or 0) < thought_tokens + 45


def test_thinking_models_are_recognised(thinking: LoadedModel, tiny: LoadedModel) -> None:
    assert (thinking.tokenizer.thinks, tiny.tokenizer.thinks) == (True, False)
    assert (thinking.sampling.temperature, thinking.sampling.presence_penalty) == (1.0, 0.0)
    assert (tiny.sampling.temperature, tiny.sampling.presence_penalty) == (0.7, 1.5)
    backend = Qwen3VLBackend(GREEDY, thinking)
    assert backend.count(PROMPTS["both"]) == len(thinking.tokenizer.tokens_of(PROMPTS["both"]).ids)
    assert backend.count(PROMPTS["both"]) == Qwen3VLBackend(GREEDY, tiny).count(PROMPTS["both"]) + 2


def _which_says(loaded: LoadedModel, say: Callable[[list[int]], int]) -> LoadedModel:
    """The model with a mouth that says what is told, by what was said before."""
    return replace(loaded, model=_Told(loaded, say))


class _Told:
    """A model whose next token is told by the tokens of the answer so far."""

    def __init__(self, loaded: LoadedModel, say: Callable[[list[int]], int]) -> None:
        self._loaded = loaded
        self._say = say
        self._read: list[int] = []

    def get_input_embeddings(self) -> Callable[[torch.Tensor], torch.Tensor]:
        embed: Any = self._loaded.model.get_input_embeddings()

        def read(ids: torch.Tensor) -> torch.Tensor:
            self._read += ids[0].tolist()
            embedded: torch.Tensor = embed(ids)
            return embedded

        return read

    def lm_head(self, hidden: torch.Tensor) -> torch.Tensor:
        assert hidden.shape == (32,)  # of one token: those of a long prompt fill the memory
        tokenizer = self._loaded.tokenizer
        starts = [
            at for at, token in enumerate(self._read) if token == tokenizer.control.turn_start
        ]
        opening = len(tokenizer.ids_of(tokenizer.answer_opening))
        logits = torch.zeros(self._loaded.model.config.get_text_config().vocab_size)
        logits[self._say(self._read[starts[-1] + 1 + opening :])] = 1.0
        return logits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loaded.model, name)


def test_a_prompt_beyond_the_context_is_refused(tiny: LoadedModel) -> None:
    length = Qwen3VLBackend(GREEDY, tiny).count(PROMPTS["both"])
    tight = Qwen3VLBackend(replace(GREEDY, context_tokens=length + LENGTH), tiny)
    with pytest.raises(
        PromptTooLongError, match=r"raise generate\.qwen3_vl\.context_tokens"
    ) as raised:
        said(tight, PROMPTS["both"])
    assert raised.value.limit_tokens == length + LENGTH


def test_clips_have_fewer_positions_than_tokens(tiny: LoadedModel) -> None:
    tokens = tiny.tokenizer.tokens_of(PROMPTS["both"])
    positions, delta = positions_of(tiny.model, tokens)
    assert tokens.num_positions == int(positions.max()) + 1 == len(tokens.ids) + delta
    assert tokens.num_positions < len(tokens.ids) - 50
    behind = LENGTH + len(tiny.tokenizer.ids_of(END_OF_THOUGHTS))
    settings = replace(GREEDY, yarn_factor=2.0)
    fits = replace(tiny, num_positions=tokens.num_positions + behind)
    assert said(Qwen3VLBackend(settings, fits), PROMPTS["both"])[1].reason == "length"
    tight = replace(tiny, num_positions=tokens.num_positions + behind - 1)
    with pytest.raises(PromptTooLongError):
        said(Qwen3VLBackend(settings, tight), PROMPTS["both"])


def test_pictures_that_are_not_what_was_said_are_refused(tiny: LoadedModel) -> None:
    backend = Qwen3VLBackend(GREEDY, tiny)
    short = replace(clip(1), load=lambda: [noise(64, 96, 1)], content="a")
    with pytest.raises(
        BackendError, match="E1 was to have 5 pictures of 96 x 64 px, loaded were 1"
    ):
        said(backend, asked(short))
    small = replace(picture(1), load=lambda: noise(64, 96, 1), content="b")
    with pytest.raises(BackendError, match="E2 was to have 1 pictures of 288 x 256 px"):
        said(backend, asked(small))
    assert said(backend, PROMPTS["text"])[1].reason == "length"


def test_too_little_memory_is_told_and_given_back(tiny: LoadedModel) -> None:
    is_full = [True]

    def say(said: list[int]) -> int:
        if is_full[0] and len(said) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 9707 if len(said) < 5 else tiny.tokenizer.control.turn_end

    backend = Qwen3VLBackend(GREEDY, _which_says(tiny, say))
    with pytest.raises(BackendError, match=r"cpu has too little memory for a prompt of .* tokens"):
        said(backend, PROMPTS["clip"])
    is_full[0] = False
    text, ending = said(backend, PROMPTS["clip"])
    assert (text, ending.reused_tokens) == ("Hello" * 5, 0)
