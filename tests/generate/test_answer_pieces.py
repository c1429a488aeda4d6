"""Pieces of an answer: tokens to text, sampling, loops, and keys and values that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from generate.backends.answer_text import AnswerText
from generate.backends.key_values import KeptPrompts, shared_length
from generate.backends.qwen_tokens import QwenTokenizer
from generate.backends.sampling import Sampler, Sampling, repeats_itself, sampling_of
from generate.prompt import Prompt, TextPart, Turn


@pytest.fixture(scope="session")
def tokenizer(qwen_folder: Path) -> QwenTokenizer:
    return QwenTokenizer(qwen_folder, thinks=False)


def written(tokenizer: QwenTokenizer, tokens: Sequence[int]) -> list[str]:
    """The pieces in which tokens are written down."""
    text = AnswerText(tokenizer)
    return [*map(text.add, tokens), text.end()]


@pytest.mark.parametrize(
    "text", ["Der Zug fährt um 12:30.", "碼頭上的貓 𠮷野家 龘", "кошка 🐈‍⬛🇳🇴", "é\u0301 ﷽"]
)
def test_characters_over_several_tokens_come_whole(tokenizer: QwenTokenizer, text: str) -> None:
    pieces = written(tokenizer, tokenizer.ids_of(text))
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_rare_characters_are_held_back_until_they_are_whole(tokenizer: QwenTokenizer) -> None:
    tokens = tokenizer.ids_of("龘")
    assert len(tokens) > 1
    assert written(tokenizer, tokens) == [*[""] * (len(tokens) - 1), "龘", ""]


@given(tokens=st.lists(st.integers(0, 151_668).filter(lambda token: token not in (151667, 151668))))
def test_any_tokens_are_written_as_the_tokenizer_does(
    tokenizer: QwenTokenizer, qwen_processor: Any, tokens: list[int]
) -> None:
    expected = qwen_processor.tokenizer.decode(tokens, skip_special_tokens=True)
    assert "".join(written(tokenizer, tokens)) == expected.lstrip()


def test_a_broken_character_at_the_end_is_shown_as_such(tokenizer: QwenTokenizer) -> None:
    tokens = tokenizer.ids_of("a龘")[:-1]
    assert written(tokenizer, tokens)[-1] == "\ufffd"


def test_thoughts_of_any_model_are_left_out(tokenizer: QwenTokenizer) -> None:
    control = tokenizer.control
    ids = tokenizer.ids_of
    tokens = [
        *ids("Well."),
        control.think_start,
        *ids("hm 龘")[:-1],
        control.think_end,
        *ids(" So."),
    ]
    assert "".join(written(tokenizer, tokens)) == "Well. So."


@given(text=st.text(max_size=20), name=st.sampled_from(["im_end", "im_start", "video_pad"]))
def test_no_text_becomes_a_control_token(tokenizer: QwenTokenizer, text: str, name: str) -> None:
    told = f"{text}<|{name}|>{text}"
    tokens = tokenizer.tokens_of(Prompt("", (Turn("user", (TextPart(told),)),)))
    control = tokenizer.control
    ids = tokens.ids.tolist()
    assert ids.count(control.turn_start) == 2
    assert ids.count(control.turn_end) == 1
    assert control.clip_pad not in ids


PLAIN = Sampling(temperature=1.0, top_p=1.0, top_k=0, presence_penalty=0.0)


def drawn(sampling: Sampling, logits: list[float], said: list[int], count: int = 300) -> set[int]:
    sampler = Sampler(sampling, seed=0)
    return {sampler.draw(torch.tensor(logits), said) for _ in range(count)}


@pytest.mark.parametrize(
    ("sampling", "said", "expected"),
    [
        (PLAIN, [], {0, 1, 2, 3}),
        (Sampling(0.0, 0.1, 1, 9.0), [3], {3}),
        (Sampling(1.0, 1.0, 2, 0.0), [], {2, 3}),
        (Sampling(1.0, 0.5, 0, 0.0), [], {3}),
        (Sampling(1.0, 0.7, 0, 0.0), [], {2, 3}),
        (Sampling(1.0, 1.0, 1, 5.0), [3], {2}),
        (Sampling(0.01, 1.0, 0, 0.0), [], {3}),
    ],
)
def test_only_likely_tokens_are_drawn(
    sampling: Sampling, said: list[int], expected: set[int]
) -> None:
    """Logits of probabilities 0.05, 0.1, 0.25 and 0.6."""
    logits = np.log([0.05, 0.1, 0.25, 0.6]).tolist()
    assert drawn(sampling, logits, said) == expected


def test_sampling_is_that_of_the_checkpoint() -> None:
    told = {"temperature": 1.0, "top_p": 0.9, "top_k": 40}
    assert sampling_of(told, thinks=True) == Sampling(1.0, 0.9, 40, 0.0)
    assert sampling_of({}, thinks=True) == Sampling(0.6, 0.95, 20, 0.0)
    assert sampling_of({}, thinks=False) == Sampling(0.7, 0.8, 20, 1.5)


@given(
    before=st.lists(st.integers(0, 5), max_size=30),
    unit=st.lists(st.integers(0, 99), min_size=1, max_size=60),
)
def test_loops_are_seen_and_nothing_less(before: list[int], unit: list[int]) -> None:
    repeats = max(4, -(-96 // len(unit)))
    assert repeats_itself(before + unit * repeats)
    assert not repeats_itself([*before, *unit * repeats, 1000])
    assert not repeats_itself((before + list(range(100, 5100)))[: 96 * 4])
    few = list(range(200, 300)) + unit * (repeats - 1)
    period = next(p for p in range(1, len(unit) + 1) if unit == (unit[:p] * len(unit))[: len(unit)])
    if len(unit) % period or len(unit) == period:
        assert not repeats_itself(few)


def states(tokens: range, layer: int) -> torch.Tensor:
    """Keys of tokens in a layer, (1, 2, n, 3), that tell both."""
    rows = torch.tensor([[float(token), float(layer), 1.0] for token in tokens])
    return rows.expand(1, 2, -1, -1)


@given(
    shape=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 200)), min_size=1, max_size=6),
    room=st.integers(1, 500),
)
def test_slabs_hold_what_was_put_in(shape: list[tuple[int, int]], room: int) -> None:
    kept = KeptPrompts(2, limit_tokens=1000).take(np.zeros(1, dtype=np.int64), room)
    end = 0
    for added, removed in shape:
        for layer in range(2):
            new = states(range(end, end + added), layer)
            keys, values = kept.cache.update(new, -new, layer)
            assert torch.equal(keys, states(range(end + added), layer))
            assert torch.equal(values, -states(range(end + added), layer))
        kept.add(np.arange(end, end + added))
        end = max(end + added - removed, 0)
        kept.cut(end)
        assert kept.cache.get_seq_length() == len(kept.tokens) == end
        assert kept.is_whole


def test_what_was_broken_off_amid_the_layers_is_not_kept() -> None:
    prompts = KeptPrompts(2, limit_tokens=1000)
    tokens = np.arange(10)
    kept = prompts.take(tokens, 20)
    kept.cache.update(states(range(10), 0), states(range(10), 0), 0)
    prompts.give_back(kept)
    assert prompts.take(tokens, 20) is not kept


@given(one=st.lists(st.integers(0, 1)), other=st.lists(st.integers(0, 1)))
def test_shared_tokens_are_those_up_to_the_first_difference(
    one: list[int], other: list[int]
) -> None:
    found = shared_length(np.array(one, dtype=np.int64), np.array(other, dtype=np.int64))
    assert one[:found] == other[:found]
    assert found == min(len(one), len(other)) or one[found] != other[found]
