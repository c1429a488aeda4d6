"""Work on hostile files in a process that can be killed: every item under its own limits.

`isolated` hands items one by one to a child process. An item that takes too long (whatever code it
is in), needs too much memory or ends the child is lost with its reason; another child goes on with
the next item. A child costs as much as importing what it runs, so an idle one is kept for the next
work of this process. It dies with its parent.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import psutil

from index.errors import SecondsightError, SourceError
from ingest.cache import load_records
from ingest.settings import DocumentSettings

Item = TypeVar("Item")
Value = TypeVar("Value")

_START_LIMIT_S = 120.0
"""A child that has not imported what it runs by then never will: the machine is at fault."""
_MESSAGE_BYTES = 1 << 31
_PATIENCE = 5.0
"""On a busy machine, or waiting for a disk, an item may take this many times its limit."""
_LOOK_UP_EVERY_S = 0.02
_OVERLONG = 3
"""After this many items without an end, the rest of the work is not tried."""
_REASON_LETTERS = 160
_PR_SET_PDEATHSIG = 1
_NO_MEMORY = re.compile(r"\b[mc]alloc\b.*failed|\brealloc\b.*failed|bad_alloc|out of memory", re.I)
_CHILD = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from ingest.isolation import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may cost."""

    time_s: float
    """Seconds of processor time; on the clock it may take five times as long."""
    memory_bytes: int
    """Above what the child holds before it."""


def limits_of(settings: DocumentSettings) -> Limits:
    """What reading one page, or opening a document, may cost."""
    return Limits(settings.page_limit_s, settings.page_memory_bytes)


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """An item's value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Lost:
    """An item without a value."""

    reason: str


def isolated(
    session: str, arguments: tuple[Any, ...], items: Iterable[Item], limits: Limits
) -> Iterator[Done[Any] | Lost]:
    """What `session(*arguments)` yields, called on each item in a child process, in order.

    `session` names a context manager by its module and name ("ingest.mupdf.reading.page_reader"):
    only the child imports it. What it yields is a function of one item. Opening the session is
    under the limits as well. Arguments and items are pickled; values are those that a stage cache
    may hold. Errors of an item are its reason; a SourceError while the session opens is raised,
    whatever else ends the child there is lost with every item.
    """
    child: _Child | None = None
    never = ""
    overlong = 0
    try:
        for item in items:
            if not never and child is None:
                opened = _Child.opened(session, arguments, limits)
                if isinstance(opened, _Ended):
                    never = opened.reason
                else:
                    child = opened
            if child is None:
                yield Lost(never)
                continue
            outcome = child.call(item, limits)
            if not isinstance(outcome, _Ended):
                yield outcome
                continue
            child = None
            overlong += outcome.no_end
            if overlong == _OVERLONG:
                never = f"not tried: {overlong} before it had no end"
            yield Lost(outcome.reason)
    finally:
        if child is not None:
            child.close_session()


@dataclass(frozen=True, slots=True)
class _Ended:
    """The child is gone, and why."""

    reason: str
    no_end: bool = False


class _Child:
    """A process that runs sessions, one after another."""

    _idle: list[_Child] = []  # noqa: RUF012
    _lock = threading.Lock()

    def __init__(self) -> None:
        ours, theirs = Pipe()
        self._connection: Connection[Any, Any] = ours
        with theirs:
            handle = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, str(handle), str(os.getpid()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[handle],
                env=os.environ | _ONE_THREAD,
            )

    @classmethod
    def opened(cls, session: str, arguments: tuple[Any, ...], limits: Limits) -> _Child | _Ended:
        """A child with an open session, or why it ended. Raises SourceError."""
        child = cls._taken()
        # Imported before the clock runs: that is our own cost, and on a busy machine it is long.
        module, _, name = session.rpartition(".")
        ready = child._ask(("import", module), _START_LIMIT_S)
        if isinstance(ready, _Ended):
            raise RuntimeError(f"a reading process did not start: {ready.reason}")
        request = ("open", module, name, arguments, limits.memory_bytes)
        answer = child._ask(request, limits.time_s)
        if isinstance(answer, _Ended):
            return answer
        kind, *told = answer
        if kind == "refused":
            child._keep()
            raise SourceError(*told)
        return child

    def call(self, item: object, limits: Limits) -> Done[Any] | Lost | _Ended:
        """What the session makes of an item."""
        answer = self._ask(("item", item, limits.memory_bytes), limits.time_s)
        if isinstance(answer, _Ended):
            return answer
        kind, told = answer
        return Done(told) if kind == "value" else Lost(told)

    def close_session(self) -> None:
        """Keep the child for the next work, unless it does not answer."""
        if not isinstance(self._ask(("close",), _START_LIMIT_S), _Ended):
            self._keep()

    def end(self) -> None:
        """Kill it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    @classmethod
    def _taken(cls) -> _Child:
        """An idle child that still lives, or a new one."""
        while True:
            with cls._lock:
                child = cls._idle.pop() if cls._idle else None
            if child is None:
                return cls()
            if child._process.poll() is None:
                return child
            child.end()

    def _keep(self) -> None:
        with self._lock:
            self._idle.append(self)

    def _ask(self, request: tuple[Any, ...], limit_s: float) -> tuple[Any, ...] | _Ended:
        """The answer to a request. A child that gives none, or only its last words, is ended."""
        ended: _Ended | None = None
        try:
            self._connection.send_bytes(pickle.dumps(request))
            if self._answers(limit_s):
                answer: tuple[Any, ...] = load_records(self._connection.recv_bytes(_MESSAGE_BYTES))
                if answer[0] != "died":
                    return answer
                ended = _Ended(answer[1])
            else:
                ended = _Ended(f"no end after {limit_s:g} s", no_end=True)
        except (EOFError, OSError, pickle.UnpicklingError):
            ended = _Ended(self._death())
        finally:
            if ended is not None:
                self.end()
        return ended

    def _answers(self, limit_s: float) -> bool:
        """Wait for an answer as long as the child may work; longer where others hold it up."""
        began_s = self._worked_s()
        ends = time.monotonic() + limit_s * _PATIENCE
        left_s = limit_s
        while left_s > 0:
            if self._connection.poll(max(left_s, _LOOK_UP_EVERY_S)):
                return True
            left_s = min(limit_s - (self._worked_s() - began_s), ends - time.monotonic())
        return False

    def _worked_s(self) -> float:
        """Processor time of the child, in seconds."""
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def _death(self) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "its reader gave no answer"
        if code >= 0:
            return f"its reader ended with code {code}"
        with suppress(ValueError):
            return f"its reader crashed ({signal.Signals(-code).name})"
        return f"its reader crashed (signal {-code})"


@atexit.register
def end_idle() -> None:
    """End the children that wait for work."""
    with _Child._lock:
        waiting, _Child._idle[:] = list(_Child._idle), []
    for child in waiting:
        child.end()


def serve(handle: int, parent: int) -> None:
    """Body of the child: answer the requests on a pipe until its other end closes."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer.
    with Connection(handle) as connection, suppress(EOFError, BrokenPipeError, ConnectionError):
        while True:
            _serve_session(connection)


def _serve_session(connection: Connection[Any, Any]) -> None:
    """Answer requests up to the end of one session."""
    request = pickle.loads(connection.recv_bytes())
    if request[0] == "import":
        importlib.import_module(request[1])
        _answer(connection, "ready")
        return
    _, module, name, arguments, memory_bytes = request
    _limit_memory(memory_bytes)
    opening = True
    try:
        with getattr(sys.modules[module], name)(*arguments) as function:
            opening = False
            _answer(connection, "opened")
            _serve_items(connection, function)
    except SourceError as error:
        if not opening:
            raise
        _answer(connection, "refused", error.path, error.stage, error.reason)
        return
    except (EOFError, BrokenPipeError, ConnectionError):
        raise
    except BaseException as error:  # told to the parent, which starts another child
        _limit_memory(None)
        _answer(connection, "died", _reason(error))
        raise SystemExit(1) from error
    _limit_memory(None)
    gc.collect()
    _answer(connection, "closed")


def _serve_items(connection: Connection[Any, Any], function: Callable[[Any], Any]) -> None:
    while (request := pickle.loads(connection.recv_bytes()))[0] == "item":
        _, item, memory_bytes = request
        _limit_memory(memory_bytes)
        try:
            value = function(item)
        except SecondsightError as error:
            answer = ("lost", _reason(error))
        else:
            answer = ("value", value)
        connection.send_bytes(pickle.dumps(answer, protocol=5))


def _answer(connection: Connection[Any, Any], *answer: object) -> None:
    connection.send_bytes(pickle.dumps(answer, protocol=5))


def _limit_memory(above_bytes: int | None) -> None:
    """Let the process have this much more than it has; None: as much as it wants."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = hard
    if above_bytes is not None:
        with open("/proc/self/statm", encoding="ascii") as sizes:
            held = int(sizes.read().split()[5]) * resource.getpagesize()
        wanted = held + above_bytes
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _reason(error: BaseException) -> str:
    said = error.reason if isinstance(error, SourceError) else " ".join(str(error).split())
    if isinstance(error, MemoryError) or _NO_MEMORY.search(said):
        return "it needs more memory than the limit"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, SecondsightError):
        return said[:_REASON_LETTERS]
    return f"{type(error).__name__}: {said}"[:_REASON_LETTERS]
