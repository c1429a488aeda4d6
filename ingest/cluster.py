"""Ray, and nothing else that knows of it: tasks for files, pools of workers that hold a model.

Values stay in the object store and are passed on to further work by reference; the driver only
fetches what it asks for with `result`. The driver hands a worker one call at a time, when all its
arguments are there, and counts itself how often a call has cost a worker its life. Ray's own
retries would count a death against every call that waits on the same worker, and repeat a task
that is killed for lack of memory without end.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from index.errors import SecondsightError, SourceError
from ingest.calls import Holder, timed
from ingest.settings import WorkSettings

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no byte leaves the machine
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # each is an outcome, told once
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the core to others
# Workers of a local Ray keep some of the memory that they free: models ask for the same tens of
# megabytes again and again, and to get them zeroed by the system each time is a quarter of their
# work. Threads share one heap, or each would keep as much.
os.environ.setdefault("MALLOC_ARENA_MAX", "1")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**26))

Value = TypeVar("Value")
Part = TypeVar("Part")

ATTEMPTS = 3
"""How often a call is started before a worker that keeps dying fails the source."""

_TASKS = ""
"""Name of the crew that runs functions; pools have names of their own."""
_LOOK_UP_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pending(Generic[Value]):
    """Work that waits for its arguments or its turn, is under way, or is done."""

    done: Future[tuple[Any, float]]
    """The value's reference (those of its parts, where it was split) and the seconds it took."""
    part: int | None = None
    """Which part of the value this stands for; None: all of it."""

    def reference(self) -> Any:
        """What stands for the value in Ray, once it is done."""
        value = self.done.result()[0]
        return value if self.part is None else value[self.part]

    def drop(self) -> None:
        """Do not begin it any more, nor what needs its value; what is under way is finished."""
        self.done.cancel()


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers that each hold one thing, a model, built with the first call."""

    name: str
    build: Callable[[], Any]
    num_workers: int
    niceness: int = 0
    """How far they stand back behind other workers when the processor is busy, as for os.nice."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    work: Any
    """A function, or the name of a method of what the pool's workers hold."""
    args: tuple[Any, ...]
    shares: int
    parts: int | None = None
    """Into how many parts, each passed on by itself, its value is split."""
    done: Future[tuple[Any, float]] = field(default_factory=Future)

    def needed(self) -> list[Future[tuple[Any, float]]]:
        return [arg.done for arg in self._flat() if isinstance(arg, Pending)]

    def begin(self, remote: Any) -> tuple[Any, Any]:
        """Have it run by a Ray function; references of its value, or of the parts, and seconds."""
        lists = tuple(len(arg) if isinstance(arg, list) else None for arg in self.args)
        flat = [arg.reference() if isinstance(arg, Pending) else arg for arg in self._flat()]
        numbered = remote.options(num_returns=1 + (1 if self.parts is None else self.parts))
        *values, seconds = numbered.remote(self.work, lists, self.parts is not None, *flat)
        return values if self.parts is not None else values[0], seconds

    def _flat(self) -> Iterator[Any]:
        for arg in self.args:
            if isinstance(arg, list):
                yield from arg
            else:
                yield arg


class _EndedError(Exception):
    """A call was given up; the message says why, with {stage} in it."""


class _Runner(Protocol):
    """Runs one call at a time."""

    def start(self, call: _Call) -> tuple[Any, Any]:
        """References of the call's value and its seconds."""

    def kill(self) -> None:
        """End the process that runs the call, whatever it is doing."""


class _TaskRunner:
    """Runs functions as tasks on one CPU each."""

    def __init__(self) -> None:
        import ray

        self._task = ray.remote(num_cpus=1, max_retries=0)(timed)
        self._running: Any = None

    def start(self, call: _Call) -> tuple[Any, Any]:
        value, seconds = call.begin(self._task)
        self._running = seconds
        return value, seconds

    def kill(self) -> None:
        import ray

        ray.cancel(self._running, force=True)


class _ActorRunner:
    """Calls methods of what one process of a pool holds; a new process after a death."""

    def __init__(self, pool: Pool) -> None:
        import ray

        options = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0}
        self._new = ray.remote(Holder).options(**options).remote
        self._pool = pool
        self._actor: Any = self._new(pool.build, pool.niceness)

    def start(self, call: _Call) -> tuple[Any, Any]:
        if self._actor is None:
            self._actor = self._new(self._pool.build, self._pool.niceness)
        return call.begin(self._actor.call)

    def kill(self) -> None:
        import ray

        if self._actor is not None:
            ray.kill(self._actor)  # does nothing to a dead one
            self._actor = None


class Cluster:
    """A connection to Ray for one ingest run; use as a context manager.

    Joins the cluster of RAY_ADDRESS, else starts a local Ray.
    """

    def __init__(self, settings: WorkSettings, pools: Sequence[Pool]) -> None:
        self._settings = settings
        self._pools = pools
        self._queues: dict[str, SimpleQueue[_Call | None]] = {
            name: SimpleQueue() for name in (_TASKS, *(pool.name for pool in pools))
        }
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def __enter__(self) -> Cluster:
        import ray

        logging.getLogger("ray").setLevel(logging.ERROR)
        num_workers = sum(pool.num_workers for pool in self._pools)
        if os.environ.get("RAY_ADDRESS"):
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
            has: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
            cpus = max(1, int(has.get("CPU", 1)) - num_workers)
        else:
            # Workers that hold a model reserve a CPU each; they are counted on top, so that
            # decoding tasks can use every core of a small machine.
            cpus = self._settings.cpus or os.cpu_count() or 1
            ray.init(
                num_cpus=cpus + num_workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        for pool in self._pools:
            for _ in range(pool.num_workers):
                self._begin_thread(pool.name, _ActorRunner(pool))
        for _ in range(cpus):
            self._begin_thread(_TASKS, _TaskRunner())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import ray

        self.stop()
        for thread in self._threads:
            thread.join()
        ray.shutdown()

    def stop(self) -> None:
        """Give up all work: who waits for a result gets CancelledError."""
        self._stopped.set()
        for queue in self._queues.values():
            while True:
                try:
                    call = queue.get_nowait()
                except Empty:
                    break
                if call is not None:
                    call.done.cancel()
            for _ in self._threads:
                queue.put(None)

    def submit(self, function: Callable[..., Value], *args: Any, shares: int = 1) -> Pending[Value]:
        """Run a function as a task on one CPU.

        `Pending` arguments, and those in a list, arrive as their values. Work that is not cut into
        pieces may take the time limit of a piece `shares` times.
        """
        return self._submit(_TASKS, _Call(function, args, shares))

    def submit_to(self, pool: str, method: str, *args: Any, shares: int = 1) -> Pending[Any]:
        """Call a method of the next free worker of a pool; otherwise as `submit`."""
        return self._submit(pool, _Call(method, args, shares))

    def split(
        self, number: int, function: Callable[..., tuple[Part, ...]], *args: Any, shares: int = 1
    ) -> list[Pending[Part]]:
        """As `submit`, for a tuple of `number` parts: each is passed on by itself."""
        whole = self._submit(_TASKS, _Call(function, args, shares, number))
        return [Pending(whole.done, part) for part in range(number)]

    def split_by(
        self, pool: str, number: int, method: str, *args: Any, shares: int = 1
    ) -> list[Pending[Any]]:
        """Call a method of the next free worker of a pool; otherwise as `split`."""
        whole = self._submit(pool, _Call(method, args, shares, number))
        return [Pending(whole.done, part) for part in range(number)]

    def result(self, pending: Pending[Value], *, path: str, stage: str) -> Value:
        """Wait for a value. Raises SourceError for whatever went wrong with this file."""
        import ray

        self._done(pending, path, stage)
        value: Value = ray.get(pending.reference())
        return value

    def seconds(self, pending: Pending[Any], *, path: str, stage: str) -> float:
        """Wait for the work and return how long it took, without fetching its value."""
        return self._done(pending, path, stage)[1]

    @staticmethod
    def _done(pending: Pending[Any], path: str, stage: str) -> tuple[Any, float]:
        from ray.exceptions import RayTaskError

        try:
            return pending.done.result()
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, SecondsightError):
                raise cause from None
            logging.getLogger(__name__).debug("%s: %s failed", path, stage, exc_info=error)
            reason = f"{type(cause).__name__} in {stage}: {_first_line(cause)}"
            raise SourceError(path, stage, reason) from error
        except _EndedError as error:
            raise SourceError(path, stage, str(error).format(stage=stage)) from error

    def _submit(self, crew: str, call: _Call) -> Pending[Any]:
        self._queue_when_ready(crew, call, call.needed())
        return Pending(call.done)

    def _queue_when_ready(
        self, crew: str, call: _Call, needed: list[Future[tuple[Any, float]]]
    ) -> None:
        """Queue a call once all that it needs is done; end it when something it needs failed."""
        while needed:
            if not needed[-1].done():
                needed[-1].add_done_callback(lambda _: self._queue_when_ready(crew, call, needed))
                return
            last = needed.pop()
            if last.cancelled():
                call.done.cancel()
                return
            error = last.exception()
            if error is not None:
                if call.done.set_running_or_notify_cancel():
                    call.done.set_exception(error)
                return
        self._queues[crew].put(call)
        if self._stopped.is_set():
            call.done.cancel()

    def _begin_thread(self, crew: str, runner: _Runner) -> None:
        arguments = (self._queues[crew], runner)
        thread = threading.Thread(target=self._serve, args=arguments, name=crew, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, queue: SimpleQueue[_Call | None], runner: _Runner) -> None:
        while (call := queue.get()) is not None:
            if call.done.set_running_or_notify_cancel():
                try:
                    outcome = self._run(runner, call)
                except BaseException as error:  # told to whoever waits for it
                    call.done.set_exception(error)
                else:
                    call.done.set_result(outcome)
            call = None

    def _run(self, runner: _Runner, call: _Call) -> tuple[Any, float]:
        """Run a call, again when its worker died. Raises RayTaskError, _EndedError."""
        from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

        for _ in range(ATTEMPTS):
            try:
                return self._attempt(runner, call)
            except RayTaskError:
                raise
            except RayError as error:
                death = error
                runner.kill()
        why = (
            "ran out of memory" if isinstance(death, OutOfMemoryError) else "crashed or was killed"
        )
        message = f"its worker {why} {ATTEMPTS} times in {{stage}}"
        raise _EndedError(message) from death

    def _attempt(self, runner: _Runner, call: _Call) -> tuple[Any, float]:
        import ray

        value, seconds = runner.start(call)
        limit_s = self._settings.piece_limit_s
        ends = None if limit_s is None else time.monotonic() + limit_s * call.shares
        while not ray.wait([seconds], timeout=_LOOK_UP_EVERY_S)[0]:
            if self._stopped.is_set():
                raise CancelledError
            if ends is not None and time.monotonic() > ends:
                runner.kill()
                took_s = (limit_s or 0.0) * call.shares
                raise _EndedError(
                    f"no end after {took_s:g} s in {{stage}} (the limit; "
                    "ingest.work.piece_limit_s changes it)"
                )
        return value, float(ray.get(seconds))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
