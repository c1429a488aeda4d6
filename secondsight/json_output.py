"""JSON for programs that read what a command prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable


def print_json(data: object, *, default: Callable[[object], str] | None = None) -> None:
    """Write JSON to standard output; `default` tells what JSON has no word for as text."""
    text = json.dumps(data, ensure_ascii=False, indent=2, default=default)
    sys.stdout.write(text + "\n")
