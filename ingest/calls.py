"""What runs in the processes of a cluster: one call at a time, timed, its memory given back."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any


def timed(
    function: Callable[..., Any], lists: Sequence[int | None], is_split: bool, *flat: Any
) -> tuple[Any, ...]:
    """Call a function; its value, or the parts of a value that is split, and last the seconds.

    `flat` are the arguments. `lists` says how many of them each argument takes that is a list, None
    for one that is not.
    """
    started = time.perf_counter()
    left = iter(flat)
    args = [next(left) if size is None else list(islice(left, size)) for size in lists]
    value = function(*args)
    took_s = time.perf_counter() - started
    _give_memory_back()
    return (*value, took_s) if is_split else (value, took_s)


def _give_memory_back() -> None:
    """Processes that wait need not hold what their last call left.

    That is decoded pictures in cycles of references, which nobody looks for while a process
    sleeps, and what glibc keeps of freed memory.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Holder:
    """Body of a pool's process: builds what it holds once and runs its methods."""

    def __init__(self, build: Callable[[], Any], niceness: int) -> None:
        """`niceness`: how far it stands back behind other processes, as for os.nice."""
        os.nice(niceness)
        self._held = build()

    def call(self, method: str, *args: Any) -> tuple[Any, ...]:
        """`timed` of a method; the other arguments are those of `timed`."""
        return timed(getattr(self._held, method), *args)
