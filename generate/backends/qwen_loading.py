"""Loads a Qwen3-VL from its folder: any size, quantised or not, on the device that is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from generate.backends.qwen_tokens import QwenTokenizer
from generate.backends.qwen_vision import Preparation
from generate.backends.sampling import Sampling, sampling_of
from index.embedders.loading import (
    LOADING_ERRORS,
    checkpoint_folder,
    read_json,
    without_progress_bars,
)
from index.errors import BackendError

if TYPE_CHECKING:
    from generate.settings import Qwen3VLSettings

MODEL_TYPES = ("qwen3_vl", "qwen3_vl_moe")
FLASH_ATTENTIONS = ("flash_attention_3", "flash_attention_2")
"""Best first. They compute in half precision on CUDA only."""
_PATCH = (16, 2, 2)
"""Pixels of a patch's side, patches of a token's side, frames of a patch."""
_THOUGHT_OPENING = "<think>\n"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checkpoint that is ready to answer."""

    name: str
    model: Any
    """Qwen3VLForConditionalGeneration or its twin with experts, in evaluation mode."""
    tokenizer: QwenTokenizer
    pictures: Preparation
    clips: Preparation
    """What the checkpoint's own processors do with pixels."""
    sampling: Sampling
    """As its authors say."""
    ends: frozenset[int]
    """Tokens that end an answer."""
    num_positions: int
    """Positions it was trained for, or stretched to; clips have fewer of them than tokens."""


def load_qwen3_vl(settings: Qwen3VLSettings) -> LoadedModel:
    """Load what `settings` name.

    Raises ModelMissingError when the checkpoint is not on this machine and cannot be fetched, and
    BackendError when it is no Qwen3-VL, or does not load on the device.
    """
    assert settings.model is not None
    folder = checkpoint_folder(settings.model, settings.revision)
    told = read_json(folder / "config.json")
    if told.get("model_type") not in MODEL_TYPES:
        raise BackendError(
            f"{folder} is a model of type {told.get('model_type')!r}; generate.qwen3_vl.model "
            "takes a checkpoint of Qwen3-VL, Instruct or Thinking"
        )
    device = _device(settings.device)
    generation_file = folder / "generation_config.json"
    generation: dict[str, Any] = read_json(generation_file) if generation_file.is_file() else {}
    thinks = _thinks(folder)
    tokenizer = QwenTokenizer(folder, thinks=thinks)
    with without_progress_bars():
        try:
            pictures, clips = (_preparation(make.from_pretrained(folder)) for make in _processors())
            model = _model(folder, device, settings)
        except (*LOADING_ERRORS, SafetensorError) as error:
            message = (
                f"the checkpoint {folder} does not load on {device} ({error}); install what it "
                "names, download it again, or take another checkpoint or device"
            )
            raise BackendError(" ".join(message.split())) from error
    return LoadedModel(
        name=Path(settings.model).name,
        model=model,
        tokenizer=tokenizer,
        pictures=pictures,
        clips=clips,
        sampling=sampling_of(generation, thinks=thinks),
        ends=_ends(generation, tokenizer),
        num_positions=model.config.get_text_config().max_position_embeddings,
    )


def choose_attention(
    wanted: str | None, *, device: str, dtype: str, installed: Collection[str]
) -> str:
    """The implementation of attention: the wanted one, or the first that runs there.

    `installed` are those of FLASH_ATTENTIONS whose packages are here. Raises BackendError.
    """
    runs_flash = device.startswith("cuda") and dtype in ("bfloat16", "float16")
    if wanted in FLASH_ATTENTIONS:
        if not runs_flash:
            raise BackendError(
                f"{wanted} computes in bfloat16 or float16 on CUDA, not in {dtype} on {device}; "
                "set generate.qwen3_vl.attention: sdpa"
            )
        if wanted not in installed:
            package = "flash-attn-3" if wanted == "flash_attention_3" else "flash-attn"
            raise BackendError(
                f"{wanted} is not installed; install {package}, or set "
                "generate.qwen3_vl.attention: sdpa"
            )
    if wanted is not None:
        return wanted
    found = [one for one in FLASH_ATTENTIONS if one in installed and runs_flash]
    return found[0] if found else "sdpa"


def stretched(config: Any, factor: float) -> None:
    """Stretch the context of a configuration with YaRN (Peng et al. 2023), as Qwen's team does."""
    text = config.get_text_config()
    trained = text.max_position_embeddings
    text.rope_parameters = {
        **text.rope_parameters,
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": trained,
    }
    text.max_position_embeddings = int(trained * factor)


def _model(folder: Path, device: str, settings: Qwen3VLSettings) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText
    from transformers.utils.import_utils import is_accelerate_available

    from generate.backends.qwen_attention import SDPA_IN_PIECES, register

    if device == "cpu":
        torch.set_num_threads(settings.threads)
    config: Any = AutoConfig.from_pretrained(folder)
    if settings.yarn_factor is not None and settings.yarn_factor > 1:
        stretched(config, settings.yarn_factor)
    dtype = settings.dtype or str(config.dtype or "float32").removeprefix("torch.")
    attention = choose_attention(
        settings.attention, device=device, dtype=dtype, installed=_installed_attentions()
    )
    if attention == "sdpa":
        register()
        attention = SDPA_IN_PIECES
    # Quantised weights are read where they compute; with accelerate, others are too.
    is_quantised = getattr(config, "quantization_config", None) is not None
    on_device = is_quantised or is_accelerate_available()
    make: Any = AutoModelForImageTextToText
    model = make.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        attn_implementation=attention,
        local_files_only=True,
        device_map=device if on_device else None,
    )
    return (model if on_device else model.to(device)).eval()


def _installed_attentions() -> list[str]:
    from transformers.utils.import_utils import (
        is_flash_attn_2_available,
        is_flash_attn_3_available,
    )

    here = (is_flash_attn_3_available(), is_flash_attn_2_available())
    return [name for name, is_here in zip(FLASH_ATTENTIONS, here, strict=True) if is_here]


def _processors() -> tuple[Any, Any]:
    """Classes that read the processors of pictures and of clips."""
    from transformers import AutoImageProcessor, AutoVideoProcessor

    return AutoImageProcessor, AutoVideoProcessor


def _preparation(processor: Any) -> Preparation:
    """What a processor does with pixels; `processor` is read from the checkpoint.

    Never built bare: the classes' own defaults are not those of Qwen3-VL. Raises BackendError when
    its patches are others.
    """
    patch = (processor.patch_size, processor.merge_size, processor.temporal_patch_size)
    if patch != _PATCH:
        raise BackendError(
            f"patches of {patch} are not those of Qwen3-VL {_PATCH}; take a released checkpoint"
        )
    scale = 1.0 / processor.rescale_factor
    return Preparation(
        mean=tuple(scale * part for part in processor.image_mean),
        deviation=tuple(scale * part for part in processor.image_std),
    )


def _device(wanted: str | None) -> str:
    import torch

    has_cuda = torch.cuda.is_available()
    if wanted is not None and wanted.startswith("cuda") and not has_cuda:
        raise BackendError(
            f"generate.qwen3_vl.device is {wanted}, but this machine has no CUDA; set device: cpu, "
            "or ask a server with the backend openai"
        )
    return wanted or ("cuda" if has_cuda else "cpu")


def _thinks(folder: Path) -> bool:
    """Whether the chat template opens an answer with a thought; it must be that of Qwen3-VL."""
    from transformers.utils.chat_template_utils import render_jinja_template

    asked = [(role, [{"type": "text", "text": role}]) for role in ("system", "user")]
    messages = [{"role": role, "content": content} for role, content in asked]
    render: Any = render_jinja_template
    rendered, _ = render([messages], chat_template=_template(folder), add_generation_prompt=True)
    turns = "".join(f"<|im_start|>{role}\n{role}<|im_end|>\n" for role, _ in asked)
    usual = f"{turns}<|im_start|>assistant\n"
    if rendered[0] not in (usual, usual + _THOUGHT_OPENING):
        raise BackendError(
            f"the chat template of {folder} is not that of Qwen3-VL; take the one of its authors"
        )
    return bool(rendered[0] != usual)


def _template(folder: Path) -> str:
    """The chat template, which versions of transformers put into different files."""
    template = folder / "chat_template.jinja"
    if template.is_file():
        return template.read_text(encoding="utf-8")
    for name in ("chat_template.json", "tokenizer_config.json"):
        path = folder / name
        told = read_json(path).get("chat_template") if path.is_file() else None
        if told:
            return str(told)
    raise BackendError(
        f"{folder} has no chat template; download its chat_template.json (or .jinja) too"
    )


def _ends(generation: Mapping[str, Any], tokenizer: QwenTokenizer) -> frozenset[int]:
    told = generation.get("eos_token_id")
    ends = told if isinstance(told, list) else [] if told is None else [told]
    return frozenset([*ends, tokenizer.control.turn_end, tokenizer.control.text_end])
