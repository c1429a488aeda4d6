"""The backend qwen3-vl, from a prompt to text, with a tiny random model in the real format.

What is right is what transformers' own `generate` says to the real processor's inputs; every cache
and every way to read a prompt must give the same tokens.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generate.backends.qwen3_vl import Qwen3VLBackend
from generate.backends.qwen_loading import LoadedModel, load_qwen3_vl
from generate.prompt import Prompt, TextPart, Turn
from tests.generate.ask_qwen import (
    EVIDENCE,
    GREEDY,
    LENGTH,
    PROMPTS,
    asked,
    clip,
    picture,
    said,
)
from tests.generate.read_by_qwen import read_by_qwen
from tests.generate.tiny_qwen3_vl import write_tiny_qwen3_vl


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
    settings = replace(GREEDY, kept_tokens=0)
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
    settings = replace(GREEDY, kept_tokens=0, vision_cache_bytes=2 * one_picture_bytes)
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


@pytest.mark.parametrize(("kept_tokens", "expected"), [(0, 0), (400, 0), (1000, 2)])
def test_earlier_prompts_are_kept_while_there_is_room(
    tiny: LoadedModel, kept_tokens: int, expected: int
) -> None:
    """Each of the two takes 256 tokens of room."""
    backend = Qwen3VLBackend(replace(GREEDY, kept_tokens=kept_tokens), tiny)
    prompts = [PROMPTS["both"], PROMPTS["talk"]]
    for prompt in prompts:
        said(backend, prompt, max_answer_tokens=1)
    again = [said(backend, prompt, max_answer_tokens=1)[1] for prompt in prompts]
    assert [(one.reused_tokens or 0) > 50 for one in again].count(True) == expected


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
