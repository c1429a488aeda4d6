"""What the tests of ingest share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch  # noqa: F401  # Before decord: loaded after it, torch crashes in this process.

from ingest.frames import KeptFrame, describe_frames, select_frames
from ingest.media import probe
from ingest.pyav_reader import read_frames
from ingest.settings import FrameSettings

MEDIA = Path(__file__).parent.parent / "media"


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """What is said and shown in the sample talk, and when."""
    content: dict[str, Any] = json.loads((MEDIA / "halden_talk.truth.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="session")
def talk_frames(tmp_path_factory: pytest.TempPathFactory) -> list[KeptFrame]:
    """The kept pictures of the sample talk."""
    path = str(MEDIA / "halden_talk.mp4")
    info = probe(path)
    assert info.video is not None
    settings = FrameSettings()
    pictures = tmp_path_factory.mktemp("talk") / "pictures"
    with pictures.open("wb") as file:
        candidates = list(describe_frames(read_frames(path, info), settings, file))
    return list(select_frames([(pictures, candidates)], settings, end=info.video.end))
