"""The backend openai against a real server in a process of its own, with faults on demand."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generate.answer import Answer, answer
from generate.backends import Backend, Ending, open_backend
from generate.prompt import ClipPart, Part, PicturePart, Prompt, TextPart, Turn
from generate.settings import GenerateSettings, OpenAISettings
from index.embedders import Embedder
from index.errors import AnswerCutError, BackendError, PromptTooLongError
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.openai_server import CANNED, CONTEXT_TOKENS, prompt_of

ROOT = Path(__file__).parents[2]
SAID = "".join(CANNED)
QUESTION = "When did the bees move into the new hive?"


@pytest.fixture(scope="module")
def server(qwen_folder: Path) -> Iterator[str]:
    """Address of a running server, without mode."""
    command = [sys.executable, "-m", "tests.generate.openai_server", str(qwen_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.fixture
def settings(server: str, qwen_folder: Path) -> OpenAISettings:
    """A client that is patient for two seconds and counts exactly."""
    return OpenAISettings(
        base_url=f"{server}/plain/v1",
        model="canned",
        tokenizer=str(qwen_folder),
        retry_s=2.0,
        silence_s=20.0,
        temperature=0.0,
    )


def opened(settings: OpenAISettings, mode: str = "plain") -> Backend:
    """The backend in a mode of the server."""
    assert settings.base_url is not None
    url = settings.base_url.replace("/plain/", f"/{mode}/")
    whole = GenerateSettings(backend="openai", openai=replace(settings, base_url=url))
    backend = open_backend(whole)
    assert backend is not None
    return backend


def asked(server: str) -> dict[str, Any]:
    """All that the server was asked."""
    with urllib.request.urlopen(f"{server}/asked") as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def last_asked(server: str, mode: str) -> dict[str, Any]:
    """The last question in a mode."""
    bodies: list[dict[str, Any]] = [
        one for one in asked(server)["asked"] if one["mode"] == mode and one["body"]
    ]
    return bodies[-1]


def question(*parts: Part | str) -> Prompt:
    shown = [TextPart(part) if isinstance(part, str) else part for part in (*parts, "When?\n")]
    return Prompt("Answer from the evidence.", (Turn("user", tuple(shown)),))


def said(
    backend: Backend, prompt: Prompt, *, tokens: int = 12, stop: threading.Event | None = None
) -> tuple[str, Ending]:
    stream = backend.stream(prompt, max_answer_tokens=tokens, stop=stop or threading.Event())
    text = "".join(stream)
    assert stream.ending is not None
    return text, stream.ending


def picture(seed: int, height_px: int = 256, width_px: int = 288) -> Image.Image:
    """Colours like no other, smooth as JPEG likes them."""
    corners = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((width_px, height_px), Image.Resampling.BICUBIC)


def clip(times: tuple[Fraction, ...], *, content: str = "a", height_px: int = 256) -> ClipPart:
    frames = [picture(int(time * 10), height_px) for time in times]
    return ClipPart("E1", times, height_px, 288, lambda: frames, content)


TIMES = tuple(Fraction(number, 2) + 3605 for number in range(3))


def test_a_model_behind_a_server_reads_text_times_and_pictures_as_they_were_counted(
    server: str, settings: OpenAISettings
) -> None:
    page = PicturePart("E2", 256, 288, lambda: picture(9))
    prompt = question("[E1] talk.mp4\n", clip(TIMES), "\n[E2] manual.pdf\n", page, "\n")
    backend = opened(replace(settings, model=None), "alone")
    assert backend.context_tokens == CONTEXT_TOKENS
    assert "tiny" in backend.name
    text, ending = said(backend, prompt)
    assert ending.prompt_tokens == backend.count(prompt)
    assert backend.costs.is_exact
    assert text
    assert ending.answer_tokens
    assert ending.first_token_ms
    again, warm = said(backend, prompt)
    assert (again, warm.reused_tokens) == (text, backend.count(prompt) - 1)
    body = last_asked(server, "alone")["body"]
    read = prompt_of(body)
    shown = [part for part in read.turns[0].parts if isinstance(part, PicturePart)]
    words = [part.text for part in read.turns[0].parts if isinstance(part, TextPart)]
    assert words == [
        "[E1] talk.mp4\n<3605.0 seconds>",
        "<3605.5 seconds>",
        "<3606.0 seconds>",
        "\n[E2] manual.pdf\n",
        "\nWhen?\n",
    ]
    for part, seed in zip(shown, (36050, 36055, 36060, 9), strict=True):
        error = np.asarray(part.load(), float) - np.asarray(picture(seed), float)
        assert np.abs(error).mean() < 3
    assert body["messages"][0] == {"role": "system", "content": "Answer from the evidence."}
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (12, 0.0, 0)


def test_the_clips_of_one_video_go_with_absolute_times(
    server: str, settings: OpenAISettings
) -> None:
    later, earlier = clip(TIMES), clip((Fraction(12), Fraction(25, 2)))
    other = clip((Fraction(7), Fraction(15, 2)), content="b")
    prompt = question("[E1] a\n", later, "\n[E2] a\n", earlier, "\n[E3] b\n", other, "\n")
    backend = opened(replace(settings, frames_as="clip", model="tiny"), "video")
    _, ending = said(backend, prompt)
    # Both clips stand where the first one does; two line ends that meet are one token.
    assert ending.prompt_tokens == backend.count(prompt) - 1
    assert not backend.costs.is_exact
    parts = prompt_of(last_asked(server, "video")["body"]).turns[0].parts
    [video] = [part for part in parts if isinstance(part, ClipPart)]
    assert video.times == (Fraction(12), Fraction(25, 2), *TIMES, TIMES[-1])
    shown = np.asarray(video.load()[3], float) - np.asarray(picture(36055), float)
    assert np.abs(shown).mean() < 3
    words = [part.text for part in parts if isinstance(part, TextPart)]
    assert words[1] == "\n[E2] a\n\n[E3] b\n<7.2 seconds>"  # the mean of its two frames
    assert sum(isinstance(part, PicturePart) for part in parts) == 1


def test_no_key_of_the_environment_goes_to_a_server_that_was_not_given_it(
    server: str, settings: OpenAISettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-you")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "not-for-you")
    monkeypatch.setenv("OPENAI_ORG_ID", "not-for-you")
    monkeypatch.setenv("MY_KEY", "for-you-123")
    said(opened(settings, "keyless"), question())
    said(opened(replace(settings, api_key_variable="MY_KEY"), "keyed"), question())
    for mode, authorization in (("keyless", None), ("keyed", "Bearer for-you-123")):
        headers = [one["headers"] for one in asked(server)["asked"] if one["mode"] == mode]
        assert len(headers) == 2
        sent = [{name.casefold(): value for name, value in one.items()} for one in headers]
        assert {one.get("authorization") for one in sent} == {authorization}
        assert "not-for-you" not in json.dumps(headers)
    with pytest.raises(BackendError, match=r"refuses access.*right key into .*MY_KEY") as caught:
        opened(replace(settings, api_key_variable="MY_KEY"), "locked")
    assert "for-you-123" not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(BackendError, match="MY_KEY is empty"):
        opened(replace(settings, api_key_variable="MY_KEY"))


@pytest.mark.parametrize(
    ("mode", "model", "message"),
    [
        ("plain", "other", r"'other' is not served by .*, which has tiny, canned"),
        ("plain", None, r"there are several at .*, which has tiny, canned"),
        ("unlisted", None, "does not list its models; name one"),
        ("page", "tiny", "is no list of models; generate.openai.base_url ends with the version"),
    ],
)
def test_what_is_not_served_is_said_at_once(
    settings: OpenAISettings, mode: str, model: str | None, message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        opened(replace(settings, model=model), mode)


def test_no_server_at_all_is_said_at_once(settings: OpenAISettings) -> None:
    nobody = replace(settings, base_url="http://user:password@127.0.0.1:9/v1")
    with pytest.raises(BackendError, match=r"no answer from http://127\.0\.0\.1:9/v1") as caught:
        opened(nobody)
    assert "start the server" in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("mode", ["busy-2", "wait-1"])
def test_a_busy_server_is_asked_again(server: str, settings: OpenAISettings, mode: str) -> None:
    began = time.perf_counter()
    text, ending = said(opened(replace(settings, retry_s=10.0), mode), question())
    assert (text, ending.reason) == (SAID, "complete")
    tokens = (ending.prompt_tokens, ending.reused_tokens, ending.answer_tokens)
    assert tokens == (100, 40, 5)
    tries = [one for one in asked(server)["asked"] if one["mode"] == mode and one["body"]]
    assert len(tries) == (3 if mode == "busy-2" else 2)
    assert mode != "wait-1" or time.perf_counter() - began >= 1


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("busy-99", r"status 503.*overloaded; ask again later \(asked [2-5] times\)"),
        ("wait-3600", r"status 429.*slow down.*\(asked once; it asks to wait 3600 s\)"),
        ("poor", "refuses the question: You exceeded your current quota"),
        ("pictures", "takes fewer pictures: At most 16.*--limit-mm-per-prompt"),
        ("hangup", r"no answer from .*asked [2-5] times"),
        ("mute", "silent for too long; raise generate.openai.silence_s"),
        ("lost", "used up its tokens for thoughts; raise generate.openai.max_thought_tokens"),
    ],
)
def test_a_refusal_says_what_to_do(settings: OpenAISettings, mode: str, message: str) -> None:
    hasty = replace(settings, silence_s=0.5, max_thought_tokens=50 if mode == "lost" else 0)
    with pytest.raises(BackendError, match=message) as caught:
        said(opened(hasty, mode), question())
    assert not isinstance(caught.value, AnswerCutError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("dies", "no answer from"),
        ("garbage", "sent what is not JSON"),
        ("breaks", "EngineDeadError"),
        ("unfinished", "broke off before the end"),
        ("filtered", "ended the answer for another reason: content_filter"),
    ],
)
def test_an_answer_that_breaks_off_keeps_what_had_come(
    server: str, settings: OpenAISettings, mode: str, message: str
) -> None:
    had = "It was" if mode == "filtered" else "It was in "
    stream = opened(settings, mode).stream(question(), max_answer_tokens=12, stop=threading.Event())
    pieces: list[str] = []
    with pytest.raises(AnswerCutError, match=message) as caught:
        pieces.extend(stream)
    assert caught.value.text == had
    assert f"{len(had)} characters had come: {had.strip()}" in str(caught.value)
    tries = [one for one in asked(server)["asked"] if one["mode"] == mode and one["body"]]
    assert len(tries) == 1  # what was shown is not said a second time


@pytest.mark.parametrize("mode", ["thinks", "apart", "plain"])
def test_thoughts_are_left_out(server: str, settings: OpenAISettings, mode: str) -> None:
    thinking = replace(settings, max_thought_tokens=50)
    assert said(opened(thinking, mode), question())[0] == SAID
    assert last_asked(server, mode)["body"]["max_tokens"] == 62


def test_a_model_that_loops_is_cut(settings: OpenAISettings) -> None:
    text, ending = said(opened(settings, "loops"), question())
    assert ending.reason == "repeated"
    assert len(text) < 10_000


def test_stopping_closes_the_connection(server: str, settings: OpenAISettings) -> None:
    backend = opened(settings, "slow")
    stop = threading.Event()
    stream = backend.stream(question(), max_answer_tokens=12, stop=stop)
    assert next(stream) == CANNED[0]
    stop.set()
    assert len(list(stream)) < len(CANNED)
    assert stream.ending == Ending("stopped")
    mute, waiting = opened(settings, "mute"), threading.Event()
    threading.Timer(0.2, waiting.set).start()
    began = time.perf_counter()
    assert said(mute, question(), stop=waiting)[1].reason == "stopped"
    assert time.perf_counter() - began < 1.4
    deadline = time.perf_counter() + 5
    while asked(server)["left"] < 2 and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert asked(server)["left"] >= 2


def test_an_answer_that_takes_too_long_is_given_up(settings: OpenAISettings) -> None:
    hasty = replace(settings, timeout_s=0.35)
    with pytest.raises(AnswerCutError, match=r"not done within 0\.35 s"):
        said(opened(hasty, "slow"), question())


@pytest.mark.parametrize("words", ["vllm", "newvllm", "sglang", "dashscope"])
def test_a_prompt_that_is_too_long_is_told_in_any_words(
    settings: OpenAISettings, words: str
) -> None:
    backend = opened(settings, f"limit-20-{words}")
    prompt = question("One two three four five six seven eight nine ten.\n")
    with pytest.raises(PromptTooLongError) as caught:
        said(backend, prompt)
    assert caught.value.tokens == backend.count(prompt) + 12
    assert caught.value.limit_tokens == (32 if words == "dashscope" else 20)


@pytest.mark.parametrize("words", ["vllm", "dashscope"])
def test_a_server_that_reads_less_gets_a_shorter_prompt(
    server: str,
    settings: OpenAISettings,
    archive: Snapshot,
    embedder: Embedder,
    words: str,
) -> None:
    def ask(limit: int) -> Answer:
        mode = f"limit-{limit}-{words}"
        found = answer(
            QUESTION,
            archive,
            embedder,
            filters=Filters(),
            retrieve=RetrieveSettings(),
            settings=GenerateSettings(max_answer_tokens=100),
            backend=opened(replace(settings, tokenizer=None), mode),
        )
        tries = [one for one in asked(server)["asked"] if one["mode"] == mode and one["body"]]
        assert found.ledger["longer_prompts_refused"] == len(tries) - 1
        return found

    whole, short = ask(100_000), ask(700)
    assert whole.ledger["longer_prompts_refused"] == 0
    assert short.ledger["longer_prompts_refused"] in (1, 2, 3, 4)
    assert short.read.prompt_tokens is not None
    assert whole.read.prompt_tokens is not None
    assert short.read.prompt_tokens < whole.read.prompt_tokens
    assert not short.read.is_exact
    assert short.ledger["prompt_tokens_of_model"] == 100
    assert str(short.ledger["model"]).startswith("openai canned at http://127.0.0.1")
    with pytest.raises(PromptTooLongError):
        ask(150)
