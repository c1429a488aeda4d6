"""Checkpoints on disk: where they lie, what tells them apart, and loading them in silence.

What a checkpoint is does not depend on where it came from: a folder and the hub's copy of the same
files are one. Importing this imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import ModelMissingError

WHOLE_UP_TO_BYTES = 32 * 1024**2
"""Larger files are known by their size and by samples."""
SAMPLES = 64
SAMPLE_BYTES = 16 * 1024
LOADING_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError)
_NOT_THE_MODEL = ("onnx/*", "openvino/*", "*.md", "*.h5", "*.msgpack", "*.ot", "*.gguf", ".*")


def checkpoint_folder(model: str, revision: str | None) -> Path:
    """The folder of a checkpoint: `model` itself, or the copy of that hub name, got when needed.

    Raises ModelMissingError when it is neither.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
            raise ModelMissingError(
                f"{model} is no checkpoint: it holds neither modules.json nor config.json; "
                "name the folder that does"
            )
        return folder
    if folder.is_absolute() or model.startswith(("~", ".")):
        raise ModelMissingError(f"there is no folder {model}; download the checkpoint into it")
    return _hub_folder(model, revision)


def _hub_folder(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def get(*, local_files_only: bool) -> Path:
        return Path(
            snapshot_download(
                model,
                revision=revision,
                ignore_patterns=list(_NOT_THE_MODEL),
                local_files_only=local_files_only,
            )
        )

    try:
        return get(local_files_only=True)
    except LocalEntryNotFoundError:
        pass  # not yet here
    except HFValidationError as error:
        raise _unreachable(model, error) from error
    try:
        return get(local_files_only=False)
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise _unreachable(model, error) from error


def _unreachable(model: str, error: Exception) -> ModelMissingError:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelMissingError(
        f"the model {model!r} is not on this machine and cannot be fetched ({first_line}); "
        f"download it elsewhere (hf download {model} --local-dir FOLDER) and give the folder"
    )


def fingerprint(folder: Path) -> str:
    """16 hex digits that change with the content of a checkpoint (milliseconds for gigabytes).

    Small files count whole, large ones by their size and 64 samples: training changes all weights.
    """
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if any(name.match(pattern) for pattern in _NOT_THE_MODEL) or _is_hidden(name):
            continue
        size = path.stat().st_size
        total.update(f"{name.as_posix()} {size}\n".encode())
        for piece in _told_by(path, size):
            total.update(piece)
    return total.hexdigest()[:16]


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") or part in ("onnx", "openvino") for part in name.parts)


def _told_by(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if size <= WHOLE_UP_TO_BYTES:
            yield file.read()
            return
        for sample in range(SAMPLES):
            file.seek((size - SAMPLE_BYTES) * sample // (SAMPLES - 1))
            yield file.read(SAMPLE_BYTES)


def read_json(path: Path) -> Any:
    """What a file of a checkpoint says. Raises ModelMissingError when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMissingError(
            f"{path} cannot be read ({error}); download the checkpoint again"
        ) from error


def model_config(folder: Path) -> dict[str, Any]:
    """The transformer's configuration, which checkpoints of modules keep with the first one."""
    modules = folder / "modules.json"
    if modules.is_file() and not (folder / "config.json").is_file():
        folder = folder / str(read_json(modules)[0]["path"])
    config: dict[str, Any] = read_json(folder / "config.json")
    return config


def full_dims(folder: Path) -> int:
    """How many components the vectors of a checkpoint have. Raises ModelMissingError."""
    modules = folder / "modules.json"
    for module in reversed(read_json(modules) if modules.is_file() else []):
        if module["type"].endswith("Dense"):
            return int(read_json(folder / module["path"] / "config.json")["out_features"])
    config = model_config(folder)
    text = config.get("text_config") or {}
    for known in (
        config.get("projection_dim"),
        text.get("projection_size"),
        text.get("hidden_size"),
        config.get("hidden_size"),
    ):
        if isinstance(known, int):
            return known
    raise ModelMissingError(f"{folder} does not say how many dims its vectors have")


def load_sentence_transformer(
    folder: Path, *, device: str, threads: int, dtype: str | None = None
) -> Any:
    """A SentenceTransformer from a folder, without a word and without the network.

    Raises ModelMissingError when the folder does not hold one that loads there.
    """
    from sentence_transformers import SentenceTransformer

    return load_quietly(SentenceTransformer, folder, device=device, threads=threads, dtype=dtype)


def load_quietly(
    make: Callable[..., Any], folder: Path, *, device: str, threads: int, dtype: str | None
) -> Any:
    """A model of sentence-transformers made by its class; see `load_sentence_transformer`."""
    import torch
    from safetensors import SafetensorError

    if device == "cpu":
        torch.set_num_threads(threads)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelMissingError(
            f"the device of the model is {device}, but this machine has no CUDA; set device: cpu"
        )
    of_model = None if dtype is None else {"dtype": dtype}
    with without_progress_bars():
        try:
            return make(str(folder), device=device, local_files_only=True, model_kwargs=of_model)
        except (*LOADING_ERRORS, SafetensorError) as error:
            message = (
                f"the checkpoint {folder} cannot be loaded ({error}); name one that "
                "sentence-transformers loads"
            )
            raise ModelMissingError(" ".join(message.split())) from error


@contextmanager
def without_progress_bars() -> Iterator[None]:
    import transformers.utils.logging

    bars: Any = transformers.utils.logging
    had_bars = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if had_bars:
            bars.enable_progress_bar()
