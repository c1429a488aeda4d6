"""Sessions that misbehave, for the tests of isolation."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from index.errors import SourceError


@contextmanager
def obeying(greeting: str) -> Iterator[Callable[[str], object]]:
    """Does what an item says."""
    if greeting == "refuse":
        raise SourceError("a.pdf", "probe", "is refused")
    if greeting == "hang":
        hold_the_interpreter()
    if greeting == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    yield lambda item: _obey(greeting, item)


def _obey(greeting: str, item: str) -> object:
    if item == "sleep":
        time.sleep(60)
    if item == "hold":
        hold_the_interpreter()
    if item == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "exit":
        os._exit(3)
    if item == "eat":
        return len(bytearray(400_000_000))
    if item == "refuse":
        raise SourceError("a.pdf", "pages", "is no page")
    if item == "stumble":
        raise KeyError("Kids")
    if item == "descend":
        return _obey(greeting, _deeper(item))
    if item == "foreign":
        return Callable
    if item == "pid":
        return os.getpid()
    return f"{greeting} {item}"


def _deeper(item: str) -> str:
    return _deeper(item)


def hold_the_interpreter() -> None:
    """Wait in C without giving the interpreter's lock back."""
    ctypes.PyDLL(None).sleep(60)
