"""A real player for the tests: headless Chromium, on clips served by the HTTP API."""

from __future__ import annotations

import base64
import io
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from index.inventory import InventoryRow
from index.manifest import create_library, read_manifest, read_rotation
from index.shard import commit_shard, record_outcomes, staging_area, write_shard
from secondsight import Library
from secondsight.server.app import create_app
from secondsight.server.links import media_link
from secondsight.settings import load_settings
from tests.index.build import IDENTITY, make_vectors, make_video, row_of, source_id

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
"""Path of the browser; None when there is none on this machine."""
_WAIT_MS = 20_000
_OPEN = """async ([url, waitMs]) => {
  document.body.innerHTML = '<video muted preload="auto"></video><canvas></canvas>';
  const video = document.querySelector('video');
  return await new Promise(resolve => {
    const say = error => resolve([error, video.videoWidth, video.videoHeight, video.duration]);
    video.onerror = () => say(video.error.message);
    video.oncanplay = () => say('');
    setTimeout(() => say('not ready in time'), waitMs);
    video.src = url;
  });
}"""
_SEEK = """async ([times, pictureEvery, waitMs]) => {
  const video = document.querySelector('video'), canvas = document.querySelector('canvas');
  canvas.width = 320, canvas.height = 180;
  const shown = [];
  for (const [number, time] of times.entries()) {
    const mediaTime = await new Promise((resolve, reject) => {
      const late = () => reject(`nothing shown at ${time} s: ${video.error?.message}`);
      const timer = setTimeout(late, waitMs);
      video.requestVideoFrameCallback((now, frame) => {
        clearTimeout(timer);
        resolve(frame.mediaTime);
      });
      video.currentTime = time;
    });
    let picture = null;
    if (number % pictureEvery == 0) {
      canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
      picture = canvas.toDataURL('image/png').split(',')[1];
    }
    shown.push([mediaTime, picture]);
  }
  return shown;
}"""
_FOLLOW = """async ([url, waitMs]) => {
  document.body.innerHTML = '<video muted preload="auto"></video>';
  const video = document.querySelector('video');
  return await new Promise((resolve, reject) => {
    setTimeout(() => reject('nothing shown'), waitMs);
    let shown = null;
    const note = (now, frame) => {
      shown = frame.mediaTime;
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    video.oncanplay = () => {
      const settled = setInterval(() => {
        if (shown !== null && !video.seeking) { clearInterval(settled); resolve(shown); }
      }, 50);
    };
    video.src = url;
  });
}"""
_PLAY = """async () => {
  const video = document.querySelector('video'), shown = [];
  return await new Promise((resolve, reject) => {
    const note = (now, frame) => {
      shown.push(frame.mediaTime);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    video.onended = () => resolve(shown);
    video.onerror = () => reject(video.error.message);
    setTimeout(() => reject('did not end'), (video.duration + 10) * 1000);
    video.play();
  });
}"""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the player says of a file."""

    error: str
    """Empty when it can play something of it."""
    width_px: int
    """0 when it shows no picture."""
    height_px: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture that the player presented."""

    media_time_s: float
    """`mediaTime` of its frame callback (WICG video-rvfc): a double of whole microseconds."""
    image: npt.NDArray[np.uint8] | None
    """uint8, 180 x 320 x 3 (RGB); None where none was asked for."""


class Player:
    """A `<video>` on a page of the server that serves the clips."""

    def __init__(self, page: Page, links: dict[str, str]) -> None:
        self._page, self._links = page, links

    def open(self, name: str, fragment: str = "") -> Opened:
        """Load a clip; the fragment is what follows its address in a link."""
        return Opened(*self._page.evaluate(_OPEN, [self._links[name] + fragment, _WAIT_MS]))

    def show(self, times_s: Sequence[float], *, picture_every: int = 5) -> list[Shown]:
        """Seek to each time, paused, and say what is presented; a picture of each so many."""
        shown = self._page.evaluate(_SEEK, [times_s, picture_every, _WAIT_MS])
        return [Shown(media_time_s, _image(coded)) for media_time_s, coded in shown]

    def follow(self, name: str, fragment: str) -> float:
        """The media time of the picture that a link with a fragment opens at, not yet playing."""
        return float(self._page.evaluate(_FOLLOW, [self._links[name] + fragment, _WAIT_MS]))

    def play(self) -> list[float]:
        """Play from the beginning to the end; the media times of what was presented."""
        return [float(media_time_s) for media_time_s in self._page.evaluate(_PLAY)]


@contextmanager
def player(clips: Sequence[Path], folder: Path) -> Iterator[Player]:
    """Chromium on a page of a server whose library, made in `folder`, holds the clips.

    The clips are entered without being ingested: the server only has to hand out the files.
    """
    create_library(folder, IDENTITY)
    record_outcomes(folder, [_enter(folder, number, clip) for number, clip in enumerate(clips)])
    links = {clip.name: media_link(source_id(number)) for number, clip in enumerate(clips)}
    with _served(Library(folder, load_settings())) as address, sync_playwright() as playwright:
        # Without hardware decoders all machines play the same.
        options = ["--disable-gpu", "--disable-accelerated-video-decode"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page()
        page.goto(f"{address}/v1/health")  # Of the same origin, else pictures cannot be read back.
        yield Player(page, links)
        browser.close()


def _enter(library: Path, number: int, clip: Path) -> InventoryRow:
    status = clip.stat()
    source, segments = make_video(number)
    source = replace(source, name=clip.name, size_bytes=status.st_size)
    with staging_area(library) as area:
        entry = write_shard(
            area / "shard",
            source,
            segments,
            *make_vectors(number, segments),
            rotation=read_rotation(library, read_manifest(library)),
        )
        commit_shard(library, area / "shard", entry, [], embedder=IDENTITY)
    row = row_of(number, str(clip))
    return replace(row, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns)


@contextmanager
def _served(library: Library) -> Iterator[str]:
    """The address of the HTTP API over a library, in a thread."""
    config = uvicorn.Config(create_app(library), port=0, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _image(coded: str | None) -> npt.NDArray[np.uint8] | None:
    if coded is None:
        return None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))).convert("RGB"))
