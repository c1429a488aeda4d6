"""`secondsight upgrade`: a library of an older format becomes one of this format."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from index.upgrade import upgrade_library
from secondsight.options import DEFAULT_LIBRARY, DebugOption, LibraryOption


def upgrade(library: LibraryOption = DEFAULT_LIBRARY, debug: DebugOption = False) -> None:
    """Bring a library made by an older Secondsight to the present format; searches it as before.

    What is done stays done when it is interrupted; run it again to go on.
    """
    progress = Console(stderr=True)

    def tell(done: int, total: int) -> None:
        if progress.is_terminal:
            progress.print(f"{done} of {total} shards upgraded", end="\r")

    count = upgrade_library(Path(library), listener=tell)
    sys.stdout.write(f"{count} shards upgraded\n" if count else "nothing to upgrade\n")
