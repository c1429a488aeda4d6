"""Ray, and nothing else that knows of it: tasks for files, pools of workers that hold a model.

Results stay in the object store as `Pending` values that can be passed on to further tasks; the
driver only fetches what it asks for with `result`.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from index.errors import SecondsightError, SourceError
from ingest.settings import WorkSettings

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no byte leaves the machine
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # each is an outcome, told once

Value = TypeVar("Value")

ATTEMPTS = 3
"""How often work is started before a worker that keeps dying fails the source."""
STOP_WITHIN_S = 0.5
"""Who waits for a result looks this often whether the run is being stopped."""


class StoppedError(SecondsightError):
    """The run is stopped before this work is done."""


@dataclass(frozen=True, slots=True)
class Pending(Generic[Value]):
    """Work under way: the value's and its seconds' references."""

    value: Any
    seconds: Any


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers that each hold one thing, a model, built with the first call."""

    name: str
    build: Callable[[], Any]
    num_workers: int


def _timed(function: Callable[..., Value], *args: Any) -> tuple[Value, float]:
    started = time.perf_counter()
    value = function(*args)
    return value, time.perf_counter() - started


class _Worker:
    """Actor body: builds its model holder once and runs its methods."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self._held = build()

    def call(self, method: str, *args: Any) -> tuple[Any, float]:
        return _timed(getattr(self._held, method), *args)


class Cluster:
    """A connection to Ray for one ingest run; use as a context manager.

    Joins the cluster of RAY_ADDRESS, else starts a local Ray.
    """

    def __init__(self, settings: WorkSettings, pools: Sequence[Pool]) -> None:
        self._settings = settings
        self._pools = pools
        self._workers: dict[str, Iterator[Any]] = {}
        self._stopping = threading.Event()

    def __enter__(self) -> Cluster:
        import ray

        logging.getLogger("ray").setLevel(logging.ERROR)
        if os.environ.get("RAY_ADDRESS"):
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        else:
            # Workers that hold a model reserve a CPU each; they are counted on top, so that
            # decoding tasks can use every core of a small machine.
            cpus = self._settings.cpus or os.cpu_count() or 1
            ray.init(
                num_cpus=cpus + sum(pool.num_workers for pool in self._pools),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        actor = ray.remote(_Worker).options(
            num_cpus=1, max_restarts=-1, max_task_retries=ATTEMPTS - 1
        )
        for pool in self._pools:
            workers = [actor.remote(pool.build) for _ in range(pool.num_workers)]
            self._workers[pool.name] = itertools.cycle(workers)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import ray

        ray.shutdown()

    def stop(self) -> None:
        """Have all who wait for a result give up with StoppedError, from any thread."""
        self._stopping.set()

    def submit(self, function: Callable[..., Value], *args: Any) -> Pending[Value]:
        """Run a function as a task on one CPU. `Pending` arguments arrive as their values."""
        import ray

        task = ray.remote(_timed).options(num_cpus=1, num_returns=2, max_retries=ATTEMPTS - 1)
        return Pending(*task.remote(function, *_references(args)))

    def submit_to(self, pool: str, method: str, *args: Any) -> Pending[Any]:
        """Call a method of the next worker of a pool."""
        worker = next(self._workers[pool])
        call = worker.call.options(num_returns=2)
        return Pending(*call.remote(method, *_references(args)))

    def result(self, pending: Pending[Value], *, path: str, stage: str) -> Value:
        """Wait for a value.

        Raises SourceError for whatever went wrong with this file, StoppedError after `stop`.
        """
        value: Value = self._get(pending.value, path, stage)
        return value

    def seconds(self, pending: Pending[Any], *, path: str, stage: str) -> float:
        """Wait for the work and return how long it took, without fetching its value."""
        return float(self._get(pending.seconds, path, stage))

    def _get(self, reference: Any, path: str, stage: str) -> Any:
        import ray
        from ray.exceptions import GetTimeoutError, RayError, RayTaskError

        try:
            while not self._stopping.is_set():
                with suppress(GetTimeoutError):
                    return ray.get(reference, timeout=STOP_WITHIN_S)
            raise StoppedError(f"{path}: stopped in {stage}")
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, SecondsightError):
                raise cause from None
            logging.getLogger(__name__).debug("%s: %s failed", path, stage, exc_info=error)
            reason = f"{type(cause).__name__} in {stage}: {_first_line(cause)}"
            raise SourceError(path, stage, reason) from error
        except RayError as error:
            reason = (
                f"the worker died {ATTEMPTS} times in {stage} "
                f"(killed, out of memory or crashed): {_first_line(error)}"
            )
            raise SourceError(path, stage, reason) from error


def _references(args: Sequence[Any]) -> list[Any]:
    return [arg.value if isinstance(arg, Pending) else arg for arg in args]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
