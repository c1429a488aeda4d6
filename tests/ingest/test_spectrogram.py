"""What Whisper hears is what its authors' code computes, whatever threads compute it."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ingest.spectrogram import Samples, Spectrogram


def _sound(samples: int) -> Samples:
    times = np.arange(samples) / 16_000
    noise = np.random.default_rng(0).normal(0, 0.01, samples)
    return (0.3 * np.sin(2 * np.pi * (200 + 40 * times) * times) + noise).astype(np.float32)


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("samples", [480_000, 416_123, 9_000])
def test_it_is_that_of_faster_whisper(mels: int, samples: int) -> None:
    extractor = FeatureExtractor(feature_size=mels)
    expected = extractor(_sound(samples))[..., :-1]
    heard = Spectrogram(extractor)(_sound(samples))
    assert heard.shape == (mels, 3000)
    frames = expected.shape[1]
    np.testing.assert_allclose(heard[:, :frames], expected, atol=1e-6)
    assert not heard[:, frames:].any()


def test_threads_do_not_change_a_bit() -> None:
    spectrogram = Spectrogram(FeatureExtractor())
    with threadpool_limits(1):
        alone = spectrogram(_sound(480_000))
    with threadpool_limits(2):
        np.testing.assert_array_equal(spectrogram(_sound(480_000)), alone)
