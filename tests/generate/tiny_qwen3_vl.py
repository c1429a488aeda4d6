"""A tiny random Qwen3-VL with the real vocabulary, processor and chat templates.

It knows nothing and says nothing sensible, but its prompts have the very tokens of the large ones.
The vocabulary of 151,643 byte pairs is that of the package `dashscope`; the numbers of the
processor and of the special tokens are those of the released checkpoints.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import pre_tokenizers
from transformers import (
    Qwen2Tokenizer,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeForConditionalGeneration,
)

from tests.checkpoints import qwen_config, save_qwen_processor

Kind = Literal["instruct", "thinking", "experts"]

PICTURE_SIZE = {"shortest_edge": 65_536, "longest_edge": 16_777_216}
CLIP_SIZE = {"shortest_edge": 4_096, "longest_edge": 25_165_824}
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""Ids 151643 to 151656."""
PLAIN_TOKENS = (
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
"""Ids 151657 to 151668: one token each, but no control tokens."""
VOCABULARY_ROWS = 151_936
_SAMPLING = {
    "instruct": {"temperature": 0.7, "top_p": 0.8, "top_k": 20},
    "thinking": {"temperature": 1.0, "top_p": 0.95, "top_k": 20},
}
_TEMPLATE = """
{%- macro parts(content) -%}
    {%- if content is string -%}{{ content }}{%- else -%}
    {%- for part in content -%}
        {%- if part.type == 'image' or 'image' in part -%}
            <|vision_start|><|image_pad|><|vision_end|>
        {%- elif part.type == 'video' or 'video' in part -%}
            <|vision_start|><|video_pad|><|vision_end|>
        {%- elif 'text' in part -%}{{ part.text }}{%- endif -%}
    {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{%- for message in messages -%}
    {{- '<|im_start|>' + message.role + '\n' -}}
    {{- parts(message.content) -}}
    {{- '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\nTHINK' -}}{%- endif -%}
"""


def write_tiny_qwen3_vl(
    folder: Path, *, kind: Kind = "instruct", seed: int = 7, positions: int = 262_144
) -> Path:
    """Write a checkpoint folder: weights, tokenizer, processor, template, sampling (24 MB, 3 s)."""
    tokenizer = real_qwen_tokenizer()
    experts = kind == "experts"
    config = qwen_config(tokenizer, rows=VOCABULARY_ROWS, experts=experts, positions=positions)
    torch.manual_seed(seed)
    make: Any = Qwen3VLMoeForConditionalGeneration if experts else Qwen3VLForConditionalGeneration
    model = make(config)
    _speak_plainly(model)
    model.save_pretrained(folder)
    think = "<think>\\n" if kind == "thinking" else ""
    save_qwen_processor(
        folder,
        tokenizer,
        _TEMPLATE.replace("THINK", think),
        picture_size=PICTURE_SIZE,
        clip_size=CLIP_SIZE,
    )
    sampling = _SAMPLING["thinking" if kind == "thinking" else "instruct"]
    ends = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    generation = {"do_sample": True, "eos_token_id": ends, "pad_token_id": ends[1], **sampling}
    (folder / "generation_config.json").write_text(json.dumps(generation), encoding="utf-8")
    return folder


@functools.cache
def real_qwen_tokenizer() -> Any:
    """The tokenizer of Qwen3-VL, from the vocabulary of `dashscope` (2 s of one core)."""
    ranks = _byte_pairs()
    letters = _letters_of_bytes()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges: Any = [
        tuple("".join(letters[byte] for byte in half) for half in _halves(token, rank, ranks))
        for token, rank in ranks.items()
        if len(token) > 1
    ]
    vocabulary = {written[token]: rank for token, rank in ranks.items()}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges, model_max_length=262_144)
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL_TOKENS)})
    tokenizer.add_tokens(list(PLAIN_TOKENS))
    return tokenizer


def _byte_pairs() -> dict[bytes, int]:
    """Every token but the special ones, with its id, which is also its rank among merges."""
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    vocabulary = Path(spec.submodule_search_locations[0]) / "resources" / "qwen.tiktoken"
    pairs = (line.split() for line in vocabulary.read_bytes().splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _halves(token: bytes, rank: int, ranks: dict[bytes, int]) -> list[bytes]:
    """The two tokens whose merge makes this one: what merges of lower ranks leave of its bytes."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        merged = [ranks.get(parts[at] + parts[at + 1], rank) for at in range(len(parts) - 1)]
        at = merged.index(min(merged))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def _letters_of_bytes() -> dict[int, str]:
    """The printable letter by which byte-level tokenizers write each byte (GPT-2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown}
    letters |= {byte: chr(256 + number) for number, byte in enumerate(hidden)}
    assert set(letters.values()) == set(pre_tokenizers.ByteLevel.alphabet())
    return letters


def _speak_plainly(model: Any) -> None:
    """Let what was read decide what is said: freshly made models only repeat their last token."""
    with torch.no_grad():
        model.model.language_model.norm.weight.mul_(8)
        for name, weight in model.named_parameters():
            if "layers" in name and weight.dim() > 1:
                weight.mul_(12)
            if "q_norm" in name:
                weight.mul_(8)  # attend to few tokens, not to the mean of all
