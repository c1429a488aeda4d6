"""Makes the German sample: sound only, one voice, five sentences."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media.speech import RATE_HZ, narrate

SENTENCES = (
    "Guten Abend und willkommen am Hafen.",
    "Das Wasser steigt seit heute Morgen sehr schnell.",
    "Bitte bringen Sie Ihre Autos vor Mitternacht in Sicherheit.",
    "Die Fähre nach Norden fährt erst am Donnerstag wieder.",
    "Das Museum auf der Insel bleibt im Winter geschlossen.",
)


def make_german(path: Path) -> dict[str, Any]:
    """Write the sound to ``path`` and return its truth (times in seconds)."""
    (spoken,), samples = narrate([list(SENTENCES)], first_s=0.5, tail_s=0.8, voice="de")
    sound = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        audio.bit_rate = 48_000
        out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "language": "de",
        "sentences": [
            asdict(sentence)
            | {"start_s": round(sentence.start_s, 3), "end_s": round(sentence.end_s, 3)}
            for sentence in spoken
        ],
    }
