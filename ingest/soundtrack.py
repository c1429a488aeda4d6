"""Sound placed on the clock: sample i is heard at i / 16000 seconds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.media_info import SAMPLE_RATE_HZ

_JITTER: Final = Fraction(20, 1000)
"""Timestamps this close to the running sample count are rounding, not gaps."""


class Soundtrack:
    """Runs of samples, each begun at a time and then continued; what lies between is silence."""

    def __init__(self, duration: Fraction) -> None:
        self._buffer = np.zeros(ceil(duration * SAMPLE_RATE_HZ), dtype=np.float32)
        self._position = 0
        self.length = 0
        """Samples up to the end of the last sound."""
        self.expected = Fraction(0)
        """When the next sound is due if it follows without a gap."""

    def jumps_to(self, time: Fraction) -> bool:
        """Whether sound at `time` does not follow the sound before it."""
        return abs(time - self.expected) > _JITTER

    def begin(self, time: Fraction) -> None:
        """Start a new run at `time`."""
        self.expected = time
        self._position = round(time * SAMPLE_RATE_HZ)

    def append(self, samples: npt.NDArray[np.float32]) -> None:
        """Continue the run. Sound before clock 0, already covered or past the end is trimmed."""
        begin, self._position = self._position, self._position + len(samples)
        first = max(begin, self.length)
        last = min(self._position, len(self._buffer))
        if first < last:
            self._buffer[first:last] = samples[first - begin : last - begin]
            self.length = last

    def samples(self) -> npt.NDArray[np.float32]:
        """float32, mono, 16 kHz, from clock 0 to the last sound."""
        return self._buffer[: self.length]


class SoundConverter:
    """Converts decoded sound to 16 kHz mono and lays it on the track where its timestamps say."""

    def __init__(self, track: Soundtrack, start: Fraction, resampler: Callable[[], Any]) -> None:
        """`resampler` makes a converter to 16 kHz mono float samples (PyAV's AudioResampler)."""
        self._track, self._start, self._make = track, start, resampler
        self._resampler: Any = None
        self._kind: tuple[str, str, int] | None = None

    def add(self, frame: Any) -> None:
        """Continue the track with a frame (PyAV's AudioFrame), or begin a new run at a jump."""
        time = self._track.expected
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base - self._start
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or kind != self._kind or self._track.jumps_to(time):
            self.close()
            self._resampler = self._make()
            self._kind = kind
            self._track.begin(time)
        self._track.expected += Fraction(frame.samples, frame.sample_rate)
        self._write(self._resampler.resample(frame))

    def close(self) -> None:
        """Write what the resampler still holds."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def _write(self, frames: list[Any]) -> None:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1)
            self._track.append(samples.astype(np.float32, copy=False))
