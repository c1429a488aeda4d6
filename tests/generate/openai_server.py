"""A server that speaks OpenAI's chat protocol, a process of its own, with faults on demand.

    python -m tests.generate.openai_server CHECKPOINT_FOLDER

It prints its port. Addresses are `/MODE/v1/...`; the mode says what goes wrong (`refusal_of`,
`Handler`) and the model who answers: `tiny` is the tiny Qwen3-VL of the folder behind the backend
qwen3-vl, every other name gets canned words. `GET /asked` returns all questions.
"""

from __future__ import annotations

import base64
import email.utils
import functools
import io
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from generate.backends import Ending
from generate.prompt import ClipPart, Part, PicturePart, Prompt, TextPart, Turn
from generate.token_costs import TokenCosts, read_text_counter

CANNED = ("It ", "was ", "in ", "2019. ", "[E1]")
CONTEXT_TOKENS = 4096
VLLM = (
    "This model's maximum context length is {limit} tokens. However, you requested {total} tokens "
    "({prompt} in the messages, {answer} in the completion). Please reduce the length of the "
    "messages or completion."
)
NEW_VLLM = (
    "This model's maximum context length is {limit} tokens. However, you requested {answer} output "
    "tokens and your prompt contains at least {prompt} input tokens, for a total of at least "
    "{total} tokens. Please reduce the length of the input prompt."
)
SGLANG = (
    "Requested token count exceeds the model's maximum context length of {limit} tokens. You "
    "requested a total of {total} tokens: {prompt} tokens from the input messages and {answer} "
    "tokens for the completion."
)
DASHSCOPE = (
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, {limit}]"
)
WORDS = {"vllm": VLLM, "newvllm": NEW_VLLM, "sglang": SGLANG, "dashscope": DASHSCOPE}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none."""

    status: int
    message: str
    code: str | int | None = None
    retry_after: str | None = None


class Service:
    """What the server knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.left = 0
        """Listeners that went away before the end."""
        self.lock = threading.Lock()

    @functools.cached_property
    def costs(self) -> TokenCosts:
        return TokenCosts(read_text_counter(self.folder), is_exact=True)

    @functools.cached_property
    def model(self) -> Any:
        from generate.backends.qwen3_vl import Qwen3VLBackend
        from generate.backends.qwen_loading import load_qwen3_vl
        from generate.settings import Qwen3VLSettings

        settings = Qwen3VLSettings(model=str(self.folder), device="cpu", temperature=0.0)
        return Qwen3VLBackend(settings, load_qwen3_vl(settings))


def refusal_of(service: Service, mode: str, body: dict[str, Any], count: int) -> Refusal | None:
    """What is answered instead of an answer; None: nothing."""
    refusal = None
    match mode.split("-"):
        case ["busy", times] if count <= int(times):
            refusal = Refusal(503, "overloaded")
        case ["wait", seconds] if count == 1:
            refusal = Refusal(429, "slow down", retry_after=seconds)
        case ["date"] if count == 1:
            when = email.utils.formatdate(time.time() + 2, usegmt=True)
            refusal = Refusal(429, "slow down", retry_after=when)
        case ["poor"]:
            refusal = Refusal(429, "You exceeded your current quota", "insufficient_quota")
        case ["pictures"]:
            refusal = Refusal(400, "At most 16 image(s) may be provided in one prompt.", 400)
        case ["limit", limit, words]:
            refusal = _too_long(service, int(limit), words, body)
    return refusal


def _too_long(service: Service, limit: int, words: str, body: dict[str, Any]) -> Refusal | None:
    prompt = service.costs.of_prompt(prompt_of(body))
    answer = body["max_tokens"]
    if prompt + (0 if words == "dashscope" else answer) <= limit:
        return None
    said = WORDS[words].format(limit=limit, prompt=prompt, answer=answer, total=prompt + answer)
    return Refusal(400, said, "invalid_parameter_error" if words == "dashscope" else 400)


def prompt_of(body: dict[str, Any]) -> Prompt:
    """The prompt of a request, as vLLM reads it."""
    system = ""
    turns = []
    for message in body["messages"]:
        if message["role"] == "system":
            system = message["content"]
            continue
        content = message["content"]
        items = [{"type": "text", "text": content}] if isinstance(content, str) else content
        turns.append(Turn(message["role"], tuple(_part(item, body) for item in items)))
    return Prompt(system, tuple(turns))


def _part(item: dict[str, Any], body: dict[str, Any]) -> Part:
    if item["type"] == "text":
        return TextPart(item["text"])
    if item["type"] == "image_url":
        image = _image(item["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
        return PicturePart("", image.height, image.width, lambda: image)
    url = item["video_url"]["url"].removeprefix("data:video/jpeg;base64,")
    frames = [_image(one) for one in url.split(",")]
    told = body["media_io_kwargs"]["video"]
    assert told["num_frames"] == -1
    assert not body["mm_processor_kwargs"]["do_sample_frames"]
    times = tuple(Fraction(index, told["fps"]) for index in told["frames_indices"])
    return ClipPart("", times, frames[0].height, frames[0].width, lambda: frames)


def _image(written: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(written, validate=True))).convert("RGB")


def said_by(service: Service, mode: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The deltas of an answer, then its end."""
    if body["model"] == "tiny":
        stream = service.model.stream(
            prompt_of(body), max_answer_tokens=body["max_tokens"], stop=threading.Event()
        )
        yield from ({"content": piece} for piece in stream)
        yield {"ending": stream.ending}
        return
    match mode.split("-"):
        case ["thinks"]:
            yield from ({"content": word} for word in ("Hm, ", "let me see.\n</th", "ink>\n\n"))
        case ["apart"]:
            yield from ({"reasoning_content": word} for word in ("Hm, ", "let me see."))
        case ["lost"]:
            yield {"content": "Hm, let me"}
            yield {"ending": Ending("length")}
            return
        case ["loops"]:
            for _ in range(10_000):
                yield {"content": "and then the bees came back "}
        case ["filtered"]:
            yield {"content": "It was"}
            yield {"ending": None}
            return
    yield from ({"content": word} for word in CANNED)
    yield {"ending": Ending("complete", 100, 40, len(CANNED))}


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        service = self.service
        if self.path == "/asked":
            self._reply({"asked": service.asked, "left": service.left})
            return
        mode = self.path.split("/")[1]
        self._note(mode, {})
        names = ["tiny"] if mode == "alone" else ["tiny", "canned"]
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        models = [
            {"id": name, "object": "model", "max_model_len": CONTEXT_TOKENS} for name in names
        ]
        match mode:
            case "unlisted":
                self._refuse(Refusal(404, "not found"))
            case "page":
                self._send(200, b"<html>hello</html>", "text/html")
            case "locked":
                self._refuse(Refusal(401, f"Incorrect API key provided: {key}"))
            case _:
                self._reply({"object": "list", "data": models})

    def do_POST(self) -> None:
        service = self.service
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mode = self.path.split("/")[1]
        count = self._note(mode, body)
        refusal = refusal_of(service, mode, body, count)
        if mode == "hangup":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif refusal is not None:
            self._refuse(refusal)
        else:
            try:
                self._stream(mode, body)
            except OSError:
                service.left += 1
                self.close_connection = True

    def _note(self, mode: str, body: dict[str, Any]) -> int:
        with self.service.lock:
            headers = dict(self.headers.items())
            self.service.asked.append({"mode": mode, "headers": headers, "body": body})
            self.service.counts[mode] += bool(body)
            return self.service.counts[mode]

    def _stream(self, mode: str, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if mode == "mute":
            time.sleep(1.5)
        if mode == "odd":
            self._chunk(b": still here\n\ndata: 5\n\n")
            self._event({"choices": [{}]})
            self._event({"choices": [{"index": 0, "delta": None}]})
        for number, delta in enumerate(said_by(self.service, mode, body)):
            if number == 3 and self._fails(mode):
                return
            if mode == "slow":
                time.sleep(0.1)
            if "ending" in delta:
                self._end(delta["ending"], mode)
            else:
                self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        self._chunk(b"")

    def _fails(self, mode: str) -> bool:
        """Go wrong in the middle, where the mode says so; True: nothing more is sent."""
        match mode:
            case "dies":
                self.close_connection = True
                return True
            case "garbage":
                self._chunk(b'data: {"choices": [{"ind\n\n')
            case "breaks":
                self._event({"error": {"message": "EngineDeadError", "code": 500}})
            case "unfinished":
                self._chunk(b"")
            case _:
                return False
        return True

    def _end(self, ending: Ending | None, mode: str) -> None:
        reasons = {"complete": "stop", "length": "length", "repeated": "stop"}
        reason = reasons[ending.reason] if ending else "content_filter"
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if ending is not None:
            usage = {
                "prompt_tokens": ending.prompt_tokens,
                "completion_tokens": ending.answer_tokens,
                "prompt_tokens_details": {"cached_tokens": ending.reused_tokens},
            }
            self._event({"choices": [], "usage": usage})
        self._chunk(b"data: [DONE]\n\n")

    def _event(self, data: dict[str, Any]) -> None:
        data = {"id": "1", "object": "chat.completion.chunk", "model": "m", "created": 1, **data}
        self._chunk(f"data: {json.dumps(data)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _refuse(self, refusal: Refusal) -> None:
        error = {"message": refusal.message, "code": refusal.code}
        headers = {} if refusal.retry_after is None else {"Retry-After": refusal.retry_after}
        data = json.dumps({"error": error}).encode()
        self._send(refusal.status, data, "application/json", headers)

    def _reply(self, data: dict[str, Any]) -> None:
        self._send(200, json.dumps(data).encode(), "application/json")

    def _send(
        self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main(folder: Path) -> None:
    """Serve until the process is ended."""
    Handler.service = Service(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
