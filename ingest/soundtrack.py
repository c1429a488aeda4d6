"""Sound placed on the clock: sample i is heard at i / 16000 seconds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from os import SEEK_END
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from ingest.media_info import SAMPLE_RATE_HZ

_SAMPLE_BYTES: Final = 2
_FULL_SCALE: Final = np.float32(32_768)
_JITTER: Final = Fraction(20, 1000)
"""Timestamps this close to the running sample count are rounding, not gaps."""


class Sound:
    """A sound track in a file: float32, mono, 16 kHz; sample i is heard at i / 16000 s.

    Slices are read when they are asked for, so that memory does not grow with the length.
    """

    def __init__(self, file: IO[bytes], length: int) -> None:
        """`file` holds `length` samples, 16 bit each."""
        self._file, self._length = file, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, stretch: slice) -> npt.NDArray[np.float32]:
        first, last, step = stretch.indices(self._length)
        if step != 1:
            raise ValueError(f"sound is read sample by sample, not every {step}th")
        self._file.seek(first * _SAMPLE_BYTES)
        content = self._file.read(max(0, last - first) * _SAMPLE_BYTES)
        return np.frombuffer(content, np.int16).astype(np.float32) / _FULL_SCALE

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def open_sound(file: IO[bytes]) -> Sound:
    """The sound that another process wrote to a file."""
    return Sound(file, file.seek(0, SEEK_END) // _SAMPLE_BYTES)


class Soundtrack:
    """Runs of samples, each begun at a time and then continued; what lies between is silence."""

    def __init__(self, file: IO[bytes], duration: Fraction) -> None:
        """`file` is empty, to be written and read; `duration` bounds the track."""
        self._file = file
        self._limit = ceil(duration * SAMPLE_RATE_HZ)
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
        last = min(self._position, self._limit)
        if first < last:
            taken = samples[first - begin : last - begin] * _FULL_SCALE
            rounded = np.rint(np.clip(taken, -_FULL_SCALE, _FULL_SCALE - 1)).astype(np.int16)
            if first > self.length:  # What a seek passes over reads as zeros.
                self._file.seek(first * _SAMPLE_BYTES)
            self._file.write(rounded.tobytes())
            self.length = last

    def sound(self) -> Sound:
        """From clock 0 to the last sound."""
        self._file.flush()
        return Sound(self._file, self.length)


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
