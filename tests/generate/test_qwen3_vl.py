"""The backend qwen3-vl, from a prompt to text, with a tiny random model in the real format.

What is right is what transformers' own `generate` says to the real processor's inputs; every cache
and every way to read a prompt must give the same tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generate.backends import Ending
from generate.backends.qwen3_vl import Qwen3VLBackend
from generate.backends.qwen_loading import LoadedModel, load_qwen3_vl
from generate.prompt import ClipPart, Part, PicturePart, Prompt, TextPart, Turn
from generate.settings import Qwen3VLSettings
from index.errors import BackendError, PromptTooLongError
from tests.generate.read_by_qwen import read_by_qwen
from tests.generate.tiny_qwen3_vl import write_tiny_qwen3_vl

LENGTH = 20
GREEDY = Qwen3VLSettings(model="tiny", temperature=0.0, prefill_chunk_tokens=10_000)


@pytest.fixture(scope="session")
def tiny(qwen_folder: Path) -> LoadedModel:
    """The tiny Instruct model, loaded."""
    return load_qwen3_vl(Qwen3VLSettings(model=str(qwen_folder), device="cpu"))


@pytest.fixture(scope="session")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """The tiny Thinking model, loaded."""
    folder = write_tiny_qwen3_vl(tmp_path_factory.mktemp("qwen") / "thinking", kind="thinking")
    return load_qwen3_vl(Qwen3VLSettings(model=str(folder), device="cpu"))


def noise(height_px: int, width_px: int, seed: int) -> Image.Image:
    """A picture like no other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def clip(seed: int, *, frames: int = 5, start: int = 3605, content: str = "") -> ClipPart:
    """Frames of a clip at uneven times."""
    times = tuple(start + Fraction(533 * number + number % 2, 1000) for number in range(frames))
    pictures = [noise(64, 96, seed + number) for number in range(frames)]
    return ClipPart("E1", times, 64, 96, lambda: pictures, content)


def picture(seed: int, content: str = "") -> PicturePart:
    """A page."""
    return PicturePart("E2", 256, 288, lambda: noise(256, 288, seed), content)


def asked(*parts: Part | str, question: str = "When does it start?") -> Prompt:
    """A prompt with evidence."""
    shown = [TextPart(part) if isinstance(part, str) else part for part in (*parts, question)]
    return Prompt("Answer from the evidence.", (Turn("user", tuple(shown)),))


def said(
    backend: Qwen3VLBackend,
    prompt: Prompt,
    *,
    max_answer_tokens: int = LENGTH,
    stop: threading.Event | None = None,
) -> tuple[str, Ending]:
    """The whole answer and how it ended."""
    stream = backend.stream(
        prompt, max_answer_tokens=max_answer_tokens, stop=stop or threading.Event()
    )
    text = "".join(stream)
    assert stream.ending is not None
    return text, stream.ending


EVIDENCE = (
    "[E1] lecture 码头\n",
    clip(1),
    "\n[E2] slides.pdf page 7\n",
    picture(50),
    "\n",
    clip(9),
)
PROMPTS = {
    "text": asked("[E1] Nothing to see.\n"),
    "clip": asked("[E1]\n", clip(1), "\n"),
    "picture": asked("[E1]\n", picture(3), "\n"),
    "both": asked(*EVIDENCE),
    "talk": Prompt(
        "",
        (
            Turn("user", (picture(4), TextPart("What is it?"))),
            Turn("assistant", (TextPart("A pump [E1]."),)),
            Turn("user", (TextPart("And when?"),)),
        ),
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_answers_are_those_of_transformers(
    tiny: LoadedModel, qwen_processor: Any, name: str
) -> None:
    expected = _by_transformers(tiny.model, qwen_processor, PROMPTS[name])
    text, ending = said(Qwen3VLBackend(GREEDY, tiny), PROMPTS[name])
    assert text == expected
    assert (ending.reason, ending.answer_tokens) == ("length", LENGTH)


def test_experts_answer_as_transformers_does(tmp_path: Path, qwen_processor: Any) -> None:
    folder = write_tiny_qwen3_vl(tmp_path / "experts", kind="experts")
    loaded = load_qwen3_vl(replace(GREEDY, model=str(folder), device="cpu"))
    expected = _by_transformers(loaded.model, qwen_processor, PROMPTS["both"])
    chunked = replace(GREEDY, prefill_chunk_tokens=64)
    assert said(Qwen3VLBackend(chunked, loaded), PROMPTS["both"])[0] == expected


def _by_transformers(model: Any, processor: Any, prompt: Prompt) -> str:
    inputs = read_by_qwen(processor, prompt)
    found = model.generate(**inputs, do_sample=False, max_new_tokens=LENGTH)
    text: str = processor.decode(found[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return text.lstrip()


@pytest.mark.parametrize("name", PROMPTS)
def test_the_prompt_has_the_tokens_of_the_processor_and_of_the_ledger(
    tiny: LoadedModel, qwen_processor: Any, name: str
) -> None:
    inputs = read_by_qwen(qwen_processor, PROMPTS[name])
    tokens = tiny.tokenizer.tokens_of(PROMPTS[name])
    assert tokens.ids.tolist() == inputs["input_ids"][0].tolist()
    assert tokens.kinds.tolist() == inputs["mm_token_type_ids"][0].tolist()
    backend = Qwen3VLBackend(GREEDY, tiny)
    assert backend.count(PROMPTS[name]) == len(tokens.ids)
    assert said(backend, PROMPTS[name], max_answer_tokens=1)[1].prompt_tokens == len(tokens.ids)


@pytest.mark.parametrize("chunk_tokens", [1, 7, 100])
def test_reading_in_pieces_changes_nothing(tiny: LoadedModel, chunk_tokens: int) -> None:
    whole = said(Qwen3VLBackend(GREEDY, tiny), PROMPTS["both"])[0]
    settings = replace(GREEDY, prefill_chunk_tokens=chunk_tokens)
    assert said(Qwen3VLBackend(settings, tiny), PROMPTS["both"])[0] == whole


def test_what_was_seen_is_not_looked_at_again(tiny: LoadedModel) -> None:
    loads: list[str] = []
    shown = [_counted(clip(1), loads), "\n", _counted(picture(50), loads), "\n"]
    settings = replace(GREEDY, kept_prompts=0)
    backend = Qwen3VLBackend(settings, tiny)
    first = said(backend, asked("[E1]\n", *shown))[0]
    assert loads == ["E1", "E2"]
    other = said(backend, asked("Other words.\n", *shown))[0]
    assert said(backend, asked("[E1]\n", *shown))[0] == first
    assert loads == ["E1", "E2"]
    blind = Qwen3VLBackend(replace(settings, vision_cache_bytes=0), tiny)
    assert said(blind, asked("[E1]\n", *shown))[0] == first
    assert said(blind, asked("Other words.\n", *shown))[0] == other
    assert loads == ["E1", "E2"] * 3


def test_the_least_used_pictures_make_room(tiny: LoadedModel) -> None:
    loads: list[str] = []
    shown = [_counted(replace(picture(seed), evidence=f"E{seed}"), loads) for seed in range(3)]
    one_picture_bytes = 8 * 9 * 32 * 3 * 4
    settings = replace(GREEDY, kept_prompts=0, vision_cache_bytes=2 * one_picture_bytes)
    backend = Qwen3VLBackend(settings, tiny)
    for number in (0, 1, 0, 2, 0, 1):
        said(backend, asked(shown[number]), max_answer_tokens=1)
    assert loads == ["E0", "E1", "E2", "E1"]


def _counted(part: Any, loads: list[str]) -> Any:
    def load() -> Any:
        loads.append(part.evidence)
        return part.load()

    return replace(part, load=load, content=f"source {part.evidence}")


def test_a_further_question_begins_where_the_evidence_ends(tiny: LoadedModel) -> None:
    questions = ["When does it start?", "Who speaks?", "什么时候？", "When does it start?"]
    fresh = [
        said(Qwen3VLBackend(GREEDY, tiny), asked(*EVIDENCE, question=question))[0]
        for question in questions
    ]
    assert len(set(fresh)) == 3
    backend = Qwen3VLBackend(GREEDY, tiny)
    for number, question in enumerate(questions):
        text, ending = said(backend, asked(*EVIDENCE, question=question))
        assert text == fresh[number]
        assert ending.reused_tokens is not None
        assert ending.prompt_tokens is not None
        assert (ending.reused_tokens > ending.prompt_tokens - 15) == (number > 0)


def test_new_evidence_goes_behind_what_was_read(tiny: LoadedModel) -> None:
    longer = asked(*EVIDENCE, "\n[E3]\n", clip(70), "\n")
    fresh = said(Qwen3VLBackend(GREEDY, tiny), longer)[0]
    backend = Qwen3VLBackend(replace(GREEDY, prefill_chunk_tokens=50), tiny)
    said(backend, asked(*EVIDENCE))
    text, ending = said(backend, longer)
    assert text == fresh
    last_seen = tiny.tokenizer.tokens_of(asked(*EVIDENCE)).seen[-1]
    assert ending.reused_tokens == last_seen.places[-1] + 2


def test_a_conversation_goes_on_behind_its_answer(tiny: LoadedModel) -> None:
    backend = Qwen3VLBackend(GREEDY, tiny)
    first = asked(*EVIDENCE)
    answer = said(backend, first)[0]
    turns = (
        *first.turns,
        Turn("assistant", (TextPart(answer),)),
        Turn("user", (TextPart("And?"),)),
    )
    second = replace(first, turns=turns)
    text, ending = said(backend, second)
    assert text == said(Qwen3VLBackend(GREEDY, tiny), second)[0]
    assert ending.reused_tokens is not None
    assert ending.reused_tokens >= backend.count(first)


def test_other_pixels_are_other_evidence(tiny: LoadedModel) -> None:
    """Same words, times and sizes: only the pixels, or the source, tell them apart."""
    backend = Qwen3VLBackend(GREEDY, tiny)
    before = said(backend, asked("[E1]\n", clip(1)))[0]
    text, ending = said(backend, asked("[E1]\n", clip(2)))
    assert text != before
    assert text == said(Qwen3VLBackend(GREEDY, tiny), asked("[E1]\n", clip(2)))[0]
    assert ending.reused_tokens is not None
    assert ending.reused_tokens < 30


def test_stale_positions_of_the_model_change_nothing(tiny: LoadedModel) -> None:
    """transformers keeps `rope_deltas` on the model: those of whatever was read last."""
    whole = said(Qwen3VLBackend(GREEDY, tiny), PROMPTS["both"])[0]
    backend = Qwen3VLBackend(GREEDY, tiny)
    said(backend, PROMPTS["both"])
    said(Qwen3VLBackend(GREEDY, tiny), PROMPTS["clip"])
    tiny.model.model.rope_deltas = torch.tensor([[12345]])
    assert said(backend, PROMPTS["both"])[0] == whole
    tiny.model.model.rope_deltas = None


@pytest.mark.parametrize("kept_prompts", [0, 1, 2])
def test_kept_prompts_are_as_many_as_asked_for(tiny: LoadedModel, kept_prompts: int) -> None:
    backend = Qwen3VLBackend(replace(GREEDY, kept_prompts=kept_prompts), tiny)
    prompts = [PROMPTS["both"], PROMPTS["talk"]]
    for prompt in prompts:
        said(backend, prompt, max_answer_tokens=1)
    reused = [
        said(backend, prompt, max_answer_tokens=1)[1].reused_tokens or 0 for prompt in prompts
    ]
    assert [number > 50 for number in reused] == [kept_prompts == 2] * 2


def test_streams_of_threads_wait_for_each_other(tiny: LoadedModel) -> None:
    prompts = [PROMPTS["clip"], PROMPTS["both"], PROMPTS["picture"]]
    expected = [said(Qwen3VLBackend(GREEDY, tiny), prompt)[0] for prompt in prompts]
    backend = Qwen3VLBackend(GREEDY, tiny)
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=number: found.update({n: said(backend, prompts[n])[0]}))
        for number in range(len(prompts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [found[number] for number in range(len(prompts))] == expected


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

    def lm_head(self, _: torch.Tensor) -> torch.Tensor:
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
