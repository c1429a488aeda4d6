"""Loading a Qwen3-VL: formats of the released checkpoints, and errors that name the fix."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from generate.backends import open_backend
from generate.backends.qwen3_vl import Qwen3VLBackend
from generate.backends.qwen_loading import choose_attention, load_qwen3_vl, stretched
from generate.backends.qwen_vision import Preparation
from generate.backends.sampling import INSTRUCT_SAMPLING
from generate.settings import GenerateSettings, Qwen3VLSettings
from index.errors import BackendError, ModelMissingError, SecondsightError, SettingsError
from secondsight.doctor import Check, backend_check
from secondsight.settings import Settings
from tests.generate.ask_qwen import GREEDY, PROMPTS, said


@pytest.fixture
def folder(qwen_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be spoilt; its files are links."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in qwen_folder.iterdir():
        (copy / path.name).symlink_to(path)
    return copy


def change(folder: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a JSON file of a copy."""
    path = folder / name
    told = json.loads(path.read_text("utf-8"))
    edit(told)
    path.unlink()
    path.write_text(json.dumps(told), encoding="utf-8")


def settings_of(folder: Path) -> Qwen3VLSettings:
    return replace(GREEDY, model=str(folder), device="cpu")


def test_the_backend_opens_by_its_settings(qwen_folder: Path) -> None:
    settings = GenerateSettings(backend="qwen3-vl", qwen3_vl=settings_of(qwen_folder))
    backend = open_backend(settings)
    assert backend is not None
    assert (backend.name, backend.context_tokens) == ("qwen3-vl tiny", 262_144)
    assert "".join(backend.stream(PROMPTS["text"], max_answer_tokens=3, stop=threading.Event()))
    assert open_backend(GenerateSettings()) is None


def test_the_doctor_says_whether_it_loads(qwen_folder: Path, tmp_path: Path) -> None:
    def check(folder: Path) -> Check:
        generate = GenerateSettings(backend="qwen3-vl", qwen3_vl=settings_of(folder))
        (found,) = backend_check(Settings(generate=generate))
        return found

    assert check(qwen_folder) == Check("answers", True, "qwen3-vl tiny, up to 262,144 tokens")
    missing = check(tmp_path / "nowhere")
    assert (missing.ok, missing.found) == (False, "missing")
    assert "download the checkpoint" in missing.fix
    assert backend_check(Settings()) == []


def test_the_files_of_the_release_load_too(qwen_folder: Path, folder: Path) -> None:
    """The released checkpoints have a file for each processor, and the template as JSON."""
    told = json.loads((folder / "processor_config.json").read_text("utf-8"))
    (folder / "processor_config.json").unlink()
    files = {
        "image_processor": "preprocessor_config",
        "video_processor": "video_preprocessor_config",
    }
    for part, name in files.items():
        (folder / f"{name}.json").write_text(json.dumps(told[part]), encoding="utf-8")
    template = (folder / "chat_template.jinja").read_text("utf-8")
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    (folder / "generation_config.json").unlink()
    loaded = load_qwen3_vl(settings_of(folder))
    assert loaded.clips == loaded.pictures == Preparation((127.5,) * 3, (127.5,) * 3)
    assert loaded.sampling == INSTRUCT_SAMPLING
    assert loaded.tokenizer.control.turn_end in loaded.ends
    expected = said(
        Qwen3VLBackend(GREEDY, load_qwen3_vl(settings_of(qwen_folder))), PROMPTS["both"]
    )
    assert said(Qwen3VLBackend(GREEDY, loaded), PROMPTS["both"])[0] == expected[0]


def test_weights_are_computed_in_what_they_were_saved_in(folder: Path) -> None:
    change(folder, "config.json", lambda told: told.update(dtype="bfloat16"))
    loaded = load_qwen3_vl(settings_of(folder))
    assert loaded.model.dtype is torch.bfloat16
    assert said(Qwen3VLBackend(GREEDY, loaded), PROMPTS["both"])[1].answer_tokens == 20
    assert load_qwen3_vl(replace(settings_of(folder), dtype="float32")).model.dtype is torch.float32


def test_yarn_stretches_the_context(qwen_folder: Path) -> None:
    plain = load_qwen3_vl(settings_of(qwen_folder))
    loaded = load_qwen3_vl(replace(settings_of(qwen_folder), yarn_factor=3.0))
    assert loaded.num_positions == 3 * plain.num_positions == 786_432
    wide = replace(GREEDY, context_tokens=1_000_000, yarn_factor=3.0)
    assert Qwen3VLBackend(wide, loaded).context_tokens == 1_000_000
    without = replace(wide, yarn_factor=None)
    assert Qwen3VLBackend(without, plain).context_tokens == 262_144
    before, after = (one.model.model.language_model.rotary_emb for one in (plain, loaded))
    assert after.inv_freq[0] == before.inv_freq[0]
    assert after.inv_freq[-1] == pytest.approx(float(before.inv_freq[-1]) / 3)
    text = said(Qwen3VLBackend(wide, loaded), PROMPTS["both"])[0]
    assert text != said(Qwen3VLBackend(GREEDY, plain), PROMPTS["both"])[0]
    chunked = replace(wide, prefill_chunk_tokens=50)
    assert said(Qwen3VLBackend(chunked, loaded), PROMPTS["both"])[0] == text


def test_a_stretched_configuration_keeps_its_sections(qwen_folder: Path) -> None:
    load: Any = AutoConfig.from_pretrained
    config = load(qwen_folder)
    sections = config.get_text_config().rope_parameters["mrope_section"]
    stretched(config, 2.0)
    assert config.get_text_config().rope_parameters["mrope_section"] == sections


@pytest.mark.parametrize(
    ("wanted", "device", "dtype", "installed", "expected"),
    [
        (None, "cuda", "bfloat16", ["flash_attention_2", "flash_attention_3"], "flash_attention_3"),
        (None, "cuda:1", "float16", ["flash_attention_2"], "flash_attention_2"),
        (None, "cuda", "float32", ["flash_attention_2"], "sdpa"),
        (None, "cuda", "bfloat16", [], "sdpa"),
        (None, "cpu", "bfloat16", ["flash_attention_2"], "sdpa"),
        ("eager", "cuda", "bfloat16", ["flash_attention_2"], "eager"),
    ],
)
def test_attention_is_the_best_that_runs(
    wanted: str | None, device: str, dtype: str, installed: list[str], expected: str
) -> None:
    assert choose_attention(wanted, device=device, dtype=dtype, installed=installed) == expected


@pytest.mark.parametrize(
    ("device", "dtype", "message"),
    [
        ("cuda", "bfloat16", "flash_attention_2 is not installed; install flash-attn, or set"),
        ("cpu", "bfloat16", "on CUDA, not in bfloat16 on cpu; set .*attention: sdpa"),
        ("cuda", "float32", "not in float32 on cuda"),
    ],
)
def test_attention_that_does_not_run_is_an_error(device: str, dtype: str, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        choose_attention("flash_attention_2", device=device, dtype=dtype, installed=[])


def test_eager_attention_answers_the_same(qwen_folder: Path) -> None:
    texts = {
        said(
            Qwen3VLBackend(
                replace(GREEDY, prefill_chunk_tokens=64),
                load_qwen3_vl(replace(settings_of(qwen_folder), attention=attention)),
            ),
            PROMPTS["both"],
        )[0]
        for attention in ("sdpa", "eager")
    }
    assert len(texts) == 1


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"x" * 100)


def spoil_template(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    template = path.read_text("utf-8").replace("<|im_start|>", "<|other|>")
    path.unlink()
    path.write_text(template, encoding="utf-8")


def spoil_tokenizer(folder: Path) -> None:
    text = (folder / "tokenizer.json").read_text("utf-8").replace("<|video_pad|>", "<|other|>")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


def spoil_patches(folder: Path) -> None:
    change(
        folder, "processor_config.json", lambda told: told["image_processor"].update(patch_size=14)
    )


def quantised(method: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        quantisation = {"quant_method": method, "bits": 4, "group_size": 128}
        change(folder, "config.json", lambda told: told.update(quantization_config=quantisation))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "there is no folder"),
        (lambda folder: (folder / "config.json").unlink(), "holds neither"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), "does not load on cpu"),
        (spoil_weights, "does not load on cpu"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "has no chat template"),
        (spoil_template, "is not that of Qwen3-VL"),
        (spoil_tokenizer, "video_pad"),
        (spoil_patches, r"patches of \(14, 2, 2\) are not those of Qwen3-VL"),
        (quantised("awq"), "does not load on cpu .*install"),
        (quantised("compressed-tensors"), "does not load on cpu .*install"),
        (
            lambda folder: change(
                folder, "config.json", lambda told: told.update(model_type="llama")
            ),
            "a model of type 'llama'; .* takes a checkpoint of Qwen3-VL",
        ),
    ],
)
def test_what_does_not_load_is_named(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    with pytest.raises(SecondsightError, match=message) as raised:
        load_qwen3_vl(settings_of(folder))
    assert isinstance(raised.value, BackendError | ModelMissingError)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_missing_device_names_the_fix(qwen_folder: Path) -> None:
    with pytest.raises(BackendError, match="this machine has no CUDA; set device: cpu, or ask a"):
        load_qwen3_vl(replace(settings_of(qwen_folder), device="cuda:0"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GenerateSettings(backend="qwen3-vl"), r"generate\.qwen3_vl\.model: .* needs"),
        (
            lambda: Qwen3VLSettings(prefill_chunk_tokens=0),
            "prefill_chunk_tokens must be at least 1",
        ),
        (lambda: Qwen3VLSettings(yarn_factor=0.5), "yarn_factor must be at least 1"),
        (lambda: Qwen3VLSettings(kept_tokens=-1), "kept_tokens must not be negative"),
    ],
)
def test_impossible_settings_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make()
