"""Tiny checkpoints with random weights, in the very formats of the large ones.

They know nothing; what is tested with them is that the real loading code reads the real formats.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
)

TEXTS = [
    "a photo of a cat on the old pier, yes or no",
    "when does the ferry leave? the pump is switched off at 12:30",
    "кошка на пристани 码头上的猫",
]
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 16,
}
TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_PARTS = """
{%- macro parts(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}
{%- for part in content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'video' -%}<|vision_start|><|video_pad|><|vision_end|>
{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
"""
EMBEDDING_TEMPLATE = (
    _PARTS
    + """
{%- for message in messages -%}
<|im_start|>{{ message.role }}\n{{ parts(message.content) }}<|im_end|>\n
{%- endfor -%}
<|im_start|>assistant\n
"""
)
RERANKER_TEMPLATE = (
    _PARTS
    + """
{%- set told = messages | selectattr('role', 'eq', 'system') | list -%}
<|im_start|>system\nJudge whether the Document meets the requirements.<|im_end|>\n
{{- '<|im_start|>user\n<Instruct>: ' }}{{ parts(told[0].content) if told else 'Find it.' -}}
{%- for message in messages if message.role in ('query', 'document') -%}
{{ '<Query>:' if message.role == 'query' else '\n<Document>:' }}{{ parts(message.content) }}
{%- endfor -%}
<|im_end|>\n<|im_start|>assistant\n
"""
)


def write_clip(folder: Path) -> Path:
    """CLIP, 12 dims, as transformers saves it."""
    torch.manual_seed(1)
    tokenizer: Any = _byte_tokenizer(["<|startoftext|>", "<|endoftext|>"])
    start, end = tokenizer.convert_tokens_to_ids(["<|startoftext|>", "<|endoftext|>"])
    ids = {"bos_token_id": start, "eos_token_id": end, "pad_token_id": end}
    text = {**TEXT, **ids, "vocab_size": len(tokenizer), "max_position_embeddings": 24}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=12))
    pictures = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    model.save_pretrained(folder)
    _save(folder, CLIPProcessor, image_processor=pictures, tokenizer=tokenizer)
    return folder


def write_siglip(folder: Path) -> Path:
    """SigLIP 2 of a fixed resolution, which keeps the format of SigLIP: 16 dims."""
    torch.manual_seed(2)
    tokenizer: Any = _byte_tokenizer(["<eos>", "<pad>"])
    tokenizer.pad_token, tokenizer.eos_token = "<pad>", "<eos>"
    text = {**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": 24}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=VISION))
    model.save_pretrained(folder)
    pictures = SiglipImageProcessor(size={"height": 32, "width": 32})
    _save(folder, SiglipProcessor, image_processor=pictures, tokenizer=tokenizer)
    return folder


def write_qwen_embedding(folder: Path) -> Path:
    """Qwen3-VL-Embedding for sentence-transformers: 32 dims, last token, normalised."""
    plain = _write_qwen(folder.with_name(folder.name + "-plain"), EMBEDDING_TEMPLATE)
    transformer = Transformer(str(plain), transformer_task="feature-extraction")
    modules = [transformer, Pooling(32, "lasttoken"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


def write_qwen_reranker(folder: Path) -> Path:
    """Qwen3-VL-Reranker for sentence-transformers: any-to-any, then the log-odds of "yes"."""
    plain = _write_qwen(folder.with_name(folder.name + "-plain"), RERANKER_TEMPLATE)
    transformer = Transformer(str(plain), transformer_task="any-to-any")
    tokenizer: Any = transformer.tokenizer
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    modules = [transformer, LogitScore(true_token_id=yes, false_token_id=no)]
    CrossEncoder(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


def _write_qwen(folder: Path, template: str) -> Path:
    torch.manual_seed(3)
    few = {"shortest_edge": 4096, "longest_edge": 64 * 64}
    clips = {"shortest_edge": 4096, "longest_edge": 8 * 64 * 64}
    tokenizer = _qwen_tokenizer()
    Qwen3VLForConditionalGeneration(qwen_config(tokenizer)).save_pretrained(folder)
    save_qwen_processor(folder, tokenizer, template, picture_size=few, clip_size=clips)
    return folder


def qwen_config(
    tokenizer: Any, *, rows: int | None = None, experts: bool = False, positions: int = 4096
) -> Any:
    """A Qwen3-VL of a few thousand parameters beside its vocabulary of `rows` tokens."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    text: dict[str, Any] = {
        "vocab_size": rows or len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": positions,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000,
            "mrope_section": [4, 2, 2],
            "mrope_interleaved": True,
        },
    }
    if experts:
        text |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    make: Any = Qwen3VLMoeConfig if experts else Qwen3VLConfig
    return make(
        text_config=text,
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0, 1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def save_qwen_processor(
    folder: Path,
    tokenizer: Any,
    template: str,
    *,
    picture_size: dict[str, int],
    clip_size: dict[str, int],
) -> None:
    """The processor of Qwen3-VL with limits of size, in pixels of a picture and of a whole clip."""
    sees: dict[str, Any] = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    sees |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    _save(
        folder,
        Qwen3VLProcessor,
        image_processor=Qwen2VLImageProcessor(size=picture_size, **sees),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(size=clip_size, **sees),
        chat_template=template,
    )


def _save(folder: Path, processor: Any, **parts: object) -> None:
    processor(**parts).save_pretrained(folder)


def _qwen_tokenizer() -> Any:
    trained = _trained([])
    state = json.loads(trained.to_str())["model"]
    merges: Any = [tuple(pair) if isinstance(pair, list) else pair for pair in state["merges"]]
    tokenizer = Qwen2Tokenizer(vocab=state["vocab"], merges=merges)
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    tokenizer.add_tokens(["yes", "no"])
    return tokenizer


def _byte_tokenizer(special: list[str]) -> Any:
    trained = _trained(special)
    last = special[-1] if special[0].startswith("<|") else special[0]
    first = special[0] if special[0].startswith("<|") else None
    single = f"{first} $A {last}" if first else f"$A {last}"
    ids = [(token, trained.token_to_id(token)) for token in special]
    trained.post_processor = processors.TemplateProcessing(single=single, special_tokens=ids)
    wrap: Any = PreTrainedTokenizerFast
    return wrap(tokenizer_object=trained, bos_token=first, eos_token=last, pad_token=last)


def _trained(special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer
