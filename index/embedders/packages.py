"""Models that come inside Python packages: where they lie, and what to do when they do not."""

from __future__ import annotations

from importlib import metadata, util
from pathlib import Path

from index.errors import ModelMissingError


def installed_version(package: str) -> str:
    """Version of a package that carries a model. Raises ModelMissingError."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise missing_package(package, "it is not installed") from error


def package_folder(package: str, module: str) -> Path:
    """Where a package lies, without importing it. Raises ModelMissingError."""
    found = util.find_spec(module)
    if found is None or found.origin is None:
        raise missing_package(package, "it is not installed")
    return Path(found.origin).parent


def missing_package(package: str, reason: str) -> ModelMissingError:
    """The error that says how to get the package."""
    return ModelMissingError(
        f"the embedder needs the package {package}, but {reason}: "
        f"pip install --force-reinstall {package}"
    )
