"""Sound placed on the clock: sample i is heard at i / 16000 seconds."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Final

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
